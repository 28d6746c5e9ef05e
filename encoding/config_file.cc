#include "encoding/config_file.h"

#include <set>
#include <sstream>

#define TOML_EXCEPTIONS 0
#include <toml++/impl/preprocessor.h>
// The parser "assumes" that a table header's key begins with a key's character, and tests it only afterwards: `[=]`
// ends a debug build and is undefined behaviour in a release. Without the assumptions its own tests answer.
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expression) static_cast<void>(0)
// Its table of white space calls all but the white space from U+00A1 to U+0499 unreachable: there too the answer is
// "no".
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE \
  return {}
#include <toml++/impl/forward_declarations.h>
#include <toml++/impl/unicode.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE __builtin_unreachable()
#include <toml++/toml.h>

#include "encoding/utf8.h"

namespace eml {

std::string ConfigFailure::to_string() const {
  std::string out;
  if (line != 0) out += "line " + std::to_string(line) + ": ";
  if (!key.empty()) out += key + ": ";
  out += error.what();
  return out;
}

struct ConfigFile::State {
  toml::table root;
  std::optional<ConfigFailure> failure;
  std::set<std::string, std::less<>> read;
  std::set<std::string, std::less<>> overridden;

  void note(const ErrorCode& code, Literal what, std::string_view key, std::uint32_t line) {
    if (failure) return;
    const bool from_outside = overridden.contains(key);
    failure = ConfigFailure{Error(code, what), std::string(key), from_outside ? 0 : line, from_outside};
  }

  const toml::node* find(std::string_view key) {
    read.emplace(key);
    return root.at_path(key).node();
  }

  static std::uint32_t line_of(const toml::node* node) {
    return node == nullptr ? 0 : static_cast<std::uint32_t>(node->source().begin.line);
  }

  // A leaf is read if it was asked for, or if a table or list around it was.
  void find_unread(const toml::node& node, const std::string& path) {
    if (failure || read.contains(path)) return;
    if (const auto* table = node.as_table(); table != nullptr && (path.empty() || !table->empty())) {
      for (const auto& [name, child] : *table) {
        find_unread(child, path.empty() ? std::string(name.str()) : path + "." + std::string(name.str()));
      }
      return;
    }
    note(kConfigUnknownKey, "there is no such key", path, line_of(&node));
  }
};

ConfigFile::ConfigFile(std::string_view text) : state_(std::make_unique<State>()) {
  if (text.size() > kConfigBytesMax) {
    state_->note(kConfigSyntax, "the file is too large for a configuration", {}, 0);
    return;
  }
  if (!is_utf8(text)) {
    state_->note(kConfigSyntax, "not TOML: it is not UTF-8", {}, 0);
    return;
  }
  toml::parse_result parsed = toml::parse(text);
  if (parsed.failed()) {
    state_->note(kConfigSyntax, "not TOML", {}, static_cast<std::uint32_t>(parsed.error().source().begin.line));
    return;
  }
  state_->root = std::move(parsed).table();
}

void ConfigFile::override_value(std::string_view key, std::string_view value) {
  state_->overridden.emplace(key);
  // The value as TOML if it is some (an integer, a boolean, a list, a quoted text), else as a text.
  std::string document = "value = ";
  document += value;
  toml::parse_result parsed = toml::parse(document);
  toml::table* table = &state_->root;
  std::string_view rest = key;
  for (std::size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    const std::string_view name = rest.substr(0, dot);
    if (table->get(name) == nullptr) table->insert(name, toml::table{});
    table = table->get(name)->as_table();
    if (table == nullptr) break;
    rest.remove_prefix(dot + 1);
  }
  if (table == nullptr || rest.empty()) {
    state_->note(kConfigUnknownKey, "there is no such key", key, 0);
  } else if (parsed.succeeded() && parsed.table().size() == 1) {
    table->insert_or_assign(rest, std::move(*parsed.table().get("value")));
  } else {
    table->insert_or_assign(rest, std::string(value));
  }
}

ConfigFile::~ConfigFile() = default;
ConfigFile::ConfigFile(ConfigFile&&) noexcept = default;
ConfigFile& ConfigFile::operator=(ConfigFile&&) noexcept = default;

std::string ConfigFile::text(std::string_view key, const std::optional<std::string>& fallback) {
  const toml::node* node = state_->find(key);
  if (node == nullptr) {
    if (!fallback) state_->note(kConfigMissing, "this key is missing", key, 0);
    return fallback.value_or("");
  }
  const auto* value = node->as_string();
  if (value == nullptr) {
    state_->note(kConfigWrongType, "the value is not a text", key, State::line_of(node));
    return {};
  }
  return value->get();
}

std::uint64_t ConfigFile::integer(std::string_view key, const IntegerRange& range,
                                  std::optional<std::uint64_t> fallback) {
  const toml::node* node = state_->find(key);
  if (node == nullptr) {
    if (!fallback) state_->note(kConfigMissing, "this key is missing", key, 0);
    return fallback.value_or(range.min);
  }
  const auto* value = node->as_integer();
  if (value == nullptr) {
    state_->note(kConfigWrongType, "the value is not an integer", key, State::line_of(node));
    return range.min;
  }
  if (value->get() < 0 || static_cast<std::uint64_t>(value->get()) < range.min) {
    state_->note(kConfigBadValue, "the value is too small", key, State::line_of(node));
    return range.min;
  }
  if (static_cast<std::uint64_t>(value->get()) > range.max) {
    state_->note(kConfigBadValue, "the value is too large", key, State::line_of(node));
    return range.max;
  }
  return static_cast<std::uint64_t>(value->get());
}

bool ConfigFile::boolean(std::string_view key, std::optional<bool> fallback) {
  const toml::node* node = state_->find(key);
  if (node == nullptr) {
    if (!fallback) state_->note(kConfigMissing, "this key is missing", key, 0);
    return fallback.value_or(false);
  }
  const auto* value = node->as_boolean();
  if (value == nullptr) {
    state_->note(kConfigWrongType, "the value is neither true nor false", key, State::line_of(node));
    return false;
  }
  return value->get();
}

std::vector<std::string> ConfigFile::texts(std::string_view key) {
  const toml::node* node = state_->find(key);
  if (node == nullptr) return {};
  const auto* list = node->as_array();
  std::vector<std::string> out;
  if (list != nullptr) {
    for (const toml::node& item : *list) {
      if (const auto* value = item.as_string()) out.push_back(value->get());
    }
  }
  if (list == nullptr || out.size() != list->size()) {
    state_->note(kConfigWrongType, "the value is not a list of texts", key, State::line_of(node));
  }
  return out;
}

std::vector<std::pair<std::string, std::uint64_t>> ConfigFile::integers(std::string_view key) {
  const toml::node* node = state_->find(key);
  if (node == nullptr) return {};
  std::vector<std::pair<std::string, std::uint64_t>> out;
  const auto* table = node->as_table();
  if (table != nullptr) {
    for (const auto& [name, item] : *table) {
      const auto* value = item.as_integer();
      if (value != nullptr && value->get() >= 0) {
        out.emplace_back(name.str(), static_cast<std::uint64_t>(value->get()));
      }
    }
  }
  if (table == nullptr || out.size() != table->size()) {
    state_->note(kConfigWrongType, "the value is not a table of non-negative integers", key, State::line_of(node));
  }
  return out;
}

bool ConfigFile::has(std::string_view key) const { return state_->root.at_path(key).node() != nullptr; }

void ConfigFile::reject(std::string_view key, const ErrorCode& code, Literal what) {
  state_->note(code, what, key, State::line_of(state_->root.at_path(key).node()));
}

std::expected<void, ConfigFailure> ConfigFile::finish() {
  state_->find_unread(state_->root, "");
  if (state_->failure) return std::unexpected(*state_->failure);
  return {};
}

}  // namespace eml

// ConfigFile reads a closed TOML document key by key. What goes wrong names the key and the line, so that whoever wrote
// the file can mend it; that is why it has an error type of its own (an Error holds no run-time text).
//
//   ConfigFile file(text);
//   config.listen = file.text("server.listen");
//   config.threads = file.integer("engine.threads", {.min = 0, .max = 1024}, 0);
//   EML_CHECK(file.finish());          // syntax, missing, wrong, and keys that nobody asked for
//
// Errors are sticky: the first one is kept, later reads return fallbacks or empty values.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kConfigSyntax{ErrorClass::kMalformed, "config-syntax"};
inline constexpr ErrorCode kConfigMissing{ErrorClass::kMalformed, "config-missing"};
inline constexpr ErrorCode kConfigWrongType{ErrorClass::kMalformed, "config-wrong-type"};
inline constexpr ErrorCode kConfigBadValue{ErrorClass::kMalformed, "config-bad-value"};
inline constexpr ErrorCode kConfigUnknownKey{ErrorClass::kMalformed, "config-unknown-key"};

inline constexpr std::size_t kConfigBytesMax = 1U << 20;

// ConfigFailure says what, where and why. The key and the line are the operator's own and may be shown.
struct ConfigFailure {
  Error error;
  std::string key;          // dotted; empty for a syntax error
  std::uint32_t line = 0;   // 1-based; 0 if the key is not in the file
  bool overridden = false;  // the value is override_value's, not the file's
  // to_string gives "line 7: engine.threads: the value is too large".
  std::string to_string() const;
};

struct IntegerRange {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};

class ConfigFile {
 public:
  explicit ConfigFile(std::string_view text);
  ~ConfigFile();
  ConfigFile(ConfigFile&&) noexcept;
  ConfigFile& operator=(ConfigFile&&) noexcept;

  // override_value replaces or adds one value before it is read: a command-line flag. The text is taken as the type
  // that it looks like (true, 42, else a text; a list as TOML). A key that nobody reads fails in finish().
  void override_value(std::string_view key, std::string_view value);

  // Without a fallback a key is mandatory.
  std::string text(std::string_view key, const std::optional<std::string>& fallback = std::nullopt);
  std::uint64_t integer(std::string_view key, const IntegerRange& range,
                        std::optional<std::uint64_t> fallback = std::nullopt);
  bool boolean(std::string_view key, std::optional<bool> fallback = std::nullopt);
  // An absent list is empty.
  std::vector<std::string> texts(std::string_view key);
  // integers reads a table of names to integers: [minimum_serials] "all-minilm-l6-v2" = 1. An absent table is empty.
  std::vector<std::pair<std::string, std::uint64_t>> integers(std::string_view key);
  bool has(std::string_view key) const;

  // reject is for a value that the caller could not use: `what` says why.
  void reject(std::string_view key, const ErrorCode& code, Literal what);

  // finish ends the reading: the first failure, or a key of the file that nobody read.
  std::expected<void, ConfigFailure> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace eml

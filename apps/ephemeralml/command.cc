#include "apps/ephemeralml/command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/files.h"

namespace eml::cli {
namespace {

constexpr std::size_t kRootBytesMax = 1U << 20;

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool write_line(int fd, std::string_view line) {
  std::string text(line);
  text += '\n';
  return write_all(fd, text);
}

bool stdout_is_gone = false;

// One line stays one line, and no name moves the cursor of a terminal.
std::string on_one_line(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
      continue;
    }
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

bool is_command(const CLI::App* app) { return !app->get_name().empty(); }

// The first word that should have been a command and is none.
const char* unknown_command(const CLI::App& app, int argc, const char* const* argv) {
  const CLI::App* at = &app;
  for (int i = 1; i < argc; ++i) {
    const auto commands = at->get_subcommands(is_command);
    if (commands.empty()) return nullptr;
    const auto named = std::ranges::find_if(commands, [&](const CLI::App* app) { return app->check_name(argv[i]); });
    if (named == commands.end()) return argv[i];
    at = *named;
  }
  return nullptr;
}

std::string refuse_empty(const std::string& value) { return value.empty() ? "must not be empty" : ""; }

}  // namespace

int complain(std::string_view where, const Error& error) {
  std::string line = "ephemeralml: " + on_one_line(where);
  line += ": ";
  line += error.what();
  // For an error of the operating system its own words help more than its number.
  const bool is_errno = error.error_class() == ErrorClass::kUnavailable && error.has_first() && error.first() < 200;
  if (is_errno && error.first() != 0) {
    line += ": ";
    line += std::strerror(static_cast<int>(error.first()));
  } else if (error.has_first() && error.code() != kFileExists) {
    line += " (" + std::to_string(error.first());
    if (error.has_second()) line += ", " + std::to_string(error.second());
    line += ")";
  }
  line += " [";
  line += error.code().name;
  line += "]";
  (void)write_line(STDERR_FILENO, line);
  // That a name is taken judges nothing.
  return error.code() == kFileExists ? kFailed : exit_code(error.error_class());
}

int complain_usage(std::string_view where, std::string_view why) {
  (void)write_line(STDERR_FILENO, "ephemeralml: " + on_one_line(where) + ": " + on_one_line(why));
  return kFailed;
}

int usage_error(const CLI::App& app, int argc, const char* const* argv, const CLI::Error& error) {
  if (const char* word = unknown_command(app, argc, argv)) {
    return complain_usage("usage", "no such command or option: " + std::string(word) + " (--help says more)");
  }
  return complain_usage("usage", std::string(error.what()) + " (--help says more)");
}

void refuse_empty_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() > 0 && option->get_name() != "--text") option->check(refuse_empty, "");
  }
  for (CLI::App* command : app.get_subcommands(is_command)) refuse_empty_values(*command);
}

void say(std::string_view line) {
  // A reader that has seen enough (head -1) is no failure.
  if (!write_line(STDOUT_FILENO, line) && errno != EPIPE) stdout_is_gone = true;
}
void note(std::string_view line) { (void)write_line(STDERR_FILENO, line); }
bool stdout_failed() { return stdout_is_gone; }
void print_json(const JsonObject& object) { say(compact_json(Json(object))); }

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

bool colour_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return stdout_is_terminal() && (no_color == nullptr || *no_color == '\0');
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool write_stdout(std::string_view bytes) { return write_all(STDOUT_FILENO, bytes); }

void add_root(CLI::App& command, std::string& path) {
  command.add_option("--root", path, "Root certificates (PEM or DER) in place of the vendors': for evaluation only");
}

Result<std::optional<Bytes>> read_root(const std::string& path) {
  if (path.empty()) return std::nullopt;
  EML_TRY(Bytes root, read_file(path, kRootBytesMax));
  note("EVALUATION ONLY: --root replaces the vendors' built-in roots; nothing that it vouches for is for production.");
  return std::optional(std::move(root));
}

}  // namespace eml::cli

#include "apps/ephemeralml/command.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace eml::cli {
namespace {

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void write_line(int fd, std::string_view line) {
  std::string text(line);
  text += '\n';
  (void)write_all(fd, text);
}

}  // namespace

int complain(std::string_view where, const Error& error) {
  std::string line = "ephemeralml: ";
  line += where;
  line += ": ";
  line += error.what();
  // For an error of the operating system its own words help more than its number.
  const bool is_errno = error.error_class() == ErrorClass::kUnavailable && error.has_first() && error.first() < 200;
  if (is_errno && error.first() != 0) {
    line += ": ";
    line += std::strerror(static_cast<int>(error.first()));
  } else if (error.has_first()) {
    line += " (" + std::to_string(error.first());
    if (error.has_second()) line += ", " + std::to_string(error.second());
    line += ")";
  }
  line += " [";
  line += error.code().name;
  line += "]";
  write_line(STDERR_FILENO, line);
  return exit_code(error.error_class());
}

int complain_usage(std::string_view where, std::string_view why) {
  std::string line = "ephemeralml: ";
  line += where;
  line += ": ";
  line += why;
  write_line(STDERR_FILENO, line);
  return kFailed;
}

void say(std::string_view line) { write_line(STDOUT_FILENO, line); }
void note(std::string_view line) { write_line(STDERR_FILENO, line); }
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

}  // namespace eml::cli

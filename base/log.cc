#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>

#include "base/clock.h"

namespace eml {
namespace {

constexpr std::size_t kPublicTextMax = 256;
constexpr std::array<std::string_view, 4> kLevelNames{"error", "warning", "info", "debug"};

std::atomic<LogLevel> g_level{LogLevel::kInfo};
std::atomic<LogSink> g_sink{nullptr};

void write_stderr(std::string_view line) {
  while (!line.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, line.data(), line.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody reads us; there is no better place to say so
    line.remove_prefix(static_cast<std::size_t>(n));
  }
}

// A value with a space, a quote or an equals sign is quoted, so that a line splits in one way only.
void append_value(std::string& line, std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" \"=") == std::string_view::npos;
  if (plain) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"') line += '\\';
    line += c;
  }
  line += '"';
}

void append_field(std::string& line, const LogField& field) {
  line += ' ';
  line += field.name.view();
  line += '=';
  if (const auto* literal = std::get_if<Literal>(&field.value)) {
    append_value(line, literal->view());
  } else if (const auto* text = std::get_if<PublicText>(&field.value)) {
    append_value(line, text->view());
  } else {
    line += std::to_string(std::get<std::int64_t>(field.value));
  }
}

void write_line(LogLevel level, Literal module, Literal event, const Error* error,
                std::initializer_list<LogField> fields) {
  if (level > g_level.load(std::memory_order_relaxed)) return;
  std::string line = rfc3339(system_clock().now());
  line += ' ';
  line += kLevelNames[static_cast<std::size_t>(level)];
  line += ' ';
  line += module.view();
  line += ' ';
  line += event.view();
  for (const LogField& field : fields) append_field(line, field);
  if (error != nullptr) append_value(line += " error=", error->to_string());
  line += '\n';
  const LogSink sink = g_sink.load(std::memory_order_acquire);
  (sink != nullptr ? sink : write_stderr)(line);
}

}  // namespace

PublicText PublicText::declared_public(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  PublicText out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool printable = byte >= 0x20 && byte < 0x7f && c != '\\';
    const std::size_t wanted = printable ? 1 : 4;
    if (out.text_.size() + wanted > kPublicTextMax) break;
    if (printable) {
      out.text_ += c;
    } else {
      out.text_ += "\\x";
      out.text_ += kDigits[byte >> 4];
      out.text_ += kDigits[byte & 15];
    }
  }
  return out;
}

void log(LogLevel level, Literal module, Literal event, std::initializer_list<LogField> fields) {
  write_line(level, module, event, nullptr, fields);
}

void log(LogLevel level, Literal module, Literal event, const Error& error, std::initializer_list<LogField> fields) {
  write_line(level, module, event, &error, fields);
}

void set_log_level(LogLevel level) { g_level.store(level, std::memory_order_relaxed); }

Result<LogLevel> parse_log_level(std::string_view text) {
  const auto* const found = std::ranges::find(kLevelNames, text);
  if (found == kLevelNames.end()) return fail(kLogLevelUnknown, "a log level is error, warning, info or debug");
  return static_cast<LogLevel>(found - kLevelNames.begin());
}

void set_log_sink(LogSink sink) { g_sink.store(sink, std::memory_order_release); }

}  // namespace eml

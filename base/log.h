// Log writes one line per event to stderr: `2026-11-25T13:08:00Z info server ready port=443`.
//
// What may be logged is decided by type: a field's value is a Literal, an integer, an Error, or a PublicText that
// the caller declares public by name. There is no conversion from std::string, string_view, Bytes or UserText.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kLogLevelUnknown{ErrorClass::kMalformed, "log-level-unknown"};

enum class LogLevel : std::uint8_t { kError, kWarning, kInfo, kDebug };

// PublicText is run-time text that someone decided may be logged: a path of the operator's config, a host:port of
// our own listener, a rule's name. Control characters and non-ASCII are escaped; at most 256 bytes are kept.
class PublicText {
 public:
  static PublicText declared_public(std::string_view text);
  std::string_view view() const { return text_; }

 private:
  std::string text_;
};

struct LogField {
  Literal name;
  std::variant<Literal, std::int64_t, PublicText> value;
};

// log writes if `level` is within the process's level (kInfo unless set_log_level was called). Thread-safe; a line
// is one write.
void log(LogLevel level, Literal module, Literal event, std::initializer_list<LogField> fields = {});
void log(LogLevel level, Literal module, Literal event, const Error& error,
         std::initializer_list<LogField> fields = {});

// An Error is the last field, error="code: what (integers)". Values with a space, a quote or "=" are quoted.
void set_log_level(LogLevel level);
// parse_log_level: kLogLevelUnknown for anything but "error", "warning", "info", "debug".
Result<LogLevel> parse_log_level(std::string_view text);

// set_log_sink sends lines elsewhere (tests); nullptr restores stderr.
using LogSink = void (*)(std::string_view line);
void set_log_sink(LogSink sink);

}  // namespace eml

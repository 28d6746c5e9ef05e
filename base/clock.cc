#include "base/clock.h"

#include <algorithm>
#include <optional>

namespace eml {
namespace {

constexpr std::int64_t kSecondsPerDay = 86400;

// Fixed-width digits at `at`; nullopt if one is not a digit.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// "Z" is 0; "+hh:mm" and "-hh:mm" are seconds east of UTC.
std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text == "Z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t seconds = *hours * 3600 + *minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

void append_padded(std::string& out, std::int64_t value, std::size_t width) {
  const std::string text = std::to_string(value);
  out.append(width - std::min(width, text.size()), '0').append(text);
}

}  // namespace

std::string rfc3339(UnixSeconds time) {
  time = std::clamp(time, kUnixSecondsMin, kUnixSecondsMax);
  const std::chrono::sys_days day{
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds{std::chrono::seconds(time)})};
  const std::chrono::year_month_day date{day};
  const std::int64_t second = time - std::int64_t{day.time_since_epoch().count()} * kSecondsPerDay;
  std::string out;
  append_padded(out, static_cast<int>(date.year()), 4);
  append_padded(out += '-', static_cast<unsigned>(date.month()), 2);
  append_padded(out += '-', static_cast<unsigned>(date.day()), 2);
  append_padded(out += 'T', second / 3600, 2);
  append_padded(out += ':', second / 60 % 60, 2);
  append_padded(out += ':', second % 60, 2);
  return out += 'Z';
}

Result<UnixSeconds> parse_rfc3339(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  const auto malformed = fail(kTimeMalformed, "not a time of the form 2026-11-25T13:08:00Z");
  if (text.size() < kForm.size() + 1) return malformed;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] != 'd' && text[i] != kForm[i]) return malformed;
  }
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  const auto offset = parse_offset(text.substr(kForm.size()));
  if (!year || !month || !day || !hour || !minute || !second || !offset) return malformed;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return malformed;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const UnixSeconds time = days * kSecondsPerDay + *hour * 3600 + *minute * 60 + *second - *offset;
  if (time < kUnixSecondsMin || time > kUnixSecondsMax) return malformed;
  return time;
}

}  // namespace eml

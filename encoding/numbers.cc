#include "encoding/numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

namespace eml {
namespace {

template <typename T>
std::string_view scientific(T value, std::array<char, 32>& buffer) {
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  return {buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data())};
}

#ifdef __cpp_lib_to_chars
// Whether a number outside the range of doubles is nearer to zero than to infinity.
bool is_tiny(std::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, e);
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    const char* first = text.data() + e + 1;
    if (*first == '+') ++first;
    const auto result = std::from_chars(first, text.data() + text.size(), exponent);
    if (result.ec != std::errc{}) return *first == '-';
  }
  // Decimal places by which the first digit that counts stands left of the point.
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first_digit = mantissa.find_first_of("123456789");
  if (first_digit == std::string_view::npos) return true;
  return exponent < static_cast<std::int64_t>(first_digit) - static_cast<std::int64_t>(point);
}
#endif

}  // namespace

#ifdef __cpp_lib_to_chars
std::optional<double> nearest_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range && is_tiny(text)) return text.front() == '-' ? -0.0 : 0.0;
  if (error != std::errc{} || !std::isfinite(value)) return std::nullopt;
  return value;
}
#else  // libc++ 19, whose C library under WebAssembly has no locale but "C"
std::optional<double> nearest_double(std::string_view text) {
  const double value = std::strtod(std::string(text).c_str(), nullptr);
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}
#endif

ShortestNumber::ShortestNumber(double value) {
  std::array<char, 32> buffer;
  if (!std::isfinite(value)) std::abort();  // parsers refuse them and the engine checks its output: our own mistake
  format(scientific(value == 0 ? 0.0 : value, buffer));
}

ShortestNumber::ShortestNumber(float value) {
  std::array<char, 32> buffer;
  if (!std::isfinite(value)) std::abort();
  format(scientific(value == 0 ? 0.0F : value, buffer));
}

// `scientific` is [-]d[.ddd]e(+|-)xx. The names k, n and the four cases are those of ECMA-262, Number::toString.
void ShortestNumber::format(std::string_view scientific) {
  if (scientific.front() == '-') {
    append("-");
    scientific.remove_prefix(1);
  }
  const std::size_t e = scientific.find('e');
  std::string_view exponent = scientific.substr(e + 1);
  if (exponent.front() == '+') exponent.remove_prefix(1);
  int n = 0;
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), n);
  ++n;

  std::array<char, 24> digits;
  std::size_t k = 0;
  for (const char c : scientific.substr(0, e)) {
    if (c != '.') digits[k++] = c;
  }
  const std::string_view all(digits.data(), k);
  const int count = static_cast<int>(k);
  if (n >= count && n <= 21) {
    append(all);
    append_zeros(n - count);
  } else if (n > 0 && n <= 21) {
    append(all.substr(0, static_cast<std::size_t>(n)));
    append(".");
    append(all.substr(static_cast<std::size_t>(n)));
  } else if (n > -6 && n <= 0) {
    append("0.");
    append_zeros(-n);
    append(all);
  } else {
    append(all.substr(0, 1));
    if (k > 1) append(".");
    append(all.substr(1));
    append(n > 0 ? "e+" : "e-");
    const auto end = std::to_chars(text_.data() + size_, text_.data() + text_.size(), std::abs(n - 1));
    size_ = static_cast<std::size_t>(end.ptr - text_.data());
  }
}

void ShortestNumber::append(std::string_view text) {
  for (const char c : text) text_[size_++] = c;
}

void ShortestNumber::append_zeros(int count) {
  for (int i = 0; i < count; ++i) text_[size_++] = '0';
}

}  // namespace eml

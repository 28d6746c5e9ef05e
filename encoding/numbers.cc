#include "encoding/numbers.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace eml {
namespace {

template <typename T>
std::string_view scientific(T value, std::array<char, 32>& buffer) {
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  return {buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data())};
}

}  // namespace

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

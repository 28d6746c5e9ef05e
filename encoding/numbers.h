// Numbers as text: the shortest decimal that reads back to the same bits, written as ECMAScript does (RFC
// 8785, 3.2.2.3).
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace eml {

// nearest_double reads a number of JSON's grammar: zero if it is too small for a double, nothing if it is too large.
std::optional<double> nearest_double(std::string_view text);

// ShortestNumber holds the text of one finite number: "0.1", "1e+21", "5e-324". Negative zero is "0", as in ECMAScript.
class ShortestNumber {
 public:
  explicit ShortestNumber(double value);
  // For a float: the shortest text that reads back to the same float; fewer digits than the same value as a double.
  explicit ShortestNumber(float value);
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  void format(std::string_view scientific);
  void append(std::string_view text);
  void append_zeros(int count);

  std::array<char, 32> text_;  // the longest is 25: sign, "0.", five zeros, 17 digits
  std::size_t size_ = 0;
};

}  // namespace eml

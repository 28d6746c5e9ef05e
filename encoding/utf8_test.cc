#include "encoding/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace eml {
namespace {

std::string encoded(std::uint32_t point) {
  const auto byte = [](std::uint32_t b) { return static_cast<char>(static_cast<unsigned char>(b)); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xc0 | (point >> 6)), byte(0x80 | (point & 63))};
  if (point < 0x10000) return {byte(0xe0 | (point >> 12)), byte(0x80 | ((point >> 6) & 63)), byte(0x80 | (point & 63))};
  return {byte(0xf0 | (point >> 18)), byte(0x80 | ((point >> 12) & 63)), byte(0x80 | ((point >> 6) & 63)),
          byte(0x80 | (point & 63))};
}

TEST(Utf8, AcceptsEveryCharacterButSurrogates) {
  for (std::uint32_t point = 0; point < 0x110000; ++point) {
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    ASSERT_EQ(is_utf8(encoded(point)), !surrogate) << point;
  }
  EXPECT_FALSE(is_utf8(encoded(0x110000)));
}

TEST(Utf8, DecidesEveryPairOfBytesAsTheTableDoes) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      const std::string text{static_cast<char>(a), static_cast<char>(b)};
      const bool good = (a < 0x80 && b < 0x80) || (a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf);
      ASSERT_EQ(is_utf8(text), good) << a << " " << b;
    }
  }
}

TEST(Utf8, RejectsMalformedSequencesAtAnyPosition) {
  const std::vector<std::pair<const char*, std::string>> bad = {
      {"overlong of two", "\xc0\x80"},
      {"overlong of three", "\xe0\x80\x80"},
      {"overlong of four", "\xf0\x80\x80\x80"},
      {"surrogate", "\xed\xa0\x80"},
      {"above the last", "\xf4\x90\x80\x80"},
      {"five bytes", "\xf8\x88\x80\x80\x80"},
      {"lone continuation", "\x80"},
      {"cut after one", "\xe2"},
      {"cut after two", "\xe2\x82"},
      {"cut after three", "\xf0\x9f\x98"},
      {"bad third byte", "\xe2\x82\x41"},
      {"bad fourth byte", "\xf0\x9f\x98\x41"},
      {"ff", "\xff"},
  };
  for (const auto& [name, text] : bad) {
    for (std::size_t before = 0; before < 20; ++before) {
      const std::string padded = std::string(before, 'a') + text + (text.back() == 'A' ? "" : "zz");
      EXPECT_EQ(utf8_valid_prefix(padded), before) << name;
    }
  }
}

}  // namespace
}  // namespace eml

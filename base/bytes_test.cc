#include "base/bytes.h"

#include <gtest/gtest.h>

#include <string>

namespace eml {
namespace {

TEST(Hex, RoundTripsEveryByte) {
  Bytes all;
  for (unsigned b = 0; b < 256; ++b) all.push_back(static_cast<std::uint8_t>(b));
  EXPECT_EQ(from_hex(hex(all)), all);
  EXPECT_EQ(hex(Bytes{0x00, 0x9a, 0xff}), "009aff");
  EXPECT_EQ(from_hex("Ff00"), (Bytes{0xff, 0x00}));
}

TEST(Hex, RejectsOddCountsAndOtherCharacters) {
  for (const std::string_view bad : {"0", "000", "0g", "g0", " 00", "0x00", "00 "}) EXPECT_FALSE(from_hex(bad)) << bad;
}

TEST(Label, IsTheTextAndOneZeroByte) {
  EXPECT_EQ(hex(label("eml")), "656d6c00");
  EXPECT_EQ(hex(label("")), "00");
}

TEST(Bytes, ToArrayWantsTheExactSize) {
  const Bytes three{1, 2, 3};
  EXPECT_EQ(to_array<3>(three), (ByteArray<3>{1, 2, 3}));
  EXPECT_FALSE(to_array<2>(three));
  EXPECT_FALSE(to_array<4>(three));
}

TEST(Bytes, ConcatJoinsInOrder) {
  EXPECT_EQ(concat(Bytes{1}, as_bytes("a"), ByteArray<2>{2, 3}, ByteView()), (Bytes{1, 'a', 2, 3}));
}

TEST(Bytes, EqualComparesSizesToo) {
  EXPECT_TRUE(equal(Bytes{1, 2}, Bytes{1, 2}));
  EXPECT_FALSE(equal(Bytes{1, 2}, Bytes{1, 3}));
  EXPECT_FALSE(equal(Bytes{1, 2}, Bytes{1}));
  EXPECT_TRUE(equal({}, {}));
}

}  // namespace
}  // namespace eml

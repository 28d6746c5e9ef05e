// begin_map, begin_array and next: the one place where indefinite lengths are read, and its bounds.
#include <gtest/gtest.h>

#include "encoding/cbor.h"

namespace eml {
namespace {

// items is how many unsigned integers an array holds, or the error's name.
std::string items(const Bytes& bytes, std::size_t count_max) {
  CborReader in(bytes);
  auto begun = in.begin_array(count_max);
  if (!begun) return std::string(begun.error().code().name);
  for (std::size_t n = 0;; ++n) {
    const auto more = in.next(*begun);
    if (!more) return std::string(more.error().code().name);
    if (!*more) return in.at_end() ? std::to_string(n) : "rest";
    const auto value = in.uint();
    if (!value) return std::string(value.error().code().name);
  }
}

TEST(CborItemsTest, ReadsDefiniteAndIndefiniteLengths) {
  EXPECT_EQ(items({0x80}, 4), "0");
  EXPECT_EQ(items({0x82, 0x01, 0x02}, 4), "2");
  EXPECT_EQ(items({0x9f, 0xff}, 4), "0");
  EXPECT_EQ(items({0x9f, 0x01, 0x02, 0xff}, 4), "2");
  EXPECT_EQ(items({0x9f, 0x01, 0xff, 0x00}, 4), "rest");
}

TEST(CborItemsTest, BoundsTheCountOfBoth) {
  EXPECT_EQ(items({0x82, 0x01, 0x02}, 2), "2");
  EXPECT_EQ(items({0x83, 0x01, 0x02, 0x03}, 2), "cbor-out-of-range");
  EXPECT_EQ(items({0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 2), "cbor-out-of-range");
  EXPECT_EQ(items({0x9f, 0x01, 0x02, 0xff}, 2), "2");
  EXPECT_EQ(items({0x9f, 0x01, 0x02, 0x03, 0xff}, 2), "cbor-out-of-range");
}

TEST(CborItemsTest, RejectsWhatEndsTooEarlyOrIsNoArray) {
  EXPECT_EQ(items({}, 4), "cbor-truncated");
  EXPECT_EQ(items({0x9f}, 4), "cbor-truncated");
  EXPECT_EQ(items({0x9f, 0x01}, 4), "cbor-truncated");
  EXPECT_EQ(items({0x82, 0x01}, 4), "cbor-truncated");
  EXPECT_EQ(items({0xa0}, 4), "cbor-wrong-type");
  EXPECT_EQ(items({0xbf, 0xff}, 4), "cbor-not-deterministic");
  EXPECT_EQ(items({0xff}, 4), "cbor-unsupported-type");
  EXPECT_EQ(items({0x81, 0xff}, 4), "cbor-unsupported-type");
}

TEST(CborItemsTest, EverywhereElseIndefiniteLengthsStayAnError) {
  const Bytes map{0xbf, 0xff};
  EXPECT_FALSE(CborReader(map).map());
  EXPECT_FALSE(CborReader(map).item());
  EXPECT_TRUE(CborReader(map).begin_map(1));
  const Bytes nested{0x9f, 0x9f, 0xff, 0xff};
  CborReader in(nested);
  auto begun = in.begin_array(1);
  ASSERT_TRUE(begun && in.next(*begun).value());
  EXPECT_FALSE(in.item());
}

}  // namespace
}  // namespace eml

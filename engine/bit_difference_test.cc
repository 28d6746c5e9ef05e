#include "engine/bit_difference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace eml {
namespace {

using Floats = std::vector<float>;

TEST(BitDifference, EqualBitsAreNoDifference) {
  EXPECT_FALSE(compare_bits(Floats{}, Floats{}));
  EXPECT_FALSE(compare_bits(Floats{0.5F, -0.0F}, Floats{0.5F, -0.0F}));
}

TEST(BitDifference, NamesTheFirstElementAndCountsAll) {
  const auto found = compare_bits(Floats{1, 2, 3, 4}, Floats{1, std::nextafter(2.0F, 3.0F), 3, 5});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->first, 1U);
  EXPECT_EQ(found->count, 2U);
  EXPECT_EQ(found->wanted, 2.0F);
  EXPECT_GT(found->got, 2.0F);
  EXPECT_EQ(found->ulps, 1U);
}

TEST(BitDifference, CountsTheStepsBetweenTwoFloats) {
  const auto ulps = [](float a, float b) { return compare_bits(Floats{a}, Floats{b})->ulps; };
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(ulps(0.0F, -0.0F), 1U);
  EXPECT_EQ(ulps(kTiny, -kTiny), 3U);
  EXPECT_EQ(ulps(1.0F, 2.0F), 1U << 23);
  EXPECT_EQ(ulps(-2.0F, -1.0F), 1U << 23);
  constexpr float kMax = std::numeric_limits<float>::max();
  EXPECT_EQ(ulps(-kMax, kMax), 2 * 0x7f7fffffU + 1);
}

}  // namespace
}  // namespace eml

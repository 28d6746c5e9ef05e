#include "encoding/padme.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace eml {
namespace {

// The published algorithm, in its own words (Nikitin et al., PETS 2019, algorithm 1), with floating point logarithms.
std::size_t as_published(std::size_t n) {
  const auto e = static_cast<std::size_t>(std::floor(std::log2(static_cast<double>(n))));
  const auto s = static_cast<std::size_t>(std::floor(std::log2(static_cast<double>(e)))) + 1;
  const std::size_t last_bits = e - s;
  const std::size_t mask = (std::size_t{1} << last_bits) - 1;
  return (n + mask) & ~mask;
}

TEST(Padme, AgreesWithThePublishedAlgorithm) {
  for (std::size_t n = 2; n < 200'000; ++n) ASSERT_EQ(padme(n), as_published(n)) << n;
}

TEST(Padme, GivesKnownSizes) {
  EXPECT_EQ(padme(0), 0U);
  EXPECT_EQ(padme(1), 1U);
  EXPECT_EQ(padme(9), 10U);
  EXPECT_EQ(padme(1000), 1024U);
  EXPECT_EQ(padme(1025), 1088U);
  EXPECT_EQ(padme(std::size_t{1} << 40), std::size_t{1} << 40);
}

TEST(Padme, NeverShrinksAndNeverGrowsByMoreThanTwelvePercent) {
  for (std::size_t n = 2; n < (std::size_t{1} << 40); n += n / 17 + 1) {
    EXPECT_GE(padme(n), n);
    EXPECT_LE(padme(n) - n, n * 12 / 100) << n;
    EXPECT_EQ(padme(padme(n)), padme(n)) << n;
  }
}

TEST(Padme, LeavesFewSizes) {
  std::set<std::size_t> sizes;
  for (std::size_t n = 1; n <= 65536; ++n) sizes.insert(padme(n));
  EXPECT_LT(sizes.size(), 200U);
}

}  // namespace
}  // namespace eml

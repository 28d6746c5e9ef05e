#include "base/clock.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace eml {
namespace {

TEST(Rfc3339, FormatsKnownTimes) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(rfc3339(951782400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(rfc3339(1796216880), "2026-12-02T13:08:00Z");
  EXPECT_EQ(rfc3339(kUnixSecondsMin), "0000-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(kUnixSecondsMax), "9999-12-31T23:59:59Z");
}

TEST(Rfc3339, FormatsTimesOutsideItsYearsAsTheNearestLimit) {
  EXPECT_EQ(rfc3339(INT64_MAX), "9999-12-31T23:59:59Z");
  EXPECT_EQ(rfc3339(INT64_MIN), "0000-01-01T00:00:00Z");
}

TEST(Rfc3339, ReadsBackWhatItWrites) {
  for (UnixSeconds time = kUnixSecondsMin; time <= kUnixSecondsMax; time += 9876543210) {
    EXPECT_EQ(parse_rfc3339(rfc3339(time)), time);
  }
}

TEST(Rfc3339, AppliesNumericOffsets) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T01:30:00+01:30"), 0);
  EXPECT_EQ(parse_rfc3339("1969-12-31T19:00:00-05:00"), 0);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00-00:00"), 0);
}

TEST(Rfc3339, RejectsEverythingElse) {
  const std::vector<std::pair<const char*, std::string>> bad = {
      {"empty", ""},
      {"no zone", "2026-11-25T13:08:00"},
      {"space instead of T", "2026-11-25 13:08:00Z"},
      {"lower-case t", "2026-11-25t13:08:00Z"},
      {"lower-case z", "2026-11-25T13:08:00z"},
      {"fraction", "2026-11-25T13:08:00.5Z"},
      {"leap second", "2016-12-31T23:59:60Z"},
      {"hour 24", "2026-11-25T24:00:00Z"},
      {"minute 60", "2026-11-25T13:60:00Z"},
      {"month 0", "2026-00-25T13:08:00Z"},
      {"month 13", "2026-13-25T13:08:00Z"},
      {"day 0", "2026-11-00T13:08:00Z"},
      {"day 31 of a short month", "2026-11-31T13:08:00Z"},
      {"29 February of a common year", "2026-02-29T13:08:00Z"},
      {"letter in the year", "2o26-11-25T13:08:00Z"},
      {"sign in the year", "+026-11-25T13:08:00Z"},
      {"space in the day", "2026-11- 5T13:08:00Z"},
      {"wrong separator", "2026/11/25T13:08:00Z"},
      {"offset without colon", "2026-11-25T13:08:00+0100"},
      {"offset hour 24", "2026-11-25T13:08:00+24:00"},
      {"offset minute 60", "2026-11-25T13:08:00+01:60"},
      {"trailing byte", "2026-11-25T13:08:00Z "},
      {"leading space", " 2026-11-25T13:08:00Z"},
      {"zero byte", std::string("2026-11-25T13:08:00\0", 20)},
      {"before year 0 by its offset", "0000-01-01T00:00:00+00:01"},
      {"after year 9999 by its offset", "9999-12-31T23:59:59-00:01"},
  };
  for (const auto& [name, text] : bad) {
    const auto result = parse_rfc3339(text);
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().code(), kTimeMalformed) << name;
  }
}

TEST(Rfc3339, RejectsEveryTruncation) {
  const std::string good = "2026-11-25T13:08:00+01:00";
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(parse_rfc3339(good.substr(0, n))) << n;
}

TEST(SystemClock, RunsForward) {
  const Clock& clock = system_clock();
  EXPECT_GT(clock.now(), 1700000000);
  const auto first = clock.monotonic();
  EXPECT_GE(clock.monotonic(), first);
}

TEST(SystemRandom, FillsTheWholeBufferDifferentlyEachTime) {
  const auto a = system_random().array<32>();
  const auto b = system_random().array<32>();
  EXPECT_NE(a, b);
  Bytes large(100'000);
  system_random().fill(large);
  EXPECT_FALSE(equal(ByteView(large).last(32), Bytes(32)));
  system_random().fill({});
}

}  // namespace
}  // namespace eml

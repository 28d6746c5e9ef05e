#include "engine/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

namespace eml {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr double kTokensPerSecond = 20000;  // of both threads
constexpr AdmissionLimits kLimits{.wait_max = milliseconds(500), .wait_busy_max = milliseconds(50)};
constexpr std::size_t kBurst = 10000;  // tokens in 500 ms
constexpr std::size_t kBusy = 1000;

Admission measured_admission() {
  Admission out(kLimits, 2);
  out.measured(256, duration<double>(2 * 256 / kTokensPerSecond));
  return out;
}

TEST(Admission, RefusesWhatWouldWaitForLongerThanItsLimit) {
  Admission admission = measured_admission();
  EXPECT_TRUE(admission.admit({.tokens_before = kBurst - 1}, seconds(1)));
  EXPECT_FALSE(admission.admit({.tokens_before = kBurst + 1}, seconds(1)));
}

TEST(Admission, KeepsTheQueueShortFromTheFirstRefusalUntilNothingWasRefusedForASecond) {
  Admission admission = measured_admission();
  EXPECT_TRUE(admission.admit({.tokens_before = kBusy + 1}, seconds(1)));
  EXPECT_FALSE(admission.admit({.tokens_before = kBurst + 1}, seconds(2)));
  EXPECT_TRUE(admission.admit({.tokens_before = kBusy - 1}, milliseconds(2900)));
  EXPECT_FALSE(admission.admit({.tokens_before = kBusy + 1}, milliseconds(2900)));
  EXPECT_FALSE(admission.admit({.tokens_before = kBusy + 1}, milliseconds(3900)));
  EXPECT_TRUE(admission.admit({.tokens_before = kBusy + 1}, milliseconds(4901)));
}

TEST(Admission, AnyRefusalBeginsTheShortQueue) {
  Admission admission = measured_admission();
  admission.refused(seconds(1));
  EXPECT_FALSE(admission.admit({.tokens_before = kBusy + 1}, seconds(1)));
}

TEST(Admission, AConnectionWithNothingElseInTheEngineStaysUnderTheLongerLimit) {
  Admission admission = measured_admission();
  admission.refused(seconds(1));
  EXPECT_TRUE(admission.admit({.tokens_before = kBurst - 1, .first = true}, seconds(1)));
  EXPECT_FALSE(admission.admit({.tokens_before = kBurst + 1, .first = true}, seconds(1)));
}

TEST(Admission, ASlowMachineTakesABurstAndOneThatWasNotMeasuredToo) {
  Admission slow(kLimits, 1);
  slow.measured(256, seconds(10));
  Admission unmeasured(kLimits, 1);
  for (Admission* admission : {&slow, &unmeasured}) {
    EXPECT_TRUE(admission->admit({.tokens_before = kLimits.tokens_min}, seconds(1)));
    EXPECT_FALSE(admission->admit({.tokens_before = kLimits.tokens_min + 1}, seconds(1)));
    EXPECT_TRUE(admission->admit({.tokens_before = kLimits.busy_tokens_min}, seconds(1)));
    EXPECT_FALSE(admission->admit({.tokens_before = kLimits.busy_tokens_min + 1}, seconds(1)));
  }
}

TEST(Admission, FollowsTheSpeedOfFullPasses) {
  Admission admission = measured_admission();
  EXPECT_DOUBLE_EQ(admission.wait_of(20000).count(), 1.0);
  admission.measured(Admission::kMeasuredTokensMin - 1, seconds(10));
  EXPECT_DOUBLE_EQ(admission.wait_of(20000).count(), 1.0);
  for (int i = 0; i < 100; ++i) admission.measured(256, duration<double>(4 * 256 / kTokensPerSecond));
  EXPECT_NEAR(admission.wait_of(20000).count(), 2.0, 0.001);
  EXPECT_EQ(Admission(kLimits, 2).wait_of(20000).count(), 0.0);
}

// Line is a queue that one server empties in order, in a time that the test makes up.
class Line {
 public:
  void serve_until(nanoseconds now, std::vector<double>& waits_ms) {
    for (; !arrivals_.empty() && free_at_ <= now; arrivals_.pop_front()) {
      const nanoseconds begin = std::max(free_at_, arrivals_.front());
      waits_ms.push_back(duration<double, std::milli>(begin - arrivals_.front()).count());
      free_at_ = begin + std::chrono::duration_cast<nanoseconds>(duration<double>(kTokens / kTokensPerSecond));
    }
  }
  void arrive(nanoseconds now) { arrivals_.push_back(now); }
  std::size_t tokens_waiting() const { return arrivals_.size() * kTokens; }
  static constexpr std::size_t kTokens = 50;

 private:
  std::deque<nanoseconds> arrivals_;
  nanoseconds free_at_{0};
};

double percentile(std::vector<double> values, double percent) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(static_cast<double>(values.size() - 1) * percent / 100)];
}

struct Flood {
  std::vector<double> waits_ms;
  std::size_t refused = 0;
};

// `load` times what the server can do, for two minutes, at even intervals.
Flood flood(double load) {
  Admission admission = measured_admission();
  Line line;
  Flood out;
  const duration<double> every(Line::kTokens / kTokensPerSecond / load);
  for (duration<double> at{0}; at < seconds(120); at += every) {
    const auto now = std::chrono::duration_cast<nanoseconds>(at);
    line.serve_until(now, out.waits_ms);
    if (admission.admit({.tokens_before = line.tokens_waiting()}, now)) {
      line.arrive(now);
    } else {
      ++out.refused;
    }
  }
  return out;
}

TEST(Admission, AtThreeTimesTheLoadTheAdmittedWaitForTheShortQueueAndTheServerIsNeverIdle) {
  const Flood at_three = flood(3);
  EXPECT_LE(percentile(at_three.waits_ms, 99), 50.0 + 5.0);
  EXPECT_LE(percentile(at_three.waits_ms, 100), 500.0 + 5.0);
  EXPECT_GE(static_cast<double>(at_three.waits_ms.size()), 0.999 * 120 * kTokensPerSecond / Line::kTokens);
  EXPECT_EQ(flood(0.99).refused, 0U);
}

}  // namespace
}  // namespace eml

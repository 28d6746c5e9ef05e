// The lines of a verdict follow from its error alone.
#include "attestation/steps.h"

#include <gtest/gtest.h>

#include <array>

namespace eml {
namespace {

constexpr ErrorCode kA{ErrorClass::kMalformed, "a"};
constexpr ErrorCode kB{ErrorClass::kRejected, "b"};
constexpr ErrorCode kB2{ErrorClass::kRejected, "b2"};
constexpr ErrorCode kC{ErrorClass::kRejected, "c"};
constexpr ErrorCode kForeign{ErrorClass::kRejected, "foreign"};

constexpr std::array<Step, 3> kSteps{{{"one", "first", Voucher::kVerifiedHere, {kA}},
                                      {"two", "second", Voucher::kHardware, {kB, kB2}},
                                      {"three", "third", Voucher::kHardware, {kC}}}};

// outcomes is a letter a line: p passed, f failed, - not checked.
std::string outcomes(const std::optional<Error>& error, std::span<const SkippedStep> skipped = {}) {
  Checks checks;
  Steps(checks, kSteps).conclude(error, skipped);
  std::string out;
  for (const Check& check : checks) {
    out += check.outcome == Outcome::kPassed ? 'p' : check.outcome == Outcome::kFailed ? 'f' : '-';
  }
  return out;
}

TEST(StepsTest, AllPassWithoutAnError) { EXPECT_EQ(outcomes(std::nullopt), "ppp"); }

TEST(StepsTest, AnErrorFailsItsStepAndLeavesTheRestUnchecked) {
  EXPECT_EQ(outcomes(Error(kA, "x")), "f--");
  EXPECT_EQ(outcomes(Error(kB, "x")), "pf-");
  EXPECT_EQ(outcomes(Error(kB2, "x")), "pf-");
  EXPECT_EQ(outcomes(Error(kC, "x")), "ppf");
}

TEST(StepsTest, AnErrorOfNoStepPassesNothing) { EXPECT_EQ(outcomes(Error(kForeign, "x")), "---"); }

TEST(StepsTest, ASkippedStepIsNeverShownAsPassed) {
  const std::array<SkippedStep, 1> skipped{{{"two", "nobody asked"}}};
  EXPECT_EQ(outcomes(std::nullopt, skipped), "p-p");
  EXPECT_EQ(outcomes(Error(kC, "x"), skipped), "p-f");
}

}  // namespace
}  // namespace eml

// The shared corpus of Nitro documents: genuine ones, mutations of them, and invented ones under a test root.
#include <gtest/gtest.h>

#include "tests/support/evidence_corpus.h"
#include "tests/support/shared_corpus.h"

namespace eml {
namespace {

TEST(NitroCorpusTest, EveryGradedVerdictAndFieldAgreesAndNearlyEveryClass) {
  const auto cases = test::evidence_cases("nitro");
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  ASSERT_FALSE(cases.empty());
  const auto tally = test::tally_cases(cases, judge_nitro);
  EXPECT_GE(tally.graded, 100U);
  for (const auto& line : tally.differences) ADD_FAILURE() << line;
  for (const auto& line : tally.class_differences) std::cout << line << '\n';
  EXPECT_LE(tally.class_differences.size() * 20, tally.invalid);
}

TEST(NitroCorpusTest, DebugModeAndTagAreReported) {
  for (const auto& one : test::evidence_cases("nitro")) {
    const Json* debug = one.about.expect.if_contains("debug_mode");
    if (debug == nullptr) continue;
    const EvidenceVerdict verdict = judge_nitro(one.input.view());
    EXPECT_EQ(verdict.details.at("debug_mode"), *debug) << one.about.id;
    EXPECT_EQ(verdict.details.at("cose_tag"), one.about.expect.at("cose_tag")) << one.about.id;
    EXPECT_EQ(verdict.evidence.debug, debug->as_bool()) << one.about.id;
  }
}

}  // namespace
}  // namespace eml

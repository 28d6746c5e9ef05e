// The shared corpus of NVIDIA evidence: genuine reports, manifests and tokens, mutations, invented ones.
#include <gtest/gtest.h>

#include "tests/support/evidence_corpus.h"
#include "tests/support/shared_corpus.h"

namespace eml {
namespace {

TEST(NvidiaCorpusTest, EveryGradedVerdictAndFieldAgreesAndNearlyEveryClass) {
  const auto cases = test::evidence_cases("nvidia");
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  ASSERT_FALSE(cases.empty());
  const auto tally = test::tally_cases(cases, judge_nvidia);
  EXPECT_GE(tally.graded, 100U);
  for (const auto& line : tally.differences) ADD_FAILURE() << line;
  for (const auto& line : tally.class_differences) std::cout << line << '\n';
  EXPECT_LE(tally.class_differences.size() * 20, tally.invalid);
}

TEST(NvidiaCorpusTest, ManifestsTokensAndChipAreReportedAsTheCaseSays) {
  for (const auto& one : test::evidence_cases("nvidia")) {
    const EvidenceVerdict verdict = judge_nvidia(one.input.view());
    for (const char* name : {"rim", "overall_claims", "device_claims", "arch"}) {
      const Json* expected = one.about.expect.if_contains(name);
      if (expected == nullptr || expected->is_null() || (verdict.error && std::string_view(name) != "rim")) continue;
      ASSERT_TRUE(verdict.details.as_object().contains(name)) << one.about.id << ' ' << name;
    }
    if (one.about.verdict() == "rim-valid") {
      EXPECT_FALSE(verdict.error) << one.about.id;
      EXPECT_EQ(verdict.details.at("judged"), "manifest");
    }
  }
}

}  // namespace
}  // namespace eml

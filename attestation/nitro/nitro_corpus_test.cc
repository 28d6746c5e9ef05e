// The shared corpus of Nitro documents: genuine ones, mutations of them, and invented ones under a test root.
#include <gtest/gtest.h>

#include "tests/support/evidence_corpus.h"

namespace eml {
namespace {

TEST(NitroCorpusTest, EveryGradedVerdictAgreesAndNearlyEveryClass) {
  const auto cases = test::corpus_cases("nitro");
  if (cases.empty()) GTEST_SKIP() << "no shared corpus";
  const auto report = test::run_corpus(cases, "nitro", judge_nitro);
  EXPECT_GE(report.graded, 100U);
  EXPECT_EQ(report.agree, report.graded);
  for (const auto& line : report.verdict_differences) ADD_FAILURE() << line;
  for (const auto& line : report.field_differences) ADD_FAILURE() << line;
  for (const auto& line : report.class_differences) std::cout << line << '\n';
  std::cout << report.agree << " of " << report.graded << " verdicts, " << report.classes_agree << " of "
            << report.classes << " classes agree\n";
  EXPECT_GE(report.classes_agree * 100, report.classes * 95);
}

TEST(NitroCorpusTest, DebugModeAndTagAreReported) {
  for (const auto& one : test::corpus_cases("nitro")) {
    const Json* debug = one.expect.as_object().if_contains("debug_mode");
    if (debug == nullptr) continue;
    const EvidenceVerdict verdict = judge_nitro(one.input());
    EXPECT_EQ(verdict.details.at("debug_mode"), *debug) << one.id;
    EXPECT_EQ(verdict.details.at("cose_tag"), one.expect.at("cose_tag")) << one.id;
    EXPECT_EQ(verdict.evidence.debug, debug->as_bool()) << one.id;
  }
}

}  // namespace
}  // namespace eml

// The shared corpus of NVIDIA evidence: genuine reports, manifests and tokens, mutations, invented ones.
#include <gtest/gtest.h>

#include "tests/support/evidence_corpus.h"

namespace eml {
namespace {

TEST(NvidiaCorpusTest, EveryGradedVerdictAgreesAndNearlyEveryClass) {
  const auto cases = test::corpus_cases("nvidia");
  if (cases.empty()) GTEST_SKIP() << "no shared corpus";
  const auto report = test::run_corpus(cases, "nvidia", judge_nvidia);
  EXPECT_GE(report.graded, 100U);
  EXPECT_EQ(report.agree, report.graded);
  for (const auto& line : report.verdict_differences) ADD_FAILURE() << line;
  for (const auto& line : report.field_differences) ADD_FAILURE() << line;
  for (const auto& line : report.class_differences) std::cout << line << '\n';
  std::cout << report.agree << " of " << report.graded << " verdicts, " << report.classes_agree << " of "
            << report.classes << " classes agree\n";
  EXPECT_GE(report.classes_agree * 100, report.classes * 95);
}

TEST(NvidiaCorpusTest, WhatTheCaseSaysOfManifestsAndTokensIsReported) {
  for (const auto& one : test::corpus_cases("nvidia")) {
    const EvidenceVerdict verdict = judge_nvidia(one.input());
    for (const char* name : {"rim", "overall_claims", "device_claims"}) {
      const Json* expected = one.expect.as_object().if_contains(name);
      if (expected == nullptr || expected->is_null()) continue;
      EXPECT_EQ(test::json_difference(JsonObject{{name, *expected}}, verdict.details), "") << one.id;
    }
    if (one.expects_valid() && one.expect.as_object().contains("arch")) {
      EXPECT_EQ(verdict.details.at("arch"), one.expect.at("arch")) << one.id;
    }
    if (one.expect.at("verdict") == "rim-valid") {
      EXPECT_FALSE(verdict.error) << one.id << ": " << verdict.error->to_string();
      EXPECT_EQ(verdict.details.at("judged"), "manifest");
    }
  }
}

}  // namespace
}  // namespace eml

// The shared evidence corpus: genuine quotes of three clouds and of a software TPM, and mutations of them.
#include <gtest/gtest.h>

#include <iostream>

#include "attestation/tpm/tpm.h"
#include "tests/support/evidence_corpus.h"
#include "tests/support/shared_corpus.h"

namespace eml {
namespace {

TEST(TpmCorpus, EveryGradedCaseAgrees) {
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  const auto tally = test::tally_cases(test::evidence_cases("tpm"), judge_tpm);
  for (const std::string& line : tally.differences) ADD_FAILURE() << line;
  for (const std::string& line : tally.class_differences) std::cout << "another class: " << line << "\n";
  EXPECT_GT(tally.graded, 120U);
  EXPECT_LE(tally.class_differences.size() * 20, tally.invalid);
}

// Google's certificates of an attestation key, without a quote.
TEST(TpmCorpus, AGenuineChainOfAnAttestationKeyLeadsToGooglesPinnedRoot) {
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  const auto pem = test::read_evidence_file("open/tpm/gce_ak_chain.pem");
  const auto root = test::read_evidence_file("roots/google/gce_ek_ak_root.pem");
  const auto chain = decode_pem_certificates(*pem).value();
  const auto known = decode_pem_certificates(*root).value();
  constexpr UnixSeconds kTime = 1756684800;  // 2025-09-01
  const auto verified = verify_ak_chain(chain, tpm_pinned_roots(), known, kTime);
  ASSERT_TRUE(verified) << verified.error().to_string();
  EXPECT_EQ(*verified, known.front().fingerprint());
  EXPECT_EQ(verify_ak_chain(chain, tpm_pinned_roots(), {}, kTime).error().code(), kTpmUntrustedRoot);
  EXPECT_EQ(verify_ak_chain(chain, {}, known, kTime).error().code(), kTpmUntrustedRoot);
}

}  // namespace
}  // namespace eml

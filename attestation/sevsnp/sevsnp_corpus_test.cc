// The shared evidence corpus: genuine reports, mutations of them, and reports of invented machines.
#include <gtest/gtest.h>

#include <iostream>

#include "attestation/sevsnp/sevsnp.h"
#include "tests/support/evidence_corpus.h"
#include "tests/support/shared_corpus.h"

namespace eml {
namespace {

TEST(SevSnpCorpus, EveryGradedCaseAgrees) {
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  const auto tally = test::tally_cases(test::evidence_cases("sevsnp"), judge_sevsnp);
  for (const std::string& line : tally.differences) ADD_FAILURE() << line;
  for (const std::string& line : tally.class_differences) std::cout << "another class: " << line << "\n";
  EXPECT_GT(tally.graded, 300U);
  EXPECT_LE(tally.class_differences.size() * 20, tally.invalid);
}

// A VCEK alone, of a product of which no genuine report was at hand.
TEST(SevSnpCorpus, AGenuineTurinKeyLeadsToItsPinnedRoot) {
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  const auto vek = test::read_evidence_file("open/sevsnp/turin_vcek_no_report.der");
  const auto chain = test::read_evidence_file("roots/amd/ask_ark_turin_vcek.pem");
  const auto verified =
      verify_snp_endorsements(decode_snp_endorsements(*vek, *chain).value(), snp_pinned_roots(), 1748736000);
  ASSERT_TRUE(verified) << verified.error().to_string();
  EXPECT_EQ(verified->product, SnpProduct::kTurin);
  EXPECT_EQ(verified->extensions.hw_id.size(), 8U);
  EXPECT_EQ(verified->extensions.tcb.microcode, 9);
}

// AMD revoked one Genoa ASK; its list is genuine.
TEST(SevSnpCorpus, TheGenuineListsAreTheirArks) {
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  struct Pair {
    const char* chain;
    const char* crl;
    UnixSeconds time;
  };
  for (const Pair& pair : {Pair{"ask_ark_milan.pem", "crl_milan_20250506.der", 1750000000},
                           Pair{"ask_ark_genoa.pem", "crl_genoa_20251024.der", 1770000000},
                           Pair{"ask_ark_turin_vcek.pem", "crl_turin_20250506.der", 1750000000}}) {
    const auto chain_pem = test::read_evidence_file(std::string("roots/amd/") + pair.chain);
    const auto crl = test::read_evidence_file(std::string("roots/amd/") + pair.crl);
    const auto chain = decode_pem_certificates(*chain_pem).value();
    const VerifiedVek vek{.certificate = chain.front(), .ask = chain.front(), .ark = chain.back()};
    const Status status = verify_snp_revocation(vek, *crl, pair.time);
    EXPECT_TRUE(status) << pair.crl << " " << status.error().to_string();
  }
}

}  // namespace
}  // namespace eml

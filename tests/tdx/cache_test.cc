// A cache never changes a verdict: docs/spec/evidence/tdx.md, section 9.
#include <gtest/gtest.h>

#include "attestation/tdx/memo.h"
#include "tests/tdx/tdx_judging.h"

namespace eml {
namespace {

using test::dcap::judge_made;
using test::dcap::Made;
using test::dcap::outcome;
using test::dcap::Plan;

EvidenceVerdict judge_cached(const Made& made, UnixSeconds at, tdx::VerifierCache& cache) {
  return judge_tdx(EvidenceInput{.evidence = made.quote, .collateral = &made.collateral, .time = at, .root = made.root},
                   cache);
}

void expect_same(const EvidenceVerdict& a, const EvidenceVerdict& b) {
  EXPECT_EQ(outcome(a), outcome(b));
  EXPECT_EQ(a.fields, b.fields);
  EXPECT_EQ(a.details, b.details);
  EXPECT_EQ(a.tcb_status, b.tcb_status);
  EXPECT_EQ(a.advisories, b.advisories);
  EXPECT_EQ(a.evidence.signed_value, b.evidence.signed_value);
  EXPECT_EQ(a.evidence.platform_identity, b.evidence.platform_identity);
}

TEST(TdxCache, RemembersSixThingsOfOnePlatform) {
  tdx::VerifierCache cache;
  Plan plan;
  EXPECT_EQ(outcome(judge_cached(plan.make(), test::dcap::time(), cache)), "ok");
  EXPECT_EQ(cache.size(), 7U);  // chain, two lists, signer, two documents, attestation key
}

TEST(TdxCache, JudgesDatesAnewInEveryWindow) {
  const Made made = Plan().make();
  tdx::VerifierCache cache;
  const UnixSeconds day = 86400;
  for (const UnixSeconds offset :
       {0L, 30 * day, -30 * day, 7 * day, 7 * day + 1, -7 * day, -7 * day - 1, 3000 * day, -3000 * day, 0L}) {
    const UnixSeconds at = test::dcap::time() + offset;
    expect_same(judge_cached(made, at, cache), judge_made(made, at));
  }
}

TEST(TdxCache, JudgesRevocationAnew) {
  tdx::VerifierCache cache;
  Plan plan;
  Made made = plan.make();
  EXPECT_EQ(outcome(judge_cached(made, test::dcap::time(), cache)), "ok");
  plan.pck_crl.revoked = {1000};
  made.collateral["pck_crl"] = plan.make().collateral["pck_crl"];
  EXPECT_EQ(outcome(judge_cached(made, test::dcap::time(), cache)), "pck-revoked");
}

TEST(TdxCache, DoesNotKnowWhatDiffersInOneByte) {
  const Made made = Plan().make();
  tdx::VerifierCache cache;
  EXPECT_EQ(outcome(judge_cached(made, test::dcap::time(), cache)), "ok");
  for (const char* name : {"root_crl", "pck_crl", "tcb_signing_chain", "tcb_info", "qe_identity"}) {
    Made other = made;
    other.collateral[name][other.collateral[name].size() / 2] ^= 1U;
    const EvidenceVerdict cached = judge_cached(other, test::dcap::time(), cache);
    expect_same(cached, judge_made(other));
    EXPECT_NE(outcome(cached), "ok") << name;
  }
  for (std::size_t at = 0; at < made.quote.size(); at += 97) {
    Made other = made;
    other.quote[at] ^= 1U;
    expect_same(judge_cached(other, test::dcap::time(), cache), judge_made(other));
  }
}

TEST(TdxCache, DoesNotCarryWhatIsGenuineUnderOneRootToAnother) {
  const Made made = Plan().make();
  Plan plan;
  plan.root_certificate.serial = 7;
  Made other = made;
  other.root = plan.make().root;
  tdx::VerifierCache cache;
  EXPECT_EQ(outcome(judge_cached(made, test::dcap::time(), cache)), "ok");
  EXPECT_EQ(outcome(judge_cached(other, test::dcap::time(), cache)), "untrusted-root");
}

// The attestation key's certification of a version 4 quote, read as version 3, is six bytes longer before the report.
TEST(TdxCache, DoesNotTakeOneFormOfCertificationForTheOther) {
  tdx::VerifierCache cache;
  Plan plan;
  plan.for_sgx(4);
  const Made made = plan.make();
  EXPECT_EQ(outcome(judge_cached(made, test::dcap::time(), cache)), "ok");
  Made other = made;
  other.quote[0] = 3;
  expect_same(judge_cached(other, test::dcap::time(), cache), judge_made(other));
}

TEST(TdxCache, ManyPlatformsStayWithinTheBoundAndKeepTheirVerdicts) {
  tdx::VerifierCache cache;
  std::vector<Made> machines;
  for (std::uint64_t i = 0; i < 2 * tdx::kMemoEntriesMax + 3; ++i) {
    Plan plan;
    plan.pck_certificate.serial = 2000 + i;
    if (i % 5 == 0) plan.pck_crl.revoked = {2000 + i};
    machines.push_back(plan.make());
  }
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < machines.size(); ++i) {
      EXPECT_EQ(outcome(judge_cached(machines[i], test::dcap::time(), cache)), i % 5 == 0 ? "pck-revoked" : "ok");
    }
  }
  EXPECT_LE(cache.size(), 6 * tdx::kMemoEntriesMax);
}

TEST(Memo, ForgetsWhatWasUsedLongestAgo) {
  tdx::Memo<int> memo;
  const Hash32 context{};
  const auto key = [](std::size_t i) { return Bytes(i + 1, 7); };
  for (std::size_t i = 0; i < tdx::kMemoEntriesMax; ++i) {
    memo.keep(context, key(i), std::make_shared<const int>(static_cast<int>(i)));
  }
  ASSERT_NE(memo.find(context, key(0)), nullptr);  // used just now, so 1 is the oldest
  memo.keep(context, Bytes(100, 1), std::make_shared<const int>(100));
  EXPECT_EQ(memo.size(), tdx::kMemoEntriesMax);
  EXPECT_EQ(memo.find(context, key(1)), nullptr);
  EXPECT_EQ(*memo.find(context, key(0)), 0);
  EXPECT_EQ(*memo.find(context, Bytes(100, 1)), 100);
  EXPECT_EQ(memo.find(Hash32{1}, key(0)), nullptr);
}

TEST(Memo, DoesNotKeepWhatIsOverItsBound) {
  tdx::Memo<int> memo;
  const Bytes large(tdx::kMemoKeyBytesMax + 1, 0);
  memo.keep(Hash32{}, large, std::make_shared<const int>(1));
  EXPECT_EQ(memo.size(), 0U);
  memo.keep(Hash32{}, ByteView(large).first(tdx::kMemoKeyBytesMax), std::make_shared<const int>(1));
  EXPECT_EQ(memo.size(), 1U);
}

}  // namespace
}  // namespace eml

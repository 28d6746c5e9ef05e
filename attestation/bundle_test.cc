#include "attestation/bundle.h"

#include <gtest/gtest.h>

#include "tests/support/fake_tee.h"

namespace eml {
namespace {

using test::FakeTee;
using test::kFakeNow;

// outcome runs the six checks and returns the code's name of the failure, or "ok".
std::string outcome(ByteView bundle, const BundleExpectation& expectation, Checks* checks = nullptr) {
  const auto peer = check_bundle(bundle, expectation, checks);
  return peer ? "ok" : std::string(peer.error().code().name);
}

struct BundleTest : testing::Test {
  FakeTee tee;
  Policy policy = tee.policy();
  BundleExpectation expectation = FakeTee::expectation(policy);

  std::string judge(const EvidenceBundle& parts) { return outcome(encode_bundle(parts), expectation); }
  std::string judge(const Binding& binding) { return judge(tee.parts(binding)); }
};

TEST_F(BundleTest, AcceptsGoodEvidenceAndSaysWhatItIs) {
  Checks checks;
  const Bytes bundle = tee.serve_bundle();
  const auto peer = check_bundle(bundle, expectation, &checks);
  ASSERT_TRUE(peer) << peer.error().to_string();
  EXPECT_EQ(peer->kind, EvidenceKind::kLocal);
  EXPECT_EQ(peer->rule, "test-entry");
  EXPECT_TRUE(peer->evaluation);
  EXPECT_EQ(peer->binding.channel_key, tee.channel_key().public_key());
  EXPECT_EQ(peer->bundle_hash, sha256(bundle));
  EXPECT_EQ(peer->evidence_hash, sha256(decode_bundle(bundle)->evidence));
  ASSERT_EQ(peer->models.size(), 1U);
  EXPECT_EQ(peer->models[0].serial, 3U);
  ASSERT_EQ(checks.size(), 6U);
  for (const Check& check : checks) EXPECT_EQ(check.outcome, Outcome::kPassed) << check.id;
  EXPECT_EQ(checks[1].voucher, Voucher::kNobody);
}

}  // namespace
}  // namespace eml

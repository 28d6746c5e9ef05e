// The main job with evidence of each kind that has a vendor: the client's six checks and its handshake, and the
// broker's decision with its log. Each flaw is refused by both, by the same name.
#include <gtest/gtest.h>

#include "attestation/policy_tools.h"
#include "keys/testing.h"
#include "tests/kinds/vendor_evidence.h"
#include "tests/support/channel_pair.h"

namespace eml {
namespace {

using test::Flaw;
using test::kVendorNow;
using test::World;

// VendorWorld is test::World on a machine of `kind`, with a policy that was drafted from its evidence.
struct VendorWorld : World {
  explicit VendorWorld(EvidenceKind its_kind) : kind(its_kind) {
    clock.advance(std::chrono::seconds(kVendorNow - test::kFakeNow));
    tee.issued_at = kVendorNow;
    root = test::vendor_evidence(kind, Bytes(64, 'a'), tee.serve_binding(), Flaw::kNone).root;
    policy = policy_of(draft());
  }

  EvidenceBundle vendor_parts(const Binding& binding, Flaw flaw = Flaw::kNone) const {
    EvidenceBundle out = parts(binding);
    out.kind = kind;
    test::VendorEvidence made =
        test::vendor_evidence(kind, expected_signed_value(kind, binding, out.binding), binding, flaw);
    out.evidence = std::move(made.evidence);
    out.endorsements = std::move(made.endorsements);
    return out;
  }
  Bytes vendor_bundle(const Binding& binding, Flaw flaw = Flaw::kNone) const {
    return encode_bundle(vendor_parts(binding, flaw));
  }

  Json draft(bool accept_evaluation = true) const {
    auto entry = draft_entry_from_bundle(vendor_bundle(tee.serve_binding()), {.name = "vendor-entry",
                                                                              .approved_by = "a test",
                                                                              .not_before = kVendorNow - 86400,
                                                                              .not_after = kVendorNow + 86400,
                                                                              .accept_evaluation = accept_evaluation,
                                                                              .time = kVendorNow,
                                                                              .given_root = root});
    EXPECT_TRUE(entry) << entry.error().to_string();
    return entry ? *std::move(entry) : Json();
  }
  static std::optional<Policy> policy_of(Json entry) {
    auto loaded = Policy::decode(as_bytes(compact_json(draft_policy("vendor policy", 1, JsonArray{std::move(entry)}))));
    EXPECT_TRUE(loaded) << loaded.error().to_string();
    return loaded ? std::optional(*loaded) : std::nullopt;
  }

  BundleExpectation expectation() const {
    return {.purpose = Purpose::kServe,
            .time = kVendorNow,
            .challenge = std::nullopt,
            .policy = &*policy,
            .verify_manifest = verify_manifest,
            .given_root = root};
  }
  // What a client says to a serve bundle: the rule that accepted, or the error's name and the field that refused.
  std::string client_says(const EvidenceBundle& bundle) const {
    Checks checks;
    const auto peer = check_bundle(encode_bundle(bundle), expectation(), &checks);
    if (peer) return peer->evaluation ? peer->rule : "production?";
    std::string out(peer.error().code().name);
    for (const Check& check : checks) {
      if (check.outcome == Outcome::kFailed && !check.detail.empty()) out += " " + check.detail;
    }
    return out;
  }
  // What the broker decides about a release bundle, and what its log says of it.
  std::string broker_says(Flaw flaw, std::optional<Nonce> other_nonce = {}) {
    if (!service) {
      BrokerSetup its_setup = setup();
      its_setup.given_root = root;
      service = *BrokerService::start(std::move(its_setup), clock, random);
    }
    const Nonce given = nonce();
    const HttpReply reply = post(vendor_bundle(binding(other_nonce.value_or(given)), flaw), given);
    const ReleaseStatement statement = test::statement_of(reply);
    EXPECT_EQ(reply.status, statement.released ? 200 : 403);
    EXPECT_NE(log_text().find("\"rule\":\"" + statement.rule + "\""), std::string::npos) << log_text();
    const std::string& detail = broker().last_decision()->detail;
    return detail.empty() ? statement.rule : statement.rule + " " + detail;
  }

  EvidenceKind kind;
  Bytes root;
};

class EachKind : public testing::TestWithParam<EvidenceKind> {
 protected:
  VendorWorld world{GetParam()};

  void expect_both(Flaw flaw, const std::string& wanted) {
    EXPECT_EQ(world.client_says(world.vendor_parts(world.tee.serve_binding(), flaw)), wanted);
    EXPECT_EQ(world.broker_says(flaw), wanted);
  }
};

class EachKindWithATcb : public EachKind {};

std::string_view stale_code(EvidenceKind kind) {
  if (kind == EvidenceKind::kTdx) return "tdx-collateral-expired";
  if (kind == EvidenceKind::kNitro) return "nitro-certificate-expired";
  return kind == EvidenceKind::kSevSnp ? "sevsnp-crl-expired" : "confidential-space-expired";
}

TEST_P(EachKind, IsAcceptedForEvaluationUnderARootThatWasGiven) { expect_both(Flaw::kNone, "vendor-entry"); }

TEST_P(EachKind, ShakesHands) {
  Random& random = world.random;
  const Bytes bundle = world.vendor_bundle(world.tee.serve_binding());
  ServerHandshake server({.bundle = bundle, .channel_key = &world.tee.channel_key(), .owner = {}});
  ClientHandshake client({.expectation = world.expectation()});
  const Bytes hello = *client.start(random);
  const Bytes answer = *server.on_client_hello(test::raw_frame(hello), random);
  auto done = client.on_server_hello(test::raw_frame(answer), random);
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_TRUE(server.on_client_finish(test::raw_frame(done->client_finish)));
}

TEST_P(EachKind, WithoutTheGivenRootIsNotGenuine) {
  BundleExpectation without = world.expectation();
  without.given_root.reset();
  const auto peer = check_bundle(world.vendor_bundle(world.tee.serve_binding()), without);
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().error_class(), ErrorClass::kUnauthentic) << peer.error().to_string();
}

TEST_P(EachKind, UnderAGivenRootIsNeverProduction) {
  Json entry = world.draft();
  entry.get_object().erase("roots");
  entry.get_object().erase("evaluation");
  world.policy = VendorWorld::policy_of(entry);
  expect_both(Flaw::kNone, "policy-no-entry vendor-entry: production floor");
}

TEST_P(EachKind, OverAnotherValueIsRefused) { expect_both(Flaw::kSignedValue, "bundle-signed-value"); }

TEST_P(EachKind, OfAnotherProgramIsRefused) {
  expect_both(Flaw::kMeasurement, "policy-no-entry vendor-entry: measurements");
}

TEST_P(EachKind, InDebugModeIsRefused) { expect_both(Flaw::kDebug, "policy-no-entry vendor-entry: production floor"); }

TEST_P(EachKindWithATcb, ThatIsOldIsRefused) { expect_both(Flaw::kOldTcb, "policy-no-entry vendor-entry: tcb_floor"); }

TEST_P(EachKind, WithStaleCollateralIsRefused) {
  expect_both(Flaw::kStaleCollateral, std::string(stale_code(GetParam())));
}

TEST_P(EachKind, ForAnotherChallengeIsRefused) {
  EXPECT_EQ(world.broker_says(Flaw::kNone, Nonce{}), "bundle-challenge");
  Binding answered = world.tee.serve_binding();
  answered.challenge = Hash32{};
  EXPECT_EQ(world.client_says(world.vendor_parts(answered)), "bundle-challenge");
}

TEST_P(EachKind, WithAnEndorsementThatNothingJudgesIsRefused) {
  EvidenceBundle bundle = world.vendor_parts(world.tee.serve_binding());
  bundle.endorsements.push_back({.name = "zz", .fetched_at = kVendorNow, .bytes = {1}});
  EXPECT_EQ(world.client_says(bundle), "bundle-malformed");
}

INSTANTIATE_TEST_SUITE_P(Vendors, EachKind,
                         testing::Values(EvidenceKind::kTdx, EvidenceKind::kSevSnp, EvidenceKind::kNitro,
                                         EvidenceKind::kConfidentialSpace),
                         [](const auto& info) { return std::string(to_string(info.param)); });
INSTANTIATE_TEST_SUITE_P(Vendors, EachKindWithATcb,
                         testing::Values(EvidenceKind::kTdx, EvidenceKind::kSevSnp, EvidenceKind::kConfidentialSpace),
                         [](const auto& info) { return std::string(to_string(info.param)); });

// A genuine quote by a key that only the bundle itself names. Endorsements of the page's names are no objection.
TEST(KindTpm, WhoseKeyNoRootVouchesForIsNotGenuine) {
  World world;
  EvidenceBundle bundle = world.parts(world.tee.serve_binding());
  bundle.kind = EvidenceKind::kTpm;
  test::TpmPlan plan;
  plan.nonce = expected_signed_value(bundle.kind, world.tee.serve_binding(), bundle.binding);
  const test::TpmMade made = plan.make();
  bundle.evidence = made.quote;
  bundle.endorsements = test::endorsements_of(made.collateral);
  const auto judged = [&] {
    return check_bundle(encode_bundle(bundle), {.purpose = Purpose::kServe,
                                                .time = test::kFakeNow,
                                                .policy = &*world.policy,
                                                .verify_manifest = verify_manifest})
        .error()
        .code();
  };
  EXPECT_EQ(judged(), kBundleNoRoot);
  for (const char* name : {"ek_root", "root", "snp_crl", "tcb_info"}) {
    bundle.endorsements = test::endorsements_of(made.collateral);
    bundle.endorsements.push_back({.name = name, .fetched_at = 1, .bytes = {1}});
    EXPECT_NE(judged(), kBundleMalformed) << name;
  }
}

TEST(KindNitro, WithAnotherPublicKeyThanTheBindingsIsRefused) {
  VendorWorld world(EvidenceKind::kNitro);
  EXPECT_EQ(world.client_says(world.vendor_parts(world.tee.serve_binding(), Flaw::kOtherKey)),
            "nitro-binding-mismatch");
}

TEST(KindConfidentialSpace, TokenForAnotherPurposeIsRefused) {
  VendorWorld world(EvidenceKind::kConfidentialSpace);
  EvidenceBundle bundle = world.vendor_parts(world.tee.serve_binding());
  Binding other = world.tee.serve_binding();
  other.purpose = Purpose::kRelease;
  bundle.evidence = test::vendor_evidence(EvidenceKind::kConfidentialSpace,
                                          expected_signed_value(EvidenceKind::kConfidentialSpace,
                                                                world.tee.serve_binding(), bundle.binding),
                                          other, Flaw::kNone)
                        .evidence;
  EXPECT_EQ(world.client_says(bundle), "confidential-space-audience");
}

// One requirement of each kind that its good evidence does not meet.
struct Unmet {
  EvidenceKind kind;
  std::string_view name;
  Json value;
};

TEST(KindRequirements, ThatTheEvidenceDoesNotMeetRefuse) {
  const Unmet cases[] = {
      {EvidenceKind::kSevSnp, "require_vmpl", 1},
      {EvidenceKind::kConfidentialSpace, "hwmodel", "GCP_AMD_SEV"},
  };
  for (const Unmet& unmet : cases) {
    VendorWorld world(unmet.kind);
    Json entry = world.draft();
    entry.get_object()["requirements"].get_object()[unmet.name] = JsonObject{{"require", unmet.value}};
    world.policy = VendorWorld::policy_of(entry);
    EXPECT_EQ(world.client_says(world.vendor_parts(world.tee.serve_binding())),
              "policy-no-entry vendor-entry: requirements")
        << unmet.name;
  }
  VendorWorld world(EvidenceKind::kTdx);
  Json entry = world.draft();
  entry.get_object()["requirements"].get_object()["require_sept_ve_disable"] = JsonObject{{"require", true}};
  world.policy = VendorWorld::policy_of(entry);
  EXPECT_EQ(world.client_says(world.vendor_parts(world.tee.serve_binding())), "vendor-entry");
}

}  // namespace
}  // namespace eml

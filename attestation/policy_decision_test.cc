// One test for each step of docs/spec/policy.md, section 4: each changes one thing, and that field refuses.
#include <gtest/gtest.h>

#include "attestation/policy_entry.h"
#include "attestation/policy_tools.h"
#include "tests/support/fake_tee.h"

namespace eml {
namespace {

using test::FakeTee;
using test::kFakeNow;

template <typename T>
Requirement<T> require(T value) {
  return {.required = std::move(value)};
}

// A tdx entry that requires everything, and evidence that satisfies it; each test breaks one field.
struct DecisionTest : testing::Test {
  FakeTee tee;
  PolicyEntry entry;
  VerifiedEvidence evidence;
  Binding binding = tee.serve_binding();
  std::vector<SignedModel> models{tee.model};
  std::string operator_key = hex(*tee.configuration.operator_key);
  UnixSeconds time = kFakeNow;

  DecisionTest() {
    evidence.kind = EvidenceKind::kTdx;
    evidence.root = std::string(kind_profile(EvidenceKind::kTdx).vendor_roots[0]);
    evidence.platform_identity = "ppid";
    evidence.tcb_status = "UpToDate";
    evidence.tcb = {{"tcb_evaluation_data_number", 17}};
    entry.name = "prod";
    entry.kind = EvidenceKind::kTdx;
    for (const MeasurementName& name : kind_profile(EvidenceKind::kTdx).measurements) {
      evidence.measurements[std::string(name.name)] = Bytes(name.size, 7);
      entry.measurements[std::string(name.name)] = require(Bytes(name.size, 7));
    }
    entry.configuration = require(binding.configuration_hash);
    entry.platform_identity = require(std::string("ppid"));
    entry.operator_key = require(*tee.configuration.operator_key);
    entry.tcb_floor = require(TcbFloor{.statuses = {"UpToDate"}, .minimum = {{"tcb_evaluation_data_number", 17}}});
    entry.publisher = require(tee.publisher().public_key());
    entry.model = require(ModelRule{.hashes = {tee.model.model_hash}});
    entry.not_before = require(kFakeNow);
    entry.not_after = require(kFakeNow);
  }

  std::string refused_by() const {
    return std::string(refusing_field(entry, {evidence, binding, operator_key, models, time}).value_or("nothing"));
  }
};

TEST_F(DecisionTest, AcceptsWhenEveryFieldHolds) { EXPECT_EQ(refused_by(), "nothing"); }

TEST_F(DecisionTest, Step1Kind) {
  evidence.kind = EvidenceKind::kSevSnp;
  EXPECT_EQ(refused_by(), "kind");
  evidence.kind = EvidenceKind::kLocal;
  EXPECT_EQ(refused_by(), "kind");
}

TEST_F(DecisionTest, Step2RootOfThisVeryEntry) {
  const Ed25519PublicKey mine = tee.root().public_key();
  evidence = {.kind = EvidenceKind::kLocal, .measurements = {{"binary", Bytes(48, 7)}}, .root = hex(mine)};
  entry.kind = EvidenceKind::kLocal;
  entry.for_evaluation = true;
  entry.roots = {mine};
  entry.measurements = {{"binary", require(Bytes(48, 7))}};
  entry.platform_identity = {.ignored_because = "none"};
  entry.tcb_floor = {.ignored_because = "none"};
  EXPECT_EQ(refused_by(), "nothing");
  evidence.debug = true;
  EXPECT_EQ(refused_by(), "production floor");
  entry.roots = {test::fake_key("another machine").public_key()};
  EXPECT_EQ(refused_by(), "roots");
}

TEST_F(DecisionTest, Step3ProductionFloor) {
  evidence.debug = true;
  EXPECT_EQ(refused_by(), "production floor");
  evidence.debug = false;
  evidence.root = hex(Hash32{});  // a root that somebody gave
  EXPECT_EQ(refused_by(), "production floor");
}

TEST_F(DecisionTest, Step3ARootOfTheEntrysOwnIsForEvaluationAndStillNotForDebugMode) {
  const Hash32 root{};
  evidence.root = hex(root);
  entry.roots = {root};
  EXPECT_EQ(refused_by(), "production floor");  // without the consent
  entry.for_evaluation = true;
  EXPECT_EQ(refused_by(), "nothing");
  evidence.debug = true;
  EXPECT_EQ(refused_by(), "production floor");
  evidence.root = std::string(kind_profile(EvidenceKind::kTdx).vendor_roots[0]);
  EXPECT_EQ(refused_by(), "roots");
}

TEST_F(DecisionTest, Step4EachMeasurement) {
  for (const MeasurementName& name : kind_profile(EvidenceKind::kTdx).measurements) {
    Bytes& value = evidence.measurements[std::string(name.name)];
    value.back() ^= 1;
    EXPECT_EQ(refused_by(), "measurements") << name.name;
    value.back() ^= 1;
  }
  evidence.measurements["rtmr4"] = Bytes(48, 7);
  EXPECT_EQ(refused_by(), "measurements");
  evidence.measurements.erase("rtmr4");
  evidence.measurements.erase("rtmr3");
  EXPECT_EQ(refused_by(), "measurements");
  evidence.measurements["rtmr4"] = Bytes(48, 7);  // as many as there should be
  EXPECT_EQ(refused_by(), "measurements");
}

TEST_F(DecisionTest, Step4AnIgnoredMeasurementMayDifferButMustBeThere) {
  entry.measurements["rtmr3"] = {.ignored_because = "it holds the event log of the application"};
  evidence.measurements["rtmr3"] = Bytes(48, 8);
  EXPECT_EQ(refused_by(), "nothing");
  evidence.measurements.erase("rtmr3");
  EXPECT_EQ(refused_by(), "measurements");
  evidence.measurements["rtmr4"] = Bytes(48, 7);
  EXPECT_EQ(refused_by(), "measurements");
}

TEST_F(DecisionTest, Step5Configuration) {
  binding.configuration_hash[0] ^= 1;
  EXPECT_EQ(refused_by(), "configuration");
}

TEST_F(DecisionTest, Step6PlatformIdentity) {
  for (const char* other : {"", "ppi", "ppid "}) {
    evidence.platform_identity = other;
    EXPECT_EQ(refused_by(), "platform_identity");
  }
}

TEST_F(DecisionTest, Step7OperatorKey) {
  operator_key = hex(Ed25519PublicKey{});
  EXPECT_EQ(refused_by(), "operator_key");
  operator_key.clear();
  EXPECT_EQ(refused_by(), "operator_key");
}

TEST_F(DecisionTest, Step8TcbFloor) {
  evidence.tcb_status = "OutOfDate";
  EXPECT_EQ(refused_by(), "tcb_floor");
  evidence.tcb_status = "";
  EXPECT_EQ(refused_by(), "tcb_floor");
  evidence.tcb_status = "UpToDate";
  evidence.tcb["tcb_evaluation_data_number"] = 16;
  EXPECT_EQ(refused_by(), "tcb_floor");
  evidence.tcb["tcb_evaluation_data_number"] = 18;
  EXPECT_EQ(refused_by(), "nothing");
  evidence.tcb.clear();
  EXPECT_EQ(refused_by(), "tcb_floor");
}

TEST_F(DecisionTest, Step9RequirementsOfTheKind) {
  entry.required_json = JsonObject{{"allow_service_td", false}};
  EXPECT_EQ(refused_by(), "requirements");  // evidence that cannot say
  evidence.meets = [](const Json& required) -> Status {
    if (required.at("allow_service_td") == Json(false)) return {};
    return fail(kPolicyNoEntry, "other requirements were asked for");
  };
  EXPECT_EQ(refused_by(), "nothing");
  evidence.meets = [](const Json&) -> Status { return fail(kPolicyNoEntry, "not met"); };
  EXPECT_EQ(refused_by(), "requirements");
}

TEST_F(DecisionTest, Step10PublisherOfEveryModel) {
  models.push_back(tee.model);
  models[1].publishers = {test::fake_key("somebody").public_key()};
  EXPECT_EQ(refused_by(), "publisher");
  models[1].publishers.push_back(tee.publisher().public_key());
  EXPECT_EQ(refused_by(), "nothing");
  models.clear();
  EXPECT_EQ(refused_by(), "publisher");
}

TEST_F(DecisionTest, Step11ModelByHash) {
  models.push_back(tee.model);
  models[1].model_hash[0] ^= 1;
  EXPECT_EQ(refused_by(), "model");
}

TEST_F(DecisionTest, Step11ModelBySerial) {
  entry.model = require(ModelRule{.serials = {{"all-minilm-l6-v2", 3}}});
  EXPECT_EQ(refused_by(), "nothing");
  models[0].serial = 2;
  EXPECT_EQ(refused_by(), "model");
  models[0].serial = 4;
  EXPECT_EQ(refused_by(), "nothing");
  models[0].id = "another";
  EXPECT_EQ(refused_by(), "model");
}

TEST_F(DecisionTest, Step12NotBeforeIsInclusive) {
  time = kFakeNow - 1;
  EXPECT_EQ(refused_by(), "not_before");
}

TEST_F(DecisionTest, Step13NotAfterIsInclusive) {
  time = kFakeNow + 1;
  EXPECT_EQ(refused_by(), "not_after");
}

TEST_F(DecisionTest, WhatIsIgnoredIsNotCheckedAndNeverGreen) {
  entry.operator_key = {.ignored_because = "the machine is in my cellar"};
  operator_key = "whatever";
  ASSERT_EQ(refused_by(), "nothing");
  bool seen = false;
  for (const Check& claim : entry_claims(entry, evidence)) {
    if (claim.id == "claim-operator-key") {
      seen = true;
      EXPECT_EQ(claim.outcome, Outcome::kNotChecked);
      EXPECT_NE(claim.detail.find("the machine is in my cellar"), std::string::npos);
    } else {
      EXPECT_EQ(claim.outcome, Outcome::kPassed) << claim.id;
    }
  }
  EXPECT_TRUE(seen);
}

// --- Whole policies ---

struct AppraisalTest : testing::Test {
  FakeTee tee;
  Json second_entry(std::string_view name, std::string_view program) {
    tee.binary = sha384(as_bytes(program));
    Json entry = tee.entry_json();
    entry.get_object()["name"] = name;
    return entry;
  }
  Policy policy_of(JsonArray entries) {
    const auto policy = Policy::decode(as_bytes(compact_json(draft_policy("p", 1, std::move(entries)))));
    if (!policy) ADD_FAILURE() << policy.error().to_string();
    return *policy;
  }
};

TEST_F(AppraisalTest, TheFirstEntryThatAcceptsIsTheRule) {
  const Json old_image = second_entry("old", "old");
  const Json new_image = second_entry("new", "new");
  Json new_again = new_image;
  new_again.get_object()["name"] = "new-again";
  const Policy policy = policy_of({old_image, new_image, new_again});
  const Explanation why = explain_policy(tee.serve_bundle(), FakeTee::expectation(policy));
  EXPECT_EQ(why.rule, "new");
  ASSERT_EQ(why.entries.size(), 3U);
  EXPECT_EQ(why.entries[0].outcome, Outcome::kNotChecked);
  EXPECT_EQ(why.entries[0].detail, "old: measurements");
  EXPECT_EQ(why.entries[1].outcome, Outcome::kPassed);
  EXPECT_EQ(why.entries[2].outcome, Outcome::kPassed);
}

TEST_F(AppraisalTest, EntriesDoNotMultiply) {
  // Two machines with an image each: neither image is accepted on the other's machine.
  FakeTee a("machine a");
  FakeTee b("machine b");
  b.binary = sha384(as_bytes("image b"));
  Json entry_b = b.entry_json();
  entry_b.get_object()["name"] = "b";
  const Policy policy = policy_of({a.entry_json(), entry_b});
  EXPECT_TRUE(check_bundle(a.serve_bundle(), FakeTee::expectation(policy)));
  EXPECT_TRUE(check_bundle(b.serve_bundle(), FakeTee::expectation(policy)));
  std::swap(a.binary, b.binary);
  for (const FakeTee* tee_with_the_others_image : {&a, &b}) {
    const Explanation why = explain_policy(tee_with_the_others_image->serve_bundle(), FakeTee::expectation(policy));
    EXPECT_FALSE(why.rule);
    ASSERT_EQ(why.entries.size(), 2U);
    for (const Check& line : why.entries) EXPECT_EQ(line.outcome, Outcome::kFailed);
  }
}

TEST_F(AppraisalTest, ExplainsABundleThatDoesNotComeToThePolicy) {
  const Policy policy = tee.policy();
  const Explanation why = explain_policy(as_bytes("nonsense"), FakeTee::expectation(policy));
  EXPECT_FALSE(why.rule);
  EXPECT_TRUE(why.entries.empty());
  EXPECT_EQ(first_failure(why.bundle)->code(), kBundleMalformed);
}

TEST_F(AppraisalTest, LocalEvidenceIsAcceptedByNoPolicyWithoutConsent) {
  // Whatever of the consent is taken away or changed, the policy does not load, or does not accept.
  const Bytes bundle = tee.serve_bundle();
  const Json good = tee.policy_json();
  const auto accepted = [&](const Json& policy_json) {
    const auto policy = Policy::decode(as_bytes(compact_json(policy_json)));
    return policy && check_bundle(bundle, FakeTee::expectation(*policy)).has_value();
  };
  ASSERT_TRUE(accepted(good));
  for (const char* member : {"evaluation", "roots"}) {
    for (const char* text : {"", "null", "true", R"({"ignore":"x"})", R"({"require":null})", R"({"require":true})",
                             R"({"require":"production"})", R"({"require":[]})", R"({"require":"ACCEPTABLE"})"}) {
      Json changed = good;
      JsonObject& entry = changed.get_object()["entries"].get_array()[0].get_object();
      entry.erase(member);
      if (*text != '\0') entry[member] = *parse_json(as_bytes(std::string_view(text)));
      EXPECT_FALSE(accepted(changed)) << member << text;
    }
  }
  // The same entry under every other kind's name.
  for (const char* kind : {"tdx", "sevsnp", "nitro", "confidential_space", "tpm"}) {
    Json changed = good;
    changed.get_object()["entries"].get_array()[0].get_object()["kind"] = kind;
    EXPECT_FALSE(accepted(changed)) << kind;
  }
}

TEST_F(AppraisalTest, LocalEvidenceIsNeverProductionEvenUnderAForgedKind) {
  // The appraisal itself, were a verifier ever to mistake the kind: no vendor's root, no production.
  VerifiedEvidence evidence{.kind = EvidenceKind::kTdx, .root = hex(tee.root().public_key())};
  PolicyEntry entry;
  entry.kind = EvidenceKind::kTdx;
  EXPECT_EQ(refusing_field(entry, {evidence, tee.serve_binding(), "", {}, kFakeNow}), "production floor");
}

}  // namespace
}  // namespace eml

#include "attestation/policy_tools.h"

#include <gtest/gtest.h>

#include "tests/support/fake_tee.h"

namespace eml {
namespace {

using test::FakeTee;
using test::kFakeNow;

TEST(SignPolicy, KeepsOtherSignaturesAndReplacesItsOwn) {
  const FakeTee tee;
  const Ed25519Key a = test::fake_key("a");
  const Ed25519Key b = test::fake_key("b");
  const std::string one = *sign_policy(tee.policy_json(), a);
  const std::string two = *sign_policy(*parse_json(as_bytes(one)), b);
  const std::string again = *sign_policy(*parse_json(as_bytes(two)), a);
  for (const Ed25519Key* key : {&a, &b}) {
    EXPECT_TRUE(Policy::decode_signed(as_bytes(again), key->public_key(), 1));
  }
  EXPECT_EQ(parse_json(as_bytes(again))->at("signatures").as_array().size(), 2U);
  EXPECT_EQ(*sign_policy(tee.policy_json(), a), one);
}

TEST(SignPolicy, RefusesWhatDoesNotLoad) {
  const Ed25519Key key = test::fake_key("a");
  EXPECT_FALSE(sign_policy(Json(nullptr), key));
  EXPECT_FALSE(sign_policy(JsonArray{}, key));
  EXPECT_FALSE(sign_policy(JsonObject{{"schema", "eml-policy/1"}}, key));
  const FakeTee tee;
  Json policy = tee.policy_json();
  for (int i = 0; i < 8; ++i) {
    policy = *parse_json(as_bytes(*sign_policy(policy, test::fake_key(std::to_string(i)))));
  }
  EXPECT_FALSE(sign_policy(policy, key));  // a ninth signature
}

TEST(DraftEntry, AcceptsTheBundleThatItWasDraftedFrom) {
  const FakeTee tee;
  const Policy policy = tee.policy();
  EXPECT_TRUE(check_bundle(tee.serve_bundle(), FakeTee::expectation(policy)));
}

TEST(DraftEntry, WithoutConsentDoesNotLoadUntilAPersonHasEditedIt) {
  const FakeTee tee;
  const auto entry = draft_entry_from_bundle(tee.serve_bundle(), {.name = "draft", .approved_by = "nobody yet"});
  ASSERT_TRUE(entry);
  const auto policy = Policy::decode(as_bytes(compact_json(draft_policy("p", 1, JsonArray{*entry}))));
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code(), kPolicyImpossible);
}

TEST(DraftEntry, AsksForWhatEvidenceCannotSay) {
  FakeTee tee;
  tee.configuration.operator_key.reset();
  tee.configuration.publishers.push_back(test::fake_key("second publisher").public_key());
  const auto entry = draft_entry_from_bundle(tee.serve_bundle(), {.name = "draft", .approved_by = "nobody yet"});
  ASSERT_TRUE(entry);
  for (const char* member : {"not_before", "not_after", "operator_key", "publisher", "evaluation"}) {
    EXPECT_TRUE(entry->at(member).as_object().contains("ignore")) << member;
  }
}

TEST(DraftEntry, FailsOnABundleThatCannotBeRead) {
  const FakeTee tee;
  EXPECT_EQ(draft_entry_from_bundle(as_bytes("x"), {}).error().code(), kBundleMalformed);
  EvidenceBundle parts = tee.parts(tee.serve_binding());
  parts.kind = EvidenceKind::kTdx;
  EXPECT_EQ(draft_entry_from_bundle(encode_bundle(parts), {}).error().code().name, "tdx-unsupported-version");
  parts = tee.parts(tee.serve_binding());
  parts.evidence.clear();
  EXPECT_EQ(draft_entry_from_bundle(encode_bundle(parts), {}).error().code(), kLocalMalformed);
}

}  // namespace
}  // namespace eml

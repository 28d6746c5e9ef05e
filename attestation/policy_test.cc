// The policy document, its entries, and one test for each field of the decision (docs/spec/policy.md).
#include "attestation/policy.h"

#include <gtest/gtest.h>

#include "attestation/policy_entry.h"
#include "attestation/policy_tools.h"
#include "encoding/json.h"
#include "tests/support/fake_tee.h"

namespace eml {
namespace {

using test::FakeTee;
using test::kFakeNow;

Json json(std::string_view text) {
  auto value = parse_json(as_bytes(text));
  if (!value) ADD_FAILURE() << text;
  return value ? *std::move(value) : Json();
}

std::string load(const Json& policy) {
  const auto loaded = Policy::decode(as_bytes(compact_json(policy)));
  return loaded ? "ok" : std::string(loaded.error().code().name);
}

// production_entry is an entry of kind tdx that requires all that the kind can give.
Json production_entry() {
  const std::string m = R"({"require":")" + std::string(96, 'a') + R"("})";
  const std::string h = R"({"require":")" + std::string(64, 'b') + R"("})";
  return json(
      R"({"name":"prod","kind":"tdx","measurements":{"mrtd":)" + m + R"(,"rtmr0":)" + m + R"(,"rtmr1":)" + m +
      R"(,"rtmr2":)" + m + R"(,"rtmr3":)" + m + R"(},"configuration":)" + h +
      R"(,"platform_identity":{"require":"ppid"},"operator_key":)" + h +
      R"(,"tcb_floor":{"require":{"status":["UpToDate"],"minimum":{"tcb_evaluation_data_number":17}}},)" +
      R"("requirements":{"allow_service_td":{"require":false},"require_sept_ve_disable":{"ignore":"old modules"}},)" +
      R"("publisher":)" + h + R"(,"model":{"require":{"hashes":[")" + std::string(64, 'c') +
      R"("]}},"not_before":{"require":"2025-01-01T00:00:00Z"},"not_after":{"require":"2026-01-01T00:00:00Z"},)" +
      R"("approved_by":"A. Person"})");
}

struct PolicyTest : testing::Test {
  FakeTee tee;
  Json entry = tee.entry_json();

  Json policy_of(const Json& one) { return draft_policy("p", 1, JsonArray{one}); }
  // load_with loads a policy whose one entry has `member` set to the value of `text`, or removed if it is empty.
  std::string load_with(Json one, std::string_view member, std::string_view text) {
    if (text.empty()) {
      one.get_object().erase(member);
    } else {
      one.get_object()[member] = json(text);
    }
    return load(policy_of(one));
  }
  std::string load_local(std::string_view member, std::string_view text) { return load_with(entry, member, text); }
  std::string load_tdx(std::string_view member, std::string_view text) {
    return load_with(production_entry(), member, text);
  }
};

// --- The document ---

TEST_F(PolicyTest, LoadsAndSaysWhatItIs) {
  const std::string text = tee.policy_text();
  const auto policy = Policy::decode(as_bytes(text));
  ASSERT_TRUE(policy) << policy.error().to_string();
  EXPECT_EQ(policy->serial(), 1U);
  EXPECT_EQ(policy->name(), "test policy");
  EXPECT_EQ(policy->hash(), sha256(as_bytes(text)));
  EXPECT_TRUE(policy->accepts_evaluation());
  EXPECT_FALSE(policy->requires_fresh());
  EXPECT_EQ(policy->local_roots(), std::vector{tee.root().public_key()});
}

TEST_F(PolicyTest, IsRejectedWhenTruncatedAtAnyLength) {
  const std::string text = tee.policy_text();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto policy = Policy::decode(as_bytes(std::string_view(text).substr(0, size)));
    ASSERT_FALSE(policy);
    EXPECT_EQ(policy.error().code(), kPolicyMalformed) << size;
  }
  EXPECT_FALSE(Policy::decode(as_bytes(text + "x")));
}

TEST_F(PolicyTest, NeedsItsMembersAndKnowsNoOthers) {
  const Json good = tee.policy_json();
  ASSERT_EQ(load(good), "ok");
  for (const auto& member : good.get_object()) {
    Json changed = good;
    changed.get_object().erase(member.key());
    EXPECT_EQ(load(changed), "policy-malformed") << member.key();
  }
  Json changed = good;
  changed.get_object()["default"] = "accept";
  EXPECT_EQ(load(changed), "policy-malformed");
}

TEST_F(PolicyTest, RejectsBadValuesOfTheDocument) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"schema", R"("eml-policy/2")"},
      {"schema", "1"},
      {"serial", "0"},
      {"serial", "-1"},
      {"serial", "1.5"},
      {"serial", R"("1")"},
      {"name", R"("")"},
      {"name", R"("a\nb")"},
      {"fresh_evidence", "true"},
      {"fresh_evidence", R"({"require":false})"},
      {"fresh_evidence", R"({"ignore":""})"},
      {"fresh_evidence", R"({"require":true,"ignore":"x"})"},
      {"entries", "[]"},
      {"entries", "{}"},
      {"entries", "[1]"},
      {"signatures", "{}"},
      {"signatures", R"([{"key":"00","sig":"00"}])"},
      {"signatures", R"([{"key":"00"}])"},
  };
  for (const auto& [member, text] : cases) {
    Json changed = tee.policy_json();
    changed.get_object()[member] = json(text);
    EXPECT_EQ(load(changed), "policy-malformed") << member << text;
  }
}

TEST_F(PolicyTest, RejectsDuplicateMembersAndDuplicateEntryNames) {
  std::string text = tee.policy_text();
  text.insert(1, R"("serial":1,)");
  EXPECT_FALSE(Policy::decode(as_bytes(text)));
  EXPECT_EQ(load(draft_policy("p", 1, JsonArray{entry, entry})), "policy-malformed");
}

TEST_F(PolicyTest, RejectsTooManyEntriesAndTooManyBytes) {
  JsonArray entries;
  for (int i = 0; i < 257; ++i) {
    entries.push_back(entry);
    entries.back().get_object()["name"] = "e" + std::to_string(i);
  }
  JsonArray allowed(entries.begin(), entries.end() - 1);
  EXPECT_EQ(load(draft_policy("p", 1, allowed)), "ok");
  EXPECT_EQ(load(draft_policy("p", 1, entries)), "policy-malformed");
  EXPECT_FALSE(Policy::decode(Bytes(kPolicyBytesMax + 1, ' ')));
}

TEST_F(PolicyTest, RequiresFreshEvidenceWhenItSaysSo) {
  Json changed = tee.policy_json();
  changed.get_object()["fresh_evidence"] = json(R"({"require":true})");
  EXPECT_TRUE(Policy::decode(as_bytes(compact_json(changed)))->requires_fresh());
}

// --- Signatures ---

TEST_F(PolicyTest, SignedByItsOwnerLoadsWhateverTheLayout) {
  const Ed25519Key owner = test::fake_key("owner");
  const std::string text = *sign_policy(tee.policy_json(), owner);
  EXPECT_TRUE(Policy::decode_signed(as_bytes(text), owner.public_key(), 1));
  EXPECT_TRUE(Policy::decode_signed(as_bytes(compact_json(json(text))), owner.public_key(), 1));
  EXPECT_TRUE(Policy::decode_signed(as_bytes(canonical_json(json(text))), owner.public_key(), 0));
}

TEST_F(PolicyTest, UnsignedOrSignedByAnotherIsRefused) {
  const Ed25519Key owner = test::fake_key("owner");
  const auto code = [&](const std::string& text) {
    const auto policy = Policy::decode_signed(as_bytes(text), owner.public_key(), 1);
    return policy ? "ok" : std::string(policy.error().code().name);
  };
  EXPECT_EQ(code(tee.policy_text()), "policy-unsigned");
  EXPECT_EQ(code(*sign_policy(tee.policy_json(), test::fake_key("another"))), "policy-unsigned");
  Json changed = json(*sign_policy(tee.policy_json(), owner));
  ASSERT_EQ(code(compact_json(changed)), "ok");
  changed.get_object()["serial"] = 2;
  EXPECT_EQ(code(compact_json(changed)), "policy-unsigned");
  Json flipped = json(*sign_policy(tee.policy_json(), owner));
  auto& sig = flipped.get_object()["signatures"].get_array()[0].get_object()["sig"].get_string();
  sig[0] = sig[0] == '0' ? '1' : '0';
  EXPECT_EQ(code(compact_json(flipped)), "policy-unsigned");
  Json twice = json(*sign_policy(tee.policy_json(), owner));
  auto& signatures = twice.get_object()["signatures"].get_array();
  signatures.push_back(Json(signatures[0]));
  EXPECT_EQ(code(compact_json(twice)), "policy-malformed");
}

TEST_F(PolicyTest, OlderThanWhatWasAcceptedIsRefused) {
  const Ed25519Key owner = test::fake_key("owner");
  Json policy = tee.policy_json();
  policy.get_object()["serial"] = 7;
  const std::string text = *sign_policy(policy, owner);
  EXPECT_TRUE(Policy::decode_signed(as_bytes(text), owner.public_key(), 7));
  const auto older = Policy::decode_signed(as_bytes(text), owner.public_key(), 8);
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code(), kPolicySerial);
}

// --- The form of an entry ---

TEST_F(PolicyTest, EntryNeedsItsMembersAndKnowsNoOthers) {
  for (const Json& good : {entry, production_entry()}) {
    ASSERT_EQ(load(policy_of(good)), "ok");
    for (const auto& member : good.get_object()) {
      EXPECT_EQ(load_with(good, member.key(), ""), "policy-malformed") << member.key();
      for (const char* bad : {"null", "1", "[]", "{}", R"("")", R"({"ignore":""})", R"({"ignore":1})",
                              R"({"require":null})", R"({"require":"x","ignore":"y"})", R"({"allow":true})"}) {
        // policy-impossible where the kind has no such thing, else policy-malformed.
        EXPECT_TRUE(load_with(good, member.key(), bad).starts_with("policy-")) << member.key() << bad;
      }
    }
    EXPECT_EQ(load_with(good, "comment", R"("x")"), "policy-malformed");
  }
}

TEST_F(PolicyTest, EntryMayIgnoreEachFieldWithAReason) {
  for (const char* member : {"configuration", "platform_identity", "operator_key", "tcb_floor", "publisher", "model",
                             "not_before", "not_after"}) {
    EXPECT_EQ(load_local(member, R"({"ignore":"because"})"), "ok") << member;
    EXPECT_EQ(load_tdx(member, R"({"ignore":"because"})"), "ok") << member;
  }
  EXPECT_EQ(load_local("measurements", R"({"binary":{"ignore":"it changes with every build"}})"), "ok");
}

TEST_F(PolicyTest, EntryRejectsBadValues) {
  const std::string h = std::string(64, 'a');
  const std::pair<std::string_view, std::string> cases[] = {
      {"name", R"("A b")"},
      {"kind", R"("sgx")"},
      {"evaluation", R"({"require":"yes"})"},
      {"roots", R"({"require":[]})"},
      {"roots", R"({"require":[")" + h + R"(",")" + h + R"("]})"},
      {"roots", R"({"require":")" + h + R"("})"},
      {"measurements", R"({"binary":{"require":")" + h + R"("}})"},
      {"measurements", R"({"binary":{"require":")" + std::string(96, 'A') + R"("}})"},
      {"configuration", R"({"require":"00"})"},
      {"configuration", R"({"require":")" + std::string(64, 'A') + R"("})"},
      {"operator_key", R"({"require":[")" + h + R"("]})"},
      {"publisher", R"({"require":"x"})"},
      {"model", R"({"require":{}})"},
      {"model", R"({"require":{"hashes":[]}})"},
      {"model", R"({"require":{"hashes":["00"]}})"},
      {"model", R"({"require":{"serials":{}}})"},
      {"model", R"({"require":{"serials":{"a":"1"}}})"},
      {"model", R"({"require":{"hashes":[")" + h + R"("],"serials":{"a":1}}})"},
      {"model", R"({"require":{"names":["a"]}})"},
      {"not_before", R"({"require":"yesterday"})"},
      {"not_before", R"({"require":1764072000})"},
      {"not_after", R"({"require":"2025-12-25"})"},
      {"approved_by", R"({"require":"x"})"},
  };
  for (const auto& [member, text] : cases) EXPECT_EQ(load_local(member, text), "policy-malformed") << member << text;
}

TEST_F(PolicyTest, AFloorMayAcceptEveryStatusThatAVerdictReports) {
  for (const char* status :
       {"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
        "OutOfDateConfigurationNeeded", "RelaunchAdvised", "RelaunchAdvisedConfigurationNeeded"}) {
    EXPECT_EQ(load_tdx("tcb_floor", R"({"require":{"status":[")" + std::string(status) + R"("]}})"), "ok") << status;
  }
}

TEST_F(PolicyTest, EntryThatRequiresWhatItsKindCannotGiveDoesNotLoad) {
  EXPECT_EQ(load_local("platform_identity", R"({"require":"chip"})"), "policy-impossible");
  EXPECT_EQ(load_local("tcb_floor", R"({"require":{"status":["UpToDate"]}})"), "policy-impossible");
  EXPECT_EQ(load_local("measurements", R"({"mrtd":{"ignore":"x"}})"), "policy-impossible");
  EXPECT_EQ(load_local("not_after", R"({"require":"2000-01-01T00:00:00Z"})"), "policy-impossible");
  EXPECT_EQ(load_tdx("tcb_floor", R"({"require":{"status":["Revoked"]}})"), "policy-malformed");
  EXPECT_EQ(load_tdx("tcb_floor", R"({"require":{"minimum":{"microcode":1}}})"), "policy-malformed");
  EXPECT_EQ(load_tdx("tcb_floor", R"({"require":{}})"), "policy-malformed");
}

TEST_F(PolicyTest, LocalEntryWithoutExplicitConsentDoesNotLoad) {
  EXPECT_EQ(load_local("evaluation", ""), "policy-malformed");
  EXPECT_EQ(load_local("evaluation", R"({"ignore":"I did not think about it"})"), "policy-impossible");
  for (const char* value : {"false", "true", R"("acceptable")", R"({"require":true})", R"({"require":"production"})",
                            R"({"require":""})"}) {
    EXPECT_EQ(load_local("evaluation", value), "policy-malformed") << value;
  }
  EXPECT_EQ(load_local("roots", ""), "policy-malformed");
  EXPECT_EQ(load_local("roots", R"({"ignore":"any root will do"})"), "policy-impossible");
}

TEST_F(PolicyTest, ProductionEntryHasNeitherConsentNorRoots) {
  EXPECT_EQ(load_tdx("evaluation", R"({"require":"acceptable"})"), "policy-malformed");
  EXPECT_EQ(load_tdx("evaluation", R"({"ignore":"x"})"), "policy-malformed");
  EXPECT_EQ(load_tdx("roots", R"({"require":[")" + std::string(64, 'a') + R"("]})"), "policy-malformed");
  const auto policy = Policy::decode(as_bytes(compact_json(policy_of(production_entry()))));
  EXPECT_FALSE(policy->accepts_evaluation());
  EXPECT_TRUE(policy->local_roots().empty());
}

TEST_F(PolicyTest, TpmEntryNeedsTheConsentAndNoRoots) {
  Json tpm = production_entry();
  tpm.get_object()["kind"] = "tpm";
  tpm.get_object()["measurements"] = json(R"({"pcrs":{"require":")" + std::string(64, 'a') + R"("}})");
  tpm.get_object()["tcb_floor"] = json(R"({"ignore":"a TPM has none"})");
  tpm.get_object()["requirements"] = json(
      R"({"ak_trust":{"require":"hardware"},"events":{"ignore":"x"},"hcl_measurement":{"ignore":"x"},"pcrs":{"ignore":"x"}})");
  EXPECT_EQ(load(policy_of(tpm)), "policy-malformed");
  tpm.get_object()["evaluation"] = json(R"({"require":"acceptable"})");
  EXPECT_EQ(load(policy_of(tpm)), "ok");
  EXPECT_EQ(load_with(tpm, "roots", R"({"require":[")" + std::string(64, 'a') + R"("]})"), "policy-malformed");
}

TEST_F(PolicyTest, HardwareEntryWithRootsOfItsOwnIsForEvaluationAndSaysSo) {
  const std::string roots = R"({"require":[")" + std::string(64, 'd') + R"("]})";
  Json with_roots = production_entry();
  with_roots.get_object()["roots"] = json(roots);
  EXPECT_EQ(load(policy_of(with_roots)), "policy-malformed");
  with_roots.get_object()["evaluation"] = json(R"({"require":"acceptable"})");
  EXPECT_EQ(load(policy_of(with_roots)), "ok");
  const auto policy = Policy::decode(as_bytes(compact_json(policy_of(with_roots))));
  ASSERT_TRUE(policy);
  EXPECT_TRUE(policy->accepts_evaluation());
  EXPECT_TRUE(policy->local_roots().empty());
}

TEST_F(PolicyTest, EntryStatesEachRequirementOfItsKindWithAValueThatTheKindKnows) {
  EXPECT_EQ(load_tdx("requirements", ""), "policy-malformed");
  EXPECT_EQ(load_tdx("requirements", R"({"allow_service_td":{"require":false}})"), "policy-malformed");
  EXPECT_EQ(load_tdx("requirements", R"({"allow_service_td":{"require":false},"other":{"require":false}})"),
            "policy-malformed");
  EXPECT_EQ(
      load_tdx("requirements", R"({"allow_service_td":{"require":"no"},"require_sept_ve_disable":{"ignore":"x"}})"),
      "policy-impossible");
  EXPECT_EQ(load_local("requirements", "{}"), "policy-malformed");
}

}  // namespace
}  // namespace eml

// One test for each step of docs/spec/evidence/nitro.md, section 3, that makes only that step fail; what a document
// gives; and that nothing altered is accepted.
#include "attestation/nitro/nitro.h"

#include <gtest/gtest.h>

#include "attestation/judge.h"
#include "crypto/hash.h"
#include "tests/support/mutations.h"
#include "tests/support/nitro_issuer.h"

namespace eml {
namespace {

using test::NitroIssuer;
using test::NitroPlan;
using Members = std::vector<std::pair<std::string, Bytes>>;

constexpr UnixSeconds kTime = 1780315200;  // 2026-06-01T12:00:00Z

const NitroIssuer& issuer() {
  static const NitroIssuer made;
  return made;
}

struct NitroTest : testing::Test {
  NitroPlan plan;
  Json requirements;
  UnixSeconds time = kTime;
  Bytes root = issuer().root_certificate();

  EvidenceVerdict judge(ByteView evidence) const {
    return judge_nitro({.evidence = evidence, .time = time, .requirements = &requirements, .root = root});
  }
  EvidenceVerdict judge() const { return judge(issuer().document(plan)); }
  static std::string name(const EvidenceVerdict& verdict) {
    return verdict.error ? std::string(verdict.error->code().name) : "ok";
  }
  std::string outcome() const { return name(judge()); }
  // with_member is the outcome with one member of the payload replaced (or removed, or added), signed all the same.
  std::string with_member(const std::string& member, const std::optional<Bytes>& value) {
    plan.change = [&](Members& members) {
      std::erase_if(members, [&](const auto& m) { return m.first == member; });
      if (value) members.emplace_back(member, *value);
    };
    return outcome();
  }
};

TEST_F(NitroTest, AGoodDocumentIsValidInEveryFormThatIsAllowed) {
  EXPECT_EQ(outcome(), "ok");
  plan.indefinite = true;
  EXPECT_EQ(outcome(), "ok");
  plan.tagged = true;
  EXPECT_EQ(outcome(), "ok");
  plan.public_key = plan.user_data = plan.nonce = std::nullopt;
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(with_member("nonce", std::nullopt), "ok");
  plan.change = nullptr;
  for (unsigned i = 0; i < 32; ++i) plan.pcrs[i] = Bytes(i % 2 == 0 ? 48 : 64, 7);
  EXPECT_EQ(outcome(), "ok");
}

TEST_F(NitroTest, GivesSignedValueMeasurementsIdentityAndRoot) {
  const EvidenceVerdict verdict = judge();
  ASSERT_EQ(name(verdict), "ok");
  EXPECT_EQ(verdict.evidence.kind, EvidenceKind::kNitro);
  EXPECT_EQ(verdict.evidence.signed_value, Bytes(32, 0x42));
  EXPECT_EQ(verdict.evidence.measurements,
            (Measurements{{"pcr0", Bytes(48, 0x10)}, {"pcr1", Bytes(48, 0x11)}, {"pcr2", Bytes(48, 0x12)}}));
  EXPECT_EQ(verdict.evidence.platform_identity,
            "pcr3:" + hex(Bytes(48, 0x13)) + " pcr4:" + hex(Bytes(48, 0x14)) + " pcr8:" + hex(Bytes(48, 0x18)));
  EXPECT_FALSE(verdict.evidence.debug);
  EXPECT_TRUE(verdict.root_given);
  EXPECT_FALSE(above_production_floor(verdict.evidence));  // a root that was given is no vendor's
  EXPECT_EQ(verdict.fields.at("chain_length"), 4);
  ASSERT_EQ(verdict.checks.size(), 12U);
  EXPECT_EQ(verdict.checks[7].outcome, Outcome::kPassed);
  EXPECT_EQ(verdict.checks[8].outcome, Outcome::kNotChecked);
}

TEST_F(NitroTest, Step1RejectsTruncationAtEveryLength) {
  const Bytes document = issuer().document(plan);
  for (std::size_t size = 0; size < document.size(); ++size) {
    EXPECT_EQ(name(judge(ByteView(document).first(size))), "nitro-parse") << size;
  }
}

TEST_F(NitroTest, Step1RejectsAnotherShape) {
  Bytes document = issuer().document(plan);
  document[0] = 0x83;
  EXPECT_EQ(name(judge(document)), "nitro-parse");
  document[0] = 0x9f;
  EXPECT_EQ(name(judge(document)), "nitro-parse");
  EXPECT_EQ(name(judge(concat(Bytes{0xd1}, issuer().document(plan)))), "nitro-parse");
  plan.unprotected_header = {0xa1, 0x01, 0x01};
  EXPECT_EQ(outcome(), "nitro-parse");
  plan = NitroPlan{};
  plan.change_payload = [](Bytes& payload) { payload = {0x80}; };
  EXPECT_EQ(outcome(), "nitro-parse");
  EXPECT_EQ(name(judge(Bytes(kNitroDocumentBytesMax + 1, 0x84))), "nitro-too-large");
}

TEST_F(NitroTest, Step2RejectsWhatFollowsTheDocumentOrThePayload) {
  EXPECT_EQ(name(judge(concat(issuer().document(plan), Bytes{0}))), "nitro-trailing-data");
  plan.change_payload = [](Bytes& payload) { payload.push_back(0); };
  EXPECT_EQ(outcome(), "nitro-trailing-data");
}

TEST_F(NitroTest, Step3RejectsAnotherProtectedHeader) {
  for (const Bytes& header : {Bytes{0xa1, 0x01, 0x26}, Bytes{0xa1, 0x01, 0x38, 0x23}, Bytes{0xa0}, Bytes{},
                              Bytes{0xa2, 0x01, 0x38, 0x22, 0x03, 0x00}}) {
    plan.protected_header = header;
    EXPECT_EQ(outcome(), "nitro-algorithm") << hex(header);
  }
}

TEST_F(NitroTest, Step4RejectsEachFieldThatIsNotAsThePageSays) {
  const auto bytes = [](std::size_t size) { return NitroIssuer::bytes_item(Bytes(size, 1)); };
  struct Case {
    const char* member;
    std::optional<Bytes> value;
  };
  const std::map<unsigned, Bytes> short_pcr{{0, Bytes(47, 1)}};
  const std::map<unsigned, Bytes> far_pcr{{32, Bytes(48, 1)}};
  const Case cases[] = {
      {"module_id", std::nullopt},
      {"module_id", NitroIssuer::text_item("")},
      {"module_id", bytes(4)},
      {"digest", std::nullopt},
      {"digest", NitroIssuer::text_item("SHA256")},
      {"timestamp", std::nullopt},
      {"timestamp", NitroIssuer::uint_item(0)},
      {"timestamp", Bytes{0x18, 0x05}},  // not in its shortest form
      {"pcrs", std::nullopt},
      {"pcrs", Bytes{0xa0}},
      {"pcrs", NitroIssuer::pcrs_item(short_pcr)},
      {"pcrs", NitroIssuer::pcrs_item(far_pcr)},
      {"pcrs", concat(Bytes{0xa2, 0x00}, bytes(48), Bytes{0x00}, bytes(48))},  // one twice
      {"certificate", std::nullopt},
      {"certificate", bytes(0)},
      {"certificate", bytes(1025)},
      {"cabundle", std::nullopt},
      {"cabundle", NitroIssuer::array_item({})},
      {"cabundle", NitroIssuer::array_item({Bytes{}})},
      {"cabundle", NitroIssuer::array_item(std::vector<Bytes>(kNitroBundleMax + 1, Bytes(8, 1)))},
      {"public_key", bytes(1025)},
      {"user_data", bytes(513)},
      {"nonce", bytes(513)},
      {"nonce", NitroIssuer::text_item("nonce")},
  };
  for (const Case& one : cases) EXPECT_EQ(with_member(one.member, one.value), "nitro-field") << one.member;
  plan.change = [](Members& members) { members.back().first = "other"; };
  EXPECT_EQ(outcome(), "nitro-field");
  plan.change = [](Members& members) { members.back() = members.front(); };
  EXPECT_EQ(outcome(), "nitro-field");
  plan.indefinite = true;
  plan.change = [](Members& members) { members.push_back(members.front()); };
  EXPECT_EQ(outcome(), "nitro-field");
}

TEST_F(NitroTest, Step5RejectsASignatureThatIsNotTheLeafs) {
  plan.signer = &issuer().instance_key();
  EXPECT_EQ(outcome(), "nitro-cose-signature");
  plan.signer = nullptr;
  for (const auto& change : std::initializer_list<std::function<void(Bytes&)>>{
           [](Bytes& s) { s[0] ^= 1; }, [](Bytes& s) { s.pop_back(); }, [](Bytes& s) { s.push_back(0); },
           [](Bytes& s) { s.assign(96, 0); }, [](Bytes& s) { s.clear(); }}) {
    plan.change_signature = change;
    EXPECT_EQ(outcome(), "nitro-cose-signature");
  }
  plan.change_signature = nullptr;
  EXPECT_EQ(with_member("certificate", NitroIssuer::bytes_item(Bytes(40, 0x30))), "nitro-cose-signature");
}

TEST_F(NitroTest, Step6RejectsAnotherRoot) {
  root = NitroIssuer().root_certificate();
  EXPECT_EQ(outcome(), "nitro-untrusted-root");
  const Bytes document = issuer().document(plan);
  EXPECT_EQ(name(judge_nitro({.evidence = document, .time = time})), "nitro-untrusted-root");  // the built-in one
}

TEST_F(NitroTest, Step7RejectsWhatIsNotAChain) {
  const auto with = [&](auto edit) {
    plan = NitroPlan{};
    edit();
    return outcome();
  };
  const auto not_ca = std::vector{test::basic_constraints(false), test::key_usage(false, true)};
  const auto no_cert_sign = std::vector{test::basic_constraints(true), test::key_usage(true, false)};
  const auto path_0 = std::vector{test::basic_constraints(true, 0), test::key_usage(false, true)};
  EXPECT_EQ(with([&] { plan.zone.extensions = not_ca; }), "nitro-cert-chain");
  EXPECT_EQ(with([&] { plan.zone.extensions = no_cert_sign; }), "nitro-cert-chain");
  EXPECT_EQ(with([&] { plan.zone.extensions = path_0; }), "nitro-cert-chain");
  EXPECT_EQ(with([&] { plan.instance.issuer = "another"; }), "nitro-cert-chain");
  EXPECT_EQ(with([&] { plan.leaf.extensions = no_cert_sign; }), "nitro-cert-chain");  // a CA
  EXPECT_EQ(with([&] { plan.leaf.extensions = not_ca; }), "nitro-cert-chain");        // no digitalSignature
  const test::Signer p256(test::TestKey::kP256);
  EXPECT_EQ(with([&] { plan.zone_key = &p256; }), "nitro-cert-chain");
  plan = NitroPlan{};
  auto bundle = issuer().bundle(plan);
  std::swap(bundle[1], bundle[2]);
  EXPECT_EQ(with_member("cabundle", NitroIssuer::array_item(bundle)), "nitro-cert-chain");
  bundle[1] = Bytes(30, 0x30);
  EXPECT_EQ(with_member("cabundle", NitroIssuer::array_item(bundle)), "nitro-cert-chain");
}

TEST_F(NitroTest, Step8JudgesTheDatesAtTheTimeThatIsGiven) {
  plan.leaf.not_before = "20260601115959Z";
  plan.leaf.not_after = "20260601145959Z";
  EXPECT_EQ(outcome(), "ok");
  time = kTime + 4 * 3600;
  EXPECT_EQ(outcome(), "nitro-certificate-expired");
  time = kTime - 60;
  EXPECT_EQ(outcome(), "nitro-certificate-not-yet-valid");
  time = kTime;
  plan.zone.not_after = "20260101000000Z";
  EXPECT_EQ(outcome(), "nitro-certificate-expired");
}

TEST_F(NitroTest, Steps9To12AreTheRequirements) {
  const auto with = [&](std::string_view json) {
    requirements = parse_json(as_bytes(json)).value();
    return outcome();
  };
  const std::string pcr0 = hex(Bytes(48, 0x10));
  EXPECT_EQ(with(R"({"pcrs":{"0":")" + pcr0 + R"("},"nonce":"03","user_data":")" + hex(Bytes(32, 0x42)) +
                 R"(","allow_debug":false})"),
            "ok");
  EXPECT_EQ(with(R"({"pcrs":{"1":")" + pcr0 + R"("}})"), "nitro-measurement-mismatch");
  EXPECT_EQ(with(R"({"pcrs":{"9":")" + pcr0 + R"("}})"), "nitro-measurement-mismatch");  // it has no PCR 9
  EXPECT_EQ(with(R"({"nonce":"04"})"), "nitro-nonce-mismatch");
  EXPECT_EQ(with(R"({"user_data":"04"})"), "nitro-user-data-mismatch");
  plan.nonce = plan.user_data = std::nullopt;
  EXPECT_EQ(with(R"({"nonce":""})"), "nitro-nonce-mismatch");  // null is not empty
  EXPECT_EQ(with(R"({"user_data":""})"), "nitro-user-data-mismatch");
  for (unsigned i = 0; i <= 2; ++i) plan.pcrs[i] = Bytes(48, 0);
  EXPECT_EQ(with(R"({"allow_debug":true})"), "ok");
  EXPECT_EQ(judge().details.at("debug_mode"), true);
  EXPECT_EQ(with(R"({"allow_debug":false})"), "nitro-debug-enabled");
  plan.pcrs = {{3, Bytes(48, 1)}};  // no image at all is no better
  EXPECT_EQ(outcome(), "nitro-debug-enabled");
}

TEST_F(NitroTest, RequirementsAreClosed) {
  for (const char* json :
       {R"({"pcr":{}})", R"({"pcrs":[]})", R"({"pcrs":{"32":"00"}})", R"({"pcrs":{"00":"00"}})", R"({"nonce":"0"})",
        R"({"nonce":"AB"})", R"({"nonce":1})", R"({"allow_debug":"no"})", "[]", "1"}) {
    requirements = parse_json(as_bytes(json)).value();
    EXPECT_EQ(outcome(), "nitro-requirements") << json;
  }
}

TEST_F(NitroTest, ADocumentOfOursAnswersItsBindingAndNoOther) {
  Binding binding{.purpose = Purpose::kServe, .challenge = Hash32{9}};
  binding.receipt_key.fill(5);
  plan.nonce = Bytes(binding.challenge->begin(), binding.challenge->end());
  plan.public_key = Bytes(32, 5);
  const Hash32 trusted = sha256(root);
  const auto check = [&] {
    const auto unverified = UnverifiedNitroDocument::decode(issuer().document(plan));
    const auto verified = VerifiedNitroDocument::verify(unverified.value(), trusted, time);
    const Status status = check_nitro_binding(verified.value(), binding);
    return status ? std::string("ok") : std::string(status.error().code().name);
  };
  EXPECT_EQ(check(), "ok");
  binding.challenge = Hash32{8};
  EXPECT_EQ(check(), "nitro-binding-mismatch");
  binding.challenge = std::nullopt;
  EXPECT_EQ(check(), "nitro-binding-mismatch");
  plan.nonce = std::nullopt;
  EXPECT_EQ(check(), "ok");
  plan.public_key = Bytes(294, 0x30);  // a document for AWS KMS: an RSA key
  EXPECT_EQ(check(), "nitro-binding-mismatch");
  binding.purpose = Purpose::kRelease;
  EXPECT_EQ(check(), "nitro-binding-mismatch");
  plan.public_key = std::nullopt;
  EXPECT_EQ(check(), "ok");
}

TEST_F(NitroTest, NoMutationOfADocumentIsValid) {
  plan.indefinite = true;
  const Bytes document = issuer().document(plan);
  test::Mutator mutator(1);
  for (std::size_t i = 0; i < test::mutation_count(1000); ++i) {
    const Bytes mutated = mutator.next(document);
    // Signatures of ECDSA can be altered and stay valid (s to n - s), but not by chance.
    if (mutated != document) EXPECT_NE(name(judge(mutated)), "ok") << hex(mutated);
  }
}

}  // namespace
}  // namespace eml

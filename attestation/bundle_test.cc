// Encoding of the bundle, and one test for each numbered step of docs/spec/evidence.md, section 7.
#include "attestation/bundle.h"

#include <gtest/gtest.h>

#include <map>

#include "encoding/cbor.h"
#include "tests/support/fake_tee.h"

namespace eml {
namespace {

using test::FakeTee;
using test::kFakeNow;

constexpr std::array<std::string_view, 6> kChecks{"bundle-form",     "bundle-genuine",  "bundle-signed-value",
                                                  "bundle-validity", "bundle-contents", "bundle-policy"};

struct BundleTest : testing::Test {
  FakeTee tee;
  Policy policy = tee.policy();
  BundleExpectation expectation = FakeTee::expectation(policy);

  // judge runs the six checks and returns "check-id: error-code", or "ok". It also checks the lines: those before the
  // failure passed, those after it were not checked.
  std::string judge(ByteView bundle) {
    Checks checks;
    const auto peer = check_bundle(bundle, expectation, &checks);
    if (checks.size() != kChecks.size()) return "wrong number of lines";
    std::string out = "ok";
    for (std::size_t i = 0; i < kChecks.size(); ++i) {
      EXPECT_EQ(checks[i].id, kChecks[i]);
      const Outcome wanted = out == "ok" ? Outcome::kPassed : Outcome::kNotChecked;
      if (checks[i].outcome == wanted) continue;
      EXPECT_EQ(checks[i].outcome, Outcome::kFailed);
      EXPECT_EQ(out, "ok");
      out = std::string(kChecks[i]) + ": " + std::string(checks[i].error->code().name);
      EXPECT_EQ(peer.error().code(), checks[i].error->code());
    }
    EXPECT_EQ(peer.has_value(), out == "ok");
    return out;
  }
  std::string judge(const EvidenceBundle& parts) { return judge(encode_bundle(parts)); }
  std::string judge(const Binding& binding) { return judge(tee.parts(binding)); }
  EvidenceBundle parts() const { return tee.parts(tee.serve_binding()); }

  // resigned is `out` with its evidence over its own binding, and the binding over its own configuration.
  EvidenceBundle resigned(EvidenceBundle out, Binding binding) const {
    binding.configuration_hash = sha256(out.configuration);
    out.binding = encode_binding(binding);
    out.evidence = test::fake_local_evidence(tee.root(), binding_digest(binding.purpose, out.binding), tee.binary);
    return out;
  }
};

std::string decode_code(ByteView bytes) {
  const auto bundle = decode_bundle(bytes);
  return bundle ? "ok" : std::string(bundle.error().code().name);
}

TEST_F(BundleTest, AcceptsGoodEvidenceAndSaysWhatItIs) {
  const Bytes bundle = tee.serve_bundle();
  EXPECT_EQ(judge(bundle), "ok");
  const auto peer = check_bundle(bundle, expectation);
  ASSERT_TRUE(peer) << peer.error().to_string();
  EXPECT_EQ(peer->kind, EvidenceKind::kLocal);
  EXPECT_EQ(peer->rule, "test-entry");
  EXPECT_TRUE(peer->evaluation);
  EXPECT_EQ(peer->binding.channel_key, tee.channel_key().public_key());
  EXPECT_EQ(peer->bundle_hash, sha256(bundle));
  EXPECT_EQ(peer->evidence_hash, sha256(decode_bundle(bundle)->evidence));
  EXPECT_EQ(peer->configuration.issuer, "test.example");
  ASSERT_EQ(peer->models.size(), 1U);
  EXPECT_EQ(peer->models[0].serial, 3U);
  EXPECT_EQ(peer->measurements.at("binary"), to_bytes(ByteView(tee.binary)));
  for (const Check& claim : peer->claims) EXPECT_NE(claim.outcome, Outcome::kFailed);
}

TEST_F(BundleTest, SaysThatNobodyVouchesForSoftwareEvidence) {
  Checks checks;
  ASSERT_TRUE(check_bundle(tee.serve_bundle(), expectation, &checks));
  EXPECT_EQ(checks[1].voucher, Voucher::kNobody);
  EXPECT_EQ(checks[2].voucher, Voucher::kNobody);
}

TEST_F(BundleTest, AcceptsAReleaseBundleThatAnswersTheNonce) {
  expectation.purpose = Purpose::kRelease;
  expectation.challenge = Hash32{5};
  EXPECT_EQ(judge(tee.release_binding(Hash32{5}, {6})), "ok");
}

TEST_F(BundleTest, AcceptsSeveralModelsInTheBindingsOrder) {
  Binding binding = tee.serve_binding();
  SignedModel second = tee.model;
  second.model_hash = sha256(as_bytes("another model"));
  binding.model_hashes.push_back(second.model_hash);
  std::ranges::sort(binding.model_hashes);
  EvidenceBundle both = tee.parts(binding);
  both.manifests.push_back(test::fake_manifest(second));
  if (binding.model_hashes[0] != tee.model.model_hash) std::swap(both.manifests[0], both.manifests[1]);
  const TrustRoots roots{.local = policy.local_roots()};
  const auto peer = verify_bundle(encode_bundle(both), expectation, roots);
  ASSERT_TRUE(peer) << peer.error().to_string();
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(peer->models[i].model_hash, binding.model_hashes[i]);
  std::swap(both.manifests[0], both.manifests[1]);
  EXPECT_EQ(judge(both), "bundle-contents: bundle-manifest-hash");
}

// --- The encoding (section 6) and step 1 ---

TEST_F(BundleTest, ReadsBackAsItWasWritten) {
  EvidenceBundle full = parts();
  full.endorsements = {{.name = "zz", .fetched_at = 1, .bytes = {1}}, {.name = "abc", .fetched_at = 2, .bytes = {}}};
  full.devices = {{1, 2}, {}};
  full.release_records = {{3}};
  for (const EvidenceBundle& bundle : {parts(), full}) {
    const Bytes bytes = encode_bundle(bundle);
    const auto decoded = decode_bundle(bytes);
    ASSERT_TRUE(decoded) << decoded.error().to_string();
    EXPECT_EQ(encode_bundle(*decoded), bytes);
    EXPECT_EQ(decoded->devices, bundle.devices);
    EXPECT_EQ(decoded->endorsements.size(), bundle.endorsements.size());
    EXPECT_EQ(decoded->release_records, bundle.release_records);
  }
}

TEST_F(BundleTest, Step1RejectsTruncationAtEveryLengthAndTrailingBytes) {
  Bytes whole = tee.serve_bundle();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(decode_code(ByteView(whole).first(size)), "bundle-malformed") << size;
  }
  whole.push_back(0);
  EXPECT_EQ(judge(whole), "bundle-form: bundle-malformed");
}

TEST_F(BundleTest, Step1_1RejectsAnOversizedBundleBeforeReadingIt) {
  EXPECT_EQ(judge(Bytes(kBundleBytesMax + 1, 0xa5)), "bundle-form: bundle-too-large");
}

// map_of takes an encoded bundle apart into its members.
std::map<std::uint64_t, Bytes> map_of(const Bytes& bundle) {
  std::map<std::uint64_t, Bytes> out;
  CborReader in(bundle);
  const std::size_t pairs = *in.map();
  for (std::size_t i = 0; i < pairs; ++i) {
    const std::uint64_t key = *in.uint();
    out[key] = to_bytes(*in.item());
  }
  return out;
}

Bytes encode_map(const std::map<std::uint64_t, Bytes>& members) {
  CborWriter out;
  out.map(members.size());
  for (const auto& [key, value] : members) out.uint(key).raw(value);
  return out.take();
}

TEST_F(BundleTest, Step1_2RejectsMissingUnknownAndMistypedMembers) {
  const auto members = map_of(tee.serve_bundle());
  ASSERT_EQ(encode_map(members), tee.serve_bundle());
  for (const auto& [key, value] : members) {
    auto changed = members;
    changed.erase(key);
    EXPECT_EQ(decode_code(encode_map(changed)), "bundle-malformed") << key;
    for (const Bytes& bad : {CborWriter().null().take(), CborWriter().uint(1).take(), CborWriter().map(0).take()}) {
      changed[key] = bad;
      EXPECT_EQ(decode_code(encode_map(changed)), "bundle-malformed") << key;
    }
  }
  for (const std::uint64_t unknown : {0U, 9U, 24U}) {
    auto changed = members;
    changed[unknown] = CborWriter().bytes(Bytes{1}).take();
    EXPECT_EQ(decode_code(encode_map(changed)), "bundle-malformed") << unknown;
  }
}

TEST_F(BundleTest, Step1_2RejectsEmptyOptionalMembersAndTooManyItems) {
  const auto members = map_of(tee.serve_bundle());
  const auto with = [&](std::uint64_t key, Bytes value) {
    auto changed = members;
    changed[key] = std::move(value);
    return decode_code(encode_map(changed));
  };
  EXPECT_EQ(with(4, CborWriter().map(0).take()), "bundle-malformed");
  EXPECT_EQ(with(5, CborWriter().array(0).take()), "bundle-malformed");
  EXPECT_EQ(with(8, CborWriter().array(0).take()), "bundle-malformed");
  CborWriter many;
  many.array(65);
  for (int i = 0; i < 65; ++i) many.bytes({});
  EXPECT_EQ(with(5, to_bytes(many.view())), "bundle-malformed");
  EXPECT_EQ(with(7, to_bytes(many.view())), "bundle-malformed");
}

TEST_F(BundleTest, Step1_2RejectsBadEndorsements) {
  const auto members = map_of(tee.serve_bundle());
  const auto with = [&](CborWriter& value) {
    auto changed = members;
    changed[4] = value.take();
    return decode_code(encode_map(changed));
  };
  const auto one = [](CborWriter& out, std::string_view name) { out.text(name).array(2).uint(1).bytes({}); };
  CborWriter good;
  one(good.map(1), "a");
  EXPECT_EQ(with(good), "ok");
  CborWriter three_parts;
  three_parts.map(1).text("a").array(3).uint(1).bytes({}).null();
  EXPECT_EQ(with(three_parts), "bundle-malformed");
  CborWriter late;
  late.map(1).text("a").array(2).uint(std::uint64_t{1} << 40).bytes({});
  EXPECT_EQ(with(late), "bundle-malformed");
  // Written by hand: the writer refuses to put keys out of order.
  const Bytes item = *from_hex("6161820140");   // "a": [1, h'']
  const Bytes other = *from_hex("6162820140");  // "b": [1, h'']
  for (const Bytes& pair : {concat(item, item), concat(other, item)}) {
    auto changed = members;
    changed.erase(7);
    const Bytes seven = members.at(7);
    Bytes bytes = {0xa6};
    for (const std::uint64_t key : {1U, 2U, 3U}) bytes = concat(bytes, CborWriter().uint(key).view(), members.at(key));
    bytes = concat(bytes, *from_hex("04a2"), pair, *from_hex("06"), members.at(6), *from_hex("07"), seven);
    EXPECT_EQ(decode_code(bytes), "bundle-malformed");
  }
}

TEST_F(BundleTest, Step1_3RejectsAKindThatNobodyKnows) {
  auto members = map_of(tee.serve_bundle());
  for (const char* kind : {"", "Local", "sgx", "local "}) {
    members[1] = CborWriter().text(kind).take();
    EXPECT_EQ(judge(encode_map(members)), "bundle-form: bundle-kind-unsupported") << kind;
  }
}

TEST_F(BundleTest, Step1_4RejectsAMalformedBindingAndAnotherVersion) {
  EvidenceBundle bundle = parts();
  bundle.binding.pop_back();
  EXPECT_EQ(judge(bundle), "bundle-form: binding-malformed");
  bundle = parts();
  bundle.binding[2] = 2;  // a9 01 01: the version's value
  EXPECT_EQ(judge(bundle), "bundle-form: binding-version");
}

// --- Step 2 ---

TEST_F(BundleTest, Step2_1RejectsEvidenceOfAKindUnderAnothersName) {
  const std::pair<EvidenceKind, std::string_view> cases[] = {
      {EvidenceKind::kTdx, "tdx-unsupported-version"}, {EvidenceKind::kSevSnp, "sevsnp-parse"},
      {EvidenceKind::kNitro, "nitro-algorithm"},       {EvidenceKind::kConfidentialSpace, "confidential-space-parse"},
      {EvidenceKind::kTpm, "tpm-missing-collateral"},
  };
  for (const auto& [kind, code] : cases) {
    EvidenceBundle bundle = parts();
    bundle.kind = kind;
    EXPECT_EQ(judge(bundle), "bundle-genuine: " + std::string(code));
  }
}

TEST_F(BundleTest, Step2_2RejectsEndorsementsThatNothingJudges) {
  EvidenceBundle bundle = parts();
  bundle.endorsements.push_back({.name = "crl", .fetched_at = kFakeNow, .bytes = {1}});
  EXPECT_EQ(judge(bundle), "bundle-genuine: bundle-malformed");
}

TEST_F(BundleTest, Step2_3RejectsARootThatThePolicyDoesNotPin) {
  const FakeTee other("machine b");
  EXPECT_EQ(judge(other.serve_bundle()), "bundle-genuine: local-root-unknown");
}

TEST_F(BundleTest, Step2_3RejectsASignatureThatDoesNotVerify) {
  EvidenceBundle bundle = parts();
  bundle.evidence.back() ^= 1;
  EXPECT_EQ(judge(bundle), "bundle-genuine: local-signature");
}

// --- Step 3 ---

TEST_F(BundleTest, Step3RejectsEvidenceOverAnotherBinding) {
  Binding other = tee.serve_binding();
  other.channel_key = test::fake_key("a man in the middle").public_key();
  EvidenceBundle bundle = parts();
  bundle.binding = encode_binding(other);
  EXPECT_EQ(judge(bundle), "bundle-signed-value: bundle-signed-value");
}

TEST_F(BundleTest, Step3RejectsEveryFlippedBitOfTheBinding) {
  const EvidenceBundle good = parts();
  for (std::size_t i = 0; i < good.binding.size(); ++i) {
    EvidenceBundle bundle = good;
    bundle.binding[i] ^= 0x10;
    const std::string verdict = judge(bundle);
    EXPECT_TRUE(verdict == "bundle-signed-value: bundle-signed-value" || verdict.starts_with("bundle-form: ")) << i;
  }
}

TEST_F(BundleTest, Step3RejectsADigestUnderTheOtherPurposesLabel) {
  EvidenceBundle bundle = parts();
  bundle.evidence =
      test::fake_local_evidence(tee.root(), binding_digest(Purpose::kRelease, bundle.binding), tee.binary);
  EXPECT_EQ(judge(bundle), "bundle-signed-value: bundle-signed-value");
}

// --- Step 4 ---

TEST_F(BundleTest, Step4_1RejectsTheOtherPurpose) {
  EXPECT_EQ(judge(tee.release_binding(Hash32{}, {1})), "bundle-validity: bundle-purpose");
  expectation.purpose = Purpose::kRelease;
  EXPECT_EQ(judge(tee.serve_binding()), "bundle-validity: bundle-purpose");
}

TEST_F(BundleTest, Step4_2WantsExactlyTheChallengeThatWasSent) {
  Binding fresh = tee.serve_binding();
  fresh.challenge = Hash32{5};
  EXPECT_EQ(judge(fresh), "bundle-validity: bundle-challenge");  // none was sent
  expectation.challenge = Hash32{5};
  EXPECT_EQ(judge(fresh), "ok");
  EXPECT_EQ(judge(tee.serve_binding()), "bundle-validity: bundle-challenge");  // none came back
  expectation.challenge = Hash32{6};
  EXPECT_EQ(judge(fresh), "bundle-validity: bundle-challenge");
}

TEST_F(BundleTest, Step4_2RejectsAReleaseBundleForAnotherNonce) {
  expectation.purpose = Purpose::kRelease;
  expectation.challenge = Hash32{5};
  EXPECT_EQ(judge(tee.release_binding(Hash32{6}, {1})), "bundle-validity: bundle-challenge");
  expectation.challenge.reset();
  EXPECT_EQ(judge(tee.release_binding(Hash32{5}, {1})), "bundle-validity: bundle-challenge");
}

TEST_F(BundleTest, Step4_3AllowsAClockThatIsAMinuteBehindAndNoMore) {
  expectation.time = tee.issued_at - 60;
  EXPECT_EQ(judge(tee.serve_binding()), "ok");
  expectation.time = tee.issued_at - 61;
  EXPECT_EQ(judge(tee.serve_binding()), "bundle-validity: bundle-not-yet-valid");
}

TEST_F(BundleTest, Step4_4AllowsTheLastSecondAndNoMore) {
  expectation.time = tee.issued_at + 3600;
  EXPECT_EQ(judge(tee.serve_binding()), "ok");
  expectation.time = tee.issued_at + 3601;
  EXPECT_EQ(judge(tee.serve_binding()), "bundle-validity: bundle-expired");
}

TEST_F(BundleTest, Step4RejectsTimesBeforeAndAfterEverything) {
  expectation.time = std::numeric_limits<UnixSeconds>::min();
  EXPECT_EQ(judge(tee.serve_binding()), "bundle-validity: bundle-not-yet-valid");
  expectation.time = std::numeric_limits<UnixSeconds>::max();
  EXPECT_EQ(judge(tee.serve_binding()), "bundle-validity: bundle-expired");
}

// --- Step 5 ---

TEST_F(BundleTest, Step5_1RejectsAnotherConfiguration) {
  EvidenceBundle bundle = parts();
  tee.configuration.log_level = "debug";
  bundle.configuration = encode_configuration(tee.configuration);
  EXPECT_EQ(judge(bundle), "bundle-contents: bundle-configuration-hash");
}

TEST_F(BundleTest, Step5_2RejectsAConfigurationThatIsNotWellFormed) {
  EvidenceBundle bundle = parts();
  bundle.configuration = to_bytes("{}");
  EXPECT_EQ(judge(resigned(bundle, tee.serve_binding())), "bundle-contents: configuration-malformed");
}

TEST_F(BundleTest, Step5_3WantsOneManifestForEachModel) {
  EvidenceBundle bundle = parts();
  bundle.manifests.clear();
  EXPECT_EQ(judge(bundle), "bundle-contents: bundle-manifest-hash");
  bundle.manifests = {test::fake_manifest(tee.model), test::fake_manifest(tee.model)};
  EXPECT_EQ(judge(bundle), "bundle-contents: bundle-manifest-hash");
}

TEST_F(BundleTest, Step5_4RejectsAManifestThatItsVerifierRejects) {
  EvidenceBundle bundle = parts();
  expectation.verify_manifest = [](ByteView) -> Result<SignedModel> {
    return fail(kSignatureInvalid, "a publisher's signature does not verify");
  };
  EXPECT_EQ(judge(bundle), "bundle-contents: signature-invalid");
}

TEST_F(BundleTest, Step5_5RejectsTheManifestOfAnotherModel) {
  EvidenceBundle bundle = parts();
  tee.model.model_hash[0] ^= 1;
  bundle.manifests = {test::fake_manifest(tee.model)};
  EXPECT_EQ(judge(bundle), "bundle-contents: bundle-manifest-hash");
}

TEST_F(BundleTest, Step5_6RejectsAPublisherThatTheConfigurationDoesNotName) {
  EvidenceBundle bundle = parts();
  tee.model.publishers = {test::fake_key("somebody").public_key()};
  bundle.manifests = {test::fake_manifest(tee.model)};
  EXPECT_EQ(judge(bundle), "bundle-contents: bundle-publisher");
}

TEST_F(BundleTest, Step5_7RejectsASerialBelowTheConfigurationsMinimum) {
  EvidenceBundle bundle = parts();
  tee.model.serial = 1;
  bundle.manifests = {test::fake_manifest(tee.model)};
  EXPECT_EQ(judge(bundle), "bundle-contents: bundle-model-serial");
  tee.model.serial = 2;
  bundle.manifests = {test::fake_manifest(tee.model)};
  EXPECT_EQ(judge(bundle), "ok");
}

TEST_F(BundleTest, Step5_8RejectsDevicesThatAreNotTheBindings) {
  EvidenceBundle bundle = parts();
  bundle.devices = {{1, 2, 3}};  // bound: none
  EXPECT_EQ(judge(bundle), "bundle-contents: bundle-devices-hash");
  Binding binding = tee.serve_binding();
  binding.devices_hash = devices_digest({{1, 2, 3}});
  EXPECT_EQ(judge(binding), "bundle-contents: bundle-devices-hash");  // bound, not there
  bundle = tee.parts(binding);
  bundle.devices = {{1, 2, 4}};
  EXPECT_EQ(judge(bundle), "bundle-contents: bundle-devices-hash");
}

TEST_F(BundleTest, Step5_9RejectsDeviceEvidenceThatItCannotVerify) {
  Binding binding = tee.serve_binding();
  binding.devices_hash = devices_digest({{1, 2, 3}});
  EvidenceBundle bundle = tee.parts(binding);
  bundle.devices = {{1, 2, 3}};
  EXPECT_EQ(judge(bundle), "bundle-contents: bundle-kind-unsupported");
}

// --- Step 6 ---

TEST_F(BundleTest, Step6RejectsWhatNoEntryAcceptsAndNamesTheField) {
  tee.binary = sha384(as_bytes("another binary"));
  const Bytes bundle = tee.serve_bundle();
  EXPECT_EQ(judge(bundle), "bundle-policy: policy-no-entry");
  Checks checks;
  ASSERT_FALSE(check_bundle(bundle, expectation, &checks));
  EXPECT_EQ(checks.back().detail, "test-entry: measurements");
}

TEST_F(BundleTest, EveryFlippedBitOfTheBundleIsCaught) {
  const Bytes good = tee.serve_bundle();
  ASSERT_EQ(judge(good), "ok");
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
    EXPECT_FALSE(check_bundle(bad, expectation)) << i;
  }
}

TEST_F(BundleTest, GenuineIsNotTrusted) {
  tee.binary = sha384(as_bytes("another binary"));
  const TrustRoots roots{.local = policy.local_roots()};
  const auto peer = verify_bundle(tee.serve_bundle(), expectation, roots);
  ASSERT_TRUE(peer);
  const auto trusted = appraise_peer(*peer, policy, kFakeNow);
  ASSERT_FALSE(trusted);
  EXPECT_EQ(trusted.error().code(), kPolicyNoEntry);
}

TEST_F(BundleTest, DoesNotWorkWithoutAPolicyOrAManifestVerifier) {
  BundleExpectation bad = expectation;
  bad.policy = nullptr;
  EXPECT_EQ(check_bundle(tee.serve_bundle(), bad).error().code(), kInternalError);
  bad = expectation;
  bad.verify_manifest = nullptr;
  EXPECT_EQ(check_bundle(tee.serve_bundle(), bad).error().code(), kInternalError);
}

}  // namespace
}  // namespace eml

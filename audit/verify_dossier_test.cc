#include "audit/verify_dossier.h"

#include <gtest/gtest.h>

#include "audit/audit_fixture.h"
#include "audit/links.h"

namespace eml {
namespace {

using test::Answer;
using test::error_of;
using test::failed_ids;
using test::fake_key;
using test::kFakeNow;
using test::outcome_of;

DossierVerdict judge(const Answer& answer) {
  const Policy policy = Answer().tee.policy();
  return verify_dossier(answer.inputs(), test::expectations(policy));
}

constexpr std::string_view kLinks[] = {"link-1-evidence",     "link-2-bundle", "link-3-signer",  "link-4-model",
                                       "link-5-measurements", "link-6-mode",   "link-7-time",    "link-8-configuration",
                                       "link-9-bodies",       "link-10-nonce", "link-11-cleanup"};

TEST(Dossier, OfAGoodAnswerIsVerifiedAndAllElevenLinksPassed) {
  const DossierVerdict verdict = judge(Answer());
  EXPECT_EQ(failed_ids(verdict), "");
  EXPECT_EQ(verdict.verdict, Verdict::kVerified);
  EXPECT_EQ(exit_code(verdict.verdict), 0);
  for (const std::string_view link : kLinks) EXPECT_EQ(outcome_of(verdict, link), "passed") << link;
  EXPECT_TRUE(verdict.evaluation);
  EXPECT_EQ(verdict.required.size(), verdict.checks.size());
  ASSERT_TRUE(verdict.receipt && verdict.peer);
}

TEST(Dossier, AlwaysHasTheSameLinesInTheSameOrder) {
  const auto ids = [](const DossierVerdict& verdict) {
    std::string out;
    for (const Check& check : verdict.checks) out.append(check.id).append(" ");
    return out;
  };
  const std::string all = ids(judge(Answer()));
  EXPECT_EQ(all,
            "receipt-form receipt-signature receipt-claims receipt-policy receipt-time link-1-evidence bundle-form "
            "bundle-genuine bundle-signed-value bundle-validity bundle-contents bundle-policy link-2-bundle "
            "link-3-signer link-4-model link-5-measurements link-6-mode link-7-time link-8-configuration "
            "link-9-bodies link-10-nonce link-11-cleanup evidence-production ");
  const Answer answer;
  DossierInputs inputs;
  EXPECT_EQ(ids(verify_dossier(inputs, {})), all);
  inputs.receipt = answer.receipt;
  EXPECT_EQ(ids(verify_dossier(inputs, {})), all);
  inputs.bundle = answer.bundle;
  EXPECT_EQ(ids(verify_dossier(inputs, {})), all);
  const Bytes junk(3, 0xff);
  inputs.bundle = junk;
  const Policy policy = answer.tee.policy();
  EXPECT_EQ(ids(verify_dossier(inputs, test::expectations(policy))), all);
}

// One test a link, each breaking that link only.

TEST(DossierLink, OneFailsForOtherEvidence) {
  Answer answer;
  answer.claims.attestation_doc_hash[0] ^= 1;
  answer.seal();
  const DossierVerdict verdict = judge(answer);
  EXPECT_EQ(failed_ids(verdict), "link-1-evidence");
  EXPECT_EQ(error_of(verdict, "link-1-evidence"), kLinkEvidenceHash.name);
  EXPECT_EQ(verdict.verdict, Verdict::kNotVerified);
  EXPECT_EQ(exit_code(verdict.verdict), 1);
}

TEST(DossierLink, TwoFailsForEvidenceOfAnotherMachine) {
  const Answer answer("machine b");
  const DossierVerdict verdict = judge(answer);
  EXPECT_EQ(failed_ids(verdict), "bundle-genuine link-2-bundle");
  EXPECT_EQ(verdict.verdict, Verdict::kNotVerified);
  for (const std::string_view link : {"link-3-signer", "link-4-model", "link-8-configuration"}) {
    EXPECT_EQ(outcome_of(verdict, link), "not checked") << link;
  }
}

TEST(DossierLink, TwoFailsForAnotherBinary) {
  Answer answer;
  answer.tee.binary[0] ^= 1;
  answer.claims.measurements.values["binary"] = to_bytes(ByteView(answer.tee.binary));
  answer.attest(answer.tee.serve_binding());
  EXPECT_EQ(failed_ids(judge(answer)), "bundle-policy link-2-bundle");
}

TEST(DossierLink, TwoFailsForAReleaseBindingOrOneWithAChallenge) {
  Answer answer;
  Binding fresh = answer.tee.serve_binding();
  fresh.challenge = Hash32{1};
  answer.attest(fresh);
  EXPECT_EQ(failed_ids(judge(answer)), "bundle-validity link-2-bundle");
}

TEST(DossierLink, ThreeFailsForAKeyThatTheEvidenceDoesNotBind) {
  Answer answer;
  const Ed25519Key other = fake_key("somebody else");
  answer.seal(other);
  const Policy policy = answer.tee.policy();
  DossierInputs inputs = answer.inputs();
  inputs.key = other.public_key();
  const DossierVerdict verdict = verify_dossier(inputs, test::expectations(policy));
  EXPECT_EQ(failed_ids(verdict), "link-3-signer");
  EXPECT_EQ(error_of(verdict, "link-3-signer"), kLinkSigner.name);
  // Without a key of the caller's the evidence names the signer, and the signature itself is wrong.
  const DossierVerdict without = judge(answer);
  EXPECT_EQ(failed_ids(without), "receipt-signature");
  EXPECT_EQ(outcome_of(without, "link-3-signer"), "not checked");
}

TEST(DossierLink, FourFailsForAModelThatTheEvidenceDoesNotBind) {
  Answer answer;
  answer.claims.model_hash[0] ^= 1;
  answer.seal();
  const DossierVerdict verdict = judge(answer);
  EXPECT_EQ(failed_ids(verdict), "link-4-model");
  EXPECT_EQ(error_of(verdict, "link-4-model"), kLinkModelNotBound.name);
}

TEST(DossierLink, FourFailsForAnotherNameOrVersionOrScheme) {
  Answer answer;
  answer.claims.model_id = "another";
  answer.seal();
  EXPECT_EQ(error_of(judge(answer), "link-4-model"), kLinkModelName.name);
  answer = Answer();
  answer.claims.model_version = "2";
  answer.seal();
  EXPECT_EQ(error_of(judge(answer), "link-4-model"), kLinkModelName.name);
  answer = Answer();
  answer.claims.scheme = ModelHashScheme::kSha256Single;
  answer.seal();
  EXPECT_EQ(failed_ids(judge(answer)), "link-4-model");
  answer.claims.scheme = std::nullopt;
  answer.seal();
  EXPECT_EQ(error_of(judge(answer), "link-4-model"), kLinkModelScheme.name);
}

TEST(DossierLink, FourFailsForAManifestOfAnotherModelBesideIt) {
  const Answer answer;
  const Policy policy = answer.tee.policy();
  DossierInputs inputs = answer.inputs();
  inputs.manifest = answer.manifest;
  EXPECT_EQ(verify_dossier(inputs, test::expectations(policy)).verdict, Verdict::kVerified);
  const Bytes manifest = test::real_manifest(answer.tee.publisher(), "2");
  inputs.manifest = manifest;
  const DossierVerdict verdict = verify_dossier(inputs, test::expectations(policy));
  EXPECT_EQ(failed_ids(verdict), "link-4-model");
  EXPECT_EQ(error_of(verdict, "link-4-model"), kLinkManifestHash.name);
  inputs.manifest = as_bytes("junk");
  EXPECT_EQ(failed_ids(verify_dossier(inputs, test::expectations(policy))), "link-4-model");
}

TEST(DossierLink, FiveFailsForOtherMeasurements) {
  Answer answer;
  answer.claims.measurements.values["binary"][0] ^= 1;
  answer.seal();
  EXPECT_EQ(failed_ids(judge(answer)), "link-5-measurements");
  answer = Answer();
  answer.claims.measurements = {.type = MeasurementType::kTpm, .values = {{"pcrs", Bytes(32, 1)}}};
  answer.seal();
  EXPECT_EQ(failed_ids(judge(answer)), "link-5-measurements");
}

TEST(DossierLink, SixFailsForProductionOnEvaluationEvidence) {
  Answer answer;
  answer.claims.mode = SecurityMode::kProduction;
  answer.seal();
  const DossierVerdict verdict = judge(answer);
  EXPECT_EQ(failed_ids(verdict), "link-6-mode");
  EXPECT_EQ(error_of(verdict, "link-6-mode"), kLinkMode.name);
}

TEST(DossierLink, SevenBoundsTheTimeOnBothSides) {
  Answer answer;
  const Binding binding = answer.tee.serve_binding();
  const auto failed_at = [&](UnixSeconds iat) {
    answer.claims.issued_at = iat;
    answer.seal();
    return failed_ids(judge(answer));
  };
  EXPECT_EQ(failed_at(binding.not_after + 600), "");
  EXPECT_EQ(failed_at(binding.not_after + 601), "link-7-time");
  EXPECT_EQ(failed_at(binding.issued_at - 60), "");
  // Before that the evidence was not yet valid at T either, so the link's own bound is tested alone.
  EXPECT_EQ(failed_at(binding.issued_at - 61), "bundle-validity link-2-bundle");
  answer.claims.issued_at = binding.issued_at - 61;
  EXPECT_EQ(check_link_time(answer.claims, binding).error()->code(), kLinkTimeEarly);
}

TEST(DossierLink, EightFailsForAnotherConfiguration) {
  Answer answer;
  answer.claims.policy_version.back() = answer.claims.policy_version.back() == '0' ? '1' : '0';
  answer.seal();
  EXPECT_EQ(failed_ids(judge(answer)), "link-8-configuration");
}

TEST(DossierLink, NineFailsForOneByteOfTheRequest) {
  Answer answer;
  answer.request.push_back(' ');
  const DossierVerdict verdict = judge(answer);
  EXPECT_EQ(failed_ids(verdict), "link-9-bodies");
  EXPECT_EQ(error_of(verdict, "link-9-bodies"), kLinkRequestHash.name);
}

TEST(DossierLink, NineFailsForOneByteOfTheResponse) {
  Answer answer;
  answer.response[2] ^= 1;
  const DossierVerdict verdict = judge(answer);
  EXPECT_EQ(failed_ids(verdict), "link-9-bodies");
  EXPECT_EQ(error_of(verdict, "link-9-bodies"), kLinkResponseHash.name);
}

TEST(DossierLink, NineIsNotCheckedByHashesAloneAndThenNothingIsGreen) {
  const Answer answer;
  const Policy policy = answer.tee.policy();
  DossierInputs inputs = answer.inputs();
  inputs.request = std::nullopt;
  inputs.response = std::nullopt;
  inputs.request_hash = answer.claims.request_hash;
  inputs.response_hash = answer.claims.response_hash;
  DossierVerdict verdict = verify_dossier(inputs, test::expectations(policy));
  EXPECT_EQ(outcome_of(verdict, "link-9-bodies"), "not checked");
  EXPECT_EQ(verdict.verdict, Verdict::kNotJudged);
  EXPECT_EQ(exit_code(verdict.verdict), 2);
  inputs.request_hash = Hash32{1};
  verdict = verify_dossier(inputs, test::expectations(policy));
  EXPECT_EQ(failed_ids(verdict), "link-9-bodies");
  inputs.request_hash = std::nullopt;
  inputs.response_hash = std::nullopt;
  inputs.request = as_bytes(answer.request);
  EXPECT_EQ(verify_dossier(inputs, test::expectations(policy)).verdict, Verdict::kNotJudged);
}

TEST(DossierLink, TenPassesWhenTheNonceIsTheOneThatWasAskedFor) {
  Answer answer;
  answer.ask_nonce(Bytes(16, 7));
  const DossierVerdict verdict = judge(answer);
  EXPECT_EQ(verdict.verdict, Verdict::kVerified) << failed_ids(verdict);
}

TEST(DossierLink, TenFailsForAMissingOrAnotherOrAnUnaskedNonce) {
  Answer answer;
  answer.ask_nonce(Bytes(16, 7));
  answer.claims.nonce = std::nullopt;
  answer.seal();
  EXPECT_EQ(failed_ids(judge(answer)), "link-10-nonce");
  answer.claims.nonce = Bytes(16, 8);
  answer.seal();
  EXPECT_EQ(failed_ids(judge(answer)), "link-10-nonce");
  answer = Answer();
  answer.claims.nonce = Bytes(16, 7);
  answer.seal();
  EXPECT_EQ(failed_ids(judge(answer)), "link-10-nonce");
}

TEST(DossierLink, TenFailsForARequestThatCannotBeRead) {
  for (const char* request : {"", "[]", "{\"eml-nonce\":1}", "{\"eml-nonce\":\"++\"}", "{\"a\":1,\"a\":2}"}) {
    Answer answer;
    answer.request = request;
    answer.claims.request_hash = sha256(as_bytes(answer.request));
    answer.seal();
    EXPECT_EQ(failed_ids(judge(answer)), "link-10-nonce") << request;
  }
}

TEST(DossierLink, TenIsRequiredWithoutTheRequestOnlyIfTheReceiptHasANonce) {
  for (const bool nonce : {false, true}) {
    Answer answer;
    if (nonce) answer.ask_nonce(Bytes(16, 7));
    const Policy policy = answer.tee.policy();
    DossierInputs inputs = answer.inputs();
    inputs.request = std::nullopt;
    const DossierVerdict verdict = verify_dossier(inputs, test::expectations(policy));
    for (std::size_t i = 0; i < verdict.checks.size(); ++i) {
      if (verdict.checks[i].id == "link-10-nonce") EXPECT_EQ(verdict.required[i], nonce);
    }
  }
}

TEST(DossierLink, ElevenFailsForTheCleanupOfAnotherRun) {
  Answer answer;
  Answer other;
  other.claims.cti[0] ^= 1;
  other.seal();
  answer.cleanup = other.cleanup;
  const DossierVerdict verdict = judge(answer);
  EXPECT_EQ(failed_ids(verdict), "link-11-cleanup");
  EXPECT_EQ(error_of(verdict, "link-11-cleanup"), kLinkCleanupReceipt.name);
}

TEST(DossierLink, ElevenFailsForTheRightIdButAnotherReceipt) {
  Answer answer;
  CleanupStatement statement = answer.cleanup_statement();
  statement.receipt_hash[0] ^= 1;
  answer.cleanup = issue_cleanup(answer.tee.receipt_key(), statement).value();
  EXPECT_EQ(error_of(judge(answer), "link-11-cleanup"), kLinkCleanupReceipt.name);
}

TEST(DossierLink, ElevenFailsForAnotherSignerAnotherStatementAndAnEmptyReport) {
  Answer answer;
  answer.cleanup = issue_cleanup(fake_key("somebody else"), answer.cleanup_statement()).value();
  EXPECT_EQ(failed_ids(judge(answer)), "link-11-cleanup");
  answer.cleanup = answer.receipt;
  EXPECT_EQ(failed_ids(judge(answer)), "link-11-cleanup");
  for (std::uint64_t WipedBytes::* member : {&WipedBytes::request, &WipedBytes::response}) {
    CleanupStatement statement = answer.cleanup_statement();
    statement.wiped.*member = 0;
    answer.cleanup = issue_cleanup(answer.tee.receipt_key(), statement).value();
    EXPECT_EQ(error_of(judge(answer), "link-11-cleanup"), kLinkCleanupEmpty.name);
  }
}

TEST(DossierLink, ElevenIsRequired) {
  const Answer answer;
  const Policy policy = answer.tee.policy();
  DossierInputs inputs = answer.inputs();
  inputs.cleanup = std::nullopt;
  const DossierVerdict verdict = verify_dossier(inputs, test::expectations(policy));
  EXPECT_EQ(outcome_of(verdict, "link-11-cleanup"), "not checked");
  EXPECT_EQ(verdict.verdict, Verdict::kNotJudged);
}

// The receipt's own four layers.

TEST(DossierReceipt, EachLayerFailsOnItsOwnLine) {
  Answer answer;
  answer.receipt.push_back(0);
  EXPECT_EQ(failed_ids(judge(answer)), "receipt-form");
  answer = Answer();
  answer.receipt.back() ^= 1;
  EXPECT_EQ(failed_ids(judge(answer)), "receipt-signature");
  answer = Answer();
  answer.receipt = sign1(answer.tee.receipt_key(), CoseHeader{}, as_bytes("junk"));
  EXPECT_EQ(failed_ids(judge(answer)), "receipt-claims");
}

TEST(DossierReceipt, ExpectationsFailOnTheirLine) {
  Answer answer;
  answer.ask_nonce(Bytes(16, 7));
  const Policy policy = answer.tee.policy();
  Expectations want = test::expectations(policy);
  want.nonce = Bytes(16, 8);
  EXPECT_EQ(failed_ids(verify_dossier(answer.inputs(), want)), "receipt-policy");
  want.nonce = Bytes(16, 7);
  want.model_hash = answer.claims.model_hash;
  want.platform = MeasurementType::kLocal;
  want.time = kFakeNow + 3600;
  want.max_age_s = 3600;
  EXPECT_EQ(verify_dossier(answer.inputs(), want).verdict, Verdict::kVerified);
  want.max_age_s = 3599;
  EXPECT_EQ(failed_ids(verify_dossier(answer.inputs(), want)), "receipt-time");
  want.time = std::nullopt;
  EXPECT_EQ(failed_ids(verify_dossier(answer.inputs(), want)), "receipt-time");
  want.max_age_s = std::nullopt;
  want.time = kFakeNow - 61;
  EXPECT_EQ(failed_ids(verify_dossier(answer.inputs(), want)), "receipt-time");
}

TEST(DossierReceipt, WithAKeyAndNoEvidenceIsReceiptOnlyAndSaysSo) {
  Answer answer;
  answer.claims.measurements = {.type = MeasurementType::kTpm, .values = {{"pcrs", Bytes(32, 1)}}};
  answer.claims.mode = SecurityMode::kProduction;
  answer.seal();
  DossierInputs inputs;
  inputs.receipt = answer.receipt;
  inputs.key = answer.tee.receipt_key().public_key();
  DossierVerdict verdict = verify_dossier(inputs, {});
  EXPECT_EQ(verdict.verdict, Verdict::kReceiptOnly) << failed_ids(verdict);
  for (const std::string_view link : kLinks) EXPECT_EQ(outcome_of(verdict, link), "not checked") << link;
  // What is given beside it is still checked.
  inputs.request = as_bytes("another");
  EXPECT_EQ(verify_dossier(inputs, {}).verdict, Verdict::kNotVerified);
  inputs.request = std::nullopt;
  inputs.key = fake_key("somebody else").public_key();
  EXPECT_EQ(verify_dossier(inputs, {}).verdict, Verdict::kNotVerified);
}

TEST(DossierReceipt, OfEvaluationIsRefusedUnderAKeyAlone) {
  const Answer answer;
  DossierInputs inputs;
  inputs.receipt = answer.receipt;
  inputs.key = answer.tee.receipt_key().public_key();
  const DossierVerdict verdict = verify_dossier(inputs, {});
  EXPECT_EQ(failed_ids(verdict), "receipt-policy");
  EXPECT_EQ(error_of(verdict, "receipt-policy"), kAirEvaluationRejected.name);
}

TEST(DossierReceipt, WithoutKeyAndEvidenceIsNotJudged) {
  const Answer answer;
  DossierInputs inputs;
  inputs.receipt = answer.receipt;
  const DossierVerdict verdict = verify_dossier(inputs, {});
  EXPECT_EQ(verdict.verdict, Verdict::kNotJudged);
  EXPECT_EQ(outcome_of(verdict, "receipt-signature"), "not checked");
}

// Evidence and policy.

TEST(DossierEvidence, WithoutAPolicyNothingIsVerified) {
  const Answer answer;
  const DossierVerdict verdict = verify_dossier(answer.inputs(), {});
  EXPECT_NE(verdict.verdict, Verdict::kVerified);
  EXPECT_EQ(outcome_of(verdict, "bundle-genuine"), "not checked");
  EXPECT_FALSE(verdict.peer);
}

TEST(DossierEvidence, EveryFlippedByteOfTheBundleIsNoticed) {
  const Answer answer;
  const Policy policy = answer.tee.policy();
  for (std::size_t i = 0; i < answer.bundle.size(); ++i) {
    Bytes bad = answer.bundle;
    bad[i] ^= 1;
    DossierInputs inputs = answer.inputs();
    inputs.bundle = bad;
    EXPECT_NE(verify_dossier(inputs, test::expectations(policy)).verdict, Verdict::kVerified) << i;
  }
}

TEST(DossierEvidence, AJunkBundleIsNotVerified) {
  const Answer answer;
  const Policy policy = answer.tee.policy();
  DossierInputs inputs = answer.inputs();
  inputs.bundle = as_bytes("junk");
  const DossierVerdict verdict = verify_dossier(inputs, test::expectations(policy));
  EXPECT_EQ(verdict.verdict, Verdict::kNotVerified);
  EXPECT_EQ(failed_ids(verdict), "bundle-form link-2-bundle");
}

TEST(DossierEvidence, SoftwareEvidenceIsNeverShownAsProduction) {
  const DossierVerdict verdict = judge(Answer());
  EXPECT_EQ(outcome_of(verdict, "evidence-production"), "not checked");
  for (const Check& check : verdict.checks) EXPECT_NE(check.voucher, Voucher::kHardware) << check.id;
}

TEST(DossierLinks, ModeAboveTheFloorMayBeEither) {
  TrustedPeer peer;
  peer.evaluation = false;
  AirClaims claims;
  for (const SecurityMode mode : {SecurityMode::kProduction, SecurityMode::kEvaluation}) {
    claims.mode = mode;
    EXPECT_EQ(check_link_mode(claims, peer).outcome(), Outcome::kPassed);
  }
}

TEST(DossierVerdict, NamesAndExitCodesOfAllFour) {
  EXPECT_EQ(to_string(Verdict::kVerified), "verified");
  EXPECT_EQ(to_string(Verdict::kReceiptOnly), "receipt only");
  EXPECT_EQ(to_string(Verdict::kNotVerified), "not verified");
  EXPECT_EQ(to_string(Verdict::kNotJudged), "not judged");
  EXPECT_EQ(exit_code(Verdict::kReceiptOnly), 0);
  EXPECT_EQ(exit_code(Verdict::kNotJudged), 2);
}

TEST(DossierLinks, EachKindOfEvidenceHasItsOwnMeasurements) {
  EXPECT_EQ(measurement_type_of_kind(to_string(EvidenceKind::kTdx)), MeasurementType::kTdxMrtdRtmr);
  EXPECT_EQ(measurement_type_of_kind(to_string(EvidenceKind::kNitro)), MeasurementType::kNitroPcr);
  EXPECT_EQ(measurement_type_of_kind(to_string(EvidenceKind::kSevSnp)), MeasurementType::kSnp);
  EXPECT_EQ(measurement_type_of_kind(to_string(EvidenceKind::kConfidentialSpace)), MeasurementType::kConfidentialSpace);
  EXPECT_EQ(measurement_type_of_kind(to_string(EvidenceKind::kTpm)), MeasurementType::kTpm);
  TrustedPeer peer;
  peer.kind = EvidenceKind::kTdx;
  peer.measurements = {
      {"mrtd", Bytes(48, 1)}, {"rtmr0", Bytes(48, 2)}, {"rtmr1", Bytes(48, 3)}, {"rtmr2", Bytes(48, 4)}};
  AirClaims claims;
  claims.measurements = {.type = MeasurementType::kTdxMrtdRtmr,
                         .values = {{"pcr0", Bytes(48, 1)}, {"pcr1", Bytes(48, 2)}, {"pcr2", Bytes(48, 3)}}};
  EXPECT_EQ(check_link_measurements(claims, peer).outcome(), Outcome::kPassed);
  claims.measurements.values["pcr4"] = Bytes(48, 5);  // a register that the evidence does not have
  EXPECT_EQ(check_link_measurements(claims, peer).outcome(), Outcome::kFailed);
}

}  // namespace
}  // namespace eml

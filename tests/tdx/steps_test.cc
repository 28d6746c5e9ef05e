// One test for each step of docs/spec/evidence/tdx.md, section 5: each makes only that step fail. Steps 1.x are in
// form_test.cc, section 6 in status_test.cc.
#include <gtest/gtest.h>

#include <algorithm>

#include "encoding/base64.h"
#include "tests/tdx/tdx_judging.h"

namespace eml {
namespace {

using test::dcap::judge_made;
using test::dcap::judge_plan;
using test::dcap::key;
using test::dcap::Made;
using test::dcap::outcome;
using test::dcap::Plan;

constexpr UnixSeconds kYear = 365 * UnixSeconds{86400};

Plan td15() {
  Plan plan;
  plan.for_td15();
  return plan;
}

Plan sgx(std::uint16_t version) {
  Plan plan;
  plan.for_sgx(version);
  return plan;
}

std::string judge_without(std::string_view collateral) {
  Made made = Plan().make();
  made.collateral.erase(made.collateral.find(collateral));
  return outcome(judge_made(made));
}

std::string judge_with(std::string_view collateral, std::string_view content) {
  Made made = Plan().make();
  made.collateral.insert_or_assign(std::string(collateral), to_bytes(content));
  return outcome(judge_made(made));
}

// A certificate's DER with its last byte, in the signature, changed.
std::string with_broken_signature(const std::string& pem) {
  std::string text = pem.substr(28, pem.size() - 28 - 26);
  std::erase(text, '\n');
  Bytes der = *from_base64(text);
  der.back() ^= 1U;
  return test::dcap::to_pem(der);
}

TEST(TdxSteps, GoodEvidenceOfEachVersionIsValid) {
  EXPECT_EQ(judge_plan(Plan()), "ok");
  EXPECT_EQ(judge_plan(td15()), "ok");
  Plan td10_in_v5;
  td10_in_v5.version = 5;
  EXPECT_EQ(judge_plan(td10_in_v5), "ok");
  for (const std::uint16_t version : std::initializer_list<std::uint16_t>{3, 4, 5})
    EXPECT_EQ(judge_plan(sgx(version)), "ok") << version;
  Plan processor;
  processor.processor_ca = true;
  EXPECT_EQ(judge_plan(processor), "ok");
}

TEST(TdxSteps, AValidVerdictHasEveryStepPassedAndTheEvidence) {
  const Plan plan = td15();
  const Made made = plan.make();
  const EvidenceVerdict verdict = judge_made(made);
  ASSERT_FALSE(verdict.error) << verdict.error->to_string();
  EXPECT_EQ(verdict.checks.size(), 15U);
  for (const Check& check : verdict.checks) {
    EXPECT_EQ(check.outcome, check.id == "tdx-event-log" ? Outcome::kNotChecked : Outcome::kPassed) << check.id;
  }
  EXPECT_TRUE(verdict.root_given);
  EXPECT_EQ(verdict.evidence.kind, EvidenceKind::kTdx);
  EXPECT_EQ(verdict.evidence.signed_value, to_bytes(ByteView(plan.td.report_data)));
  EXPECT_EQ(verdict.evidence.measurements.size(), 5U);
  EXPECT_EQ(verdict.evidence.measurements.at("mrtd"), to_bytes(ByteView(plan.td.mrtd)));
  EXPECT_EQ(verdict.evidence.measurements.at("rtmr3"), to_bytes(ByteView(plan.td.rtmr[3])));
  EXPECT_EQ(verdict.evidence.platform_identity, hex(Bytes(16, 0xab)));
  EXPECT_EQ(verdict.evidence.root, hex(Certificate::decode_der(made.root)->fingerprint()));
  EXPECT_EQ(verdict.evidence.tcb_status, "UpToDate");
  EXPECT_EQ(verdict.evidence.tcb.at("tcb_evaluation_data_number"), 20U);
  EXPECT_FALSE(above_production_floor(verdict.evidence));  // a root that was given is not Intel's
}

TEST(TdxSteps, AnEnclavesQuoteIsNoServeEvidence) {
  const EvidenceVerdict verdict = judge_made(sgx(3).make());
  ASSERT_FALSE(verdict.error);
  EXPECT_TRUE(verdict.evidence.signed_value.empty());
  EXPECT_TRUE(verdict.evidence.measurements.empty());
}

TEST(TdxSteps, AfterAFailureTheOtherStepsAreNotChecked) {
  Plan plan;
  plan.pck_crl.revoked = {1000};
  const EvidenceVerdict verdict = judge_made(plan.make());
  ASSERT_EQ(verdict.checks.size(), 15U);
  for (std::size_t i = 0; i < verdict.checks.size(); ++i) {
    const Outcome wanted = i < 3 ? Outcome::kPassed : i == 3 ? Outcome::kFailed : Outcome::kNotChecked;
    EXPECT_EQ(verdict.checks[i].outcome, wanted) << verdict.checks[i].id;
  }
  EXPECT_TRUE(verdict.evidence.signed_value.empty());
}

TEST(TdxSteps, Step2_1RefusesWhatIsNotPem) {
  Plan plan;
  plan.edit_pck_chain = [](auto& chain) { chain[1].replace(60, 4, "!!!!"); };
  EXPECT_EQ(judge_plan(plan), "pck-chain-unparsable");
  plan.edit_pck_chain = [](auto& chain) { chain = {"no certificate"}; };
  EXPECT_EQ(judge_plan(plan), "pck-chain-unparsable");
  plan.edit_pck_chain = [](auto& chain) { chain[2] += std::string("\0", 1); };  // genuine quotes have it
  EXPECT_EQ(judge_plan(plan), "ok");
}

TEST(TdxSteps, Step2_2RefusesAnotherNumberOfCertificates) {
  Plan plan;
  plan.edit_pck_chain = [](auto& chain) { chain.erase(chain.begin() + 1); };
  EXPECT_EQ(judge_plan(plan), "pck-chain");
  plan.edit_pck_chain = [](auto& chain) { chain.push_back(chain.back()); };
  EXPECT_EQ(judge_plan(plan), "pck-chain");
}

TEST(TdxSteps, Step2_3RefusesAnotherRoot) {
  Made made = Plan().make();
  Plan other;
  other.root_certificate.serial = 7;  // same name and key: the whole certificate counts
  made.root = other.make().root;
  EXPECT_EQ(outcome(judge_made(made)), "untrusted-root");
  const EvidenceInput pinned{.evidence = made.quote, .collateral = &made.collateral, .time = test::dcap::time()};
  EXPECT_EQ(outcome(judge_tdx(pinned)), "untrusted-root");
}

TEST(TdxSteps, Step2_4RefusesOtherNames) {
  Plan plan;
  plan.pck_certificate.name = "Intel SGX PCK Certificate 2";
  EXPECT_EQ(judge_plan(plan), "pck-subject");
  Plan ca;
  ca.ca_certificate.name = ca.pck_certificate.issuer = ca.pck_crl.issuer = "Intel SGX Other CA";
  EXPECT_EQ(judge_plan(ca), "pck-subject");
}

TEST(TdxSteps, Step2_5RefusesAChainThatDoesNotLink) {
  Plan issuer;
  issuer.pck_certificate.issuer = "Intel SGX PCK Processor CA";
  EXPECT_EQ(judge_plan(issuer), "pck-chain");
  Plan no_ca;
  no_ca.ca_certificate.ca_path_length.reset();
  EXPECT_EQ(judge_plan(no_ca), "pck-chain");
}

TEST(TdxSteps, Step2_6RefusesSignaturesOfOthers) {
  Plan evil;
  evil.pck_certificate.issuer_key = &key("evil");  // whose key identifier is another, too
  EXPECT_EQ(judge_plan(evil), "pck-leaf-signature");
  Plan leaf;
  leaf.edit_pck_chain = [](auto& chain) { chain[0] = with_broken_signature(chain[0]); };
  EXPECT_EQ(judge_plan(leaf), "pck-leaf-signature");
  Plan ca;
  ca.edit_pck_chain = [](auto& chain) { chain[1] = with_broken_signature(chain[1]); };
  EXPECT_EQ(judge_plan(ca), "pck-ca-signature");
}

TEST(TdxSteps, Step2_7RefusesAPckWithoutItsExtension) {
  Plan plan;
  plan.with_sgx_extension = false;
  EXPECT_EQ(judge_plan(plan), "pck-extension");
  Plan lacking;
  lacking.pck.fmspc.pop_back();
  EXPECT_EQ(judge_plan(lacking), "pck-extension");
}

TEST(TdxSteps, Step2_8JudgesTheDatesOfAllThree) {
  for (auto certificate : {&Plan::pck_certificate, &Plan::ca_certificate, &Plan::root_certificate}) {
    Plan expired;
    (expired.*certificate).not_after = test::dcap::time() - 1;
    EXPECT_EQ(judge_plan(expired), "certificate-expired");
    (expired.*certificate).not_after = test::dcap::time();
    EXPECT_EQ(judge_plan(expired), "ok");
    Plan early;
    (early.*certificate).not_before = test::dcap::time() + 1;
    EXPECT_EQ(judge_plan(early), "certificate-not-yet-valid");
    (early.*certificate).not_before = test::dcap::time();
    EXPECT_EQ(judge_plan(early), "ok");
  }
}

TEST(TdxSteps, Steps3_1And4_1And5_1And6_1And7_1RefuseMissingCollateral) {
  for (const char* name : {"root_crl", "pck_crl", "tcb_signing_chain", "tcb_info", "qe_identity"}) {
    EXPECT_EQ(judge_without(name), "missing-collateral") << name;
  }
}

TEST(TdxSteps, Steps3_2And4_2RefuseWhatIsNoWholeCrl) {
  EXPECT_EQ(judge_with("root_crl", "no list"), "parse");
  EXPECT_EQ(judge_with("pck_crl", ""), "parse");
  for (auto crl : {&Plan::root_crl, &Plan::pck_crl}) {
    Plan plan;
    (plan.*crl).with_number = false;
    EXPECT_EQ(judge_plan(plan), "parse");
    plan = Plan();
    (plan.*crl).with_key_identifier = false;
    EXPECT_EQ(judge_plan(plan), "parse");
    plan = Plan();
    (plan.*crl).next_update.reset();
    EXPECT_EQ(judge_plan(plan), "parse");
  }
}

TEST(TdxSteps, Steps3_3And4_3RefuseTheListOfAnotherIssuer) {
  Plan root;
  root.root_crl.issuer = "Intel SGX Other Root CA";
  EXPECT_EQ(judge_plan(root), "crl-issuer");
  Plan pck;
  pck.pck_crl.issuer = "Intel SGX PCK Processor CA";  // the other CA's
  EXPECT_EQ(judge_plan(pck), "crl-issuer");
}

TEST(TdxSteps, Steps3_4And4_4RefuseAListThatItsIssuerDidNotSign) {
  Plan root;
  root.root_crl.issuer_key = &key("evil");
  EXPECT_EQ(judge_plan(root), "root-crl-signature");
  Plan pck;
  pck.pck_crl.issuer_key = &key("evil");
  EXPECT_EQ(judge_plan(pck), "pck-crl-signature");
}

TEST(TdxSteps, Steps3_5And4_5JudgeTheDatesOfTheLists) {
  for (auto crl : {&Plan::root_crl, &Plan::pck_crl}) {
    Plan expired;
    (expired.*crl).next_update = test::dcap::time() - 1;
    EXPECT_EQ(judge_plan(expired), "crl-expired");
    (expired.*crl).next_update = test::dcap::time();
    EXPECT_EQ(judge_plan(expired), "ok");
    Plan early;
    (early.*crl).this_update = test::dcap::time() + 1;
    EXPECT_EQ(judge_plan(early), "crl-not-yet-valid");
    (early.*crl).this_update = test::dcap::time();
    EXPECT_EQ(judge_plan(early), "ok");
  }
}

TEST(TdxSteps, Step3_6RefusesARevokedCa) {
  Plan plan;
  plan.root_crl.revoked = {2};
  EXPECT_EQ(judge_plan(plan), "pck-ca-revoked");
}

TEST(TdxSteps, Step4_6RefusesARevokedPck) {
  Plan plan;
  plan.pck_crl.revoked = {1, 1000};
  EXPECT_EQ(judge_plan(plan), "pck-revoked");
  plan.pck_crl.revoked = {1001, 999};
  EXPECT_EQ(judge_plan(plan), "ok");
}

TEST(TdxSteps, Step5_2RefusesAnotherTcbSigningChain) {
  EXPECT_EQ(judge_with("tcb_signing_chain", "no chain"), "tcb-signing-chain");
  Plan name;
  name.tcb_certificate.name = "Intel SGX PCK Platform CA";
  EXPECT_EQ(judge_plan(name), "tcb-signing-chain");
  Plan signer;
  signer.tcb_certificate.issuer_key = &key("evil");
  EXPECT_EQ(judge_plan(signer), "tcb-signing-chain");
  Plan broken;
  broken.edit_tcb_chain = [](auto& chain) { chain[0] = with_broken_signature(chain[0]); };
  EXPECT_EQ(judge_plan(broken), "tcb-signing-chain");
  Plan alone;
  alone.edit_tcb_chain = [](auto& chain) { chain.pop_back(); };
  EXPECT_EQ(judge_plan(alone), "tcb-signing-chain");
  Plan root;
  Plan other;
  other.root_certificate.serial = 7;
  const std::string other_root = test::dcap::to_pem(other.make().root);
  root.edit_tcb_chain = [&](auto& chain) { chain[1] = other_root; };
  EXPECT_EQ(judge_plan(root), "tcb-signing-chain");
}

TEST(TdxSteps, Step5_3JudgesTheDatesOfTheTcbSigner) {
  Plan expired;
  expired.tcb_certificate.not_after = test::dcap::time() - 1;
  EXPECT_EQ(judge_plan(expired), "certificate-expired");
  Plan early;
  early.tcb_certificate.not_before = test::dcap::time() + 1;
  EXPECT_EQ(judge_plan(early), "certificate-not-yet-valid");
}

TEST(TdxSteps, Step5_4RefusesARevokedTcbSigner) {
  Plan plan;
  plan.root_crl.revoked = {3};
  EXPECT_EQ(judge_plan(plan), "tcb-signer-revoked");
}

TEST(TdxSteps, Steps6_2And7_2RefuseWhatIsNotTheDocument) {
  EXPECT_EQ(judge_with("tcb_info", R"({"tcbInfo":{},"signature":"00"})"), "tcb-info-signature");
  EXPECT_EQ(judge_with("tcb_info", "{"), "parse");
  EXPECT_EQ(judge_with("qe_identity", "[]"), "parse");
  Plan info;
  info.tcb_info.erase("tcbLevels");
  EXPECT_EQ(judge_plan(info), "parse");
  Plan identity;
  identity.qe_identity.erase("mrsigner");
  EXPECT_EQ(judge_plan(identity), "parse");
}

TEST(TdxSteps, Step6_3RefusesAnotherVersionOrTypeOfTcbInfo) {
  Plan version;
  version.tcb_info["version"] = 4;
  EXPECT_EQ(judge_plan(version), "tcb-info-type");
  Plan type;
  type.tcb_info["tcbType"] = 1;
  EXPECT_EQ(judge_plan(type), "tcb-info-type");
}

TEST(TdxSteps, Steps6_4And7_4RefuseDocumentsThatTheTcbSignerDidNotSign) {
  Plan info;
  info.tcb_info_signer = &key("evil");
  EXPECT_EQ(judge_plan(info), "tcb-info-signature");
  Plan identity;
  identity.qe_identity_signer = &key("evil");
  EXPECT_EQ(judge_plan(identity), "qe-identity-signature");
}

TEST(TdxSteps, Steps6_4And7_4CoverTheBytesAndNotTheirMeaning) {
  for (const char* name : {"tcb_info", "qe_identity"}) {
    Made made = Plan().make();
    Bytes& json = made.collateral.find(name)->second;
    json.insert(std::ranges::find(json, ':') + 2, ' ');  // inside of the signed object
    EXPECT_NE(outcome(judge_made(made)), "ok") << name;
    made = Plan().make();
    Bytes& outside = made.collateral.find(name)->second;
    outside.insert(std::ranges::find(outside, ':') + 1, ' ');  // before it
    EXPECT_EQ(outcome(judge_made(made)), "ok") << name;
  }
}

TEST(TdxSteps, Steps6_5And7_5JudgeTheDatesOfTheDocuments) {
  for (auto document : {&Plan::tcb_info, &Plan::qe_identity}) {
    Plan expired;
    (expired.*document)["nextUpdate"] = "2026-05-31T23:59:59Z";
    EXPECT_EQ(judge_plan(expired), "collateral-expired");
    (expired.*document)["nextUpdate"] = "2026-06-01T00:00:00Z";
    EXPECT_EQ(judge_plan(expired), "ok");
    Plan early;
    (early.*document)["issueDate"] = "2026-06-01T00:00:01Z";
    EXPECT_EQ(judge_plan(early), "collateral-not-yet-valid");
    (early.*document)["issueDate"] = "2026-06-01T00:00:00Z";
    EXPECT_EQ(judge_plan(early), "ok");
  }
}

TEST(TdxSteps, Step7_3RefusesAnotherVersionOrIdOfTheIdentity) {
  Plan version;
  version.qe_identity["version"] = 3;
  EXPECT_EQ(judge_plan(version), "qe-identity-mismatch");
  Plan id;
  id.qe_identity["id"] = "QVE";
  EXPECT_EQ(judge_plan(id), "qe-identity-mismatch");
}

TEST(TdxSteps, Step8_1RefusesTcbInfoOfTheOtherTee) {
  Plan td = sgx(4);
  td.body = tdx::BodyType::kTd10;  // and all collateral for SGX
  EXPECT_EQ(judge_plan(td), "tcb-info-type");
  Plan enclave;
  enclave.body = tdx::BodyType::kEnclave;
  EXPECT_EQ(judge_plan(enclave), "tcb-info-type");
}

TEST(TdxSteps, Step8_2RefusesTheIdentityOfTheOtherQe) {
  Plan td;
  td.qe_identity["id"] = "QE";
  EXPECT_EQ(judge_plan(td), "qe-identity-mismatch");
  Plan enclave = sgx(3);
  enclave.qe_identity["id"] = "TD_QE";
  EXPECT_EQ(judge_plan(enclave), "qe-identity-mismatch");
}

TEST(TdxSteps, Step8_3RefusesTcbInfoOfAnotherFmspc) {
  Plan plan;
  plan.tcb_info["fmspc"] = "AABBCC000001";
  EXPECT_EQ(judge_plan(plan), "fmspc-mismatch");
}

TEST(TdxSteps, Step8_4RefusesTcbInfoOfAnotherPce) {
  Plan plan;
  plan.tcb_info["pceId"] = "0001";
  EXPECT_EQ(judge_plan(plan), "pceid-mismatch");
}

TEST(TdxSteps, Step12_1RefusesAModuleWithoutAnIdentity) {
  Plan plan;
  plan.td.tee_tcb_svn[1] = 2;
  EXPECT_EQ(judge_plan(plan), "tdx-module-mismatch");
  plan.tcb_info["tdxModuleIdentities"].as_array()[0].as_object()["id"] = "TDX_02";
  EXPECT_EQ(judge_plan(plan), "ok");
}

TEST(TdxSteps, Step12_2RefusesAModuleOfAnotherSigner) {
  for (const std::uint8_t version : std::initializer_list<std::uint8_t>{0, 1}) {
    Plan plan;
    plan.td.tee_tcb_svn[1] = version;
    EXPECT_EQ(judge_plan(plan), "ok");
    plan.td.mrsignerseam[47] = 1;
    EXPECT_EQ(judge_plan(plan), "tdx-module-mismatch");
  }
  Plan other_counts;  // with a version, tdxModule does not count
  other_counts.tcb_info["tdxModule"].as_object()["mrsigner"] = std::string(96, '1');
  EXPECT_EQ(judge_plan(other_counts), "ok");
  other_counts.td.tee_tcb_svn[1] = 0;
  EXPECT_EQ(judge_plan(other_counts), "tdx-module-mismatch");
}

TEST(TdxSteps, Step12_3RefusesSeamAttributes) {
  Plan plan;
  plan.td.seamattributes[7] = 0x80;
  EXPECT_EQ(judge_plan(plan), "tdx-module-mismatch");
  // Not even where the mask would let it pass.
  plan.tcb_info["tdxModuleIdentities"].as_array()[0].as_object()["attributesMask"] = std::string(16, '0');
  EXPECT_EQ(judge_plan(plan), "tdx-module-mismatch");
  Plan wanted;
  wanted.tcb_info["tdxModuleIdentities"].as_array()[0].as_object()["attributes"] = "0100000000000000";
  EXPECT_EQ(judge_plan(wanted), "tdx-module-mismatch");
}

TEST(TdxSteps, Step9_1RefusesAnAttestationKeyThatIsNoPoint) {
  Plan plan;
  plan.attestation_key = Bytes(64, 0x01);
  EXPECT_EQ(judge_plan(plan), "attestation-key");
}

TEST(TdxSteps, Step9_2RefusesAQeReportThatTheMachineDidNotSign) {
  Plan plan;
  plan.qe_report_signer = &key("evil");
  EXPECT_EQ(judge_plan(plan), "qe-report-signature");
}

TEST(TdxSteps, Step9_3RefusesAnAttestationKeyThatTheQeReportDoesNotName) {
  Plan plan;
  plan.qe_report_data = Bytes(32, 0x55);
  EXPECT_EQ(judge_plan(plan), "qe-report-data-binding");
  Plan with_tail;
  with_tail.qe.report_data[63] = 1;  // behind the digest
  EXPECT_EQ(judge_plan(with_tail), "qe-report-data-binding");
}

TEST(TdxSteps, Step10RefusesAnotherQuotingEnclave) {
  const auto with = [](auto change) {
    Plan plan;
    change(plan.qe);
    return judge_plan(plan);
  };
  EXPECT_EQ(with([](auto& qe) { qe.misc_select[0] = 1; }), "qe-identity-mismatch");
  EXPECT_EQ(with([](auto& qe) { qe.attributes[0] |= 2U; }), "qe-identity-mismatch");  // debug
  EXPECT_EQ(with([](auto& qe) { qe.mr_signer[31] = 0; }), "qe-identity-mismatch");
  EXPECT_EQ(with([](auto& qe) { qe.isv_prod_id = 1; }), "qe-identity-mismatch");
  EXPECT_EQ(with([](auto& qe) { qe.attributes[0] |= 4U; }), "ok");  // outside of the mask
  EXPECT_EQ(with([](auto& qe) { qe.attributes[15] = 1; }), "ok");
}

TEST(TdxSteps, Step11RefusesAQuoteThatItsKeyDidNotSign) {
  for (const std::size_t at : {std::size_t{30}, std::size_t{60}, std::size_t{600}}) {
    Made made = Plan().make();
    made.quote[at] ^= 1U;
    EXPECT_EQ(outcome(judge_made(made)), "quote-signature") << at;
  }
  Plan plan;
  plan.attestation_key = key("other").point();
  EXPECT_EQ(judge_plan(plan), "quote-signature");
}

TEST(TdxSteps, Step13RefusesRevokedAndUnknownTcbWhateverIsRequired) {
  Plan revoked;
  revoked.pck.components = {1, 1, 1};
  EXPECT_EQ(judge_plan(revoked), "tcb-status");
  Plan unknown;
  unknown.pck.pcesvn = 4;
  EXPECT_EQ(judge_plan(unknown), "tcb-status");
}

std::string judge_required(const Made& made, std::string_view requirements) {
  const auto json = parse_json(as_bytes(requirements));
  return outcome(judge_made(made, test::dcap::time(), &*json));
}

TEST(TdxSteps, Step15RefusesWhatIsNotAsRequired) {
  Plan plan = td15();
  plan.td.tdattributes = {1, 0, 0, 0};  // debug, no SEPT_VE_DISABLE
  (*plan.td.mrservicetd)[0] = 1;
  plan.pck.components = {3, 3, 2};  // OutOfDate
  plan.qe_identity["tcbEvaluationDataNumber"] = 19;
  const Made made = plan.make();
  const std::string other48(96, '0');
  EXPECT_EQ(judge_required(made, "{}"), "ok");
  EXPECT_EQ(judge_required(made, R"({"report_data":")" + std::string(128, '0') + "\"}"), "report-data-mismatch");
  EXPECT_EQ(judge_required(made, R"({"report_data":")" + hex(plan.td.report_data) + "\"}"), "ok");
  for (const char* name : {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"}) {
    EXPECT_EQ(judge_required(made, "{\"" + std::string(name) + "\":\"" + other48 + "\"}"), "measurement-mismatch");
  }
  EXPECT_EQ(judge_required(made, R"({"mrtd":")" + hex(plan.td.mrtd) + R"(","rtmr3":")" + hex(plan.td.rtmr[3]) + "\"}"),
            "ok");
  EXPECT_EQ(judge_required(made, R"({"allow_debug":false})"), "debug-enabled");
  EXPECT_EQ(judge_required(made, R"({"allow_debug":true})"), "ok");
  EXPECT_EQ(judge_required(made, R"({"require_sept_ve_disable":true})"), "td-attributes");
  EXPECT_EQ(judge_required(made, R"({"require_sept_ve_disable":false})"), "ok");
  EXPECT_EQ(judge_required(made, R"({"allow_service_td":false})"), "service-td");
  EXPECT_EQ(judge_required(made, R"({"allow_service_td":true})"), "ok");
  EXPECT_EQ(judge_required(made, R"({"min_tcb_evaluation_data_number":20})"), "tcb-evaluation-too-old");
  EXPECT_EQ(judge_required(made, R"({"min_tcb_evaluation_data_number":19})"), "ok");
  EXPECT_EQ(judge_required(made, R"({"accept_tcb_status":["UpToDate"]})"), "tcb-status");
  EXPECT_EQ(judge_required(made, R"({"accept_tcb_status":[]})"), "tcb-status");
  EXPECT_EQ(judge_required(made, R"({"accept_tcb_status":["UpToDate","OutOfDate"]})"), "ok");
}

TEST(TdxSteps, Step15PassesWhatIsAsRequired) {
  const Made made = td15().make();
  EXPECT_EQ(judge_required(made, R"({"allow_debug":false,"require_sept_ve_disable":true,"allow_service_td":false,
                                     "min_tcb_evaluation_data_number":20,"accept_tcb_status":["UpToDate"]})"),
            "ok");
}

TEST(TdxSteps, Step15RefusesOfAnEnclaveWhatItCannotShow) {
  const Made made = sgx(3).make();
  EXPECT_EQ(judge_required(made, R"({"mrtd":")" + std::string(96, '0') + "\"}"), "measurement-mismatch");
  EXPECT_EQ(judge_required(made, R"({"rtmr2":")" + std::string(96, '0') + "\"}"), "measurement-mismatch");
  EXPECT_EQ(judge_required(made, R"({"require_sept_ve_disable":true})"), "td-attributes");
}

TEST(TdxSteps, RequirementsAreClosedAndTyped) {
  const Made made = Plan().make();
  for (const char* bad :
       {R"([])", R"({"mr_td":"00"})", R"({"mrtd":"00"})", R"({"mrtd":null})", R"({"allow_debug":"no"})",
        R"({"report_data":"A0"})", R"({"min_tcb_evaluation_data_number":-1})", R"({"accept_tcb_status":"UpToDate"})",
        R"({"accept_tcb_status":["uptodate"]})", R"({"accept_tcb_status":["Revoked"]})",
        R"({"accept_tcb_status":["TcbNotSupported"]})", R"({"accept_tcb_status":[1]})", R"({"allow_service_td":0})"}) {
    EXPECT_EQ(judge_required(made, bad), "requirements") << bad;
  }
  EXPECT_EQ(judge_required(made, R"({"mrtd":")" + std::string(96, 'A') + "\"}"), "requirements");  // upper case
  EXPECT_EQ(judge_required(made, "null"), "ok");
}

TEST(TdxSteps, AGivenRootIsOneCertificateInEitherForm) {
  Made made = Plan().make();
  const Bytes der = made.root;
  made.root = to_bytes(test::dcap::to_pem(der));
  EXPECT_EQ(outcome(judge_made(made)), "ok");
  made.root = to_bytes(test::dcap::to_pem(der) + test::dcap::to_pem(der));
  EXPECT_EQ(outcome(judge_made(made)), "given-root");
  made.root = {};
  EXPECT_EQ(outcome(judge_made(made)), "given-root");
}

TEST(TdxSteps, TimesBeforeAndAfterEverythingAreRefused) {
  const Made made = Plan().make();
  EXPECT_EQ(outcome(judge_made(made, kUnixSecondsMin)), "certificate-not-yet-valid");
  EXPECT_EQ(outcome(judge_made(made, kUnixSecondsMax)), "certificate-expired");
  EXPECT_EQ(outcome(judge_made(made, test::dcap::time() + 50 * kYear)), "certificate-expired");
}

}  // namespace
}  // namespace eml

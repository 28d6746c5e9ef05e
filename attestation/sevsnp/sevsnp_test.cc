// One test for each step of docs/spec/evidence/sevsnp.md, section 3, that makes only it fail; what a good report
// yields; and that nothing altered is accepted.
#include "attestation/sevsnp/sevsnp.h"

#include <gtest/gtest.h>

#include <random>

#include "attestation/sevsnp/vek_cache.h"
#include "tests/support/shared.h"
#include "tests/support/snp.h"

namespace eml {
namespace {

using test::der_ia5;
using test::der_small;
using test::Signer;
using test::SnpMade;
using test::SnpPlan;

EvidenceVerdict judge(const SnpMade& made, const Json* requirements = nullptr, UnixSeconds time = SnpPlan::kTime) {
  return judge_sevsnp({.evidence = made.report,
                       .collateral = &made.collateral,
                       .time = time,
                       .requirements = requirements,
                       .root = made.root});
}

std::string error_of(const EvidenceVerdict& verdict) {
  return verdict.error ? std::string(verdict.error->code().name) : "ok";
}
std::string error_of(const SnpPlan& plan) { return error_of(judge(plan.make())); }

std::string error_with(const SnpPlan& plan, std::string_view requirements) {
  const auto json = parse_json(as_bytes(requirements));
  EXPECT_TRUE(json) << requirements;
  return error_of(judge(plan.make(), &*json));
}

// after says what becomes of a good plan once `change` was done to it.
template <typename Change>
std::string after(Change&& change, SnpPlan plan = SnpPlan()) {
  change(plan);
  return error_of(plan);
}
template <typename Change>
std::string after_edit(Change&& change) {
  SnpPlan plan;
  plan.edit = change;
  return error_of(plan);
}

TEST(SevSnp, AcceptsEveryProductKeyAndVersion) {
  for (const SnpProduct product : {SnpProduct::kMilan, SnpProduct::kGenoa, SnpProduct::kTurin}) {
    for (const SnpKeyKind kind : {SnpKeyKind::kVcek, SnpKeyKind::kVlek}) {
      for (std::uint8_t version = 2; version <= 5; ++version) {
        SnpPlan plan(product, kind);
        plan.put8(0, version);
        EXPECT_EQ(error_of(plan), "ok") << to_string(product) << " version " << int{version};
      }
    }
  }
}

TEST(SevSnp, YieldsWhatTheReportSays) {
  const SnpMade made = SnpPlan(SnpProduct::kTurin).make();
  const EvidenceVerdict verdict = judge(made);
  ASSERT_FALSE(verdict.error);
  const VerifiedEvidence& evidence = verdict.evidence;
  EXPECT_EQ(evidence.kind, EvidenceKind::kSevSnp);
  EXPECT_EQ(evidence.signed_value, Bytes(64, 0x11));
  EXPECT_EQ(evidence.measurements, (Measurements{{"measurement", Bytes(48, 0x22)}, {"host_data", Bytes(32, 0x33)}}));
  EXPECT_EQ(evidence.platform_identity, hex(concat(Bytes(8, 0xab), Bytes(56))));
  EXPECT_EQ(evidence.root, hex(decode_pem_certificates(made.root).value().front().fingerprint()));
  EXPECT_FALSE(evidence.debug);
  EXPECT_EQ(evidence.tcb,
            (decltype(evidence.tcb){{"bootloader", 4}, {"fmc", 1}, {"microcode", 219}, {"snp", 24}, {"tee", 2}}));
  EXPECT_TRUE(verdict.root_given);
  EXPECT_FALSE(above_production_floor(evidence));  // under a root that is not AMD's
}

TEST(SevSnp, AVlekNamesNoChip) {
  SnpPlan plan(SnpProduct::kMilan, SnpKeyKind::kVlek);
  plan.put(0x1a0, Bytes(64, 0x77));
  const EvidenceVerdict verdict = judge(plan.make());
  ASSERT_EQ(error_of(verdict), "ok");
  EXPECT_EQ(verdict.evidence.platform_identity, "");
  EXPECT_EQ(verdict.details.at("vek_extensions").at("csp_id").as_string(), "CN=cloud.example");
}

TEST(SevSnp, DebugIsReportedWhereItIsNotJudged) {
  SnpPlan plan;
  plan.put8(8 + 2, 2 | 8);
  const EvidenceVerdict verdict = judge(plan.make());
  ASSERT_EQ(error_of(verdict), "ok");
  EXPECT_TRUE(verdict.evidence.debug);
}

TEST(SevSnp, Step1RejectsAnotherSize) {
  const SnpMade good = SnpPlan().make();
  for (std::size_t size = 0; size < good.report.size(); ++size) {
    SnpMade made = good;
    made.report.resize(size);
    EXPECT_EQ(error_of(judge(made)), "sevsnp-parse") << size;
  }
  EXPECT_EQ(after_edit([](SnpMade& m) { m.report.push_back(0); }), "sevsnp-parse");
}

TEST(SevSnp, Step1aRejectsBytesBehindTheSignature) {
  for (const std::size_t offset : {0x330U, 0x400U, 0x49fU}) {
    EXPECT_EQ(after_edit([&](SnpMade& m) { m.report.at(offset) = 1; }), "sevsnp-nonzero-reserved") << offset;
  }
}

TEST(SevSnp, Step2NeedsKeyAndChainInTheirForms) {
  EXPECT_EQ(after_edit([](SnpMade& m) { m.collateral.erase("vek"); }), "sevsnp-missing-collateral");
  EXPECT_EQ(after_edit([](SnpMade& m) { m.collateral.erase("ca_chain"); }), "sevsnp-missing-collateral");
  EXPECT_EQ(after_edit([](SnpMade& m) { m.collateral["vek"].push_back(0); }), "sevsnp-vek-parse");
  EXPECT_EQ(after_edit([](SnpMade& m) { m.collateral["ca_chain"].push_back('x'); }), "sevsnp-chain-parse");
}

TEST(SevSnp, Step3RejectsARootThatIsNotPinned) {
  SnpMade made = SnpPlan().make();
  const EvidenceVerdict verdict =
      judge_sevsnp({.evidence = made.report, .collateral = &made.collateral, .time = SnpPlan::kTime});
  EXPECT_EQ(error_of(verdict), "sevsnp-untrusted-root");
  made.root = SnpPlan(SnpProduct::kGenoa).make().root;
  EXPECT_EQ(error_of(judge(made)), "sevsnp-untrusted-root");
  made.root = to_bytes(std::string_view("no certificate"));
  EXPECT_EQ(error_of(judge(made)), "sevsnp-root-parse");
}

TEST(SevSnp, Step3aRejectsAChainThatIsNotAskAndArk) {
  EXPECT_EQ(after_edit([](SnpMade& m) { m.collateral["ca_chain"] = m.root; }), "sevsnp-vek-chain");
  EXPECT_EQ(after_edit([](SnpMade& m) { m.collateral["ca_chain"] = concat(m.root, m.collateral["ca_chain"]); }),
            "sevsnp-vek-chain");
  EXPECT_EQ(after([](SnpPlan& p) { p.ask_issuer = &test::snp_ask_key(); }), "sevsnp-vek-chain");
  EXPECT_EQ(after([](SnpPlan& p) { p.ask.extensions = {test::basic_constraints(false)}; }), "sevsnp-vek-signature");
  EXPECT_EQ(after([](SnpPlan& p) { p.ark.extensions = {test::basic_constraints(false)}; }), "sevsnp-vek-chain");
  EXPECT_EQ(after([](SnpPlan& p) { p.ark.extensions = {test::basic_constraints(true, 0)}; }), "sevsnp-vek-chain");
  EXPECT_EQ(after([](SnpPlan& p) { p.ark.extensions = {test::basic_constraints(true), test::key_usage(true, false)}; }),
            "sevsnp-vek-chain");
  EXPECT_EQ(after([](SnpPlan& p) { p.ask.issuer = "ARK-Genoa"; }), "sevsnp-vek-chain");
}

TEST(SevSnp, Step3bRejectsAVekOfAnotherIssuerOrKey) {
  static const Signer p256(test::TestKey::kP256);
  EXPECT_EQ(after([](SnpPlan& p) { p.vek_issuer = &test::snp_ark_key(); }), "sevsnp-vek-signature");
  EXPECT_EQ(after([](SnpPlan& p) { p.vek.issuer = "SEV-Genoa"; }), "sevsnp-vek-signature");
  EXPECT_EQ(after([](SnpPlan& p) { p.vek_key = &p256; }), "sevsnp-vek-signature");
}

TEST(SevSnp, Step3cRejectsDatesOfEachCertificate) {
  const auto old = [](test::CertificateSpec& spec) { spec.not_after = "20260101000000Z"; };
  const auto young = [](test::CertificateSpec& spec) { spec.not_before = "20270101000000Z"; };
  EXPECT_EQ(after([&](SnpPlan& p) { old(p.vek); }), "sevsnp-certificate-expired");
  EXPECT_EQ(after([&](SnpPlan& p) { old(p.ask); }), "sevsnp-certificate-expired");
  EXPECT_EQ(after([&](SnpPlan& p) { old(p.ark); }), "sevsnp-certificate-expired");
  EXPECT_EQ(after([&](SnpPlan& p) { young(p.vek); }), "sevsnp-certificate-not-yet-valid");
  EXPECT_EQ(after([&](SnpPlan& p) { young(p.ask); }), "sevsnp-certificate-not-yet-valid");
  EXPECT_EQ(after([&](SnpPlan& p) { young(p.ark); }), "sevsnp-certificate-not-yet-valid");
}

TEST(SevSnp, Step4RejectsNamesOfTwoProductsOrKinds) {
  const auto renamed = [](const char* ark, const char* ask, const char* vek) {
    return after([&](SnpPlan& p) {
      p.ark.subject = p.ark.issuer = p.ask.issuer = p.crl.issuer = ark;
      p.ask.subject = p.vek.issuer = ask;
      p.vek.subject = vek;
    });
  };
  EXPECT_EQ(renamed("ARK-Milan", "SEV-Milan", "SEV-VCEK"), "ok");
  EXPECT_EQ(renamed("ARK-Genoa", "SEV-Milan", "SEV-VCEK"), "sevsnp-vek-chain");
  EXPECT_EQ(renamed("ARK-Milan", "SEV-Milan", "SEV-VLEK"), "sevsnp-vek-chain");
  EXPECT_EQ(renamed("ARK-Milan", "SEV-VLEK-Milan", "SEV-VCEK"), "sevsnp-vek-chain");
  EXPECT_EQ(renamed("ARK-Rome", "SEV-Rome", "SEV-VCEK"), "sevsnp-vek-chain");
}

TEST(SevSnp, Step5RejectsExtensionsThatAreNotAVeks) {
  const auto without = [](const char* oid, SnpPlan plan = SnpPlan()) {
    return after([&](SnpPlan& p) { p.vek_extensions.erase(oid); }, plan);
  };
  const auto with = [](const char* oid, const Bytes& value, SnpPlan plan = SnpPlan()) {
    return after([&](SnpPlan& p) { p.vek_extensions[oid] = value; }, plan);
  };
  const SnpPlan turin(SnpProduct::kTurin);
  const SnpPlan vlek(SnpProduct::kMilan, SnpKeyKind::kVlek);
  for (const char* oid : {"1", "2", "3.1", "3.2", "3.3", "3.8", "4"}) {
    EXPECT_EQ(without(oid), "sevsnp-vek-extensions") << oid;
  }
  EXPECT_EQ(without("3.9", turin), "sevsnp-vek-extensions");
  EXPECT_EQ(without("5", vlek), "sevsnp-vek-extensions");
  EXPECT_EQ(with("4", Bytes(64, 0xab), vlek), "sevsnp-vek-extensions");
  EXPECT_EQ(with("3.1", Bytes{2, 2, 1, 0}), "sevsnp-vek-extensions");  // 256
  EXPECT_EQ(with("3.1", Bytes{2, 1, 0xff}), "sevsnp-vek-extensions");  // -1
  EXPECT_EQ(with("3.1", Bytes{2, 1, 4, 0}), "sevsnp-vek-extensions");  // and more
  EXPECT_EQ(with("3.4", Bytes{5, 0}), "sevsnp-vek-extensions");
  EXPECT_EQ(with("2", der_ia5("Genoa")), "sevsnp-vek-extensions");
  EXPECT_EQ(with("2", der_ia5("MilanX")), "sevsnp-vek-extensions");
  EXPECT_EQ(with("2", Bytes{0x0c, 5, 'M', 'i', 'l', 'a', 'n'}), "sevsnp-vek-extensions");
  EXPECT_EQ(with("4", Bytes(63, 0xab)), "sevsnp-vek-extensions");
  EXPECT_EQ(with("4", Bytes(8, 0xab)), "sevsnp-vek-extensions");
  EXPECT_EQ(with("4", Bytes(64, 0xab), turin), "sevsnp-vek-extensions");
  EXPECT_EQ(with("4", concat(Bytes{4, 64}, Bytes(64, 0xab))), "ok");  // with its tag
}

TEST(SevSnp, Step6NeedsTheArksRevocationList) {
  EXPECT_EQ(after_edit([](SnpMade& m) { m.collateral.erase("crl"); }), "sevsnp-missing-collateral");
  const auto wrong_too = [](SnpMade& m) {
    m.collateral.erase("crl");
    m.report[0x90] ^= 1;
  };
  EXPECT_EQ(after_edit(wrong_too), "sevsnp-report-signature");  // the list is missed last
  EXPECT_EQ(after_edit([](SnpMade& m) { m.collateral["crl"].push_back(0); }), "sevsnp-crl-parse");
  EXPECT_EQ(after([](SnpPlan& p) { p.crl.issuer = "ARK-Genoa"; }), "sevsnp-crl-signature");
  EXPECT_EQ(after([](SnpPlan& p) { p.crl_issuer = &test::snp_ask_key(); }), "sevsnp-crl-signature");
}

TEST(SevSnp, Step6aRejectsAListOutOfDate) {
  EXPECT_EQ(after([](SnpPlan& p) { p.crl.this_update = "20260701000000Z"; }), "sevsnp-crl-not-yet-valid");
  EXPECT_EQ(after([](SnpPlan& p) { p.crl.next_update = "20260501000000Z"; }), "sevsnp-crl-expired");
  EXPECT_EQ(after([](SnpPlan& p) { p.crl.next_update = ""; }), "sevsnp-crl-expired");
}

TEST(SevSnp, Step6bRejectsARevokedAsk) {
  EXPECT_EQ(after([](SnpPlan& p) { p.crl.serials = {{7}, {1, 0, 1}}; }), "sevsnp-ask-revoked");
  EXPECT_EQ(after([](SnpPlan& p) { p.crl.serials = {{7}, {1, 0, 2}}; }), "ok");
}

TEST(SevSnp, Step7RejectsWhatTheKeyDidNotSign) {
  static const Signer other(test::TestKey::kP384);
  EXPECT_EQ(after([](SnpPlan& p) { p.report_signer = &other; }), "sevsnp-report-signature");
  for (std::size_t offset = 0; offset < kSnpSignedBytes; offset += 7) {
    EXPECT_EQ(after_edit([&](SnpMade& m) { m.report.at(offset) ^= 0x10; }), "sevsnp-report-signature") << offset;
  }
  for (const std::size_t offset : {0x2a0U + 48, 0x2a0U + 71, 0x2e8U + 48, 0x2e8U + 71}) {
    EXPECT_EQ(after_edit([&](SnpMade& m) { m.report.at(offset) = 1; }), "sevsnp-report-signature") << offset;
  }
  EXPECT_EQ(after([](SnpPlan& p) {
              p.after_signing = [](Bytes& report) {  // big-endian
                std::reverse(report.begin() + 0x2a0, report.begin() + 0x2a0 + 48);
                std::reverse(report.begin() + 0x2e8, report.begin() + 0x2e8 + 48);
              };
            }),
            "sevsnp-report-signature");
}

TEST(SevSnp, Step8RejectsAnotherVersion) {
  for (const std::uint8_t version : Bytes{0, 1, 6, 255}) {
    EXPECT_EQ(after([&](SnpPlan& p) { p.put8(0, version); }), "sevsnp-unsupported-version") << int{version};
  }
}

TEST(SevSnp, Step8aRejectsAnotherAlgorithm) {
  for (const std::uint8_t algorithm : Bytes{0, 2}) {
    EXPECT_EQ(after([&](SnpPlan& p) { p.put8(0x34, algorithm); }), "sevsnp-signature-algo");
  }
}

TEST(SevSnp, Step9RejectsAReportThatNamesAnotherKey) {
  for (const std::uint8_t key : Bytes{1, 2, 7}) {
    EXPECT_EQ(after([&](SnpPlan& p) { p.put8(0x48, static_cast<std::uint8_t>(key << 2U)); }),
              "sevsnp-signing-key-mismatch");
  }
  EXPECT_EQ(after([](SnpPlan& p) { p.put8(0x48, 0); }, SnpPlan(SnpProduct::kMilan, SnpKeyKind::kVlek)),
            "sevsnp-signing-key-mismatch");
}

TEST(SevSnp, Step10RejectsAMaskedChipKey) {
  EXPECT_EQ(after([](SnpPlan& p) { p.put8(0x48, 2); }), "sevsnp-chip-key-masked");
}

TEST(SevSnp, Step11RejectsEveryComponentThatIsNotTheKeys) {
  for (const SnpProduct product : {SnpProduct::kMilan, SnpProduct::kGenoa, SnpProduct::kTurin}) {
    for (std::size_t i = 0; i < 8; ++i) {
      SnpPlan plan(product);
      plan.put8(0x180 + i, static_cast<std::uint8_t>(plan.report.at(0x180 + i) + 1));
      EXPECT_EQ(error_of(plan), "sevsnp-vek-tcb-mismatch") << to_string(product) << " " << i;
    }
  }
}

TEST(SevSnp, Step12RejectsAnotherChip) {
  EXPECT_EQ(after([](SnpPlan& p) { p.put8(0x1a0 + 63, 1); }), "sevsnp-chip-id-mismatch");
  EXPECT_EQ(after([](SnpPlan& p) { p.put(0x1a0, Bytes(64)); }), "sevsnp-chip-id-mismatch");
  EXPECT_EQ(after([](SnpPlan& p) { p.put8(0x1a0 + 8, 1); }, SnpPlan(SnpProduct::kTurin)), "sevsnp-chip-id-mismatch");
}

TEST(SevSnp, Step13RejectsAnotherProcessor) {
  EXPECT_EQ(after([](SnpPlan& p) { p.put8(0x189, 0x11); }), "sevsnp-product-mismatch");
  EXPECT_EQ(after([](SnpPlan& p) { p.put8(0x188, 0x17); }), "sevsnp-product-mismatch");
  EXPECT_EQ(after([](SnpPlan& p) {
              p.put8(0, 2);
              p.put8(0x188, 0);
            }),
            "ok");  // version 2 has no CPUID
}

TEST(SevSnp, Step14RejectsGuestPoliciesWithReservedBits) {
  EXPECT_EQ(after([](SnpPlan& p) { p.put8(8 + 2, 0); }), "sevsnp-guest-policy-reserved");
  EXPECT_EQ(after([](SnpPlan& p) { p.put8(8 + 3, 4); }), "sevsnp-guest-policy-reserved");  // bit 26
  EXPECT_EQ(after([](SnpPlan& p) { p.put8(8 + 7, 0x80); }), "sevsnp-guest-policy-reserved");
  EXPECT_EQ(after([](SnpPlan& p) { p.put8(8 + 3, 3); }), "ok");  // bits 24 and 25
}

TEST(SevSnp, Step15HoldsEachRequirementAgainstTheReport) {
  SnpPlan debug;
  debug.put8(8 + 2, 2 | 8);
  SnpPlan migration;
  migration.put8(8 + 2, 2 | 4);
  SnpPlan vmpl;
  vmpl.put8(0x30, 2);
  SnpPlan provisional;
  provisional.put8(0x1e8, 6);
  SnpPlan rolled_back;
  rolled_back.put8(0x1e0 + 7, 218);
  const SnpPlan good;
  EXPECT_EQ(error_with(debug, R"({"allow_debug":false})"), "sevsnp-debug-enabled");
  EXPECT_EQ(error_with(debug, R"({"allow_debug":true})"), "ok");
  EXPECT_EQ(error_with(good, R"({"allow_debug":false})"), "ok");
  EXPECT_EQ(error_with(migration, R"({"allow_migration_agent":false})"), "sevsnp-migration-agent");
  EXPECT_EQ(error_with(good, R"({"allow_migration_agent":false})"), "ok");
  EXPECT_EQ(error_with(vmpl, R"({"max_vmpl":1})"), "sevsnp-vmpl");
  EXPECT_EQ(error_with(vmpl, R"({"max_vmpl":2})"), "ok");
  EXPECT_EQ(error_with(vmpl, R"({"require_vmpl":3})"), "sevsnp-vmpl");
  EXPECT_EQ(error_with(vmpl, R"({"require_vmpl":2})"), "ok");
  EXPECT_EQ(error_with(provisional, R"({"require_committed_firmware":true})"), "sevsnp-provisional-firmware");
  EXPECT_EQ(error_with(provisional, R"({"require_committed_firmware":false})"), "ok");
  EXPECT_EQ(error_with(rolled_back, R"({"min_committed_tcb":{"ucode":219}})"), "sevsnp-committed-tcb-too-low");
  EXPECT_EQ(error_with(rolled_back, R"({"min_tcb":{"ucode":219}})"), "ok");
}

TEST(SevSnp, Step15ComparesValuesWhole) {
  const SnpPlan good;
  const auto asked = [](const char* name, std::size_t size, const char* byte) {
    std::string text = "{\"" + std::string(name) + "\":\"";
    for (std::size_t i = 0; i < size; ++i)
      text += i + 1 == size                        ? byte
              : std::string(name) == "report_data" ? "11"
              : std::string(name) == "measurement" ? "22"
                                                   : "33";
    return text + "\"}";
  };
  EXPECT_EQ(error_with(good, asked("report_data", 64, "11")), "ok");
  EXPECT_EQ(error_with(good, asked("report_data", 64, "12")), "sevsnp-report-data-mismatch");
  EXPECT_EQ(error_with(good, asked("measurement", 48, "22")), "ok");
  EXPECT_EQ(error_with(good, asked("measurement", 48, "23")), "sevsnp-measurement-mismatch");
  EXPECT_EQ(error_with(good, asked("host_data", 32, "33")), "ok");
  EXPECT_EQ(error_with(good, asked("host_data", 32, "34")), "sevsnp-host-data-mismatch");
}

TEST(SevSnp, Step15ComparesTcbsByComponent) {
  const SnpPlan turin(SnpProduct::kTurin);  // fmc 1, bl 4, tee 2, snp 24, ucode 219
  EXPECT_EQ(error_with(turin, R"({"min_tcb":{"fmc":1,"bl":4,"tee":2,"snp":24,"ucode":219}})"), "ok");
  for (const char* one : {R"("fmc":2)", R"("bl":5)", R"("tee":3)", R"("snp":25)", R"("ucode":220)"}) {
    const std::string text = std::string(R"({"min_tcb":{)") + one + "}}";
    EXPECT_EQ(error_with(turin, text), "sevsnp-tcb-too-low") << one;
  }
  EXPECT_EQ(error_with(SnpPlan(), R"({"min_tcb":{"fmc":1}})"), "sevsnp-tcb-too-low");
}

TEST(SevSnp, RequirementsThatAreNotOursAreNotIgnored) {
  for (const char* text :
       {"[]", "null", R"({"measurment":"00"})", R"({"allow_debug":"no"})", R"({"max_vmpl":4})", R"({"max_vmpl":-1})",
        R"({"require_vmpl":"0"})", R"({"report_data":"00"})", R"({"measurement":7})", R"({"host_data":null})",
        R"({"min_tcb":{"microcode":1}})", R"({"min_tcb":{"snp":256}})", R"({"min_tcb":219})",
        R"({"min_committed_tcb":[]})", R"({"require_committed_firmware":1})"}) {
    EXPECT_EQ(error_with(SnpPlan(), text), "sevsnp-requirements") << text;
  }
}

TEST(SevSnp, LinesAfterAFailureAreNotChecked) {
  SnpPlan plan;
  plan.crl.serials = {{1, 0, 1}};
  const EvidenceVerdict verdict = judge(plan.make());
  bool failed = false;
  for (const Check& line : verdict.checks) {
    if (failed) EXPECT_EQ(line.outcome, Outcome::kNotChecked) << line.id;
    failed = failed || line.outcome == Outcome::kFailed;
  }
  EXPECT_TRUE(failed);
  EXPECT_EQ(verdict.fields.at("version").to_number<int>(), 3);
}

EvidenceInput input_of(const SnpMade& made, UnixSeconds time = SnpPlan::kTime) {
  return {.evidence = made.report,
          .collateral = &made.collateral,
          .time = time,
          .requirements = nullptr,
          .root = made.root};
}

// Same lines, same error, same evidence.
void expect_same(const EvidenceInput& input, SnpVekCache& cache) {
  const EvidenceVerdict with = judge_sevsnp(input, cache);
  const EvidenceVerdict without = judge_sevsnp(input);
  EXPECT_EQ(error_of(with), error_of(without));
  EXPECT_EQ(with.details, without.details);
  ASSERT_EQ(with.checks.size(), without.checks.size());
  for (std::size_t i = 0; i < with.checks.size(); ++i) {
    EXPECT_EQ(with.checks[i].id, without.checks[i].id);
    EXPECT_EQ(with.checks[i].outcome, without.checks[i].outcome);
  }
}

TEST(SevSnpCache, NeverChangesAVerdict) {
  SnpVekCache cache;
  const SnpMade good = SnpPlan().make();
  for (int i = 0; i < 2; ++i) {
    expect_same(input_of(good), cache);
    EXPECT_EQ(cache.size(), 1U);
  }
  for (const UnixSeconds time : {UnixSeconds{0}, UnixSeconds{1735689599}, UnixSeconds{2051222401}}) {
    expect_same(input_of(good, time), cache);
  }
  for (const char* name : {"vek", "ca_chain", "crl"}) {
    SnpMade made = good;
    made.collateral[name].back() ^= 1;
    expect_same(input_of(made), cache);
    made.collateral.erase(name);
    expect_same(input_of(made), cache);
  }
  SnpMade other_root = good;
  other_root.root = SnpPlan().make().root;
  expect_same(input_of(other_root), cache);
  SnpMade flipped = good;
  flipped.report[0x90] ^= 1;
  expect_same(input_of(flipped), cache);
}

TEST(SevSnpCache, HoldsNoMoreThanItsBound) {
  SnpVekCache cache;
  const SnpMade good = SnpPlan().make();
  const auto vek = verify_snp_endorsements(
      decode_snp_endorsements(good.collateral.at("vek"), good.collateral.at("ca_chain")).value(),
      std::vector<Hash32>{decode_pem_certificates(good.root)->front().fingerprint()}, SnpPlan::kTime);
  ASSERT_TRUE(vek);
  const auto bytes_of = [&](const Bytes& name) {
    return SnpVekBytes{.vek = name, .ca_chain = {}, .crl = good.collateral.at("crl"), .roots = {}};
  };
  std::vector<Bytes> names;
  for (std::uint8_t i = 0; i < kSnpVekCacheMax + 1; ++i) names.push_back({i});
  for (const Bytes& name : names) cache.put(bytes_of(name), *vek);
  EXPECT_EQ(cache.size(), kSnpVekCacheMax);
  EXPECT_EQ(cache.find(bytes_of(names.front()), SnpPlan::kTime), nullptr);
  EXPECT_NE(cache.find(bytes_of(names.back()), SnpPlan::kTime), nullptr);
}

TEST(SevSnp, NoMutationIsAccepted) {
  const SnpMade good = SnpPlan().make();
  std::mt19937 random(1);
  std::vector<std::string> names{"", "vek", "ca_chain", "crl"};
  for (std::size_t round = 0; round < 400; ++round) {
    SnpMade made = good;
    const std::string& name = names[round % names.size()];
    Bytes& target = name.empty() ? made.report : made.collateral[name];
    const std::size_t at = random() % target.size();
    const Bytes before = target;
    switch (random() % 3) {
      case 0:
        target[at] ^= static_cast<std::uint8_t>(1U << (random() % 8));
        break;
      case 1:
        target.erase(target.begin() + static_cast<long>(at));
        break;
      default:
        target.insert(target.begin() + static_cast<long>(at), static_cast<std::uint8_t>(random()));
    }
    // White space in PEM means nothing: then it is the same certificate.
    const auto chain = decode_pem_certificates(made.collateral["ca_chain"]);
    const bool same_chain = name == "ca_chain" && chain && chain->size() == 2 &&
                            chain->back().fingerprint() == decode_pem_certificates(good.root)->front().fingerprint() &&
                            chain->front().der() == decode_pem_certificates(before)->front().der();
    if (target != before && !same_chain) EXPECT_NE(error_of(judge(made)), "ok") << name << " " << at;
  }
}

// Every accessor reads its own place, in the genuine reports too.
TEST(SnpReport, ReadsEachFieldFromItsPlace) {
  struct Row {
    const char* name;
    std::size_t offset, size;
    std::function<Bytes(const SnpReport&)> read;
  };
  const auto le = [](std::uint64_t value, std::size_t size) {
    Bytes out;
    for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return out;
  };
  const auto all = [](const auto& array) { return to_bytes(ByteView(array)); };
  const std::vector<Row> rows{
      {"version", 0, 4, [&](const SnpReport& r) { return le(r.version, 4); }},
      {"guest_svn", 4, 4, [&](const SnpReport& r) { return le(r.guest_svn, 4); }},
      {"policy", 8, 8, [&](const SnpReport& r) { return le(r.policy, 8); }},
      {"family_id", 0x10, 16, [&](const SnpReport& r) { return all(r.family_id); }},
      {"image_id", 0x20, 16, [&](const SnpReport& r) { return all(r.image_id); }},
      {"vmpl", 0x30, 4, [&](const SnpReport& r) { return le(r.vmpl, 4); }},
      {"signature_algo", 0x34, 4, [&](const SnpReport& r) { return le(r.signature_algo, 4); }},
      {"current_tcb", 0x38, 8, [&](const SnpReport& r) { return all(r.current_tcb); }},
      {"platform_info", 0x40, 8, [&](const SnpReport& r) { return le(r.platform_info, 8); }},
      {"flags", 0x48, 4, [&](const SnpReport& r) { return le(r.flags, 4); }},
      {"report_data", 0x50, 64, [&](const SnpReport& r) { return all(r.report_data); }},
      {"measurement", 0x90, 48, [&](const SnpReport& r) { return all(r.measurement); }},
      {"host_data", 0xc0, 32, [&](const SnpReport& r) { return all(r.host_data); }},
      {"id_key_digest", 0xe0, 48, [&](const SnpReport& r) { return all(r.id_key_digest); }},
      {"author_key_digest", 0x110, 48, [&](const SnpReport& r) { return all(r.author_key_digest); }},
      {"report_id", 0x140, 32, [&](const SnpReport& r) { return all(r.report_id); }},
      {"report_id_ma", 0x160, 32, [&](const SnpReport& r) { return all(r.report_id_ma); }},
      {"reported_tcb", 0x180, 8, [&](const SnpReport& r) { return all(r.reported_tcb); }},
      {"cpuid", 0x188, 3, [&](const SnpReport& r) { return Bytes{r.cpuid_family, r.cpuid_model, r.cpuid_stepping}; }},
      {"chip_id", 0x1a0, 64, [&](const SnpReport& r) { return all(r.chip_id); }},
      {"committed_tcb", 0x1e0, 8, [&](const SnpReport& r) { return all(r.committed_tcb); }},
      {"current firmware", 0x1e8, 3,
       [&](const SnpReport& r) {
         return Bytes{r.current_firmware.build, r.current_firmware.minor, r.current_firmware.major};
       }},
      {"committed firmware", 0x1ec, 3,
       [&](const SnpReport& r) {
         return Bytes{r.committed_firmware.build, r.committed_firmware.minor, r.committed_firmware.major};
       }},
      {"launch_tcb", 0x1f0, 8, [&](const SnpReport& r) { return all(r.launch_tcb); }},
      {"launch mitigations", 0x1f8, 8, [&](const SnpReport& r) { return le(r.launch_mitigations, 8); }},
      {"current mitigations", 0x200, 8, [&](const SnpReport& r) { return le(r.current_mitigations, 8); }},
  };
  std::vector<Bytes> reports;
  Bytes counting(kSnpReportBytes);
  for (std::size_t i = 0; i < 0x330; ++i) counting[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  reports.push_back(counting);
  for (const char* name : {"milan_v2_gosevguest", "milan_v2_trustee", "milan_v2_virtee", "milan_v3_vlek_aws_trustee",
                           "genoa_v3_azure_openpcc", "milan_v3_oak_release"}) {
    const auto bytes =
        test::read_bytes(test::shared_dir() / "corpus/open/sevsnp" / (std::string(name) + "_report.bin"));
    if (bytes) reports.push_back(*bytes);
  }
  for (const Bytes& bytes : reports) {
    const auto decoded = decode_snp_report(bytes);
    ASSERT_TRUE(decoded);
    for (const Row& row : rows) {
      EXPECT_EQ(row.read(decoded->report), to_bytes(ByteView(bytes).subspan(row.offset, row.size))) << row.name;
    }
    EXPECT_EQ(all(decoded->r), to_bytes(ByteView(bytes).subspan(0x2a0, 72)));
    EXPECT_EQ(all(decoded->s), to_bytes(ByteView(bytes).subspan(0x2e8, 72)));
  }
}

}  // namespace
}  // namespace eml

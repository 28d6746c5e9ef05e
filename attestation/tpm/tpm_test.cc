// One test for each step of docs/spec/evidence/tpm.md, section 3, that makes only it fail; what a good quote yields;
// and that nothing altered is accepted.
#include "attestation/tpm/tpm.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <random>

#include "tests/support/tpm.h"

namespace eml {
namespace {

using test::Signer;
using test::SnpPlan;
using test::TpmMade;
using test::TpmPlan;

EvidenceVerdict judge(const TpmMade& made, const Json* requirements = nullptr) {
  return judge_tpm({.evidence = made.quote,
                    .collateral = &made.collateral,
                    .time = TpmPlan::kTime,
                    .requirements = requirements,
                    .root = made.root});
}

std::string error_of(const EvidenceVerdict& verdict) {
  return verdict.error ? std::string(verdict.error->code().name) : "ok";
}

std::string error_with(const TpmMade& made, std::string_view requirements) {
  const auto json = parse_json(as_bytes(requirements));
  EXPECT_TRUE(json) << requirements;
  return error_of(judge(made, &*json));
}

// after says what becomes of a good plan once `change` was done to it; after_edit, of what was made by it.
template <typename Change>
std::string after(Change&& change) {
  TpmPlan plan;
  change(plan);
  return error_of(judge(plan.make()));
}
template <typename Change>
std::string after_edit(Change&& change, TpmPlan plan = TpmPlan()) {
  plan.edit = change;
  return error_of(judge(plan.make()));
}

void set(TpmMade& made, const std::string& name, const Bytes& value) { made.collateral[name] = value; }
void set(TpmMade& made, const std::string& name, const std::string& value) {
  made.collateral[name] = to_bytes(std::string_view(value));
}

// log_of is a crypto-agile log (SHA-256) of one event for PCR 7, an EV_EFI_ACTION.
Bytes log_of(std::string_view action, std::uint32_t pcr = 7) {
  using test::le32;
  Bytes head = to_bytes(std::string_view("Spec ID Event03\0\0\0\0\0\0\x02\0\x02\x01\0\0\0\x0b\0\x20\0\0", 33));
  const Bytes first = concat(le32(0), le32(3), Bytes(20), le32(static_cast<std::uint32_t>(head.size())), head);
  return concat(first, le32(pcr), le32(0x80000007), le32(1), Bytes{0x0b, 0}, sha256(as_bytes(action)),
                le32(static_cast<std::uint32_t>(action.size())), as_bytes(action));
}
Bytes extended(std::string_view action) { return to_bytes(ByteView(sha256_of({Bytes(32), sha256(as_bytes(action))}))); }

TpmPlan with_log(std::string_view quoted, std::string_view logged) {
  TpmPlan plan;
  plan.pcrs[7] = extended(quoted);
  plan.edit = [log = log_of(logged)](TpmMade& m) { set(m, "event_log", log); };
  return plan;
}

// AkChain is an attestation key's certificates under a root that the caller gives.
struct AkChain {
  test::CertificateSpec root{.subject = "root", .issuer = "root", .extensions = test::ca_extensions("root", "root")};
  test::CertificateSpec ca{.subject = "ca", .issuer = "root", .extensions = test::ca_extensions("ca", "root")};
  test::CertificateSpec leaf{.subject = "ak", .issuer = "ca", .extensions = test::leaf_extensions("ak", "ca")};
  const Signer* ca_signer = &test::tpm_ec_key();    // of the leaf
  const Signer* root_signer = &test::tpm_ec_key();  // of the other two
  const Signer* key = &test::shared_rsa_signer(0);
  bool root_in_chain = true;

  void put(TpmMade& made) const {
    const Bytes root_der = test::make_certificate(root, test::tpm_ec_key().spki(), test::tpm_ec_key());
    const Bytes ca_der = test::make_certificate(ca, test::tpm_ec_key().spki(), *root_signer);
    set(made, "ak_cert", test::make_certificate(leaf, key->spki(), *ca_signer));
    set(made, "ak_chain",
        test::pem_certificate(ca_der) + (root_in_chain ? test::pem_certificate(root_der) : std::string()));
    made.root = root_der;
  }
};

template <typename Change>
std::string after_chain(Change&& change) {
  AkChain chain;
  change(chain);
  return after_edit([&](TpmMade& m) { chain.put(m); });
}

TEST(Tpm, AcceptsEverySchemeThatIsStrongEnough) {
  for (const std::uint16_t scheme : std::vector<std::uint16_t>{0x14, 0x16}) {
    for (const std::uint16_t hash : {kTpmSha256, kTpmSha384, kTpmSha512}) {
      EXPECT_EQ(after([&](TpmPlan& p) {
                  p.scheme = scheme;
                  p.hash = hash;
                }),
                "ok")
          << scheme << " " << hash;
    }
  }
  EXPECT_EQ(after([](TpmPlan& p) { p.with_ec_key(); }), "ok");
  static const Signer p384(test::TestKey::kP384);
  EXPECT_EQ(after([](TpmPlan& p) {
              p.key = p.signer = &p384;
              p.scheme = 0x18;
              p.hash = kTpmSha384;
            }),
            "ok");
}

TEST(Tpm, AcceptsARawSignatureOfRsa) {
  const TpmPlan plan;
  TpmMade made = plan.make();
  set(made, "signature", plan.key->sign(made.quote, 256));
  const EvidenceVerdict verdict = judge(made);
  ASSERT_EQ(error_of(verdict), "ok");
  EXPECT_EQ(verdict.details.at("signature_format").as_string(), "raw RSASSA-PKCS1v15 SHA-256");
}

TEST(Tpm, YieldsWhatTheQuoteSaysAndNoRoot) {
  const TpmMade made = TpmPlan().make();
  const EvidenceVerdict verdict = judge(made);
  ASSERT_EQ(error_of(verdict), "ok");
  EXPECT_EQ(verdict.evidence.kind, EvidenceKind::kTpm);
  EXPECT_EQ(verdict.evidence.signed_value, Bytes(32, 0x42));
  const Hash32 values = sha256_of({Bytes(32, 1), Bytes(32, 7)});
  const Bytes selection{0, 0, 0, 1, 0, 0x0b, 3, 0x81, 0, 0};
  EXPECT_EQ(verdict.evidence.measurements,
            (Measurements{{"pcrs", to_bytes(ByteView(sha256_of({selection, values})))}}));
  EXPECT_EQ(verdict.evidence.platform_identity, hex(sha256(test::shared_rsa_signer(0).spki())));
  EXPECT_EQ(verdict.evidence.root, "");
  EXPECT_EQ(verdict.details.at("ak_trust").as_string(), "given");
  EXPECT_FALSE(above_production_floor(verdict.evidence));
}

TEST(Tpm, Step1NeedsSignatureListAndOneKey) {
  for (const char* name : {"signature", "pcrs", "ak_public_pem"}) {
    EXPECT_EQ(after_edit([&](TpmMade& m) { m.collateral.erase(name); }), "tpm-missing-collateral") << name;
  }
  EXPECT_EQ(after_edit([](TpmMade& m) { m.collateral["signature"].pop_back(); }), "tpm-parse");
  EXPECT_EQ(after_edit([](TpmMade& m) { m.collateral["signature"].push_back(0); }), "tpm-parse");
  EXPECT_EQ(after_edit([](TpmMade& m) { set(m, "signature", Bytes{0, 5, 0, 0xb}); }), "tpm-parse");
  EXPECT_EQ(after_edit([](TpmMade& m) { set(m, "ak_public_pem", std::string("-----")); }), "tpm-ak-parse");
  EXPECT_EQ(after_edit([](TpmMade& m) { set(m, "ak_tpmt_public", Bytes(8)); }), "tpm-ak-parse");
  EXPECT_EQ(after_edit([](TpmMade& m) { set(m, "ak_cert", Bytes(8)); }), "tpm-ak-parse");
}

TEST(Tpm, Step1ReadsAListStrictly) {
  for (const char* text :
       {"", "[]", R"({"hash":"sha256"})", R"({"pcrs":{}})", R"({"hash":"md5","pcrs":{}})", R"({"hash":1,"pcrs":{}})",
        R"({"hash":"sha256","pcrs":[]})", R"({"hash":"sha256","pcrs":{},"more":1})",
        R"({"hash":"sha256","pcrs":{"0":"00"}})", R"({"hash":"sha256","pcrs":{"0":1}})"}) {
    EXPECT_EQ(after_edit([&](TpmMade& m) { set(m, "pcrs", std::string(text)); }), "tpm-pcrs-parse") << text;
  }
  for (const char* index : {"32", "-1", "00", "01", "", "1x"}) {
    const std::string text =
        R"({"hash":"sha256","pcrs":{")" + std::string(index) + R"(":")" + std::string(64, '0') + R"("}})";
    EXPECT_EQ(after_edit([&](TpmMade& m) { set(m, "pcrs", text); }), "tpm-pcrs-parse") << text;
  }
}

TEST(Tpm, Step2RejectsWhatATpmDidNotMake) {
  EXPECT_EQ(after([](TpmPlan& p) { p.magic = 0xff544348; }), "tpm-magic");
  EXPECT_EQ(after([](TpmPlan& p) { p.magic = 0; }), "tpm-magic");
}

TEST(Tpm, Step3RejectsAnotherKindOfAttestation) {
  for (const std::uint16_t type : std::vector<std::uint16_t>{0x8014, 0x8017, 0x8019, 0x801a, 0}) {
    EXPECT_EQ(after([&](TpmPlan& p) { p.type = type; }), "tpm-attest-type") << type;
  }
}

TEST(Tpm, Step3aRejectsWhatEndsTooEarlyOrIsNoQuote) {
  const TpmMade good = TpmPlan().make();
  for (std::size_t size = 0; size < good.quote.size(); ++size) {
    TpmMade made = good;
    made.quote.resize(size);
    EXPECT_EQ(error_of(judge(made)), "tpm-parse") << size;
  }
  EXPECT_EQ(after([](TpmPlan& p) { p.safe = 2; }), "tpm-parse");
  EXPECT_EQ(after([](TpmPlan& p) { p.selections.resize(17); }), "tpm-parse");
  EXPECT_EQ(after([](TpmPlan& p) { p.selections[0].bitmap = Bytes(5, 1); }), "tpm-parse");
}

TEST(Tpm, Step4RejectsSchemesThatAreTooWeakOrNotForTheKey) {
  EXPECT_EQ(after_edit([](TpmMade& m) { m.collateral["signature"][3] = 4; }), "tpm-signature-algorithm");     // SHA-1
  EXPECT_EQ(after_edit([](TpmMade& m) { m.collateral["signature"][3] = 0x27; }), "tpm-signature-algorithm");  // SHA-3
  EXPECT_EQ(after_edit([](TpmMade& m) { m.collateral["signature"][1] = 0x18; }), "tpm-signature");            // ECDSA
  TpmPlan ec;
  ec.with_ec_key();
  EXPECT_EQ(after_edit([](TpmMade& m) { m.collateral["signature"][1] = 0x14; }, ec), "tpm-signature");
  EXPECT_EQ(after_edit([](TpmMade& m) { m.collateral["signature"][3] = 0xc; }, ec), "tpm-signature-algorithm");
}

TEST(Tpm, Step4aRejectsWhatTheKeyDidNotSign) {
  EXPECT_EQ(after([](TpmPlan& p) { p.signer = &test::shared_rsa_signer(1); }), "tpm-signature");
  EXPECT_EQ(after_edit([](TpmMade& m) { m.collateral["signature"].back() ^= 1; }), "tpm-signature");
  EXPECT_EQ(after_edit([](TpmMade& m) { m.collateral["signature"][1] = 0x16; }), "tpm-signature");  // PSS
  EXPECT_EQ(after_edit([](TpmMade& m) { m.quote[50] ^= 1; }), "tpm-signature");                     // in extra data
}

TEST(Tpm, Step4bRejectsBytesBehindTheQuoteThatAreSignedToo) {
  EXPECT_EQ(after([](TpmPlan& p) { p.trailing = {0}; }), "tpm-parse");
  EXPECT_EQ(after_edit([](TpmMade& m) { m.quote.push_back(0); }), "tpm-signature");
}

TEST(Tpm, Step4cRejectsFormsOfTwoKeys) {
  EXPECT_EQ(after_edit([](TpmMade& m) { set(m, "ak_tpmt_public", test::tpmt_public(test::tpm_ec_key())); }),
            "tpm-ak-mismatch");
  EXPECT_EQ(after_edit([](TpmMade& m) {
              set(m, "ak_tpm2b_public", test::tpm2b(test::tpmt_public(test::shared_rsa_signer(1))));
            }),
            "tpm-ak-mismatch");
}

TEST(Tpm, Step5RejectsAKeyThatSignsOtherThings) {
  const auto with = [](std::uint32_t attributes) {
    return after_edit(
        [&](TpmMade& m) { set(m, "ak_tpmt_public", test::tpmt_public(test::shared_rsa_signer(0), attributes)); });
  };
  EXPECT_EQ(with(0x50072), "ok");
  for (const std::uint32_t bit : {0x2U, 0x10U, 0x20U, 0x10000U, 0x40000U}) {
    EXPECT_EQ(with(0x50072U & ~bit), "tpm-ak-attributes") << bit;
  }
  EXPECT_EQ(with(0x70072), "tpm-ak-attributes");  // decrypt
}

TEST(Tpm, Step5aRejectsAnotherName) {
  const Bytes plain = test::tpmt_public(test::shared_rsa_signer(0));
  const auto with = [&](const Bytes& name) {
    return after_edit([&](TpmMade& m) {
      set(m, "ak_tpm2b_public", test::tpm2b(plain));
      set(m, "ak_name", name);
    });
  };
  EXPECT_EQ(with(concat(Bytes{0, 0xb}, sha256(plain))), "ok");
  EXPECT_EQ(with(concat(Bytes{0, 0xb}, sha256(Bytes{}))), "tpm-ak-name");
  EXPECT_EQ(with(concat(Bytes{0, 0xc}, sha256(plain))), "tpm-ak-name");
  EXPECT_EQ(after_edit([](TpmMade& m) { set(m, "ak_name", Bytes(34)); }), "tpm-missing-collateral");
}

TEST(Tpm, Step6NeedsOneBankWithRegisters) {
  EXPECT_EQ(after([](TpmPlan& p) { p.selections.clear(); }), "tpm-pcr-selection");
  EXPECT_EQ(after([](TpmPlan& p) { p.selections[0].bitmap = Bytes(3); }), "tpm-pcr-selection");
  EXPECT_EQ(after([](TpmPlan& p) { p.selections.push_back({.hash = kTpmSha384}); }), "tpm-pcr-selection");
  EXPECT_EQ(after([](TpmPlan& p) { p.selections.push_back({.hash = kTpmSha384, .bitmap = Bytes(3)}); }), "ok");
}

TEST(Tpm, Step6aRejectsAnotherBankThanTheLists) {
  EXPECT_EQ(after([](TpmPlan& p) { p.selections[0].hash = kTpmSha1; }), "tpm-pcr-bank");
  EXPECT_EQ(after([](TpmPlan& p) {
              p.bank = "sha1";
              p.pcrs = {{0, Bytes(20)}, {7, Bytes(20)}};
            }),
            "tpm-pcr-bank");
}

TEST(Tpm, ASha1BankIsToleratedWhereTheListSaysSo) {
  EXPECT_EQ(after([](TpmPlan& p) {
              p.bank = "sha1";
              p.selections[0].hash = kTpmSha1;
              p.pcrs = {{0, Bytes(20, 1)}, {7, Bytes(20, 7)}};
            }),
            "ok");
}

TEST(Tpm, Step6bRejectsValuesThatWereNotQuoted) {
  EXPECT_EQ(after([](TpmPlan& p) { p.digest = Bytes(32, 9); }), "tpm-pcr-digest");
  EXPECT_EQ(after([](TpmPlan& p) { p.pcrs.erase(7); }), "tpm-pcr-digest");
  EXPECT_EQ(after_edit([](TpmMade& m) {
              TpmPlan other;
              other.pcrs[7] = Bytes(32, 8);
              set(m, "pcrs", other.pcr_list());
            }),
            "tpm-pcr-digest");
}

TEST(Tpm, Step71YieldsTheRootOfTheKeysCertificate) {
  AkChain chain;
  TpmPlan plan;
  plan.edit = [&](TpmMade& m) { chain.put(m); };
  const TpmMade made = plan.make();
  const EvidenceVerdict verdict = judge(made);
  ASSERT_EQ(error_of(verdict), "ok");
  EXPECT_EQ(verdict.evidence.root, hex(sha256(*made.root)));
  EXPECT_EQ(verdict.details.at("ak_trust").as_string(), "certificate");
  EXPECT_EQ(after_chain([](AkChain& c) { c.root_in_chain = false; }), "ok");
}

TEST(Tpm, Step71RejectsAChainThatLeadsElsewhere) {
  TpmPlan plan;
  plan.edit = [](TpmMade& m) {
    AkChain().put(m);
    m.root.reset();
  };
  EXPECT_EQ(error_of(judge(plan.make())), "tpm-untrusted-root");
  EXPECT_EQ(after_chain([](AkChain& c) { c.ca_signer = &test::shared_rsa_signer(1); }), "tpm-ak-chain");
  EXPECT_EQ(after_chain([](AkChain& c) { c.root_signer = &test::shared_rsa_signer(1); }), "tpm-ak-chain");
  EXPECT_EQ(after_chain([](AkChain& c) { c.leaf.issuer = "other"; }), "tpm-ak-chain");
  EXPECT_EQ(after_chain([](AkChain& c) { c.ca.extensions = test::leaf_extensions("ca", "root"); }), "tpm-ak-chain");
  EXPECT_EQ(after_chain([](AkChain& c) { c.leaf.extensions = test::ca_extensions("ak", "ca"); }), "tpm-ak-chain");
  EXPECT_EQ(after_chain([](AkChain& c) { c.leaf.extensions[1] = test::key_usage(false, false, true); }),
            "tpm-ak-chain");
  EXPECT_EQ(after_chain([](AkChain& c) { c.leaf.not_after = "20260101000000Z"; }), "tpm-certificate-expired");
  EXPECT_EQ(after_chain([](AkChain& c) { c.ca.not_before = "20270101000000Z"; }), "tpm-certificate-not-yet-valid");
  EXPECT_EQ(after_chain([](AkChain& c) { c.key = &test::shared_rsa_signer(1); }), "tpm-ak-mismatch");
}

TEST(Tpm, Step72ChecksAnEndorsementKeysCertificateAndTrustsNoKeyForIt) {
  const test::TestExtension usage{.oid = "2.5.29.37", .critical = false, .value = {0x30, 7, 6, 5, 0x67, 0x81, 5, 8, 1}};
  test::CertificateSpec ek{.subject = "ek", .issuer = "ekca", .extensions = {usage}};
  const test::CertificateSpec ca{
      .subject = "ekca", .issuer = "ekca", .extensions = test::ca_extensions("ekca", "ekca")};
  const Signer* issuer = &test::tpm_ec_key();
  const auto with = [&](auto&& change) {
    return after_edit([&](TpmMade& m) {
      set(m, "ek_cert", test::make_certificate(ek, test::shared_rsa_signer(1).spki(), *issuer));
      set(m, "ek_root", test::make_certificate(ca, test::tpm_ec_key().spki(), test::tpm_ec_key()));
      set(m, "ek_pub_pem", test::pem_public(test::shared_rsa_signer(1)));
      change(m);
    });
  };
  const auto nothing = [](TpmMade&) {};
  EXPECT_EQ(with(nothing), "ok");
  EXPECT_EQ(with([](TpmMade& m) { set(m, "ek_pub_pem", test::pem_public(test::shared_rsa_signer(0))); }),
            "tpm-ek-cert");
  EXPECT_EQ(with([](TpmMade& m) { set(m, "ek_cert", Bytes(4)); }), "tpm-ek-cert");
  issuer = &test::shared_rsa_signer(0);
  EXPECT_EQ(with(nothing), "tpm-ek-chain");
  issuer = &test::tpm_ec_key();
  ek.extensions.clear();
  EXPECT_EQ(with(nothing), "tpm-ek-cert");
  ek.extensions = {usage};
  ek.not_after = "20260101000000Z";
  EXPECT_EQ(with(nothing), "tpm-certificate-expired");
  ek.not_after = "20350101000000Z";
  ek.not_before = "20270101000000Z";
  EXPECT_EQ(with(nothing), "tpm-certificate-not-yet-valid");
}

TEST(Tpm, Step73RejectsWhatIsNoHclReport) {
  const Bytes data = test::hcl_runtime_data(test::shared_rsa_signer(0));
  const auto with = [&](const Bytes& report) { return after_edit([&](TpmMade& m) { set(m, "hcl_report", report); }); };
  const Bytes good = test::hcl_report(2, Bytes(1184), data);
  const auto changed = [&](std::size_t offset, std::uint8_t value) {
    Bytes out = good;
    out.at(offset) = value;
    return out;
  };
  constexpr std::size_t kIgvm = 32 + 1184;
  EXPECT_EQ(with({}), "tpm-hcl-parse");
  EXPECT_EQ(with(Bytes(ByteView(good).first(kIgvm).begin(), ByteView(good).first(kIgvm).end())), "tpm-hcl-parse");
  EXPECT_EQ(with(changed(0, 'h')), "tpm-hcl-parse");
  EXPECT_EQ(with(changed(kIgvm, 0)), "tpm-hcl-parse");          // sizes do not agree
  EXPECT_EQ(with(changed(kIgvm + 8, 3)), "tpm-hcl-parse");      // type
  EXPECT_EQ(with(changed(kIgvm + 12, 2)), "tpm-hcl-parse");     // hash
  EXPECT_EQ(with(changed(kIgvm + 19, 0xff)), "tpm-hcl-parse");  // larger than the report
  EXPECT_EQ(with(changed(good.size() - 1, 1)), "tpm-hcl-parse");
  EXPECT_EQ(with(test::hcl_report(4, Bytes(1184, 1), data)), "tpm-hcl-parse");  // a TDREPORT has 1,024
}

TEST(Tpm, Step74RejectsOtherRuntimeDataThanTheReports) {
  const Signer& key = test::shared_rsa_signer(0);
  const auto with = [&](auto&& change) {
    return after_edit([&](TpmMade& m) {
      test::with_hcl(SnpPlan(), key)(m);
      change(m);
    });
  };
  EXPECT_EQ(with([](TpmMade& m) { m.collateral["runtime_data_json"].push_back(' '); }), "tpm-runtime-data-binding");
  EXPECT_EQ(with([](TpmMade& m) { m.collateral["hcl_report"].at(32 + 1184 + 25) ^= 1; }), "tpm-runtime-data-binding");
  EXPECT_EQ(with([](TpmMade& m) { m.collateral["hcl_report"].at(32 + 0x50 + 63) = 1; }), "tpm-runtime-data-binding");
}

TEST(Tpm, Step75RejectsRuntimeDataWithAnotherKey) {
  EXPECT_EQ(after_edit(test::with_hcl(SnpPlan(), test::shared_rsa_signer(1))), "tpm-ak-mismatch");
  const auto with = [](std::string_view json) {
    return after_edit([&](TpmMade& m) {
      Bytes hardware(1184);
      std::ranges::copy(sha256(as_bytes(json)), hardware.begin() + 0x50);
      set(m, "hcl_report", test::hcl_report(2, hardware, as_bytes(json)));
    });
  };
  EXPECT_EQ(with("{"), "tpm-hcl-parse");
  EXPECT_EQ(with("{}"), "tpm-hcl-parse");
  EXPECT_EQ(with(R"({"keys":[]})"), "tpm-hcl-parse");
  EXPECT_EQ(with(R"({"keys":[1,{"kid":"HCLEkPub"}]})"), "tpm-hcl-parse");
  EXPECT_EQ(with(R"({"keys":[{"kid":"HCLAkPub"}]})"), "tpm-hcl-parse");
  EXPECT_EQ(with(R"({"keys":[{"kid":"HCLAkPub","n":"AQ==","e":"AQAB"}]})"), "tpm-hcl-parse");
  EXPECT_EQ(with(R"({"keys":[{"kid":"HCLAkPub","n":"AQAB","e":"AQAB"}]})"), "tpm-hcl-parse");
}

TEST(Tpm, Step76LetsTheProcessorVouchForTheKey) {
  const Signer& key = test::shared_rsa_signer(0);
  TpmPlan plan;
  plan.edit = test::with_hcl(SnpPlan(), key);
  const TpmMade made = plan.make();
  const EvidenceVerdict verdict = judge(made);
  ASSERT_EQ(error_of(verdict), "ok");
  EXPECT_EQ(verdict.details.at("ak_trust").as_string(), "hardware");
  EXPECT_EQ(verdict.evidence.root, hex(decode_pem_certificates(*made.root)->front().fingerprint()));
  EXPECT_EQ(error_with(made, R"({"ak_trust":"hardware","hcl_measurement":")" + hex(Bytes(48, 0x22)) + R"("})"), "ok");
  EXPECT_EQ(error_with(made, R"({"hcl_measurement":")" + hex(Bytes(48, 0x23)) + R"("})"), "tpm-measurement-mismatch");
}

TEST(Tpm, Step76RejectsAReportThatDoesNotVerifyOrIsNotTheParavisors) {
  const Signer& key = test::shared_rsa_signer(0);
  const auto with = [&](auto&& change) {
    return after_edit([&](TpmMade& m) {
      test::with_hcl(SnpPlan(), key)(m);
      change(m);
    });
  };
  EXPECT_EQ(with([](TpmMade& m) { set(m, "snp_report", Bytes(1184)); }), "tpm-hcl-report");
  EXPECT_EQ(with([](TpmMade& m) { m.collateral["hcl_report"].at(32 + 0x90) ^= 1; }), "sevsnp-report-signature");
  EXPECT_EQ(with([](TpmMade& m) { m.collateral.erase("vcek"); }), "tpm-missing-collateral");
  EXPECT_EQ(with([](TpmMade& m) { m.root.reset(); }), "sevsnp-untrusted-root");
  EXPECT_EQ(with([](TpmMade& m) { m.collateral.erase("snp_crl"); }), "ok");
  SnpPlan revoked;
  revoked.crl.serials = {{1, 0, 1}};
  EXPECT_EQ(after_edit(test::with_hcl(revoked, key)), "sevsnp-ask-revoked");
  SnpPlan guest;
  guest.put8(0x30, 2);
  EXPECT_EQ(after_edit(test::with_hcl(guest, key)), "tpm-hcl-report");
}

TEST(Tpm, Step76LeavesTheKeyUntrustedWhereOnlyDatesDoNotHold) {
  SnpPlan old;
  old.vek.not_after = "20260101000000Z";
  TpmPlan plan;
  plan.edit = test::with_hcl(old, test::shared_rsa_signer(0));
  const TpmMade made = plan.make();
  const EvidenceVerdict verdict = judge(made);
  ASSERT_EQ(error_of(verdict), "ok");
  EXPECT_EQ(verdict.details.at("ak_trust").as_string(), "given");
  EXPECT_EQ(verdict.evidence.root, "");
  EXPECT_EQ(error_with(made, R"({"ak_trust":"hardware"})"), "tpm-ak-not-trusted");
  TpmMade flipped = made;
  flipped.collateral["hcl_report"].at(32 + 0x90) ^= 1;
  EXPECT_EQ(error_of(judge(flipped)), "sevsnp-report-signature");
}

TEST(Tpm, Step77NeedsATdQuoteBesideATdReport) {
  const Bytes data = test::hcl_runtime_data(test::shared_rsa_signer(0));
  Bytes hardware(1024);
  std::ranges::copy(sha256(data), hardware.begin() + 0x80);
  const auto with = [&](auto&& change) {
    return after_edit([&](TpmMade& m) {
      set(m, "hcl_report", test::hcl_report(4, hardware, data));
      change(m);
    });
  };
  EXPECT_EQ(with([](TpmMade&) {}), "tpm-missing-collateral");
  EXPECT_EQ(with([](TpmMade& m) { set(m, "td_quote", Bytes(4000)); }), "tpm-td-quote-parse");
}

TEST(Tpm, Step8HoldsTheLogAgainstTheRegisters) {
  EXPECT_EQ(error_of(judge(with_log("boot", "boot").make())), "ok");
  EXPECT_EQ(error_of(judge(with_log("boot", "other").make())), "tpm-event-log");
  EXPECT_EQ(after_edit([](TpmMade& m) { set(m, "event_log", Bytes(9)); }), "tpm-event-log-parse");
  TpmPlan sha384 = with_log("boot", "boot");
  sha384.bank = "sha384";
  sha384.selections[0].hash = kTpmSha384;
  sha384.pcrs = {{0, Bytes(48)}, {7, Bytes(48)}};
  EXPECT_EQ(error_of(judge(sha384.make())), "tpm-event-log-parse");
  TpmPlan elsewhere;  // a register that the quote does not select
  elsewhere.edit = [](TpmMade& m) { set(m, "event_log", log_of("boot", 4)); };
  const EvidenceVerdict verdict = judge(elsewhere.make());
  ASSERT_EQ(error_of(verdict), "ok");
  EXPECT_TRUE(verdict.details.at("events").as_array().empty());
}

TEST(Tpm, Step9HoldsEachRequirementAgainstTheQuote) {
  const TpmMade good = TpmPlan().make();
  const auto pcr = [](const char* index, std::uint8_t value) {
    return R"({"pcrs":{")" + std::string(index) + R"(":")" + hex(Bytes(32, value)) + R"("}})";
  };
  EXPECT_EQ(error_with(good, R"({"nonce":")" + hex(Bytes(32, 0x42)) + R"("})"), "ok");
  EXPECT_EQ(error_with(good, R"({"nonce":")" + hex(Bytes(32, 0x43)) + R"("})"), "tpm-nonce-mismatch");
  EXPECT_EQ(error_with(good, R"({"nonce":")" + hex(Bytes(31, 0x42)) + R"("})"), "tpm-nonce-mismatch");
  EXPECT_EQ(error_with(good, pcr("7", 7)), "ok");
  EXPECT_EQ(error_with(good, pcr("7", 8)), "tpm-measurement-mismatch");
  EXPECT_EQ(error_with(good, pcr("8", 0)), "tpm-measurement-mismatch");
  EXPECT_EQ(error_with(good, R"({"ak_trust":"certificate"})"), "tpm-ak-not-trusted");
  EXPECT_EQ(error_with(good, R"({"hcl_measurement":")" + hex(Bytes(48)) + R"("})"), "tpm-measurement-mismatch");
}

TEST(Tpm, ARegisterThatWasNotQuotedIsNoMeasurement) {
  TpmPlan plan;
  plan.edit = [](TpmMade& m) {
    TpmPlan more;
    more.pcrs[8] = Bytes(32, 8);
    set(m, "pcrs", more.pcr_list());
  };
  EXPECT_EQ(error_of(judge(plan.make())), "ok");
  EXPECT_EQ(error_with(plan.make(), R"({"pcrs":{"8":")" + hex(Bytes(32, 8)) + R"("}})"), "tpm-measurement-mismatch");
}

TEST(Tpm, Step9PinsEventsThatALogProves) {
  const TpmMade made = with_log("boot", "boot").make();
  const std::string head = R"({"events":[{"pcr":7,"type":"EV_EFI_ACTION",)";
  EXPECT_EQ(error_with(made, head + R"("name":"boot"}]})"), "ok");
  EXPECT_EQ(error_with(made, head + R"("digest":")" + hex(sha256(as_bytes("boot"))) + R"("}]})"), "ok");
  EXPECT_EQ(error_with(made, head + R"("name":"other"}]})"), "tpm-event-missing");
  EXPECT_EQ(error_with(made, head + R"("digest":")" + hex(sha256(as_bytes("x"))) + R"("}]})"), "tpm-event-missing");
  EXPECT_EQ(error_with(made, R"({"events":[{"pcr":4,"type":"EV_EFI_ACTION","name":"boot"}]})"), "tpm-event-missing");
  EXPECT_EQ(error_with(TpmPlan().make(), head + R"("name":"boot"}]})"), "tpm-event-missing");  // no log
}

TEST(Tpm, RequirementsThatAreNotOursAreNotIgnored) {
  for (const char* text :
       {"[]", "null", R"({"nonces":"00"})", R"({"nonce":1})", R"({"nonce":"0"})", R"({"pcrs":[]})",
        R"({"pcrs":{"32":"00"}})", R"({"pcrs":{"1":1}})", R"({"events":{}})", R"({"events":[1]})",
        R"({"events":[{"pcr":1,"type":"EV_IPL"}]})", R"({"events":[{"pcr":1,"name":"x"}]})",
        R"({"events":[{"pcr":1,"type":"EV_IPL","digest":"xx"}]})", R"({"events":[{"pcr":1,"type":"EV_IPL","name":1}]})",
        R"({"events":[{"pcr":1,"type":"EV_IPL","name":"x","more":1}]})", R"({"ak_trust":"given"})",
        R"({"hcl_measurement":"00"})"}) {
    EXPECT_EQ(error_with(TpmPlan().make(), text), "tpm-requirements") << text;
  }
  EXPECT_EQ(error_with(TpmPlan().make(), R"({"nonce":")" + std::string(130, '0') + R"("})"), "tpm-requirements");
}

TEST(Tpm, NoMutationIsAccepted) {
  TpmPlan plan = with_log("boot", "boot");
  const TpmMade good = plan.make();
  std::mt19937 random(2);
  for (int round = 0; round < 600; ++round) {
    TpmMade made = good;
    Bytes& target = round % 2 == 0 ? made.quote : made.collateral["signature"];
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
    if (target != before) EXPECT_NE(error_of(judge(made)), "ok") << round << " " << at;
  }
}

TEST(TpmPublic, ReadsRsaAndEcKeysAndTheirNames) {
  for (const Signer* signer : {&test::shared_rsa_signer(0), &test::tpm_ec_key()}) {
    const Bytes bytes = test::tpmt_public(*signer);
    const auto decoded = decode_tpmt_public(bytes);
    ASSERT_TRUE(decoded) << decoded.error().to_string();
    EXPECT_EQ(decoded->key.spki(), signer->spki());
    EXPECT_EQ(decoded->name, concat(Bytes{0, 0xb}, sha256(bytes)));
    EXPECT_TRUE(is_attestation_key(*decoded));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_tpmt_public(ByteView(bytes).first(size))) << size;
    }
    EXPECT_FALSE(decode_tpmt_public(concat(bytes, Bytes(1))));
    EXPECT_FALSE(decode_tpm2b_public(concat(test::tpm2b(bytes), Bytes(1))));
  }
}

TEST(TpmPublic, RejectsWhatIsNoSigningKey) {
  const Bytes rsa = test::tpmt_public(test::shared_rsa_signer(0));
  const Bytes ec = test::tpmt_public(test::tpm_ec_key());
  const auto changed = [](Bytes bytes, std::size_t offset, std::uint8_t value) {
    bytes.at(offset) = value;
    return bytes;
  };
  EXPECT_FALSE(decode_tpmt_public(changed(rsa, 1, 8)));     // keyed hash
  EXPECT_FALSE(decode_tpmt_public(changed(rsa, 3, 4)));     // name by SHA-1
  EXPECT_FALSE(decode_tpmt_public(changed(rsa, 11, 6)));    // symmetric: AES
  EXPECT_FALSE(decode_tpmt_public(changed(rsa, 17, 1)));    // another size than the modulus
  EXPECT_FALSE(decode_tpmt_public(changed(ec, 17, 0x20)));  // a curve that is not ours
  EXPECT_FALSE(decode_tpmt_public(changed(ec, 19, 0x12)));  // a key derivation
  EXPECT_FALSE(decode_tpmt_public(changed(ec, ec.size() - 1, static_cast<std::uint8_t>(ec.back() ^ 1))));
}

}  // namespace
}  // namespace eml

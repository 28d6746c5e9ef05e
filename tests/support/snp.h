// A test-only issuer of AMD's part: chains, revocation lists and signed reports of invented machines under a root of
// its own. A test takes a good SnpPlan, changes one thing in it, and has exactly that thing wrong.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "attestation/judge.h"
#include "attestation/sevsnp/sevsnp.h"
#include "base/bytes.h"
#include "tests/support/signer.h"

namespace eml::test {

// SnpMade is what a verifier gets.
struct SnpMade {
  Bytes report;
  Collateral collateral;
  Bytes root;  // PEM of the ARK
};

inline Bytes der_small(std::uint8_t value) { return value < 128 ? Bytes{2, 1, value} : Bytes{2, 2, 0, value}; }
inline Bytes der_ia5(std::string_view text) {
  return concat(Bytes{0x16, static_cast<std::uint8_t>(text.size())}, as_bytes(text));
}

// The signers are made once in a process.
inline const Signer& snp_ark_key() { return shared_rsa_signer(0); }
inline const Signer& snp_ask_key() { return shared_rsa_signer(1); }
inline const Signer& snp_vek_key() {
  static const Signer key(TestKey::kP384);
  return key;
}

struct SnpPlan {
  static constexpr UnixSeconds kTime = 1780272000;  // 2026-06-01

  // A good Milan report of version 3 under a VCEK; or of another product, or under a VLEK.
  explicit SnpPlan(SnpProduct made_for = SnpProduct::kMilan, SnpKeyKind made_under = SnpKeyKind::kVcek)
      : product(made_for), kind(made_under) {
    const std::string name(to_string(product));
    ark.subject = ark.issuer = "ARK-" + name;
    ask.subject = (kind == SnpKeyKind::kVcek ? "SEV-" : "SEV-VLEK-") + name;
    ask.issuer = ark.subject;
    vek.subject = kind == SnpKeyKind::kVcek ? "SEV-VCEK" : "SEV-VLEK";
    vek.issuer = ask.subject;
    for (CertificateSpec* spec : {&ark, &ask, &vek}) {
      spec->hash = 384;
      spec->padding = TestPadding::kPss;
    }
    ask.serial = {1, 0, 1};
    ark.extensions = {basic_constraints(true), key_usage(false, true, true)};
    ask.extensions = {basic_constraints(true, 0), key_usage(false, true, true)};
    crl.issuer = ark.subject;
    crl.hash = 384;
    crl.padding = TestPadding::kPss;
    fill_extensions(name);
    fill_report();
  }

  SnpProduct product;
  SnpKeyKind kind;
  CertificateSpec ark, ask, vek;
  Bytes made_ark;  // DER of an earlier one (PSS makes another each time); empty: made from `ark`
  std::map<std::string, Bytes> vek_extensions;  // by what follows 1.3.6.1.4.1.3704.1.
  CrlSpec crl;
  Bytes report = Bytes(kSnpReportBytes);   // signed by make()
  const Signer* vek_key = &snp_vek_key();  // in the certificate
  const Signer* report_signer = &snp_vek_key();
  const Signer* vek_issuer = &snp_ask_key();
  const Signer* ask_issuer = &snp_ark_key();
  const Signer* crl_issuer = &snp_ark_key();
  std::function<void(Bytes& report)> after_signing = [](Bytes&) {};
  std::function<void(SnpMade&)> edit = [](SnpMade&) {};

  void put(std::size_t offset, ByteView bytes) { std::ranges::copy(bytes, report.begin() + static_cast<long>(offset)); }
  void put8(std::size_t offset, std::uint8_t value) { report.at(offset) = value; }
  // put_tcb writes one TCB into all four places and into the VEK.
  void put_tcb(const SnpTcbBytes& tcb) {
    for (const std::size_t offset : {0x38U, 0x180U, 0x1e0U, 0x1f0U}) put(offset, tcb);
    const SnpTcb named = decode_snp_tcb(product, tcb);
    vek_extensions["3.1"] = der_small(named.bootloader);
    vek_extensions["3.2"] = der_small(named.tee);
    vek_extensions["3.3"] = der_small(named.snp);
    vek_extensions["3.8"] = der_small(named.microcode);
    if (product == SnpProduct::kTurin) vek_extensions["3.9"] = der_small(named.fmc);
  }

  Bytes signed_report() const {
    Bytes out = report;
    const Bytes raw = report_signer->sign_raw(ByteView(report).first(kSnpSignedBytes), 384);
    std::reverse_copy(raw.begin(), raw.begin() + 48, out.begin() + 0x2a0);
    std::reverse_copy(raw.begin() + 48, raw.end(), out.begin() + 0x2e8);
    after_signing(out);
    return out;
  }

  SnpMade make() const {
    const Bytes ark_der = made_ark.empty() ? make_certificate(ark, snp_ark_key().spki(), snp_ark_key()) : made_ark;
    const Bytes ask_der = make_certificate(ask, snp_ask_key().spki(), *ask_issuer);
    CertificateSpec vek_spec = vek;
    for (const auto& [oid, value] : vek_extensions) {
      vek_spec.extensions.push_back({.oid = "1.3.6.1.4.1.3704.1." + oid, .critical = false, .value = value});
    }
    SnpMade out;
    out.report = signed_report();
    out.root = to_bytes(std::string_view(pem_certificate(ark_der)));
    out.collateral["vek"] = make_certificate(vek_spec, vek_key->spki(), *vek_issuer);
    out.collateral["ca_chain"] = to_bytes(std::string_view(pem_certificate(ask_der) + pem_certificate(ark_der)));
    out.collateral["crl"] = make_crl(crl, *crl_issuer);
    edit(out);
    return out;
  }

 private:
  void fill_extensions(const std::string& name) {
    vek_extensions["1"] = der_small(0);
    vek_extensions["2"] = der_ia5(kind == SnpKeyKind::kVcek && product == SnpProduct::kMilan ? "Milan-B0" : name);
    for (const char* spare : {"3.4", "3.5", "3.6", "3.7"}) vek_extensions[spare] = der_small(0);
    if (kind == SnpKeyKind::kVlek) {
      vek_extensions["5"] = der_ia5("CN=cloud.example");
    } else {
      vek_extensions["4"] = Bytes(product == SnpProduct::kTurin ? 8 : 64, 0xab);
    }
  }

  void fill_report() {
    put8(0, 3);
    put8(8 + 2, 2);  // policy bit 17
    put8(0x34, 1);
    if (kind == SnpKeyKind::kVlek) put8(0x48, 4);
    put(0x50, Bytes(64, 0x11));
    put(0x90, Bytes(48, 0x22));
    put(0xc0, Bytes(32, 0x33));
    if (kind == SnpKeyKind::kVcek) put(0x1a0, vek_extensions["4"]);
    put8(0x188, product == SnpProduct::kTurin ? 0x1a : 0x19);
    put8(0x189, product == SnpProduct::kGenoa ? 0x11 : 0x01);
    put(0x1e8, Bytes{5, 55, 1, 0, 5, 55, 1, 0});
    put_tcb(product == SnpProduct::kTurin ? SnpTcbBytes{1, 4, 2, 24, 0, 0, 0, 219}
                                          : SnpTcbBytes{4, 2, 0, 0, 0, 0, 24, 219});
  }
};

}  // namespace eml::test

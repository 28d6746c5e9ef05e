// A test-only issuer of Intel's part: keys, certificates, revocation lists, signed collateral and quotes of invented
// machines under a root of its own. A test takes a good Plan, changes one thing in it, and has exactly that thing
// wrong.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attestation/judge.h"
#include "attestation/tdx/quote.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "encoding/json.h"

namespace eml::test::dcap {

// EcKey is a fresh key on P-256.
class EcKey {
 public:
  EcKey();
  ~EcKey();
  EcKey(EcKey&&) noexcept;
  EcKey& operator=(EcKey&&) noexcept;

  Bytes spki() const;                      // DER
  Bytes point() const;                     // x || y
  Bytes sign_der(ByteView message) const;  // ECDSA with SHA-256
  Bytes sign_raw(ByteView message) const;  // r || s

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct CertificateSpec {
  std::string name;    // common name of the subject
  std::string issuer;  // of the issuer
  const EcKey* key = nullptr;
  const EcKey* issuer_key = nullptr;
  std::uint64_t serial = 0;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  std::optional<unsigned> ca_path_length;  // nothing: no CA
  std::optional<Bytes> sgx_extension;      // contents of the SGX extension
};
Bytes make_certificate(const CertificateSpec& spec);  // DER
std::string to_pem(ByteView certificate);

struct CrlSpec {
  std::string issuer;
  const EcKey* issuer_key = nullptr;
  UnixSeconds this_update = 0;
  std::optional<UnixSeconds> next_update;
  std::vector<std::uint64_t> revoked;  // serials
  bool with_number = true;
  bool with_key_identifier = true;
};
Bytes make_crl(const CrlSpec& spec);  // DER

// PckSpec is what the SGX extension says.
struct PckSpec {
  Bytes ppid = Bytes(16, 0xab);
  ByteArray<16> components{};
  std::uint16_t pcesvn = 0;
  Bytes pceid = Bytes(2, 0);
  Bytes fmspc = {0xaa, 0xbb, 0xcc, 0, 0, 0};
};
Bytes make_sgx_extension(const PckSpec& spec);

// Made is what a verifier gets.
struct Made {
  Bytes quote;
  Collateral collateral;
  Bytes root;  // DER
};

// Plan is everything that decides what is made. Default: a good version 4 quote of a trust domain, UpToDate at kTime.
struct Plan {
  Plan();

  std::uint16_t version = 4;
  tdx::BodyType body = tdx::BodyType::kTd10;
  std::uint16_t attestation_key_type = 2;
  std::optional<std::uint32_t> tee_type;       // of the header, where it should not be the body's
  std::optional<std::uint16_t> body_type;      // version 5's, likewise
  std::optional<std::uint32_t> body_size;      // likewise
  std::uint8_t vendor_first_byte = 0x93;       // of the QE vendor id
  std::uint16_t outer_certification_type = 6;  // versions 4 and 5
  std::uint16_t certification_type = 5;
  tdx::TdReport td;
  tdx::EnclaveReport enclave;
  tdx::EnclaveReport qe;
  Bytes auth_data = Bytes(32, 0x11);
  std::optional<Bytes> attestation_key;  // x || y, where it should not be the signer's
  std::optional<Bytes> qe_report_data;   // where it should not be the binding
  Bytes padding;                         // after the quote

  bool processor_ca = false;  // else a Platform CA issues the PCK
  PckSpec pck;
  bool with_sgx_extension = true;
  Bytes made_root;  // DER of an earlier one (ECDSA makes another each time); empty: made from `root_certificate`
  CertificateSpec root_certificate, ca_certificate, pck_certificate, tcb_certificate;
  CrlSpec root_crl, pck_crl;
  JsonObject tcb_info, qe_identity;  // the signed objects
  const EcKey* tcb_info_signer = nullptr;
  const EcKey* qe_identity_signer = nullptr;
  const EcKey* qe_report_signer = nullptr;
  const EcKey* quote_signer = nullptr;
  // The certificates in the quote and in tcb_signing_chain, changed before they are written.
  std::function<void(std::vector<std::string>&)> edit_pck_chain = [](auto&) {};
  std::function<void(std::vector<std::string>&)> edit_tcb_chain = [](auto&) {};

  // for_sgx makes it a good quote of an enclave, with collateral for SGX.
  void for_sgx(std::uint16_t version_of_quote);
  // for_td15 makes it a version 5 quote with a TD report 1.5.
  void for_td15();
  Made make() const;
};

const EcKey& key(const std::string& name);  // one key for each name, in this process
UnixSeconds time();                         // at which a good plan is good: 2026-06-01
JsonObject platform_level(const ByteArray<16>& sgx, std::uint16_t pcesvn, const ByteArray<16>& tdx,
                          std::string_view status, const std::vector<std::string>& advisories = {});
JsonObject svn_level(std::uint16_t isvsvn, std::string_view status, const std::vector<std::string>& advisories = {});

}  // namespace eml::test::dcap

// Kind `tpm`: TPM 2.0 quotes, alone, with a certificate of the key, or with the TEE of an Azure machine behind them.
// Never production.
// Source: docs/spec/evidence/tpm.md; TCG TPM 2.0 Library, Parts 1 to 3.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attestation/judge.h"
#include "attestation/tpm/event_log.h"
#include "attestation/tpm/hcl_report.h"
#include "attestation/tpm/structures.h"
#include "crypto/x509.h"

namespace eml {

inline constexpr ErrorCode kTpmRequirements{ErrorClass::kMalformed, "tpm-requirements"};
inline constexpr ErrorCode kTpmRootParse{ErrorClass::kMalformed, "tpm-root-parse"};
inline constexpr ErrorCode kTpmMissingCollateral{ErrorClass::kRejected, "tpm-missing-collateral"};
inline constexpr ErrorCode kTpmPcrsParse{ErrorClass::kMalformed, "tpm-pcrs-parse"};
inline constexpr ErrorCode kTpmAkMismatch{ErrorClass::kUnauthentic, "tpm-ak-mismatch"};
inline constexpr ErrorCode kTpmAkAttributes{ErrorClass::kUnauthentic, "tpm-ak-attributes"};
inline constexpr ErrorCode kTpmAkName{ErrorClass::kUnauthentic, "tpm-ak-name"};
inline constexpr ErrorCode kTpmPcrSelection{ErrorClass::kRejected, "tpm-pcr-selection"};
inline constexpr ErrorCode kTpmPcrBank{ErrorClass::kRejected, "tpm-pcr-bank"};
inline constexpr ErrorCode kTpmPcrDigest{ErrorClass::kUnauthentic, "tpm-pcr-digest"};
inline constexpr ErrorCode kTpmUntrustedRoot{ErrorClass::kUnauthentic, "tpm-untrusted-root"};
inline constexpr ErrorCode kTpmAkChain{ErrorClass::kUnauthentic, "tpm-ak-chain"};
inline constexpr ErrorCode kTpmEkCert{ErrorClass::kUnauthentic, "tpm-ek-cert"};
inline constexpr ErrorCode kTpmEkChain{ErrorClass::kUnauthentic, "tpm-ek-chain"};
inline constexpr ErrorCode kTpmCertificateExpired{ErrorClass::kRejected, "tpm-certificate-expired"};
inline constexpr ErrorCode kTpmCertificateNotYetValid{ErrorClass::kRejected, "tpm-certificate-not-yet-valid"};
inline constexpr ErrorCode kTpmHclReport{ErrorClass::kUnauthentic, "tpm-hcl-report"};
inline constexpr ErrorCode kTpmEventLogParse{ErrorClass::kMalformed, "tpm-event-log-parse"};
inline constexpr ErrorCode kTpmEventLog{ErrorClass::kUnauthentic, "tpm-event-log"};
inline constexpr ErrorCode kTpmNonceMismatch{ErrorClass::kRejected, "tpm-nonce-mismatch"};
inline constexpr ErrorCode kTpmMeasurementMismatch{ErrorClass::kRejected, "tpm-measurement-mismatch"};
inline constexpr ErrorCode kTpmEventMissing{ErrorClass::kRejected, "tpm-event-missing"};
inline constexpr ErrorCode kTpmAkNotTrusted{ErrorClass::kRejected, "tpm-ak-not-trusted"};

// PcrBank is the list of values beside a quote: what the quote's digest is of.
struct PcrBank {
  std::uint16_t hash = 0;  // TPM_ALG_ID
  std::map<unsigned, Bytes> pcrs;
};

// decode_pcr_bank reads {"hash": name, "pcrs": {"0": hex, ...}}, each value of the hash's size. kTpmPcrsParse.
Result<PcrBank> decode_pcr_bank(ByteView json);

// expect_pcrs is step 6: one bank, the list's own; and the quote's digest is that of the selected values.
// kTpmPcrSelection, kTpmPcrBank, kTpmPcrDigest.
Status expect_pcrs(const TpmQuote& quote, std::uint16_t signature_hash, const PcrBank& bank);

// tpm_pinned_roots are the SHA-256 of the roots that certify attestation keys: Google's and Azure's.
std::span<const Hash32> tpm_pinned_roots();

// verify_ak_chain is step 7.1: chain[0] is an attestation key's certificate, and leads to a root in `roots`, which the
// chain has at its end or `known_roots` holds. It returns the root's fingerprint.
// kTpmUntrustedRoot, kTpmAkChain, kTpmCertificateExpired, kTpmCertificateNotYetValid.
Result<Hash32> verify_ak_chain(std::span<const Certificate> chain, std::span<const Hash32> roots,
                               std::span<const Certificate> known_roots, UnixSeconds time);

// EkCertificates are an endorsement key's certificate and what is above it; ek_root is the collateral's own.
struct EkCertificates {
  Certificate ek;
  std::vector<Certificate> above;  // issuer first, root last
};

// verify_ek_chain is step 7.2, without the key. kTpmEkCert, kTpmEkChain, and the two of dates.
Status verify_ek_chain(const EkCertificates& certificates, UnixSeconds time);

struct TpmEventRequirement {
  std::uint32_t pcr = 0;
  std::string type;
  std::optional<Bytes> digest;
  std::optional<std::string> name;
};

// TpmRequirements are section 6 of the page; what is absent is not judged.
struct TpmRequirements {
  std::optional<Bytes> nonce;
  std::map<unsigned, Bytes> pcrs;
  std::vector<TpmEventRequirement> events;
  std::optional<std::string> ak_trust;   // "certificate" or "hardware"
  std::optional<Bytes> hcl_measurement;  // of the TEE that vouches for the key
};

// decode_tpm_requirements: kTpmRequirements. A null pointer is the empty object.
Result<TpmRequirements> decode_tpm_requirements(const Json* json);

}  // namespace eml

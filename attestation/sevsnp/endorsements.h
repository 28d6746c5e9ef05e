// SnpEndorsements are AMD's certificates beside a report: VCEK or VLEK, ASK or ASVK, ARK, and the ARK's revocation
// list. VerifiedVek is the key at their end, once they lead to a pinned ARK.
// Source: AMD 57230 (VCEK and KDS), AMD 58369 (VLEK); docs/spec/evidence/sevsnp.md, sections 2 and 3.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attestation/sevsnp/report.h"
#include "base/clock.h"
#include "crypto/x509.h"

namespace eml {

inline constexpr ErrorCode kSnpMissingCollateral{ErrorClass::kRejected, "sevsnp-missing-collateral"};
inline constexpr ErrorCode kSnpVekParse{ErrorClass::kMalformed, "sevsnp-vek-parse"};
inline constexpr ErrorCode kSnpChainParse{ErrorClass::kMalformed, "sevsnp-chain-parse"};
inline constexpr ErrorCode kSnpCrlParse{ErrorClass::kMalformed, "sevsnp-crl-parse"};
inline constexpr ErrorCode kSnpUntrustedRoot{ErrorClass::kUnauthentic, "sevsnp-untrusted-root"};
inline constexpr ErrorCode kSnpVekChain{ErrorClass::kUnauthentic, "sevsnp-vek-chain"};
inline constexpr ErrorCode kSnpVekSignature{ErrorClass::kUnauthentic, "sevsnp-vek-signature"};
inline constexpr ErrorCode kSnpCertificateExpired{ErrorClass::kRejected, "sevsnp-certificate-expired"};
inline constexpr ErrorCode kSnpCertificateNotYetValid{ErrorClass::kRejected, "sevsnp-certificate-not-yet-valid"};
inline constexpr ErrorCode kSnpVekExtensions{ErrorClass::kMalformed, "sevsnp-vek-extensions"};
inline constexpr ErrorCode kSnpCrlSignature{ErrorClass::kUnauthentic, "sevsnp-crl-signature"};
inline constexpr ErrorCode kSnpCrlNotYetValid{ErrorClass::kRejected, "sevsnp-crl-not-yet-valid"};
inline constexpr ErrorCode kSnpCrlExpired{ErrorClass::kRejected, "sevsnp-crl-expired"};
inline constexpr ErrorCode kSnpAskRevoked{ErrorClass::kRejected, "sevsnp-ask-revoked"};

enum class SnpKeyKind : std::uint8_t { kVcek, kVlek };

// VekExtensions are the values under 1.3.6.1.4.1.3704.1 of a VCEK or VLEK.
struct VekExtensions {
  std::uint8_t struct_version = 0;
  std::string product_name;  // "Milan-B0", "Genoa", "Turin"
  SnpTcb tcb;
  Bytes hw_id;         // VCEK: 64 bytes, Turin 8; VLEK: empty
  std::string csp_id;  // VLEK: the cloud's name; else empty
};

// decode_vek_extensions: kSnpVekExtensions.
Result<VekExtensions> decode_vek_extensions(const Certificate& vek, SnpProduct product, SnpKeyKind kind);

struct SnpEndorsements {
  Certificate vek;
  std::vector<Certificate> ca_chain;  // as KDS orders them: ASK or ASVK, ARK
};

// decode_snp_endorsements reads DER and PEM. kSnpVekParse, kSnpChainParse.
Result<SnpEndorsements> decode_snp_endorsements(ByteView vek_der, ByteView ca_chain_pem);

// snp_pinned_roots are the SHA-256 of AMD's three ARKs.
std::span<const Hash32> snp_pinned_roots();

struct VerifiedVek {
  SnpProduct product = SnpProduct::kMilan;
  SnpKeyKind kind = SnpKeyKind::kVcek;
  VekExtensions extensions;
  Certificate certificate;
  Certificate ask;  // or ASVK
  Certificate ark;
};

// verify_snp_endorsements is steps 3 to 5: the VEK is one of AMD's under an ARK of `roots` at T.
// Errors: those above from kSnpUntrustedRoot to kSnpVekExtensions, in that order.
Result<VerifiedVek> verify_snp_endorsements(const SnpEndorsements& endorsements, std::span<const Hash32> roots,
                                            UnixSeconds time);

// verify_snp_revocation is step 6: `crl_der` is the ARK's list, in date at T, and the ASK or ASVK is not on it.
// kSnpCrlParse, kSnpCrlSignature, kSnpCrlNotYetValid, kSnpCrlExpired, kSnpAskRevoked.
Status verify_snp_revocation(const VerifiedVek& vek, ByteView crl_der, UnixSeconds time);

}  // namespace eml

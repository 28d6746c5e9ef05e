// Kind `nitro`: the attestation document of an AWS Nitro Enclave, verified up to the pinned root of AWS.
// Source: docs/spec/evidence/nitro.md, section 3 (steps 5 to 8) and 5.
#pragma once

#include <cstddef>

#include "attestation/binding.h"
#include "attestation/kind.h"
#include "attestation/nitro/document.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kNitroCoseSignature{ErrorClass::kUnauthentic, "nitro-cose-signature"};
inline constexpr ErrorCode kNitroUntrustedRoot{ErrorClass::kUnauthentic, "nitro-untrusted-root"};
inline constexpr ErrorCode kNitroCertChain{ErrorClass::kUnauthentic, "nitro-cert-chain"};
inline constexpr ErrorCode kNitroCertificateExpired{ErrorClass::kRejected, "nitro-certificate-expired"};
inline constexpr ErrorCode kNitroCertificateNotYetValid{ErrorClass::kRejected, "nitro-certificate-not-yet-valid"};
inline constexpr ErrorCode kNitroBindingMismatch{ErrorClass::kUnauthentic, "nitro-binding-mismatch"};

// nitro_root is the SHA-256 of the DER of AWS's root G1, the only one that is built in.
Hash32 nitro_root();

// VerifiedNitroDocument is genuine: signed by a security module whose key chains to `root` at the time that was given.
class VerifiedNitroDocument {
 public:
  // verify: kNitroCoseSignature, kNitroUntrustedRoot, kNitroCertChain, kNitroCertificateExpired,
  // kNitroCertificateNotYetValid, in this order. `root` is the SHA-256 of the one root certificate that is trusted.
  static Result<VerifiedNitroDocument> verify(const UnverifiedNitroDocument& unverified, const Hash32& root,
                                              UnixSeconds time);

  const NitroDocument& document() const { return document_; }
  const Hash32& root() const { return root_; }
  bool debug() const;  // PCR0 to PCR2 are all zero, or not there

  // evidence is what the appraisal sees: signed value user_data (empty if null), measurements pcr0 to pcr2, platform
  // identity from PCR3, 4 and 8.
  VerifiedEvidence evidence() const;

 private:
  NitroDocument document_;
  Hash32 root_{};
};

// check_nitro_binding compares nonce and public_key with what a binding of ours puts there: the challenge or null, and
// the receipt key for serving or null for a release. (user_data is the signed value, compared by the bundle's check.)
// kNitroBindingMismatch otherwise.
// Source: docs/spec/evidence.md, section 3.
Status check_nitro_binding(const VerifiedNitroDocument& verified, const Binding& binding);

}  // namespace eml

// A Confidential Space attestation token: a compact JWS by Google's attestation verifier. Decode is "well formed";
// verify is "signed by a key that we trust, at this time"; what it says is judged in requirements.h.
// Source: docs/spec/evidence/confidential_space.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/jose/jws.h"

namespace eml::confidential_space {

// Names are "confidential-space-CLASS"; the page lists which step gives which.
inline constexpr ErrorCode kParse{ErrorClass::kMalformed, "confidential-space-parse"};
inline constexpr ErrorCode kAlgorithm{ErrorClass::kUnsupported, "confidential-space-algorithm"};
inline constexpr ErrorCode kSignature{ErrorClass::kUnauthentic, "confidential-space-jws-signature"};
inline constexpr ErrorCode kX5cChain{ErrorClass::kUnauthentic, "confidential-space-x5c-chain"};
inline constexpr ErrorCode kUntrustedRoot{ErrorClass::kUnauthentic, "confidential-space-untrusted-root"};
inline constexpr ErrorCode kCertificateExpired{ErrorClass::kRejected, "confidential-space-certificate-expired"};
inline constexpr ErrorCode kCertificateNotYetValid{ErrorClass::kRejected,
                                                   "confidential-space-certificate-not-yet-valid"};
inline constexpr ErrorCode kMissingCollateral{ErrorClass::kUnavailable, "confidential-space-missing-collateral"};
inline constexpr ErrorCode kUnknownKid{ErrorClass::kUnauthentic, "confidential-space-unknown-kid"};

// UnverifiedToken is a decoded token; nothing in it may decide anything yet.
class UnverifiedToken {
 public:
  // decode is steps 1.1 to 1.4 of the page: kParse, kAlgorithm, kSignature (the header brings a key), kX5cChain.
  static Result<UnverifiedToken> decode(ByteView token);

  bool is_pki() const { return jws_.header.get_object().contains("x5c"); }
  const std::optional<std::string>& kid() const { return jws_.kid; }
  const Jws& jws() const { return jws_; }
  // claims is what the token says of itself; null if its payload is no strict JSON object.
  const Json& claims() const { return jws_.payload; }

 private:
  explicit UnverifiedToken(Jws jws) : jws_(std::move(jws)) {}
  Jws jws_;
};

// Anchors are what the verifier trusts. A PKI token needs `root`; an OIDC token needs `keys`.
struct Anchors {
  Hash32 root{};             // SHA-256 of the root certificate
  std::optional<Jwks> keys;  // nothing: there is no key set
  Hash32 keys_hash{};        // SHA-256 of the key set's bytes
};

// VerifiedToken has a good signature up to an anchor. Its times and claims are still to be judged.
struct VerifiedToken {
  JsonObject claims;
  bool is_pki = false;
  std::string root;  // hex of the root certificate's SHA-256, or of the key set's
};

// verify_key finds the key that the token must be signed with, steps 2.1 to 2.5: kX5cChain, kUntrustedRoot,
// kCertificateExpired, kCertificateNotYetValid; kMissingCollateral, kUnknownKid.
Result<PublicKey> verify_key(const UnverifiedToken& token, const Anchors& anchors, UnixSeconds time);

// verify is steps 3 and 4: kSignature, kAlgorithm (a key of another kind), kParse (the payload).
Result<VerifiedToken> verify(const UnverifiedToken& token, const PublicKey& key, const Anchors& anchors);

}  // namespace eml::confidential_space

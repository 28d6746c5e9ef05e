// Certificate, RevocationList and verify_chain: X.509 as the verifiers of evidence need it (RFC 5280), from bytes to a
// chain that ends in one given root at one given time. No store of the machine's, no clock, no network.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/public_key.h"

namespace eml {

inline constexpr ErrorCode kCertificateMalformed{ErrorClass::kMalformed, "certificate-malformed"};
inline constexpr ErrorCode kCertificatesTooMany{ErrorClass::kLimit, "certificates-too-many"};
inline constexpr ErrorCode kCrlMalformed{ErrorClass::kMalformed, "crl-malformed"};
inline constexpr ErrorCode kChainNotTrusted{ErrorClass::kUnauthentic, "chain-not-trusted"};  // another root
inline constexpr ErrorCode kChainInvalid{ErrorClass::kUnauthentic,
                                         "chain-invalid"};  // names, constraints, critical extension
inline constexpr ErrorCode kChainSignature{ErrorClass::kUnauthentic, "chain-signature"};  // integer: place in the chain
inline constexpr ErrorCode kChainExpired{ErrorClass::kRejected, "chain-expired"};
inline constexpr ErrorCode kChainNotYetValid{ErrorClass::kRejected, "chain-not-yet-valid"};

inline constexpr std::size_t kCertificateBytesMax = 16 * 1024;
inline constexpr std::size_t kChainCertificatesMax = 10;  // the longest genuine one (Nitro) has 5

// KeyUsage: presence, and the bits that our procedures ask for.
struct KeyUsage {
  bool present = false;
  bool digital_signature = false;
  bool key_cert_sign = false;
  bool crl_sign = false;
};

// Certificate is decoded, immutable and shared; decoding it says nothing about who signed it.
class Certificate {
 public:
  // decode_der consumes all of `der`; kCertificateMalformed otherwise (also for a key that PublicKey refuses).
  static Result<Certificate> decode_der(ByteView der);

  const Bytes& der() const;
  const Hash32& fingerprint() const;  // SHA-256 of the whole DER
  UnixSeconds not_before() const;
  UnixSeconds not_after() const;
  const Bytes& serial() const;   // big-endian magnitude, no leading zero
  const Bytes& subject() const;  // DER of the Name
  const Bytes& issuer() const;
  const std::string& subject_common_name() const;  // the last CN as UTF-8; empty if none
  const std::string& issuer_common_name() const;
  bool is_ca() const;                           // basicConstraints
  std::optional<unsigned> path_length() const;  // basicConstraints
  const KeyUsage& key_usage() const;
  // extension returns the contents of the OCTET STRING of the extension with this dotted OID; nullopt if absent. (A
  // certificate with one extension twice does not decode.)
  std::optional<Bytes> extension(std::string_view oid) const;
  const PublicKey& public_key() const;

  // signed_by verifies this certificate's signature with `key` (any scheme of PublicKey, with SHA-256 or better) and
  // nothing else: kChainSignature.
  Status signed_by(const PublicKey& key) const;

 private:
  friend class RevocationList;
  friend Status verify_chain(std::span<const Certificate>, const Certificate&, UnixSeconds, struct ChainRules);
  struct State;
  std::shared_ptr<const State> state_;
};

// decode_pem_certificates reads PEM CERTIFICATE blocks in their order: one to `count_max`; white space between them,
// and one trailing NUL (Intel's quotes have it), is all else that may be there.
Result<std::vector<Certificate>> decode_pem_certificates(ByteView pem, std::size_t count_max = kChainCertificatesMax);

// ChainRules are what genuine chains of different vendors differ in (attestation.md, section 0).
struct ChainRules {
  // RFC 5280's rules to the letter (OpenSSL's X509_V_FLAG_X509_STRICT). AMD's and Nitro's genuine chains break them.
  bool strict = true;
  // Dates are judged. Off only where a procedure judges them itself, afterwards.
  bool judge_dates = true;
};

// verify_chain verifies chain[0] (leaf) by chain[1] ... up to `root`, which is compared as a whole certificate: the
// chain's last is the root itself or is signed by it. Every step: issuer name equals subject name, signature, CA with
// keyCertSign, path length, no unknown critical extension that RFC 5280 makes fatal, except those with private OIDs of
// the vendors' that the caller reads by hand.
// Errors in this order: kChainNotTrusted, kChainInvalid, kChainSignature, kChainExpired, kChainNotYetValid; the integer
// is the place in the chain.
Status verify_chain(std::span<const Certificate> chain, const Certificate& root, UnixSeconds time,
                    ChainRules rules = {});

// RevocationList is a decoded CRL (RFC 5280, section 5).
class RevocationList {
 public:
  // decode_der consumes all of `der`; kCrlMalformed.
  static Result<RevocationList> decode_der(ByteView der);
  const Bytes& issuer() const;  // DER of the Name
  const std::string& issuer_common_name() const;
  UnixSeconds this_update() const;
  std::optional<UnixSeconds> next_update() const;
  bool has_crl_number() const;
  bool has_authority_key_identifier() const;
  bool revokes(ByteView serial) const;  // big-endian magnitude
  // signed_by: kChainSignature.
  Status signed_by(const PublicKey& key) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace eml

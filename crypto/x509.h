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
inline constexpr std::size_t kCrlBytesMax = std::size_t{4} * 1024 * 1024;  // genuine ones have 0.5 to 60 KiB
inline constexpr std::size_t kChainCertificatesMax = 10;                   // the longest genuine one (Nitro) has 5

// KeyUsage: presence, and the bits that our procedures ask for.
struct KeyUsage {
  bool present = false;
  bool digital_signature = false;
  bool key_cert_sign = false;
  bool crl_sign = false;
};

struct ChainRules;

// Certificate is decoded, immutable and shared; decoding it says nothing about who signed it. X.509 version 3 in strict
// DER, but that a genuine one may write a BOOLEAN's default (FALSE).
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
  // The last CN as UTF-8; empty if there is none or if it is a string of another type than UTF8, Printable, T61 or IA5.
  const std::string& subject_common_name() const;
  const std::string& issuer_common_name() const;
  bool is_ca() const;                           // basicConstraints
  std::optional<unsigned> path_length() const;  // basicConstraints
  const KeyUsage& key_usage() const;
  // extension returns the contents of the OCTET STRING of the extension with this dotted OID; nullopt if absent. (A
  // certificate with one extension twice does not decode.) extension_view is the same without a copy; it lives as long
  // as any copy of this certificate.
  std::optional<Bytes> extension(std::string_view oid) const;
  std::optional<ByteView> extension_view(std::string_view oid) const;
  const PublicKey& public_key() const;

  // signed_by verifies this certificate's signature with `key` (any scheme of PublicKey, with SHA-256 or better) and
  // nothing else: kChainSignature.
  Status signed_by(const PublicKey& key) const;

 private:
  friend Status verify_chain(std::span<const Certificate> chain, const Certificate& root, UnixSeconds time,
                             ChainRules rules);
  struct State;
  explicit Certificate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  Status keeps_rfc5280_strictly() const;
  Status is_issuer_of(const Certificate& child, unsigned certificates_below) const;
  std::shared_ptr<const State> state_;
};

// decode_pem_certificates reads PEM CERTIFICATE blocks in their order: one to `count_max`; white space between them,
// and one trailing NUL (Intel's quotes have it), is all else that may be there.
Result<std::vector<Certificate>> decode_pem_certificates(ByteView pem, std::size_t count_max = kChainCertificatesMax);

// ChainRules are what genuine chains of different vendors differ in (attestation.md, section 0).
struct ChainRules {
  // RFC 5280's rules to the letter, as OpenSSL's X509_V_FLAG_X509_STRICT has them. AMD's and Nitro's genuine chains
  // break them.
  bool strict = true;
  // Dates are judged. Off only where a procedure judges them itself, afterwards.
  bool judge_dates = true;
};

// verify_chain verifies chain[0] (leaf) by chain[1] ... up to `root`, which is compared as a whole certificate: the
// chain's last is the root itself or is signed by it. Every step: issuer name equals subject name, signature, CA with
// keyCertSign, path length, no unknown critical extension that RFC 5280 makes fatal, except those with private OIDs of
// the vendors' that the caller reads by hand.
// kCertificatesTooMany above kChainCertificatesMax. Then errors in this order: kChainNotTrusted, kChainInvalid,
// kChainSignature, kChainExpired, kChainNotYetValid; the integer is the place in the chain (a root that is not in it
// comes after it). kChainNotTrusted: the last certificate names another issuer than `root`, or is self-issued and is
// not `root` itself.
Status verify_chain(std::span<const Certificate> chain, const Certificate& root, UnixSeconds time,
                    ChainRules rules = {});

// RevocationList is a decoded, complete CRL (RFC 5280, section 5): one with a critical extension (a delta, a part, an
// indirect one) does not decode.
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
  explicit RevocationList(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace eml

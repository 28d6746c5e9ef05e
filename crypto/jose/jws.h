// Jws is a decoded compact JWS (RFC 7515): three base64url parts, a closed protected header.
//
// `alg: none`, `crit`, `b64`, embedded `jwk`, and `jku` are refused while decoding: a token never says with which key
// it is to be verified, only which of ours. `x5c` is decoded, for those who compare its last with a root of their own.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/public_key.h"
#include "crypto/x509.h"
#include "encoding/json.h"

namespace eml {

inline constexpr ErrorCode kJwsMalformed{ErrorClass::kMalformed, "jws-malformed"};
inline constexpr ErrorCode kJwsAlgorithm{ErrorClass::kUnsupported, "jws-algorithm"};
inline constexpr ErrorCode kJwsBringsKey{ErrorClass::kUnauthentic, "jws-brings-key"};
inline constexpr ErrorCode kJwsCertificate{ErrorClass::kMalformed, "jws-certificate"};
inline constexpr ErrorCode kJwsSignature{ErrorClass::kUnauthentic, "jws-signature"};
inline constexpr ErrorCode kJwksMalformed{ErrorClass::kMalformed, "jwks-malformed"};
inline constexpr ErrorCode kJwsUnknownKey{ErrorClass::kUnauthentic, "jws-unknown-kid"};

inline constexpr std::size_t kJwsBytesMax = 256 * 1024;  // NRAS tokens of eight GPUs are 60 KiB

struct Jws {
  std::string algorithm;  // RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA
  std::optional<std::string> kid;
  std::vector<Certificate> x5c;  // leaf first; empty if the header has none
  Json header;
  Json payload;         // a JSON object; null until decode_jws_payload
  Bytes payload_bytes;  // as it was signed
  Bytes signing_input;  // header '.' payload, as it arrived
  Bytes signature;
};

// decode_jws reads three parts and a header of `alg`, `kid`, `typ`, `cty`, `x5c` (strings of base64 DER as RFC 7515 has
// it, or of PEM text as Google wrote until 2024; kChainCertificatesMax of them). The signature may have any length,
// since only a key says which one it must have.
// kJwsMalformed: form, base64url, JSON, payload not an object, unknown or duplicate members. kJwsAlgorithm: none, or
// one that is none of those above; `crit`, `b64`, `jwk`, `jku`, `x5u`. kJwsCertificate: an entry of `x5c`.
Result<Jws> decode_jws(ByteView token);

// decode_jws_envelope is the same, but leaves the payload's JSON unread, for those who verify first and read then;
// decode_jws_payload reads it (kJwsMalformed).
Result<Jws> decode_jws_envelope(ByteView token);
Status decode_jws_payload(Jws& jws);

// verify_jws verifies the signature with `key`; the algorithm must be one of `allowed` and fit the key.
// kJwsAlgorithm, kJwsSignature.
Status verify_jws(const Jws& jws, const PublicKey& key, std::initializer_list<std::string_view> allowed);

// Jwks is a set of keys by `kid` (RFC 7517). Keys that we cannot use are left out: of another kind or size, for another
// `use` than "sig", without `kid`. kJwksMalformed: form, a `kid` twice, or a key of a kind that we know that is none.
class Jwks {
 public:
  static Result<Jwks> decode(ByteView json);
  // find returns the key of that `kid`: kJwsUnknownKey. It is for any algorithm of its kind: `alg` of a key is a hint.
  Result<PublicKey> find(std::string_view kid) const;

 private:
  std::vector<std::pair<std::string, PublicKey>> keys_;
};

}  // namespace eml

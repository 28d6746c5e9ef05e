// Jws is a decoded compact JWS (RFC 7515): three base64url parts, a closed protected header.
//
// `alg: none`, `crit`, `b64`, embedded `jwk`, and `jku` are refused while decoding: a token never says with which key
// it is to be verified, only which of ours.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/public_key.h"
#include "crypto/x509.h"
#include "encoding/json.h"

namespace eml {

inline constexpr ErrorCode kJwsMalformed{ErrorClass::kMalformed, "jws-malformed"};
inline constexpr ErrorCode kJwsAlgorithm{ErrorClass::kUnsupported, "jws-algorithm"};
inline constexpr ErrorCode kJwsSignature{ErrorClass::kUnauthentic, "jws-signature"};
inline constexpr ErrorCode kJwksMalformed{ErrorClass::kMalformed, "jwks-malformed"};
inline constexpr ErrorCode kJwsUnknownKey{ErrorClass::kUnauthentic, "jws-unknown-kid"};

inline constexpr std::size_t kJwsBytesMax = 256 * 1024;  // NRAS tokens of eight GPUs are 60 KiB

struct Jws {
  std::string algorithm;  // "RS256"
  std::optional<std::string> kid;
  std::vector<Certificate> x5c;  // leaf first; empty if the header has none
  Json header;
  Json payload;         // a JSON object
  Bytes signing_input;  // header '.' payload, as it arrived
  Bytes signature;
};

// decode_jws: kJwsMalformed (form, base64url, JSON, payload not an object, unknown or duplicate members), kJwsAlgorithm
// (an algorithm that is none of those above, `crit`, `jwk`, `jku` and the like).
Result<Jws> decode_jws(ByteView token);

// verify_jws verifies the signature with `key`; the algorithm must be one of `allowed` and fit the key.
// kJwsAlgorithm, kJwsSignature.
Status verify_jws(const Jws& jws, const PublicKey& key, std::initializer_list<std::string_view> allowed);

// Jwks is a set of keys by `kid` (RFC 7517). Keys of kinds that we do not know are left out; a `kid` twice is
// malformed.
class Jwks {
 public:
  static Result<Jwks> decode(ByteView json);
  // find returns the key of that `kid`: kJwsUnknownKey.
  Result<PublicKey> find(std::string_view kid) const;

 private:
  std::vector<std::pair<std::string, PublicKey>> keys_;
};

}  // namespace eml

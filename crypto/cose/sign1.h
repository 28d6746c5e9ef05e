// COSE_Sign1 (RFC 9052) with Ed25519 (alg -8), strict: tag 18, definite lengths, deterministic headers, empty
// unprotected header, attached payload, nothing after. The payload's bytes are kept as they arrived.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ed25519.h"

namespace eml {

inline constexpr ErrorCode kCoseMalformed{ErrorClass::kMalformed, "cose-malformed"};
inline constexpr ErrorCode kCoseUnprotectedNotEmpty{ErrorClass::kMalformed, "cose-unprotected-not-empty"};
inline constexpr ErrorCode kCoseWrongAlgorithm{ErrorClass::kUnsupported, "cose-wrong-algorithm"};
inline constexpr ErrorCode kCoseWrongContentType{ErrorClass::kUnsupported, "cose-wrong-content-type"};
inline constexpr ErrorCode kCoseWrongType{ErrorClass::kUnsupported, "cose-wrong-type"};
inline constexpr ErrorCode kCoseTooLarge{ErrorClass::kLimit, "cose-too-large"};

inline constexpr std::size_t kCoseSign1Max = 65536;
inline constexpr std::int64_t kCoseAlgEdDsa = -8;
inline constexpr std::int64_t kCwtContentFormat = 61;  // application/cwt

// CoseHeader is what the protected header may hold: {1: alg, 3: content type, 16: typ}. A receipt is
// `a2 01 27 03 18 3d`; a statement adds 16 with its media type, so none passes for a receipt.
struct CoseHeader {
  std::int64_t algorithm = kCoseAlgEdDsa;
  std::optional<std::int64_t> content_type = kCwtContentFormat;
  std::optional<std::string> type;
  friend bool operator==(const CoseHeader&, const CoseHeader&) = default;
};

// UnverifiedSign1 is well formed and nothing more. It owns its bytes.
class UnverifiedSign1 {
 public:
  // decode accepts at most kCoseSign1Max bytes. Order of checks: size, form, unprotected, header's form. An algorithm,
  // content type or typ of the registry's other type (text for an integer, or the reverse) is kCoseWrongAlgorithm,
  // kCoseWrongContentType, kCoseWrongType; a header without an algorithm or with any other label is kCoseMalformed.
  static Result<UnverifiedSign1> decode(ByteView bytes);

  const CoseHeader& header() const { return header_; }
  // expect_header checks alg, content type and typ in this order: kCoseWrongAlgorithm, kCoseWrongContentType,
  // kCoseWrongType.
  Status expect_header(const CoseHeader& expected) const;
  ByteView payload() const { return payload_; }
  ByteView bytes() const { return bytes_; }
  const Ed25519Signature& signature() const { return signature_; }
  // verify returns the payload, signed by `key`; kSignatureInvalid or kPublicKeyInvalid otherwise. The algorithm
  // must be EdDSA (kCoseWrongAlgorithm).
  Result<Bytes> verify(const Ed25519PublicKey& key, ByteView external_aad = {}) const;

 private:
  Bytes bytes_;
  Bytes protected_;
  CoseHeader header_;
  Bytes payload_;
  Ed25519Signature signature_{};
};

// encode_sign1 makes the tagged structure around a signature that is there already. For every token that decodes it
// gives the same bytes again.
Bytes encode_sign1(const CoseHeader& header, ByteView payload, const Ed25519Signature& signature);

// sign1 makes the tagged structure over `payload`. The header is written as it is given; to state another algorithm
// than EdDSA is of use only to tests.
Bytes sign1(const Ed25519Key& key, const CoseHeader& header, ByteView payload, ByteView external_aad = {});

}  // namespace eml

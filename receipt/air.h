// AIR v1 receipts: issuing, and checking in four layers that are never mixed.
//
//   UnverifiedReceipt::decode   layer 1: size, COSE form, header. The payload stays opaque.
//   .verify(key)                layer 2: strict Ed25519; then layer 3: claims, closed and deterministic
//   appraise(receipt, policy)   layer 4: what the verifier itself demands
//
// A receipt that passed all four says what the holder of a key signed. Where that key lives is not among it: that is
// what a dossier is for (audit/verify_dossier.h).
//
// Source: docs/spec/receipt.md; AIR v1 (draft-tsyrulnikov-rats-attested-inference-receipt-02, RFC 9052, RFC 8392).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/cose/sign1.h"
#include "crypto/ed25519.h"
#include "receipt/measurements.h"

namespace eml {

// Layer 1 (beyond the codes of crypto/cose/sign1.h).
// The payload is empty.
inline constexpr ErrorCode kAirMissingPayload{ErrorClass::kMalformed, "air-missing-payload"};
// Layer 3. Codes that concern one claim carry the claim's key without its sign as the error's first integer.
// Not one deterministic map, a key twice, or bytes after it (offset).
inline constexpr ErrorCode kAirPayloadNotMap{ErrorClass::kMalformed, "air-payload-not-map"};
// Neither kAirProfile nor kEmlProfile.
inline constexpr ErrorCode kAirWrongProfile{ErrorClass::kUnsupported, "air-wrong-profile"};
// A required claim is absent (key).
inline constexpr ErrorCode kAirMissingClaim{ErrorClass::kMalformed, "air-missing-claim"};
// A claim has another CBOR type (key).
inline constexpr ErrorCode kAirWrongType{ErrorClass::kMalformed, "air-wrong-type"};
// The map is closed.
inline constexpr ErrorCode kAirUnknownClaim{ErrorClass::kMalformed, "air-unknown-claim"};
// Not 16 bytes (size).
inline constexpr ErrorCode kAirBadCtiLength{ErrorClass::kMalformed, "air-bad-cti-length"};
// 0, or after the year 9999.
inline constexpr ErrorCode kAirBadIat{ErrorClass::kMalformed, "air-bad-iat"};
// Not 32 bytes (key, size).
inline constexpr ErrorCode kAirBadHashLength{ErrorClass::kMalformed, "air-bad-hash-length"};
// A model that nobody hashed.
inline constexpr ErrorCode kAirZeroModelHash{ErrorClass::kMalformed, "air-zero-model-hash"};
// Not 8 to 64 bytes (size).
inline constexpr ErrorCode kAirBadNonceLength{ErrorClass::kMalformed, "air-bad-nonce-length"};
// Empty, or over kAirTextBytesMax (key, size).
inline constexpr ErrorCode kAirBadText{ErrorClass::kMalformed, "air-bad-text"};
// Unknown, or of the other profile.
inline constexpr ErrorCode kAirUnknownMeasurementType{ErrorClass::kUnsupported, "air-unknown-measurement-type"};
// Missing or of another size (wanted, got).
inline constexpr ErrorCode kAirBadMeasurementLength{ErrorClass::kMalformed, "air-bad-measurement-length"};
// A register that the type does not have.
inline constexpr ErrorCode kAirUnknownMeasurement{ErrorClass::kMalformed, "air-unknown-measurement"};
// AIR names this case apart.
inline constexpr ErrorCode kAirTdxPcr8{ErrorClass::kMalformed, "air-tdx-pcr8-forbidden"};
// Not one of the three schemes.
inline constexpr ErrorCode kAirUnknownScheme{ErrorClass::kUnsupported, "air-unknown-model-hash-scheme"};
// Neither production nor evaluation.
inline constexpr ErrorCode kAirUnknownMode{ErrorClass::kUnsupported, "air-unknown-security-mode"};
// Layer 4.
// Iat after time + clock_skew_s.
inline constexpr ErrorCode kAirTimestampFuture{ErrorClass::kRejected, "air-timestamp-future"};
// Older than max_age_s (allowed, got), or no time to count from.
inline constexpr ErrorCode kAirTimestampStale{ErrorClass::kRejected, "air-timestamp-stale"};
// A nonce is demanded, the receipt has none.
inline constexpr ErrorCode kAirNonceMissing{ErrorClass::kRejected, "air-nonce-missing"};
// It has another one.
inline constexpr ErrorCode kAirNonceMismatch{ErrorClass::kRejected, "air-nonce-mismatch"};
inline constexpr ErrorCode kAirModelHashMismatch{ErrorClass::kRejected, "air-model-hash-mismatch"};
inline constexpr ErrorCode kAirModelIdMismatch{ErrorClass::kRejected, "air-model-id-mismatch"};
inline constexpr ErrorCode kAirPlatformMismatch{ErrorClass::kRejected, "air-platform-mismatch"};
inline constexpr ErrorCode kAirRequestHashMismatch{ErrorClass::kRejected, "air-request-hash-mismatch"};
inline constexpr ErrorCode kAirResponseHashMismatch{ErrorClass::kRejected, "air-response-hash-mismatch"};
inline constexpr ErrorCode kAirEvidenceHashMismatch{ErrorClass::kRejected, "air-attestation-doc-hash-mismatch"};
// Mode evaluation, and not accepted.
inline constexpr ErrorCode kAirEvaluationRejected{ErrorClass::kRejected, "air-evaluation-mode-rejected"};

inline constexpr std::size_t kReceiptBytesMax = kCoseSign1Max;  // AIR, layer 1, step 3: 65,536
inline constexpr std::size_t kAirTextBytesMax = 1024;           // AIR, layer 3, step 6: the recommended bound
inline constexpr std::size_t kAirNonceBytesMin = 8;             // RFC 9711, 4.1
inline constexpr std::size_t kAirNonceBytesMax = 64;
inline constexpr std::uint64_t kAirClockSkewSeconds = 60;  // two honest clocks without NTP for a day stay within it

inline constexpr std::string_view kAirProfile = "https://spec.cyntrisec.com/air/v1";
// kEmlProfile is AIR v1 but for the measurements, on platforms that AIR v1 does not know.
inline constexpr std::string_view kEmlProfile = "urn:uuid:5329ba0f-5e9c-4214-9738-5e92e7207360";

enum class SecurityMode : std::uint8_t { kProduction, kEvaluation };
std::string_view to_string(SecurityMode mode);  // "production", "evaluation"

enum class ModelHashScheme : std::uint8_t { kSha256Single, kSha256Concat, kSha256Manifest };
std::string_view to_string(ModelHashScheme scheme);  // "sha256-single", ...

// AirClaims is everything that a receipt states, all of it public. eat_profile is not a member: it follows from the
// measurements' type (is_air_type).
struct AirClaims {
  std::string issuer;                             // 1
  UnixSeconds issued_at = 0;                      // 6: when the inference ended, on the workload's clock; not 0
  ByteArray<16> cti{};                            // 7: random, unique
  std::optional<Bytes> nonce;                     // 10: 8 to 64 bytes that the client asked for
  std::string model_id;                           // -65537
  std::string model_version;                      // -65538
  Hash32 model_hash{};                            // -65539: not all zeros
  Hash32 request_hash{};                          // -65540: H(request body as the client sent it)
  Hash32 response_hash{};                         // -65541: H(response body as the client received it)
  Hash32 attestation_doc_hash{};                  // -65542: H(evidence of this channel's server_hello)
  ReceiptMeasurements measurements;               // -65543
  std::string policy_version;                     // -65544: policy_version_of(binding.configuration_hash)
  std::uint64_t sequence_number = 0;              // -65545: receipts on this channel, from 0
  std::uint64_t execution_time_ms = 0;            // -65546
  std::uint64_t memory_peak_mb = 0;               // -65547
  SecurityMode mode = SecurityMode::kEvaluation;  // -65548
  std::optional<ModelHashScheme> scheme = ModelHashScheme::kSha256Manifest;  // -65549
  friend bool operator==(const AirClaims&, const AirClaims&) = default;
};

// policy_version_of gives "sha256:" and the hash in lower-case hex.
std::string policy_version_of(const Hash32& configuration_hash);

// issue_receipt signs `claims`. It refuses, with the same codes as layer 3, what a verifier would refuse.
Result<Bytes> issue_receipt(const Ed25519Key& key, const AirClaims& claims);

// VerifiedReceipt passed layers 1 to 3 under signer(). It owns its bytes.
class VerifiedReceipt {
 public:
  const AirClaims& claims() const { return claims_; }
  const Ed25519PublicKey& signer() const { return signer_; }
  ByteView bytes() const { return bytes_; }
  const Hash32& hash() const { return hash_; }  // H(receipt), what a cleanup statement names

 private:
  friend class UnverifiedReceipt;
  VerifiedReceipt(Bytes bytes, const Hash32& hash, const Ed25519PublicKey& signer, AirClaims claims)
      : bytes_(std::move(bytes)), hash_(hash), signer_(signer), claims_(std::move(claims)) {}
  Bytes bytes_;
  Hash32 hash_;
  Ed25519PublicKey signer_;
  AirClaims claims_;
};

// UnverifiedReceipt passed layer 1. Its claims cannot be read: AIR forbids to look at them before the signature.
class UnverifiedReceipt {
 public:
  // decode: kCoseTooLarge, kCoseMalformed (or a CBOR code), kCoseUnprotectedNotEmpty, kCoseWrongAlgorithm,
  // kCoseWrongContentType, kCoseWrongType (a statement is not a receipt), kAirMissingPayload.
  static Result<UnverifiedReceipt> decode(ByteView bytes);

  // verify does layers 2 and 3. kSignatureInvalid or kPublicKeyInvalid, then the codes of layer 3.
  Result<VerifiedReceipt> verify(const Ed25519PublicKey& key) const;
  ByteView bytes() const { return sign1_.bytes(); }

 private:
  explicit UnverifiedReceipt(UnverifiedSign1 sign1) : sign1_(std::move(sign1)) {}
  UnverifiedSign1 sign1_;
};

// verify_receipt is decode and verify.
Result<VerifiedReceipt> verify_receipt(ByteView bytes, const Ed25519PublicKey& key);

// AirPolicy is layer 4. An absent member is not demanded; a report says so. Evaluation is refused unless accepted.
struct AirPolicy {
  enum class Evaluation : std::uint8_t { kRefuse, kAccept };
  std::optional<UnixSeconds> time;         // "now" of the verifier: iat may be at most clock_skew_s after it
  std::optional<std::uint64_t> max_age_s;  // needs `time`; without one every receipt is too old
  std::uint64_t clock_skew_s = kAirClockSkewSeconds;
  std::optional<Bytes> nonce;
  std::optional<Hash32> model_hash;
  std::optional<std::string> model_id;
  std::optional<MeasurementType> platform;
  std::optional<Hash32> request_hash;
  std::optional<Hash32> response_hash;
  std::optional<Hash32> attestation_doc_hash;
  Evaluation evaluation = Evaluation::kRefuse;
};

// appraise checks, in this order: time, nonce, model, platform, hashes, mode. The codes are those of layer 4.
Status appraise(const VerifiedReceipt& receipt, const AirPolicy& policy);

// air_code gives AIR's own name for an error of this file: "BAD_ALG", "MISSING_CLAIM:model_id"; empty if the error
// is not one of a receipt. air_layer gives the layer that AIR's vectors count it to: 1 to 4, or 0.
std::string air_code(const Error& error);
int air_layer(const Error& error);

// format_cti gives a receipt's id as people write it: 8-4-4-4-12 hex digits.
std::string format_cti(const ByteArray<16>& cti);

}  // namespace eml

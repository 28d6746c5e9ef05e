#include <array>
#include <span>

#include "encoding/cbor.h"
#include "receipt/air.h"
#include "receipt/air_claims.h"

namespace eml {
namespace {

struct Name {
  ErrorCode code;
  std::string_view air;
  int layer;
  bool names_claim;
};

// AIR's vectors count a payload that is not one deterministic map to layer 1, although its text has it looked at after
// the signature; the vectors are what other programs compare with.
constexpr std::array kNames = {
    Name{kCoseTooLarge, "RECEIPT_TOO_LARGE", 1, false},
    Name{kCoseMalformed, "COSE_DECODE_FAILED", 1, false},
    Name{kCoseUnprotectedNotEmpty, "NON_EMPTY_UNPROTECTED", 1, false},
    Name{kCoseWrongAlgorithm, "BAD_ALG", 1, false},
    Name{kCoseWrongContentType, "BAD_CONTENT_TYPE", 1, false},
    Name{kCoseWrongType, "BAD_CONTENT_TYPE", 1, false},
    Name{kAirMissingPayload, "MISSING_PAYLOAD", 1, false},
    Name{kSignatureInvalid, "SIG_FAILED", 2, false},
    Name{kPublicKeyInvalid, "SIG_FAILED", 2, false},
    Name{kAirPayloadNotMap, "PAYLOAD_NOT_MAP", 1, false},
    Name{kAirWrongProfile, "WRONG_PROFILE", 3, false},
    Name{kAirMissingClaim, "MISSING_CLAIM", 3, true},
    Name{kAirWrongType, "WRONG_TYPE", 3, true},
    Name{kAirUnknownClaim, "UNKNOWN_CLAIM", 3, false},
    Name{kAirBadCtiLength, "BAD_CTI_LENGTH", 3, false},
    Name{kAirBadIat, "BAD_IAT", 3, false},
    Name{kAirBadHashLength, "BAD_HASH_LENGTH", 3, true},
    Name{kAirZeroModelHash, "ZERO_MODEL_HASH", 3, false},
    Name{kAirBadNonceLength, "BAD_NONCE_LENGTH", 3, false},
    Name{kAirBadText, "BAD_TEXT", 3, true},
    Name{kAirUnknownMeasurementType, "UNKNOWN_MTYPE", 3, false},
    Name{kAirBadMeasurementLength, "BAD_MEASUREMENT_LENGTH", 3, false},
    Name{kAirUnknownMeasurement, "UNKNOWN_MEASUREMENT", 3, false},
    Name{kAirTdxPcr8, "TDX_PCR8_FORBIDDEN", 3, false},
    Name{kAirUnknownScheme, "UNKNOWN_MODEL_HASH_SCHEME", 3, false},
    Name{kAirUnknownMode, "UNKNOWN_SECURITY_MODE", 3, false},
    Name{kAirTimestampFuture, "TIMESTAMP_FUTURE", 4, false},
    Name{kAirTimestampStale, "TIMESTAMP_STALE", 4, false},
    Name{kAirNonceMissing, "NONCE_MISSING", 4, false},
    Name{kAirNonceMismatch, "NONCE_MISMATCH", 4, false},
    Name{kAirModelHashMismatch, "MODEL_HASH_MISMATCH", 4, false},
    Name{kAirModelIdMismatch, "MODEL_ID_MISMATCH", 4, false},
    Name{kAirPlatformMismatch, "PLATFORM_MISMATCH", 4, false},
    Name{kAirRequestHashMismatch, "REQUEST_HASH_MISMATCH", 4, false},
    Name{kAirResponseHashMismatch, "RESPONSE_HASH_MISMATCH", 4, false},
    Name{kAirEvidenceHashMismatch, "ATTESTATION_DOC_HASH_MISMATCH", 4, false},
    Name{kAirEvaluationRejected, "EVALUATION_MODE_REJECTED", 4, false},
};

struct ClaimName {
  std::int64_t key;
  std::string_view name;
};

constexpr std::array kClaims = {
    ClaimName{kClaimIss, "iss"},
    ClaimName{kClaimIat, "iat"},
    ClaimName{kClaimCti, "cti"},
    ClaimName{kClaimNonce, "eat_nonce"},
    ClaimName{kClaimProfile, "eat_profile"},
    ClaimName{kClaimModelId, "model_id"},
    ClaimName{kClaimModelVersion, "model_version"},
    ClaimName{kClaimModelHash, "model_hash"},
    ClaimName{kClaimRequestHash, "request_hash"},
    ClaimName{kClaimResponseHash, "response_hash"},
    ClaimName{kClaimEvidenceHash, "attestation_doc_hash"},
    ClaimName{kClaimMeasurements, "enclave_measurements"},
    ClaimName{kClaimPolicyVersion, "policy_version"},
    ClaimName{kClaimSequence, "sequence_number"},
    ClaimName{kClaimExecutionMs, "execution_time_ms"},
    ClaimName{kClaimMemoryMb, "memory_peak_mb"},
    ClaimName{kClaimMode, "security_mode"},
    ClaimName{kClaimScheme, "model_hash_scheme"},
};

const Name* find(const ErrorCode& code) {
  for (const Name& name : kNames) {
    if (name.code == code) return &name;
  }
  return nullptr;
}

std::string_view claim_name(std::uint64_t unsigned_key) {
  for (const ClaimName& claim : kClaims) {
    if (static_cast<std::uint64_t>(claim.key < 0 ? -claim.key : claim.key) == unsigned_key) return claim.name;
  }
  return "unknown";
}

}  // namespace

std::string air_code(const Error& error) {
  const Name* name = find(error.code());
  if (name == nullptr) return {};
  std::string out(name->air);
  if (name->names_claim && error.has_first()) out.append(":").append(claim_name(error.first()));
  return out;
}

int air_layer(const Error& error) {
  const Name* name = find(error.code());
  return name == nullptr ? 0 : name->layer;
}

}  // namespace eml

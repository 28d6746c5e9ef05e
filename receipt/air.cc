#include "receipt/air.h"

#include <utility>

#include "crypto/hash.h"
#include "receipt/air_claims.h"

namespace eml {
namespace {

Status appraise_time(const AirClaims& claims, const AirPolicy& policy) {
  if (!policy.time) {
    if (policy.max_age_s) return fail(kAirTimestampStale, "an age was demanded without a time to count from");
    return {};
  }
  // Both lie within the years 0 to 9999, so that neither sum nor difference overflows.
  const UnixSeconds now = *policy.time;
  if (claims.issued_at > now && static_cast<std::uint64_t>(claims.issued_at - now) > policy.clock_skew_s) {
    return fail(kAirTimestampFuture, "the receipt is from the future");
  }
  if (policy.max_age_s &&
      claims.issued_at<now&& static_cast<std::uint64_t>(now - claims.issued_at)> * policy.max_age_s) {
    return fail(kAirTimestampStale, "the receipt is too old", *policy.max_age_s,
                static_cast<std::uint64_t>(now - claims.issued_at));
  }
  return {};
}

Status appraise_nonce(const AirClaims& claims, const AirPolicy& policy) {
  if (!policy.nonce) return {};
  if (!claims.nonce) return fail(kAirNonceMissing, "the receipt has no nonce");
  if (*claims.nonce != *policy.nonce) return fail(kAirNonceMismatch, "the receipt has another nonce");
  return {};
}

Status appraise_hash(const Hash32& got, const std::optional<Hash32>& wanted, const ErrorCode& code) {
  if (wanted && got != *wanted) return fail(code, "a hash in the receipt is not the expected one");
  return {};
}

Status appraise_model(const AirClaims& claims, const AirPolicy& policy) {
  EML_CHECK(appraise_hash(claims.model_hash, policy.model_hash, kAirModelHashMismatch));
  if (policy.model_id && claims.model_id != *policy.model_id) {
    return fail(kAirModelIdMismatch, "the receipt names another model");
  }
  return {};
}

}  // namespace

std::string_view to_string(SecurityMode mode) {
  return mode == SecurityMode::kProduction ? "production" : "evaluation";
}

std::string_view to_string(ModelHashScheme scheme) {
  switch (scheme) {
    case ModelHashScheme::kSha256Single:
      return "sha256-single";
    case ModelHashScheme::kSha256Concat:
      return "sha256-concat";
    case ModelHashScheme::kSha256Manifest:
      return "sha256-manifest";
  }
  return "unknown";
}

std::string policy_version_of(const Hash32& configuration_hash) { return "sha256:" + hex(configuration_hash); }

Result<Bytes> issue_receipt(const Ed25519Key& key, const AirClaims& claims) {
  const Bytes payload = encode_air_claims(claims);
  EML_TRY(const AirClaims read_back, decode_air_claims(payload));
  if (read_back != claims) return fail(kAirUnknownMeasurement, "the measurements do not fit their type");
  return sign1(key, CoseHeader{}, payload);
}

Result<UnverifiedReceipt> UnverifiedReceipt::decode(ByteView bytes) {
  EML_TRY(UnverifiedSign1 sign1, UnverifiedSign1::decode(bytes));
  EML_CHECK(sign1.expect_header(CoseHeader{}));
  if (sign1.payload().empty()) return fail(kAirMissingPayload, "a receipt has no payload");
  return UnverifiedReceipt(std::move(sign1));
}

Result<VerifiedReceipt> UnverifiedReceipt::verify(const Ed25519PublicKey& key) const {
  EML_TRY(const Bytes payload, sign1_.verify(key));
  EML_TRY(AirClaims claims, decode_air_claims(payload));
  return VerifiedReceipt(to_bytes(bytes()), sha256(bytes()), key, std::move(claims));
}

Result<VerifiedReceipt> verify_receipt(ByteView bytes, const Ed25519PublicKey& key) {
  EML_TRY(const UnverifiedReceipt receipt, UnverifiedReceipt::decode(bytes));
  return receipt.verify(key);
}

Status appraise(const VerifiedReceipt& receipt, const AirPolicy& policy) {
  const AirClaims& claims = receipt.claims();
  EML_CHECK(appraise_time(claims, policy));
  EML_CHECK(appraise_nonce(claims, policy));
  EML_CHECK(appraise_model(claims, policy));
  if (policy.platform && claims.measurements.type != *policy.platform) {
    return fail(kAirPlatformMismatch, "the receipt is from another kind of platform");
  }
  EML_CHECK(appraise_hash(claims.request_hash, policy.request_hash, kAirRequestHashMismatch));
  EML_CHECK(appraise_hash(claims.response_hash, policy.response_hash, kAirResponseHashMismatch));
  EML_CHECK(appraise_hash(claims.attestation_doc_hash, policy.attestation_doc_hash, kAirEvidenceHashMismatch));
  if (claims.mode == SecurityMode::kEvaluation && policy.evaluation != AirPolicy::Evaluation::kAccept) {
    return fail(kAirEvaluationRejected, "the workload ran in evaluation mode");
  }
  return {};
}

std::string format_cti(const ByteArray<16>& cti) {
  std::string out = hex(cti);
  for (const std::size_t at : {std::size_t{8}, std::size_t{13}, std::size_t{18}, std::size_t{23}})
    out.insert(at, 1, '-');
  return out;
}

}  // namespace eml

// Requirements are what a verifier asks of a verified Confidential Space token beyond the claims that every token must
// have. They come from a closed JSON object; what is not in it is not judged.
// Source: docs/spec/evidence/confidential_space.md, "Requirements".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attestation/confidential_space/claims.h"
#include "base/clock.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml::confidential_space {

inline constexpr ErrorCode kPolicy{ErrorClass::kMalformed, "confidential-space-policy"};
inline constexpr ErrorCode kExpired{ErrorClass::kRejected, "confidential-space-expired"};
inline constexpr ErrorCode kNotYetValid{ErrorClass::kRejected, "confidential-space-not-yet-valid"};
inline constexpr ErrorCode kIssuer{ErrorClass::kRejected, "confidential-space-issuer"};
inline constexpr ErrorCode kSoftware{ErrorClass::kRejected, "confidential-space-swname"};
inline constexpr ErrorCode kOemId{ErrorClass::kRejected, "confidential-space-oemid"};
inline constexpr ErrorCode kAudience{ErrorClass::kRejected, "confidential-space-audience"};
inline constexpr ErrorCode kNonceMismatch{ErrorClass::kRejected, "confidential-space-nonce-mismatch"};
inline constexpr ErrorCode kDebugImage{ErrorClass::kRejected, "confidential-space-debug-image"};
inline constexpr ErrorCode kSupportAttributes{ErrorClass::kRejected, "confidential-space-support-attributes"};
inline constexpr ErrorCode kSecureBoot{ErrorClass::kRejected, "confidential-space-secboot"};
inline constexpr ErrorCode kHardwareModel{ErrorClass::kRejected, "confidential-space-hwmodel"};
inline constexpr ErrorCode kTdxTcb{ErrorClass::kRejected, "confidential-space-tdx-tcb"};
inline constexpr ErrorCode kGpuCc{ErrorClass::kRejected, "confidential-space-gpu-cc"};
inline constexpr ErrorCode kImageDigest{ErrorClass::kRejected, "confidential-space-image-digest"};
inline constexpr ErrorCode kServiceAccount{ErrorClass::kRejected, "confidential-space-service-account"};
inline constexpr ErrorCode kEnvOverride{ErrorClass::kRejected, "confidential-space-env-override"};
inline constexpr ErrorCode kCmdOverride{ErrorClass::kRejected, "confidential-space-cmd-override"};
inline constexpr ErrorCode kRestartPolicy{ErrorClass::kRejected, "confidential-space-restart-policy"};

inline constexpr UnixSeconds kLeewaySeconds = 60;  // between Google's clock and the verifier's

struct Requirements {
  std::optional<std::string> audience;
  std::optional<std::string> nonce;  // the literal string: one of the token's nonces
  std::optional<std::string> image_digest;
  std::optional<std::string> dbgstat;
  std::optional<std::string> support_attribute;
  std::optional<bool> secboot;
  std::optional<std::string> hwmodel;
  std::optional<std::string> nvidia_gpu_cc_mode;
  std::optional<std::string> google_service_account;
  std::optional<bool> allow_env_override;
  std::optional<bool> allow_cmd_override;
  std::optional<std::string> restart_policy;
  std::optional<std::string> tdx_tcb;
};

// decode_requirements: kPolicy for an unknown member or one of the wrong type.
Result<Requirements> decode_requirements(const Json& json);

// check_token is steps 5.1 to 5.6: times with their leeway, and the claims that every token of this kind has. kParse,
// kExpired, kNotYetValid, kIssuer, kSoftware, kOemId.
Status check_token(const Claims& claims, UnixSeconds time);

// appraise is step 6: the first requirement that is not met, in the order of the page.
Status appraise(const Claims& claims, const Requirements& requirements);

}  // namespace eml::confidential_space

// VerifiedNrasTokens is what NVIDIA's Remote Attestation Service says about devices: one overall token, and one for
// each device whose digest the overall one holds. It is a vendor service's word, not hardware's. Source:
// docs/spec/evidence/nvidia.md, section 6.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/jose/jws.h"
#include "encoding/json.h"

namespace eml {

inline constexpr ErrorCode kNvidiaAlgorithm{ErrorClass::kUnsupported, "nvidia-algorithm"};
inline constexpr ErrorCode kNvidiaUnknownKid{ErrorClass::kUnauthentic, "nvidia-unknown-kid"};
inline constexpr ErrorCode kNvidiaJwsSignature{ErrorClass::kUnauthentic, "nvidia-jws-signature"};
inline constexpr ErrorCode kNvidiaSubmodDigest{ErrorClass::kUnauthentic, "nvidia-submod-digest"};
inline constexpr ErrorCode kNvidiaExpired{ErrorClass::kRejected, "nvidia-expired"};
inline constexpr ErrorCode kNvidiaNotYetValid{ErrorClass::kRejected, "nvidia-not-yet-valid"};
inline constexpr ErrorCode kNvidiaIssuer{ErrorClass::kRejected, "nvidia-issuer"};
inline constexpr ErrorCode kNvidiaResult{ErrorClass::kRejected, "nvidia-result"};
inline constexpr ErrorCode kNvidiaMeasres{ErrorClass::kRejected, "nvidia-measres"};
inline constexpr ErrorCode kNvidiaSecboot{ErrorClass::kRejected, "nvidia-secboot"};
inline constexpr ErrorCode kNvidiaDebugEnabled{ErrorClass::kRejected, "nvidia-debug-enabled"};
inline constexpr ErrorCode kNvidiaNonceMismatch{ErrorClass::kRejected, "nvidia-nonce-mismatch"};

inline constexpr std::size_t kNrasDevicesMax = 64;
inline constexpr std::size_t kNrasBytesMax = 512 * 1024;  // eight devices are 60 KiB
inline constexpr UnixSeconds kNrasLeewaySeconds = 60;     // between the service's clock and the verifier's

// UnverifiedNrasTokens is the pair that the service answers: [["JWT", overall], {name: device token, ...}].
struct UnverifiedNrasTokens {
  std::string overall;
  std::vector<std::pair<std::string, std::string>> devices;

  // decode: kNvidiaParse (attestation/nvidia/spdm.h).
  static Result<UnverifiedNrasTokens> decode(ByteView json);
};

struct NrasDevice {
  std::string name;  // "GPU-0"
  Json claims;
};

class VerifiedNrasTokens {
 public:
  // verify, in this order: the overall token (kNvidiaParse, kNvidiaAlgorithm, kNvidiaUnknownKid, kNvidiaJwsSignature),
  // its digests (kNvidiaSubmodDigest), each device's token likewise, issuer and subject (kNvidiaIssuer), times
  // (kNvidiaExpired, kNvidiaNotYetValid), one nonce in all of them (kNvidiaNonceMismatch).
  static Result<VerifiedNrasTokens> verify(const UnverifiedNrasTokens& tokens, const Jwks& keys, UnixSeconds time);

  const Json& overall() const { return overall_; }
  const std::vector<NrasDevice>& devices() const { return devices_; }
  const std::string& nonce() const { return nonce_; }  // hex, as the tokens have it

 private:
  Json overall_;
  std::vector<NrasDevice> devices_;
  std::string nonce_;
};

// appraise_nras: the service found each device as it should be. kNvidiaResult (overall, or any check of a device that
// is false, or a certificate status that is not valid and good), kNvidiaMeasres, kNvidiaSecboot, kNvidiaDebugEnabled.
Status appraise_nras(const VerifiedNrasTokens& tokens);

}  // namespace eml

// NitroRequirements are what a caller asks of a genuine document; appraise_nitro compares.
// Source: docs/spec/evidence/nitro.md, section 4 and steps 9 to 12.
#pragma once

#include <map>
#include <optional>

#include "attestation/nitro/nitro.h"
#include "base/bytes.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

inline constexpr ErrorCode kNitroRequirements{ErrorClass::kMalformed, "nitro-requirements"};
inline constexpr ErrorCode kNitroMeasurementMismatch{ErrorClass::kRejected, "nitro-measurement-mismatch"};
inline constexpr ErrorCode kNitroNonceMismatch{ErrorClass::kRejected, "nitro-nonce-mismatch"};
inline constexpr ErrorCode kNitroUserDataMismatch{ErrorClass::kRejected, "nitro-user-data-mismatch"};
inline constexpr ErrorCode kNitroDebugEnabled{ErrorClass::kRejected, "nitro-debug-enabled"};

// An absent member requires nothing.
struct NitroRequirements {
  std::map<unsigned, Bytes> pcrs;
  std::optional<Bytes> nonce;
  std::optional<Bytes> user_data;
  std::optional<bool> allow_debug;
};

// decode_nitro_requirements reads the closed JSON object; null gives the defaults. kNitroRequirements.
Result<NitroRequirements> decode_nitro_requirements(const Json* json);

// appraise_nitro: kNitroMeasurementMismatch (the integer is the PCR), kNitroNonceMismatch, kNitroUserDataMismatch,
// kNitroDebugEnabled, in this order.
Status appraise_nitro(const VerifiedNitroDocument& verified, const NitroRequirements& requirements);

}  // namespace eml

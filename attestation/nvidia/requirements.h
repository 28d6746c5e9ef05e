// NvidiaRequirements are what a caller asks of genuine evidence of a device.
// Source: docs/spec/evidence/nvidia.md, section 7.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

inline constexpr ErrorCode kNvidiaRequirements{ErrorClass::kMalformed, "nvidia-requirements"};
inline constexpr ErrorCode kNvidiaDriverVersion{ErrorClass::kRejected, "nvidia-driver-version"};

// An absent member requires nothing.
struct NvidiaRequirements {
  std::optional<Bytes> nonce;
  std::optional<std::vector<std::string>> driver_versions;

  // decode reads the closed JSON object; null gives the defaults. kNvidiaRequirements.
  static Result<NvidiaRequirements> decode(const Json* json);

  bool accepts_nonce(std::string_view nonce_hex) const;
  bool accepts_driver(std::string_view version) const;
};

}  // namespace eml

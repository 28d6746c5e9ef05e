// Composite evidence: devices beside a CPU, and whether they are bound to it or merely stand side by side.
// Source: docs/spec/evidence/composite.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/binding.h"
#include "attestation/judge.h"
#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kCompositeMalformed{ErrorClass::kMalformed, "composite-malformed"};
inline constexpr ErrorCode kCompositeDevicesHash{ErrorClass::kUnauthentic, "composite-devices-hash"};
inline constexpr ErrorCode kCompositeChallenge{ErrorClass::kUnauthentic, "composite-challenge"};
inline constexpr ErrorCode kCompositeDeviceTwice{ErrorClass::kRejected, "composite-device-twice"};

inline constexpr std::size_t kCompositeDevicesMax = 64;  // as many as a bundle holds
inline constexpr std::size_t kDeviceEvidenceBytesMax = 1U << 20;

// DeviceEvidence is one entry of bundle member 5.
struct DeviceEvidence {
  Bytes report;
  Bytes chain;  // PEM
  std::optional<Bytes> driver_rim;
  std::optional<Bytes> vbios_rim;
};
Bytes encode_device_evidence(const DeviceEvidence& device);
// decode_device_evidence: kCompositeMalformed.
Result<DeviceEvidence> decode_device_evidence(ByteView bytes);

// device_challenge is what device `index` of a serve binding is asked to sign.
Hash32 device_challenge(const Binding& binding, std::uint32_t index);

enum class Composition : std::uint8_t { kSideBySide, kBoundByNonce, kBound };
std::string_view to_string(Composition composition);  // "side by side", "bound by nonce", "bound"

// CompositeInput: `signed_value` is what the CPU's evidence signed, and it is verified already; so is that it is this
// binding's, if there is one.
struct CompositeInput {
  ByteView signed_value;
  const Binding* binding = nullptr;  // null: evidence that is not ours
  const std::vector<Bytes>* devices = nullptr;
  UnixSeconds time = 0;
  std::optional<Bytes> root;  // of the devices, in place of the built-in one
};

struct CompositeVerdict {
  std::optional<Error> error;                          // the first failure; a device's own error is of kind nvidia
  std::vector<EvidenceVerdict> devices;                // those that were judged, in their order
  Composition composition = Composition::kSideBySide;  // meaningful only without an error
};

CompositeVerdict judge_composite(const CompositeInput& input);

}  // namespace eml

// Binding is what a process ties to its evidence: keys, times, configuration, models. The TEE signs its digest D.
// Source: docs/spec/evidence.md, "Binding".
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/ed25519.h"

namespace eml {

inline constexpr ErrorCode kBindingMalformed{ErrorClass::kMalformed, "binding-malformed"};
inline constexpr ErrorCode kBindingVersion{ErrorClass::kUnsupported, "binding-version"};

inline constexpr std::uint64_t kBindingVersionNumber = 1;
inline constexpr std::size_t kBindingModelsMax = 64;         // far more than fit into one machine's memory
inline constexpr std::size_t kBindingBytesMax = 4096;        // 64 model hashes and all keys are 2,500
inline constexpr UnixSeconds kBindingSecondsMax = 3600;      // not_after - issued_at: two epochs
inline constexpr UnixSeconds kBindingClockSkewSeconds = 60;  // a verifier's clock may be this much behind

enum class Purpose : std::uint8_t { kServe = 1, kRelease = 2 };

using BootId = ByteArray<16>;

struct Binding {
  Purpose purpose = Purpose::kServe;
  BootId boot_id{};
  UnixSeconds issued_at = 0;
  UnixSeconds not_after = 0;
  Hash32 configuration_hash{};         // H(public configuration)
  std::vector<Hash32> model_hashes;    // serve: loaded and checked; release: exactly the one asked for
  Ed25519PublicKey receipt_key{};      // serve only
  Ed25519PublicKey channel_key{};      // serve only
  ByteArray<32> release_key{};         // X25519, release only
  std::optional<Hash32> devices_hash;  // H(CBOR array of device evidence), if there are devices
  std::optional<Hash32> challenge;     // fresh serve evidence, and always for release (the broker's nonce)
};

// encode_binding gives the deterministic CBOR map with exactly the keys that its purpose has. Models are sorted. The
// caller has set a sensible Binding: what decode_binding would refuse is encoded as it is.
Bytes encode_binding(const Binding& binding);

// decode_binding accepts nothing else: unknown, missing or misplaced keys, empty or unsorted models, not_after <=
// issued_at or more than kBindingSecondsMax after it are kBindingMalformed; another version is kBindingVersion.
Result<Binding> decode_binding(ByteView bytes);

// binding_digest is D = H(L("eml serve binding v1") || bytes), or with the label of purpose 2.
Hash32 binding_digest(Purpose purpose, ByteView binding_bytes);

}  // namespace eml

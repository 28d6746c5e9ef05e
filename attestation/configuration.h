// PublicConfiguration is what a process was told, as far as a verifier should know it: no address, no secret. Its hash
// is binding key 6, so it is as genuine as the evidence. Source: docs/spec/evidence.md, "Public configuration".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ed25519.h"

namespace eml {

inline constexpr ErrorCode kConfigurationMalformed{ErrorClass::kMalformed, "configuration-malformed"};

inline constexpr std::size_t kConfigurationBytesMax = 16 * 1024;  // 64 models and 16 publishers are 8 KiB
inline constexpr std::size_t kConfigurationPublishersMax = 16;

// PublicConfiguration is the decoded binding key 6 document: what the process was told, without addresses and secrets.
struct PublicConfiguration {
  std::string issuer;  // 1 to 128 printable ASCII characters
  std::optional<Ed25519PublicKey> operator_key;
  std::vector<Ed25519PublicKey> publishers;                            // 1 to 16, ascending, each once
  std::vector<std::pair<std::string, std::uint64_t>> minimum_serials;  // model id to serial
  std::string numerics;                                                // [a-z0-9._-], 1 to 64
  std::string log_level;                                               // error, warning, info or debug
  Bytes limits;                                                        // JCS of the limits object; empty reads as {}
};

// decode_configuration accepts only the canonical form (JCS) of a closed document: kConfigurationMalformed otherwise.
Result<PublicConfiguration> decode_configuration(ByteView jcs);

// encode_configuration gives the JCS. Publishers are sorted. What decode_configuration would refuse (an empty issuer,
// limits that are not an object of numbers) is encoded so that it is refused there.
Bytes encode_configuration(const PublicConfiguration& configuration);

}  // namespace eml

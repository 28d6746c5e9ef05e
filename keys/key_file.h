// Key files: one line of text with a seed. Source: docs/spec/key_release.md, 2.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/ed25519.h"
#include "crypto/hpke.h"

namespace eml {

inline constexpr ErrorCode kKeyFileMalformed{ErrorClass::kMalformed, "key-file-malformed"};
inline constexpr ErrorCode kKeyFilePurpose{ErrorClass::kRejected, "key-file-purpose"};

enum class KeyPurpose : std::uint8_t { kPublisher, kBroker, kPolicy };
std::string_view to_string(KeyPurpose purpose);  // "publisher", "broker", "policy"
std::optional<KeyPurpose> parse_key_purpose(std::string_view name);

// BrokerKeys are the two keys that a broker's one seed gives.
struct BrokerKeys {
  Ed25519Key signing;
  KemKeyPair wrapping;
};

// derive_broker_keys makes both from the seed.
Result<BrokerKeys> derive_broker_keys(const SecretBytes& seed);

// write_new_key makes a key of `purpose`: the private file `path` (0600, never over an existing one: kFileExists) and
// `path`.pub beside it. Returns the public file's line, without its line feed. Errors: those of write_file.
Result<std::string> write_new_key(const std::string& path, KeyPurpose purpose, Random& random);

// read_signing_key reads a publisher's or a policy owner's key. kKeyFileMalformed; kKeyFilePurpose if the file says
// that it is for something else, so that no key does two jobs by mistake; those of read_file.
Result<Ed25519Key> read_signing_key(const std::string& path, KeyPurpose purpose);

// read_broker_keys reads a broker's key file; errors as read_signing_key.
Result<BrokerKeys> read_broker_keys(const std::string& path);

// PublicKeys is what a .pub file says.
struct PublicKeys {
  KeyPurpose purpose = KeyPurpose::kPublisher;
  Ed25519PublicKey signing{};
  std::string key_id;  // broker only: what a package's manifest names (package/dek.h)
};

// read_public_keys reads a .pub file, parse_public_keys its text; errors as read_signing_key. The purpose is for the
// caller to check.
Result<PublicKeys> parse_public_keys(std::string_view text);
Result<PublicKeys> read_public_keys(const std::string& path);

}  // namespace eml

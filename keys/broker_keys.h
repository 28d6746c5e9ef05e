// BrokerKeys are the two keys of a broker, both from its one key file (crypto/key_file.h, purpose broker).
// Source: docs/spec/key_release.md, 2.
#pragma once

#include <string>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/hpke.h"

namespace eml {

struct BrokerKeys {
  Ed25519Key signing;   // answers and log; servers pin its public half
  KemKeyPair wrapping;  // opens wrapped_dek.bin

  // key_id is what the manifest of a package for this broker names: `x25519:` and the public half of `wrapping`.
  std::string key_id() const;
};

// derive_broker_keys makes the wrapping key out of the signing key's seed.
Result<BrokerKeys> derive_broker_keys(Ed25519Key signing);

// read_broker_keys reads the key file. Errors: those of read_file and decode_private_key_file.
Result<BrokerKeys> read_broker_keys(const std::string& path);

}  // namespace eml

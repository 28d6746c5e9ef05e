// A further key from a signing key's seed, so that one key file holds all that its owner needs.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/ed25519.h"

namespace eml {

// derive_secret is HKDF-Expand(HKDF-Extract("", seed of `key`), info, size). The caller gives it a label of its own in
// `info`; the result tells nothing about the seed. Source: docs/spec/key_release.md, 2.
SecretBytes derive_secret(const Ed25519Key& key, ByteView info, std::size_t size);

}  // namespace eml

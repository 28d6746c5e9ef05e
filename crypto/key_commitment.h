// A key commitment is a public value computed from a key: it tells which key was meant and nothing else about it.
#pragma once

#include "base/bytes.h"
#include "base/secret.h"

namespace eml {

// key_commitment is HKDF-Expand(prk, info, 32), published. The caller gives it a label of its own in `info`, one that
// makes no key. Source: docs/spec/package.md, 3 (`check`).
Hash32 key_commitment(const SecretBytes& prk, ByteView info);

}  // namespace eml

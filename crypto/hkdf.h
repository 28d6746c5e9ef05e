// HKDF (RFC 5869) with SHA-256. Input and output keys are secrets; info and salt are public.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/secret.h"

namespace eml {

// hkdf_extract returns the 32-byte pseudorandom key.
SecretBytes hkdf_extract(ByteView salt, const SecretBytes& input_key);
// hkdf_expand returns `size` bytes (at most 255 * 32).
SecretBytes hkdf_expand(const SecretBytes& prk, ByteView info, std::size_t size);

}  // namespace eml

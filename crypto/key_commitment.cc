#include "crypto/key_commitment.h"

#include "crypto/hkdf.h"

namespace eml {

Hash32 key_commitment(const SecretBytes& prk, ByteView info) {
  const SecretBytes value = hkdf_expand(prk, info, Hash32{}.size());
  return *to_array<32>(value.read(SecretAccess::i_am_cryptography_or_a_test()));
}

}  // namespace eml

#include "crypto/derived_key.h"

#include "crypto/hkdf.h"

namespace eml {

SecretBytes derive_secret(const Ed25519Key& key, ByteView info, std::size_t size) {
  const SecretBytes seed = key.export_seed(SecretAccess::i_am_cryptography_or_a_test());
  return hkdf_expand(hkdf_extract({}, seed), info, size);
}

}  // namespace eml

#include "crypto/numbered_aead.h"

#include <algorithm>

#include "crypto/openssl.h"

namespace eml {

NumberedAead::NumberedAead(const SecretBytes& key, const SecretBytes& iv)
    : key_(key), iv_(copy_to_secret(iv.read(SecretAccess::i_am_cryptography_or_a_test()))) {
  if (iv.size() != kAeadNonceSize) openssl::panic("a base nonce has a wrong size");
}

ByteArray<kAeadNonceSize> NumberedAead::nonce(std::uint64_t number) const {
  ByteArray<kAeadNonceSize> out{};
  std::ranges::copy(iv_.read(SecretAccess::i_am_cryptography_or_a_test()), out.begin());
  for (std::size_t i = 0; i < 8; ++i) {
    out[kAeadNonceSize - 1 - i] ^= static_cast<std::uint8_t>(number >> (8 * i));
  }
  return out;
}

void NumberedAead::seal(MutableByteView out, std::uint64_t number, ByteView aad, ByteView plaintext) {
  key_.seal(out, nonce(number), aad, plaintext);
}

Status NumberedAead::open(MutableByteView out, std::uint64_t number, ByteView aad, ByteView sealed) {
  return key_.open(out, nonce(number), aad, sealed);
}

Hash32 reveal_name(const SecretBytes& exported) {
  const auto name = to_array<32>(exported.read(SecretAccess::i_am_cryptography_or_a_test()));
  if (!name) openssl::panic("a name has a wrong size");
  return *name;
}

}  // namespace eml

#include "crypto/numbered_aead.h"

#include <algorithm>

namespace eml {

NumberedAead::NumberedAead(const SecretBytes& key, const SecretBytes& iv)
    : key_(key), iv_(copy_to_secret(iv.read(SecretAccess::i_am_cryptography_or_a_test()))) {}

ByteArray<kAeadNonceSize> NumberedAead::nonce(std::uint64_t number) const {
  ByteArray<kAeadNonceSize> out{};
  const ByteView iv = iv_.read(SecretAccess::i_am_cryptography_or_a_test());
  std::copy_n(iv.begin(), std::min(iv.size(), out.size()), out.begin());
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
  Hash32 out{};
  const ByteView bytes = exported.read(SecretAccess::i_am_cryptography_or_a_test());
  std::copy_n(bytes.begin(), std::min(bytes.size(), out.size()), out.begin());
  return out;
}

}  // namespace eml

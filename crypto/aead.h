// ChaCha20-Poly1305 (RFC 8439), the only AEAD of the channel, the package and key release.
#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace eml {

inline constexpr ErrorCode kAeadUnauthentic{ErrorClass::kUnauthentic, "aead-unauthentic"};
inline constexpr std::size_t kAeadKeySize = 32;
inline constexpr std::size_t kAeadNonceSize = 12;
inline constexpr std::size_t kAeadTagSize = 16;

// AeadKey is one key, ready for use: the cipher context is set up once and reused. Not thread-safe; one a thread.
// The caller never repeats a nonce.
class AeadKey {
 public:
  // `key` is 32 bytes; it is copied into the cipher's own wiped state and may be cleared afterwards.
  explicit AeadKey(const SecretBytes& key);
  ~AeadKey();
  AeadKey(AeadKey&&) noexcept;
  AeadKey& operator=(AeadKey&&) noexcept;

  // seal writes plaintext.size() bytes of ciphertext and the 16-byte tag to `out` (exactly that size). `out` may
  // begin at the plaintext's own first byte (in place).
  void seal(MutableByteView out, const ByteArray<kAeadNonceSize>& nonce, ByteView aad, ByteView plaintext);
  // open writes sealed.size() - 16 bytes; in place allowed. kAeadUnauthentic: `out` is wiped. Shorter than a tag is
  // kAeadUnauthentic too.
  Status open(MutableByteView out, const ByteArray<kAeadNonceSize>& nonce, ByteView aad, ByteView sealed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace eml

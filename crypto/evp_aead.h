// EvpAead is an AEAD of OpenSSL whose context is keyed once. Internal to crypto/: AeadKey and HPKE are made of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/openssl.h"

namespace eml {

// AeadId has HPKE's numbers (RFC 9180, 7.3). All three have 12-byte nonces and 16-byte tags.
enum class AeadId : std::uint16_t { kAes128Gcm = 1, kAes256Gcm = 2, kChaCha20Poly1305 = 3 };

std::size_t aead_key_size(AeadId id);

class EvpAead {
 public:
  // `key` has aead_key_size(id) bytes; another size ends the process.
  EvpAead(AeadId id, const SecretBytes& key);
  // seal and open are as in AeadKey.
  void seal(MutableByteView out, const ByteArray<kAeadNonceSize>& nonce, ByteView aad, ByteView plaintext);
  Status open(MutableByteView out, const ByteArray<kAeadNonceSize>& nonce, ByteView aad, ByteView sealed);

 private:
  enum class Direction : int { kOpen = 0, kSeal = 1 };
  void begin(Direction direction, const ByteArray<kAeadNonceSize>& nonce, ByteView aad);
  void transform(std::uint8_t* out, ByteView in);

  openssl::CipherCtx ctx_;
};

}  // namespace eml

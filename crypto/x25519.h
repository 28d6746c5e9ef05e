// X25519 (RFC 7748) for HPKE. Internal to crypto/.
#pragma once

#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace eml {

inline constexpr ErrorCode kX25519BadPublicKey{ErrorClass::kUnauthentic, "x25519-bad-public-key"};
inline constexpr std::size_t kX25519Size = 32;

using X25519PublicKey = ByteArray<kX25519Size>;

// X25519Key is a private key in locked memory, with its public key.
class X25519Key {
 public:
  static X25519Key generate(Random& random);
  // from_private takes any 32 bytes (they are clamped when used); another size ends the process.
  static X25519Key from_private(SecretBytes bytes);

  const X25519PublicKey& public_key() const { return public_key_; }
  // shared_secret is X25519(this, peer), 32 bytes. kX25519BadPublicKey if it is all zero (a small-order peer).
  Result<SecretBytes> shared_secret(const X25519PublicKey& peer) const;

 private:
  X25519Key(SecretBytes key, const X25519PublicKey& public_key) : key_(std::move(key)), public_key_(public_key) {}
  SecretBytes key_;
  X25519PublicKey public_key_;
};

}  // namespace eml

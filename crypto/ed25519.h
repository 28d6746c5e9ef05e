// Ed25519 (RFC 8032), strict: S < L, canonical encodings, no small-order public key or R.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace eml {

inline constexpr ErrorCode kSignatureInvalid{ErrorClass::kUnauthentic, "signature-invalid"};
inline constexpr ErrorCode kPublicKeyInvalid{ErrorClass::kUnauthentic, "public-key-invalid"};
inline constexpr ErrorCode kPrivateKeyInvalid{ErrorClass::kMalformed, "private-key-invalid"};

using Ed25519PublicKey = ByteArray<32>;
using Ed25519Signature = ByteArray<64>;

// verify_ed25519 fails with kPublicKeyInvalid for a small-order or non-canonical key, kSignatureInvalid otherwise.
Status verify_ed25519(const Ed25519PublicKey& key, ByteView message, const Ed25519Signature& signature);

// Ed25519Key is a private key that signs and never leaves. Thread-safe for signing.
class Ed25519Key {
 public:
  static Ed25519Key generate(Random& random);
  // from_seed takes the 32-byte seed (key files, tests). The seed is wiped by its owner. kPrivateKeyInvalid for
  // another size.
  static Result<Ed25519Key> from_seed(const SecretBytes& seed);
  ~Ed25519Key();
  Ed25519Key(Ed25519Key&&) noexcept;
  Ed25519Key& operator=(Ed25519Key&&) noexcept;

  const Ed25519PublicKey& public_key() const;
  Ed25519Signature sign(ByteView message) const;
  // export_seed is for `keygen`, which writes a key file, and for nothing else.
  SecretBytes export_seed(SecretAccess) const;

 private:
  struct State;
  explicit Ed25519Key(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace eml

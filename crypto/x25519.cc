#include "crypto/x25519.h"

#include <utility>

namespace eml {
namespace {

using openssl::must;
using openssl::panic;

SecretAccess access() { return SecretAccess::i_am_cryptography_or_a_test(); }

}  // namespace

X25519Key X25519Key::generate(Random& random) {
  SecretBytes bytes(kX25519Size);
  random.fill(bytes.write(access()));
  return from_private(bytes);
}

X25519Key X25519Key::from_private(const SecretBytes& bytes) {
  if (bytes.size() != kX25519Size) panic("an X25519 private key has a wrong size");
  static_cast<void>(openssl::algorithms());  // the locked heap comes first
  openssl::Pkey key(
      EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, bytes.read(access()).data(), kX25519Size));
  if (key == nullptr) panic("an X25519 key could not be made: OpenSSL's heap for keys is full");
  X25519PublicKey public_key;
  std::size_t size = public_key.size();
  must(EVP_PKEY_get_raw_public_key(key.get(), public_key.data(), &size));
  return {std::move(key), public_key};
}

Result<SecretBytes> X25519Key::shared_secret(const X25519PublicKey& peer) const {
  const openssl::Pkey peer_key(EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, peer.data(), peer.size()));
  const openssl::PkeyCtx ctx(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  if (peer_key == nullptr || ctx == nullptr) panic("out of memory");
  must(EVP_PKEY_derive_init(ctx.get()));
  must(EVP_PKEY_derive_set_peer_ex(ctx.get(), peer_key.get(), 0));
  SecretBytes out(kX25519Size);
  std::size_t size = out.size();
  // OpenSSL looks for the all-zero result itself, in constant time; it has no other way to fail here.
  if (EVP_PKEY_derive(ctx.get(), out.write(access()).data(), &size) != 1) {
    openssl::forget_errors();
    return fail(kX25519BadPublicKey, "the shared secret of an X25519 public key is zero");
  }
  if (size != kX25519Size) panic("X25519 gave another size than 32");
  return out;
}

}  // namespace eml

#include "crypto/x25519.h"

#include "crypto/openssl.h"

namespace eml {
namespace {

using openssl::Curve;
using openssl::must;
using openssl::panic;

SecretAccess access() { return SecretAccess::i_am_cryptography_or_a_test(); }

}  // namespace

X25519Key X25519Key::generate(Random& random) {
  SecretBytes bytes(kX25519Size);
  random.fill(bytes.write(access()));
  return from_private(std::move(bytes));
}

X25519Key X25519Key::from_private(SecretBytes bytes) {
  const X25519PublicKey public_key = openssl::public_key_of(Curve::kX25519, bytes);
  return {std::move(bytes), public_key};
}

Result<SecretBytes> X25519Key::shared_secret(const X25519PublicKey& peer) const {
  const openssl::Pkey key = openssl::private_pkey(Curve::kX25519, key_, public_key_);
  const openssl::Pkey peer_key = openssl::public_pkey(Curve::kX25519, peer);
  const openssl::PkeyCtx ctx(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (ctx == nullptr) panic("out of memory");
  must(EVP_PKEY_derive_init(ctx.get()));
  must(EVP_PKEY_derive_set_peer_ex(ctx.get(), peer_key.get(), 0));
  SecretBytes out(kX25519Size);
  std::size_t size = out.size();
  // OpenSSL looks for the all-zero result itself, in constant time; it has no other way to fail here.
  const int derived = EVP_PKEY_derive(ctx.get(), out.write(access()).data(), &size);
  openssl::wipe_dead_stack();
  if (derived != 1) {
    openssl::forget_errors();
    return fail(kX25519BadPublicKey, "the shared secret of an X25519 public key is zero");
  }
  if (size != kX25519Size) panic("X25519 gave another size than 32");
  return out;
}

}  // namespace eml

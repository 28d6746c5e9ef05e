// What the files of this folder share about OpenSSL: owners, algorithms fetched once, and the end of the process.
// Internal to crypto/.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace eml::openssl {

template <auto free_function>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    free_function(object);
  }
};

using Pkey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyCtx = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using CipherCtx = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;

// Algorithms are looked up by name once, each on its first use: a later look-up costs 0.3 to 1 us a call, and fetching
// the first cipher costs a millisecond, which a verifier that decrypts nothing need not spend. They panic if OpenSSL
// lacks the algorithm.
EVP_CIPHER* aes_128_gcm();
EVP_CIPHER* aes_256_gcm();
EVP_CIPHER* chacha20_poly1305();
EVP_SIGNATURE* ed25519();
EVP_SIGNATURE* ecdsa();  // over a hash that is there already; so is rsa
EVP_SIGNATURE* rsa();

// panic ends the process. For what only a bug or exhausted memory can cause: going on would mean weak keys, unsigned
// messages or reused nonces.
[[noreturn]] void panic(Literal what);

// must panics unless an OpenSSL call that cannot fail returned 1.
inline void must(int returned) {
  if (returned != 1) panic("a call of OpenSSL failed that cannot fail");
}

// Curve is a key type of 32-byte private and public keys.
enum class Curve : std::uint8_t { kEd25519, kX25519 };

// public_key_of computes the public half of a private key.
ByteArray<32> public_key_of(Curve curve, const SecretBytes& private_key);
// private_pkey and public_pkey make OpenSSL's form of a key. A private one is made for one operation and ended after
// it: OpenSSL keeps imported private keys in ordinary memory (which it wipes), and leaves an unwiped copy behind if one
// is read back. So keys live in SecretBytes between operations. Both halves are given, which spares a multiplication.
Pkey private_pkey(Curve curve, const SecretBytes& private_key, const ByteArray<32>& public_key);
Pkey public_pkey(Curve curve, const ByteArray<32>& public_key);

// wipe_dead_stack overwrites the stack below its caller's frame, where OpenSSL's functions, assembly above all, have
// left keys behind.
void wipe_dead_stack();

// forget_errors empties OpenSSL's error queue of this thread, so that no later caller takes our error for its own.
void forget_errors();

}  // namespace eml::openssl

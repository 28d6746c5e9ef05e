// What the files of this folder share about OpenSSL: owners, algorithms fetched once, and the end of the process.
// Internal to crypto/.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <memory>

#include "base/result.h"

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

// Algorithms holds what would otherwise be looked up by name at every call (0.3 to 1 us each).
struct Algorithms {
  EVP_CIPHER* aes_128_gcm;
  EVP_CIPHER* aes_256_gcm;
  EVP_CIPHER* chacha20_poly1305;
  EVP_SIGNATURE* ed25519;
};

// algorithms initialises OpenSSL on its first call.
const Algorithms& algorithms();

// panic ends the process. For what only a bug or exhausted memory can cause: going on would mean weak keys, unsigned
// messages or reused nonces.
[[noreturn]] void panic(Literal what);

// must panics unless an OpenSSL call that cannot fail returned 1.
inline void must(int returned) {
  if (returned != 1) panic("a call of OpenSSL failed that cannot fail");
}

// forget_errors empties OpenSSL's error queue of this thread, so that no later caller takes our error for its own.
void forget_errors();

}  // namespace eml::openssl

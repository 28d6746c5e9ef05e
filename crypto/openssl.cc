#include "crypto/openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <cstdio>
#include <cstdlib>

#include "crypto/init.h"

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define EML_LEAK_CHECKED 1
#endif

namespace eml {
namespace openssl {
namespace {

// 256 KiB: 8192 blocks of 32 bytes. Needed: one X25519 key for each of 256 handshakes under way, two Ed25519 keys an
// epoch, and the bignums of a TLS key. OpenSSL fails an allocation when this heap is full, so the room is generous;
// with the 1 MiB pool of base/secret.h it still is far below the usual RLIMIT_MEMLOCK of 8 MiB.
constexpr std::size_t kHeapBytes = std::size_t{256} * 1024;
constexpr std::size_t kHeapBlockMin = 32;

struct Library {
  Algorithms algorithms;
  int heap;  // CRYPTO_secure_malloc_init: 1 locked, 2 not locked, 0 none
};

template <typename T>
T* found(T* algorithm) {
  if (algorithm == nullptr) panic("OpenSSL lacks an algorithm that this program needs");
  return algorithm;
}

// LeakSanitizer looks for pointers in known memory, and OpenSSL's random generators live in its heap, which is not. All
// of the fresh heap, as one block, begins at its first byte.
void show_heap_to_leak_checker() {
#ifdef EML_LEAK_CHECKED
  void* const whole = OPENSSL_secure_malloc(kHeapBytes);
  __lsan_register_root_region(whole, kHeapBytes);
  OPENSSL_secure_free(whole);
#endif
}

int make_heap() {
  if (CRYPTO_secure_malloc_initialized() == 1) return 1;  // somebody else's, made before our first call
  const int made = CRYPTO_secure_malloc_init(kHeapBytes, kHeapBlockMin);
  if (made != 0) show_heap_to_leak_checker();
  return made;
}

Library start() {
  // No atexit: other threads may still sign while the process ends.
  must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr));
  const int heap = make_heap();
  forget_errors();
  return {.algorithms = {.aes_128_gcm = found(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr)),
                         .aes_256_gcm = found(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)),
                         .chacha20_poly1305 = found(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr)),
                         .ed25519 = found(EVP_SIGNATURE_fetch(nullptr, "ED25519", nullptr))},
          .heap = heap};
}

// Never destroyed: objects with static storage may hold keys to the very end.
const Library& library() {
  static const Library* const instance = new Library(start());
  return *instance;
}

}  // namespace

const Algorithms& algorithms() { return library().algorithms; }

void panic(Literal what) {
  std::fputs("fatal: cryptography: ", stderr);
  std::fputs(what.view().data(), stderr);
  std::fputs("\n", stderr);
  std::abort();
}

void forget_errors() { ERR_clear_error(); }

}  // namespace openssl

CryptoHeap init_crypto() {
  const int heap = openssl::library().heap;
  return {.locked = heap == 1,
          .size_bytes = heap == 0 ? 0 : openssl::kHeapBytes,
          .used_bytes = heap == 0 ? 0 : CRYPTO_secure_used()};
}

}  // namespace eml

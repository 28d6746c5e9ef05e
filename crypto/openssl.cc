#include "crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

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

// 256 KiB: the random generators of some hundred threads (1 KiB each) and the bignums of a TLS key. OpenSSL fails an
// allocation when this heap is full, so the room is generous; with the 1 MiB pool of base/secret.h it still is far
// below the usual RLIMIT_MEMLOCK of 8 MiB.
constexpr std::size_t kHeapBytes = std::size_t{256} * 1024;
constexpr std::size_t kHeapBlockMin = 32;

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

// Returns what CRYPTO_secure_malloc_init did: 1 locked, 2 not locked, 0 none.
int start() {
  // No atexit: other threads may still sign while the process ends. No error strings: nobody prints them.
  must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS,
                           nullptr));
  const int heap = make_heap();
  forget_errors();
  return heap;
}

int library() {
  static const int heap = start();
  return heap;
}

EVP_CIPHER* cipher(const char* name) {
  static_cast<void>(library());
  return found(EVP_CIPHER_fetch(nullptr, name, nullptr));
}

EVP_SIGNATURE* signature(const char* name) {
  static_cast<void>(library());
  return found(EVP_SIGNATURE_fetch(nullptr, name, nullptr));
}

}  // namespace

// Never freed: objects with static storage may hold keys to the very end.
EVP_CIPHER* aes_128_gcm() {
  static EVP_CIPHER* const algorithm = cipher("AES-128-GCM");
  return algorithm;
}

EVP_CIPHER* aes_256_gcm() {
  static EVP_CIPHER* const algorithm = cipher("AES-256-GCM");
  return algorithm;
}

EVP_CIPHER* chacha20_poly1305() {
  static EVP_CIPHER* const algorithm = cipher("ChaCha20-Poly1305");
  return algorithm;
}

EVP_SIGNATURE* ed25519() {
  static EVP_SIGNATURE* const algorithm = signature("ED25519");
  return algorithm;
}

EVP_SIGNATURE* ecdsa() {
  static EVP_SIGNATURE* const algorithm = signature("ECDSA");
  return algorithm;
}

EVP_SIGNATURE* rsa() {
  static EVP_SIGNATURE* const algorithm = signature("RSA");
  return algorithm;
}

void panic(Literal what) {
  std::fputs("fatal: cryptography: ", stderr);
  std::fwrite(what.view().data(), 1, what.view().size(), stderr);
  std::fputs("\n", stderr);
  std::abort();
}

namespace {

const char* name_of(Curve curve) { return curve == Curve::kEd25519 ? "ED25519" : "X25519"; }

ByteView reveal(const SecretBytes& key) {
  if (key.size() != 32) panic("a private key has a wrong size");
  return key.read(SecretAccess::i_am_cryptography_or_a_test());
}

Pkey made(EVP_PKEY* key) {
  if (key == nullptr) panic("a key could not be made: out of memory");
  return Pkey(key);
}

// OSSL_PARAM has no const form; OpenSSL only reads what these point to.
OSSL_PARAM octets(const char* name, ByteView bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

ByteArray<32> public_key_of(Curve curve, const SecretBytes& private_key) {
  static_cast<void>(library());
  const ByteView bytes = reveal(private_key);
  const Pkey key = made(EVP_PKEY_new_raw_private_key_ex(nullptr, name_of(curve), nullptr, bytes.data(), bytes.size()));
  ByteArray<32> out;
  std::size_t size = out.size();
  must(EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size));
  wipe_dead_stack();
  return out;
}

Pkey private_pkey(Curve curve, const SecretBytes& private_key, const ByteArray<32>& public_key) {
  static_cast<void>(library());
  const PkeyCtx ctx(EVP_PKEY_CTX_new_from_name(nullptr, name_of(curve), nullptr));
  if (ctx == nullptr) panic("out of memory");
  must(EVP_PKEY_fromdata_init(ctx.get()));
  OSSL_PARAM params[] = {octets(OSSL_PKEY_PARAM_PRIV_KEY, reveal(private_key)),
                         octets(OSSL_PKEY_PARAM_PUB_KEY, public_key), OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_fromdata(ctx.get(), &key, EVP_PKEY_KEYPAIR, params));
  return made(key);
}

Pkey public_pkey(Curve curve, const ByteArray<32>& public_key) {
  static_cast<void>(library());
  return made(EVP_PKEY_new_raw_public_key_ex(nullptr, name_of(curve), nullptr, public_key.data(), public_key.size()));
}

// 4 KiB: the residue of ChaCha20's assembly lies between 0.5 and 1 KiB below the caller (crypto/secrecy_test.cc goes
// red with 512 bytes), and other CPUs take other paths. Without AddressSanitizer, which would put the array elsewhere.
__attribute__((noinline, no_sanitize("address"))) void wipe_dead_stack() {
  std::uint8_t frame[4096];
  wipe(frame, sizeof frame);
}

void forget_errors() { ERR_clear_error(); }

}  // namespace openssl

CryptoHeap init_crypto() {
  const int heap = openssl::library();
  return {.locked = heap == 1,
          .size_bytes = heap == 0 ? 0 : openssl::kHeapBytes,
          .used_bytes = heap == 0 ? 0 : CRYPTO_secure_used()};
}

}  // namespace eml

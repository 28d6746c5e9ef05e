// SHA-256 and SHA-384 states by value. Internal to crypto/.
//
// OpenSSL calls this interface deprecated because it bypasses providers; it is used on purpose: HMAC needs states that
// are copied, lie on the stack, are wiped, and cost no allocation (EVP_MAC costs more than the hash itself).
#pragma once

#include <openssl/sha.h>

#include "base/bytes.h"
#include "base/secret.h"

namespace eml {

// Sha256State is copyable; its destructor wipes it, since a state may hold a key or the end of a user's text.
class Sha256State {
 public:
  Sha256State();
  Sha256State(const Sha256State&) = default;
  Sha256State& operator=(const Sha256State&) = default;
  ~Sha256State() { wipe(&ctx_, sizeof ctx_); }
  void update(ByteView bytes);
  // finish writes 32 bytes and may be called once.
  void finish(std::uint8_t* out);

 private:
  SHA256_CTX ctx_;
};

// Sha384State is the same for SHA-384: 48 bytes.
class Sha384State {
 public:
  Sha384State();
  Sha384State(const Sha384State&) = default;
  Sha384State& operator=(const Sha384State&) = default;
  ~Sha384State() { wipe(&ctx_, sizeof ctx_); }
  void update(ByteView bytes);
  void finish(std::uint8_t* out);

 private:
  SHA512_CTX ctx_;
};

}  // namespace eml

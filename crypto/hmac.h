// HMAC-SHA256 (RFC 2104) over two SHA-256 states.
#pragma once

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/sha2_state.h"

namespace eml {

inline constexpr std::size_t kHmacSize = 32;

// HmacSha256 is one computation. A copy taken before `update` serves the next message under the same key. All of it is
// wiped on destruction.
class HmacSha256 {
 public:
  // `key` may have any size; HKDF's salts are public and may be empty.
  explicit HmacSha256(ByteView key);
  HmacSha256& update(ByteView bytes) {
    inner_.update(bytes);
    return *this;
  }
  // finish writes the 32-byte tag to `out` and may be called once.
  void finish(MutableByteView out);

 private:
  Sha256State inner_;
  Sha256State outer_;
};

}  // namespace eml

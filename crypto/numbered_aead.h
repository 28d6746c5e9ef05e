// NumberedAead is an AEAD key with a secret base nonce: record number n uses `iv XOR (0^4 || u64 n)`, as TLS 1.3 and
// HPKE do. The channel's records are sealed with it.
// Source: docs/spec/channel.md, 3.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/aead.h"

namespace eml {

// The caller never uses a number twice for sealing. Sizes, in-place use and errors are those of AeadKey.
class NumberedAead {
 public:
  // `key` is 32 bytes, `iv` 12; both may be cleared afterwards.
  NumberedAead(const SecretBytes& key, const SecretBytes& iv);

  void seal(MutableByteView out, std::uint64_t number, ByteView aad, ByteView plaintext);
  Status open(MutableByteView out, std::uint64_t number, ByteView aad, ByteView sealed);

 private:
  ByteArray<kAeadNonceSize> nonce(std::uint64_t number) const;

  AeadKey key_;
  SecretBytes iv_;
};

// reveal_name copies an exported value that is a name and not a key (the channel id) into public bytes. `exported` has
// 32 bytes.
Hash32 reveal_name(const SecretBytes& exported);

}  // namespace eml

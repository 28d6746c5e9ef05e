// What the tests of this folder share: bytes from hex, access to secrets, and a generator that repeats itself.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret.h"

namespace eml::test {

inline Bytes unhex(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes) ADD_FAILURE() << "not hex: " << text;
  return bytes ? *std::move(bytes) : Bytes{};
}

inline SecretAccess access() { return SecretAccess::i_am_cryptography_or_a_test(); }
inline Bytes reveal(const SecretBytes& secret) { return to_bytes(secret.read(access())); }
inline SecretBytes secret_of(std::string_view hex_text) { return copy_to_secret(unhex(hex_text)); }

// CountingRandom gives 0, 1, 2, ... from a starting byte: different keys, the same in every run.
class CountingRandom final : public Random {
 public:
  explicit CountingRandom(std::uint8_t first = 0) : next_(first) {}
  void fill(MutableByteView out) override {
    for (std::uint8_t& byte : out) byte = next_++;
  }

 private:
  std::uint8_t next_;
};

}  // namespace eml::test

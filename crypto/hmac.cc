#include "crypto/hmac.h"

#include <algorithm>

#include "crypto/openssl.h"

namespace eml {
namespace {

constexpr std::size_t kBlock = SHA256_CBLOCK;

}  // namespace

HmacSha256::HmacSha256(ByteView key) {
  ByteArray<kBlock> pad{};
  if (key.size() > kBlock) {
    Sha256State hashed;
    hashed.update(key);
    hashed.finish(pad.data());
  } else {
    std::ranges::copy(key, pad.begin());
  }
  for (std::uint8_t& byte : pad) byte ^= 0x36;
  inner_.update(pad);
  for (std::uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
  outer_.update(pad);
  wipe(pad);
}

void HmacSha256::finish(MutableByteView out) {
  if (out.size() != kHmacSize) openssl::panic("an HMAC was asked for another size than 32");
  inner_.finish(out.data());
  outer_.update(out);
  outer_.finish(out.data());
}

}  // namespace eml

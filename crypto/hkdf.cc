#include "crypto/hkdf.h"

#include <algorithm>

#include "crypto/hmac.h"
#include "crypto/openssl.h"

namespace eml {
namespace {

SecretAccess access() { return SecretAccess::i_am_cryptography_or_a_test(); }

constexpr std::size_t kExpandMax = 255 * kHmacSize;  // the counter is one byte

}  // namespace

SecretBytes hkdf_extract(ByteView salt, const SecretBytes& input_key) {
  SecretBytes prk(kHmacSize);
  HmacSha256(salt).update(input_key.read(access())).finish(prk.write(access()));
  return prk;
}

SecretBytes hkdf_expand(const SecretBytes& prk, ByteView info, std::size_t size) {
  if (size > kExpandMax) openssl::panic("HKDF was asked for more than 255 blocks");
  const HmacSha256 keyed(prk.read(access()));
  SecretBytes out(size);
  const MutableByteView okm = out.write(access());
  ByteArray<kHmacSize> block{};
  ByteView previous;
  for (std::size_t at = 0; at < size; at += kHmacSize) {
    const auto counter = static_cast<std::uint8_t>(at / kHmacSize + 1);
    HmacSha256(keyed).update(previous).update(info).update({&counter, 1}).finish(block);
    std::copy_n(block.begin(), std::min(kHmacSize, size - at), okm.subspan(at).begin());
    previous = block;
  }
  wipe(block);
  return out;
}

}  // namespace eml

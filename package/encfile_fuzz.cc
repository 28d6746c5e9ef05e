// A file opens only if it is the bytes that were encrypted, or another encryption of the same plaintext that the corpus
// cannot hold: so whatever opens gives the plaintext, and what does not open leaves nothing in the target. The first
// byte chooses the size of the plaintext; the rest is the file, or, with bit 7 set, a change to a good one.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "crypto/hash.h"
#include "package/dek.h"
#include "package/encrypted_file.h"

namespace {

class ZeroRandom final : public eml::Random {
 public:
  void fill(eml::MutableByteView out) override { std::ranges::fill(out, std::uint8_t{0}); }
};

// A good file with some of its bytes changed: gets the fuzzer past the cryptography.
eml::Bytes changed(const eml::FileContext& context, const eml::SecretBytes& dek, eml::ByteView plaintext,
                   eml::ByteView changes) {
  ZeroRandom random;
  eml::Bytes file;
  const auto status = eml::encrypt_file(context, dek, plaintext, random, [&](eml::ByteView bytes) -> eml::Status {
    file.insert(file.end(), bytes.begin(), bytes.end());
    return {};
  });
  if (!status) std::abort();
  for (std::size_t i = 0; i + 1 < changes.size(); i += 2) file[changes[i] % file.size()] ^= changes[i + 1];
  return file;
}

}  // namespace

// libFuzzer fixes this name.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const eml::ByteView input(data + 1, size - 1);
  const eml::Bytes plaintext(data[0] & 0x7fU, 0x61);
  const eml::FileContext context{.package_id = {}, .path = "f", .plaintext_size = plaintext.size()};
  const eml::SecretBytes dek = eml::copy_to_secret(eml::Bytes(eml::kDekSize, 1));
  const eml::Bytes file = (data[0] & 0x80U) != 0 ? changed(context, dek, plaintext, input) : eml::to_bytes(input);
  eml::Bytes target(plaintext.size(), 0xee);
  const auto status =
      eml::decrypt_file(eml::ViewSource(file), context, eml::sha256(plaintext), dek, target, eml::serial_for);
  if (status && target != plaintext) std::abort();
  if (!status && std::ranges::any_of(target, [](std::uint8_t b) { return b != 0; })) std::abort();

  static const eml::KemKeyPair recipient =
      *eml::KemKeyPair::derive(eml::kKemX25519HkdfSha256, eml::copy_to_secret(eml::Bytes(32, 2)));
  if (eml::unwrap_dek(input, {}, eml::x25519_key_id(recipient.public_key()), recipient)) std::abort();
  return 0;
}

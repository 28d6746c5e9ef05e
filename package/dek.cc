#include "package/dek.h"

#include "encoding/reader.h"

namespace eml {

namespace {

constexpr std::string_view kMagic = "EMLWDEK1";
constexpr std::string_view kScheme = "x25519:";
constexpr std::size_t kEncSize = 32;

}  // namespace

SecretBytes random_dek(Random& random) {
  auto bytes = random.array<kDekSize>();
  SecretBytes dek = copy_to_secret(bytes);
  wipe(bytes);
  return dek;
}

PackageId random_package_id(Random& random) { return random.array<16>(); }

std::string x25519_key_id(ByteView public_key) { return std::string(kScheme) + hex(public_key); }

Result<ByteArray<32>> parse_x25519_key_id(std::string_view key_id) {
  if (!key_id.starts_with(kScheme)) return fail(kDekKeyId, "the key id names no X25519 key");
  const auto bytes = from_hex(key_id.substr(kScheme.size()));
  const auto key = bytes ? to_array<32>(*bytes) : std::nullopt;
  // One spelling for each key: what was signed and what is compared are texts.
  if (!key || x25519_key_id(*key) != key_id)
    return fail(kDekKeyId, "the key id is not x25519: and 64 lower-case hex digits");
  return *key;
}

Bytes dek_info(const PackageId& package_id, std::string_view key_id) {
  return concat(label("eml dek v1"), package_id, as_bytes(key_id));
}

Result<Bytes> wrap_dek(const SecretBytes& dek, const PackageId& package_id, std::string_view key_id, Random& random) {
  EML_TRY(const auto public_key, parse_x25519_key_id(key_id));
  EML_TRY(auto sender, HpkeSender::setup(kKemX25519HkdfSha256, public_key, dek_info(package_id, key_id), random));
  EML_TRY(const Bytes ct, sender.seal({}, dek));
  return concat(as_bytes(kMagic), sender.enc(), ct);
}

Result<SecretBytes> unwrap_dek(ByteView wrapped, const PackageId& package_id, std::string_view key_id,
                               const KemKeyPair& recipient) {
  if (wrapped.size() != kWrappedDekSize) {
    return fail(kDekMalformed, "a wrapped DEK has another size (wanted, got)", kWrappedDekSize, wrapped.size());
  }
  Reader in(wrapped);
  EML_TRY(const ByteView magic, in.bytes(kMagic.size()));
  if (as_text(magic) != kMagic) return fail(kDekMalformed, "not an EMLWDEK1 file");
  if (x25519_key_id(recipient.public_key()) != key_id)
    return fail(kDekWrongRecipient, "the DEK is wrapped for another key");
  EML_TRY(const ByteView enc, in.bytes(kEncSize));
  auto receiver = HpkeReceiver::setup(recipient, enc, dek_info(package_id, key_id));
  if (!receiver) return fail(kDekUnwrap, "the wrapped DEK does not open");
  auto dek = receiver->open({}, in.rest());
  if (!dek) return fail(kDekUnwrap, "the wrapped DEK does not open");
  return std::move(*dek);
}

}  // namespace eml

// RFC 9180. Functions have its names; section numbers are its own.
#include "crypto/hpke_suite.h"

#include <algorithm>
#include <string_view>

#include "crypto/hkdf.h"
#include "crypto/hmac.h"

namespace eml::hpke {
namespace {

SecretAccess access() { return SecretAccess::i_am_cryptography_or_a_test(); }

constexpr std::string_view kVersion = "HPKE-v1";
constexpr std::uint16_t kKdfHkdfSha256 = 0x0001;
constexpr std::uint8_t kModeBase = 0x00;
// The RFC allows 2^96 messages; nobody sends 2^32 under one key here, and a wrapped counter would repeat a nonce.
constexpr std::uint64_t kSequenceEnd = std::uint64_t{1} << 32;

ByteArray<2> i2osp2(std::size_t n) { return {static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)}; }

using KemSuiteId = ByteArray<5>;
constexpr KemSuiteId kKemSuiteId = {'K', 'E', 'M', kKemX25519HkdfSha256 >> 8, kKemX25519HkdfSha256 & 0xff};

using HpkeSuiteId = ByteArray<10>;
HpkeSuiteId hpke_suite_id(AeadId aead) {
  const auto kem = i2osp2(kKemX25519HkdfSha256);
  const auto kdf = i2osp2(kKdfHkdfSha256);
  const auto id = i2osp2(static_cast<std::uint16_t>(aead));
  return {'H', 'P', 'K', 'E', kem[0], kem[1], kdf[0], kdf[1], id[0], id[1]};
}

// LabeledExtract(salt, label, ikm), section 4. Salt and ikm are views because either may be the secret one.
SecretBytes labeled_extract(ByteView suite_id, ByteView salt, std::string_view label, ByteView ikm) {
  SecretBytes prk(kHmacSize);
  HmacSha256(salt)
      .update(as_bytes(kVersion))
      .update(suite_id)
      .update(as_bytes(label))
      .update(ikm)
      .finish(prk.write(access()));
  return prk;
}

// LabeledExpand(prk, label, info, L), section 4.
SecretBytes labeled_expand(ByteView suite_id, const SecretBytes& prk, std::string_view label, ByteView info,
                           std::size_t size) {
  return hkdf_expand(prk, concat(i2osp2(size), as_bytes(kVersion), suite_id, as_bytes(label), info), size);
}

// ExtractAndExpand(dh, kem_context), section 4.1.
SecretBytes extract_and_expand(const SecretBytes& dh, ByteView kem_context) {
  const SecretBytes eae_prk = labeled_extract(kKemSuiteId, {}, "eae_prk", dh.read(access()));
  return labeled_expand(kKemSuiteId, eae_prk, "shared_secret", kem_context, kHmacSize);
}

Result<SecretBytes> dh(const X25519Key& sk, ByteView pk) {
  const auto peer = to_array<kX25519Size>(pk);
  if (!peer) return fail(kHpkeBadPublicKey, "an X25519 public key is not 32 bytes long", kX25519Size, pk.size());
  auto shared = sk.shared_secret(*peer);
  if (!shared) return fail(kHpkeBadPublicKey, "an X25519 public key has small order");
  return shared;
}

}  // namespace

X25519Key derive_key_pair(const SecretBytes& ikm) {
  const SecretBytes dkp_prk = labeled_extract(kKemSuiteId, {}, "dkp_prk", ikm.read(access()));
  return X25519Key::from_private(labeled_expand(kKemSuiteId, dkp_prk, "sk", {}, kX25519Size));
}

Result<SecretBytes> encap(const X25519Key& skE, ByteView pkR) {
  EML_TRY(const SecretBytes shared, dh(skE, pkR));
  return extract_and_expand(shared, concat(skE.public_key(), pkR));
}

Result<SecretBytes> decap(ByteView enc, const X25519Key& skR) {
  EML_TRY(const SecretBytes shared, dh(skR, enc));
  return extract_and_expand(shared, concat(enc, skR.public_key()));
}

Context::Context(AeadId aead, const SecretBytes& shared_secret, ByteView info) : id_(aead) {
  const HpkeSuiteId suite_id = hpke_suite_id(aead);
  const SecretBytes psk_id_hash = labeled_extract(suite_id, {}, "psk_id_hash", {});
  const SecretBytes info_hash = labeled_extract(suite_id, {}, "info_hash", info);
  const Bytes context = concat(ByteView(&kModeBase, 1), psk_id_hash.read(access()), info_hash.read(access()));
  const SecretBytes secret = labeled_extract(suite_id, shared_secret.read(access()), "secret", {});
  key_ = labeled_expand(suite_id, secret, "key", context, aead_key_size(aead));
  base_nonce_ = labeled_expand(suite_id, secret, "base_nonce", context, kAeadNonceSize);
  exporter_secret_ = labeled_expand(suite_id, secret, "exp", context, kHmacSize);
}

EvpAead& Context::aead() {
  if (!aead_) {
    aead_.emplace(id_, key_);
    key_.clear();
  }
  return *aead_;
}

ByteArray<kAeadNonceSize> Context::compute_nonce() const {
  ByteArray<kAeadNonceSize> nonce = *to_array<kAeadNonceSize>(base_nonce_.read(access()));
  for (std::size_t i = 0; i < 8; ++i) nonce[kAeadNonceSize - 1 - i] ^= static_cast<std::uint8_t>(sequence_ >> (8 * i));
  return nonce;
}

Result<Bytes> Context::seal(ByteView aad, ByteView plaintext) {
  if (sequence_ >= kSequenceEnd) return fail(kHpkeLimit, "an HPKE context has sealed all that it may", sequence_);
  Bytes out(plaintext.size() + kAeadTagSize);
  aead().seal(out, compute_nonce(), aad, plaintext);
  ++sequence_;
  return out;
}

Result<SecretBytes> Context::open(ByteView aad, ByteView ciphertext) {
  if (sequence_ >= kSequenceEnd) return fail(kHpkeLimit, "an HPKE context has opened all that it may", sequence_);
  SecretBytes out(ciphertext.size() - std::min(ciphertext.size(), kAeadTagSize));
  if (!aead().open(out.write(access()), compute_nonce(), aad, ciphertext)) {
    return fail(kHpkeOpenFailed, "an HPKE message does not open", sequence_);
  }
  ++sequence_;
  return out;
}

SecretBytes Context::export_secret(ByteView exporter_context, std::size_t size) const {
  return labeled_expand(hpke_suite_id(id_), exporter_secret_, "sec", exporter_context, size);
}

}  // namespace eml::hpke

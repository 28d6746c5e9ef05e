#include "crypto/hpke.h"

#include <utility>

#include "crypto/hpke_suite.h"

namespace eml {
namespace {

constexpr AeadId kAead = AeadId::kChaCha20Poly1305;

Status expect_kem(std::uint16_t kem_id) {
  if (kem_id == kKemX25519HkdfSha256) return {};
  return fail(kHpkeUnsupportedKem, "an HPKE KEM that this program does not have", kem_id);
}

}  // namespace

Result<KemSizes> kem_sizes(std::uint16_t kem_id) {
  EML_CHECK(expect_kem(kem_id));
  return KemSizes{.public_key = kX25519Size, .enc = kX25519Size};
}

struct KemKeyPair::State {
  std::uint16_t kem_id;
  X25519Key key;
};

KemKeyPair::KemKeyPair(std::unique_ptr<State> state) : state_(std::move(state)) {}
KemKeyPair::~KemKeyPair() = default;
KemKeyPair::KemKeyPair(KemKeyPair&&) noexcept = default;
KemKeyPair& KemKeyPair::operator=(KemKeyPair&&) noexcept = default;

Result<KemKeyPair> KemKeyPair::generate(std::uint16_t kem_id, Random& random) {
  EML_CHECK(expect_kem(kem_id));
  return KemKeyPair(std::make_unique<State>(kem_id, X25519Key::generate(random)));
}

Result<KemKeyPair> KemKeyPair::derive(std::uint16_t kem_id, const SecretBytes& ikm) {
  EML_CHECK(expect_kem(kem_id));
  return KemKeyPair(std::make_unique<State>(kem_id, hpke::derive_key_pair(ikm)));
}

Result<KemKeyPair> KemKeyPair::from_private(std::uint16_t kem_id, const SecretBytes& sk) {
  EML_CHECK(expect_kem(kem_id));
  if (sk.size() != kX25519Size)
    return fail(kHpkeBadPrivateKey, "an HPKE private key has a wrong size", kX25519Size, sk.size());
  return KemKeyPair(std::make_unique<State>(
      kem_id, X25519Key::from_private(copy_to_secret(sk.read(SecretAccess::i_am_cryptography_or_a_test())))));
}

std::uint16_t KemKeyPair::kem_id() const { return state_->kem_id; }
ByteView KemKeyPair::public_key() const { return state_->key.public_key(); }

struct HpkeSender::State {
  X25519PublicKey enc;
  hpke::Context context;
};

HpkeSender::HpkeSender(std::unique_ptr<State> state) : state_(std::move(state)) {}
HpkeSender::~HpkeSender() = default;
HpkeSender::HpkeSender(HpkeSender&&) noexcept = default;
HpkeSender& HpkeSender::operator=(HpkeSender&&) noexcept = default;

Result<HpkeSender> HpkeSender::setup(std::uint16_t kem_id, ByteView pkR, ByteView info, Random& random) {
  EML_TRY(KemKeyPair skE, KemKeyPair::generate(kem_id, random));
  return setup_with_ephemeral(kem_id, pkR, info, std::move(skE));
}

Result<HpkeSender> HpkeSender::setup_with_ephemeral(std::uint16_t kem_id, ByteView pkR, ByteView info, KemKeyPair skE) {
  EML_CHECK(expect_kem(kem_id));
  EML_CHECK(expect_kem(skE.kem_id()));
  EML_TRY(const SecretBytes shared_secret, hpke::encap(skE.state_->key, pkR));
  return HpkeSender(std::make_unique<State>(skE.state_->key.public_key(), hpke::Context(kAead, shared_secret, info)));
}

ByteView HpkeSender::enc() const { return state_->enc; }

Result<Bytes> HpkeSender::seal(ByteView aad, ByteView plaintext) { return state_->context.seal(aad, plaintext); }

Result<Bytes> HpkeSender::seal(ByteView aad, const SecretBytes& plaintext) {
  return state_->context.seal(aad, plaintext.read(SecretAccess::i_am_cryptography_or_a_test()));
}

SecretBytes HpkeSender::export_secret(ByteView exporter_context, std::size_t size) const {
  return state_->context.export_secret(exporter_context, size);
}

struct HpkeReceiver::State {
  hpke::Context context;
};

HpkeReceiver::HpkeReceiver(std::unique_ptr<State> state) : state_(std::move(state)) {}
HpkeReceiver::~HpkeReceiver() = default;
HpkeReceiver::HpkeReceiver(HpkeReceiver&&) noexcept = default;
HpkeReceiver& HpkeReceiver::operator=(HpkeReceiver&&) noexcept = default;

Result<HpkeReceiver> HpkeReceiver::setup(const KemKeyPair& skR, ByteView enc, ByteView info) {
  EML_TRY(const SecretBytes shared_secret, hpke::decap(enc, skR.state_->key));
  return HpkeReceiver(std::make_unique<State>(hpke::Context(kAead, shared_secret, info)));
}

Result<SecretBytes> HpkeReceiver::open(ByteView aad, ByteView ciphertext) {
  return state_->context.open(aad, ciphertext);
}

SecretBytes HpkeReceiver::export_secret(ByteView exporter_context, std::size_t size) const {
  return state_->context.export_secret(exporter_context, size);
}

}  // namespace eml

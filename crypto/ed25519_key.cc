// Private keys, apart from ed25519.cc: a program that only verifies needs no locked memory.
#include "crypto/ed25519.h"
#include "crypto/openssl.h"

namespace eml {
namespace {

using openssl::Curve;
using openssl::must;
using openssl::panic;

constexpr std::size_t kSeedSize = 32;

SecretAccess access() { return SecretAccess::i_am_cryptography_or_a_test(); }

}  // namespace

struct Ed25519Key::State {
  SecretBytes seed;
  Ed25519PublicKey public_key;
};

Ed25519Key::Ed25519Key(std::unique_ptr<State> state) : state_(std::move(state)) {}
Ed25519Key::~Ed25519Key() = default;
Ed25519Key::Ed25519Key(Ed25519Key&&) noexcept = default;
Ed25519Key& Ed25519Key::operator=(Ed25519Key&&) noexcept = default;

Ed25519Key Ed25519Key::generate(Random& random) {
  SecretBytes seed(kSeedSize);
  random.fill(seed.write(access()));
  return *from_seed(seed);
}

Result<Ed25519Key> Ed25519Key::from_seed(const SecretBytes& seed) {
  if (seed.size() != kSeedSize) return fail(kPrivateKeyInvalid, "an Ed25519 seed is not 32 bytes long", seed.size());
  const Ed25519PublicKey public_key = openssl::public_key_of(Curve::kEd25519, seed);
  return Ed25519Key(std::make_unique<State>(copy_to_secret(seed.read(access())), public_key));
}

const Ed25519PublicKey& Ed25519Key::public_key() const { return state_->public_key; }

Ed25519Signature Ed25519Key::sign(ByteView message) const {
  const openssl::Pkey key = openssl::private_pkey(Curve::kEd25519, state_->seed, state_->public_key);
  const openssl::PkeyCtx ctx(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (ctx == nullptr) panic("out of memory");
  must(EVP_PKEY_sign_message_init(ctx.get(), openssl::ed25519(), nullptr));
  Ed25519Signature signature;
  std::size_t size = signature.size();
  must(EVP_PKEY_sign(ctx.get(), signature.data(), &size, message.data(), message.size()));
  if (size != signature.size()) panic("Ed25519 gave another size than 64");
  openssl::wipe_dead_stack();
  return signature;
}

SecretBytes Ed25519Key::export_seed(SecretAccess) const { return copy_to_secret(state_->seed.read(access())); }

}  // namespace eml

#include "crypto/aead.h"

#include "crypto/evp_aead.h"

namespace eml {

struct AeadKey::State {
  EvpAead aead;
};

AeadKey::AeadKey(const SecretBytes& key) : state_(std::make_unique<State>(EvpAead(AeadId::kChaCha20Poly1305, key))) {}
AeadKey::~AeadKey() = default;
AeadKey::AeadKey(AeadKey&&) noexcept = default;
AeadKey& AeadKey::operator=(AeadKey&&) noexcept = default;

void AeadKey::seal(MutableByteView out, const ByteArray<kAeadNonceSize>& nonce, ByteView aad, ByteView plaintext) {
  state_->aead.seal(out, nonce, aad, plaintext);
}

Status AeadKey::open(MutableByteView out, const ByteArray<kAeadNonceSize>& nonce, ByteView aad, ByteView sealed) {
  return state_->aead.open(out, nonce, aad, sealed);
}

}  // namespace eml

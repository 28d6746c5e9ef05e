#include "crypto/evp_aead.h"

#include <algorithm>

namespace eml {
namespace {

using openssl::must;
using openssl::panic;

const EVP_CIPHER* cipher_of(AeadId id) {
  switch (id) {
    case AeadId::kAes128Gcm:
      return openssl::aes_128_gcm();
    case AeadId::kAes256Gcm:
      return openssl::aes_256_gcm();
    case AeadId::kChaCha20Poly1305:
      return openssl::chacha20_poly1305();
  }
  panic("an AEAD that does not exist");
}

// OpenSSL counts in int. A multiple of every block size, so that pieces join without a gap.
constexpr std::size_t kPieceMax = std::size_t{1} << 30;

}  // namespace

std::size_t aead_key_size(AeadId id) { return id == AeadId::kAes128Gcm ? 16 : kAeadKeySize; }

EvpAead::EvpAead(AeadId id, const SecretBytes& key) : ctx_(EVP_CIPHER_CTX_new()) {
  if (ctx_ == nullptr) panic("out of memory");
  if (key.size() != aead_key_size(id)) panic("an AEAD key has a wrong size");
  const ByteView bytes = key.read(SecretAccess::i_am_cryptography_or_a_test());
  must(EVP_CipherInit_ex2(ctx_.get(), cipher_of(id), bytes.data(), nullptr, static_cast<int>(Direction::kSeal),
                          nullptr));
}

void EvpAead::begin(Direction direction, const ByteArray<kAeadNonceSize>& nonce, ByteView aad) {
  must(EVP_CipherInit_ex2(ctx_.get(), nullptr, nullptr, nonce.data(), static_cast<int>(direction), nullptr));
  if (aad.empty()) return;
  if (aad.size() > kPieceMax) panic("associated data of more than 1 GiB");
  int written = 0;
  must(EVP_CipherUpdate(ctx_.get(), nullptr, &written, aad.data(), static_cast<int>(aad.size())));
}

void EvpAead::transform(std::uint8_t* out, ByteView in) {
  while (!in.empty()) {
    const ByteView piece = in.first(std::min(in.size(), kPieceMax));
    int written = 0;
    must(EVP_CipherUpdate(ctx_.get(), out, &written, piece.data(), static_cast<int>(piece.size())));
    if (static_cast<std::size_t>(written) != piece.size()) panic("an AEAD kept bytes back");
    out += piece.size();
    in = in.subspan(piece.size());
  }
}

void EvpAead::seal(MutableByteView out, const ByteArray<kAeadNonceSize>& nonce, ByteView aad, ByteView plaintext) {
  if (out.size() < kAeadTagSize || out.size() - kAeadTagSize != plaintext.size())
    panic("a sealed buffer has a wrong size");
  begin(Direction::kSeal, nonce, aad);
  transform(out.data(), plaintext);
  std::uint8_t* const tag = out.data() + plaintext.size();
  int written = 0;
  must(EVP_CipherFinal_ex(ctx_.get(), tag, &written));
  must(EVP_CIPHER_CTX_ctrl(ctx_.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag));
  openssl::wipe_dead_stack();
}

Status EvpAead::open(MutableByteView out, const ByteArray<kAeadNonceSize>& nonce, ByteView aad, ByteView sealed) {
  if (sealed.size() < kAeadTagSize) {
    wipe(out);
    return fail(kAeadUnauthentic, "a sealed message is shorter than its tag", sealed.size());
  }
  const std::size_t size = sealed.size() - kAeadTagSize;
  if (out.size() != size) panic("an opened buffer has a wrong size");
  // A copy: OpenSSL takes a pointer that is not const, and in place `out` ends where the tag begins.
  ByteArray<kAeadTagSize> tag = *to_array<kAeadTagSize>(sealed.last(kAeadTagSize));
  begin(Direction::kOpen, nonce, aad);
  transform(out.data(), sealed.first(size));
  must(EVP_CIPHER_CTX_ctrl(ctx_.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()));
  std::uint8_t none = 0;
  int written = 0;
  const int opened = EVP_CipherFinal_ex(ctx_.get(), &none, &written);
  openssl::wipe_dead_stack();
  if (opened != 1) {
    wipe(out);
    openssl::forget_errors();
    return fail(kAeadUnauthentic, "a sealed message does not open", sealed.size());
  }
  return {};
}

}  // namespace eml

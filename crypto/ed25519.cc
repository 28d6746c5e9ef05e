#include "crypto/ed25519.h"

#include <algorithm>
#include <array>

#include "crypto/openssl.h"

namespace eml {
namespace {

using openssl::Curve;
using openssl::must;
using openssl::panic;

constexpr std::uint8_t kSignBit = 0x80;  // of the last byte: the sign of x; the other 255 bits are y

using Encoding = ByteArray<32>;

Encoding y_of(Encoding point) {
  point[31] &= static_cast<std::uint8_t>(~kSignBit);
  return point;
}

// A point's encoding is canonical if y < p = 2^255 - 19: p and above have 0x7f and all-ones but for the first byte.
// (x = 0 with the sign bit set is the other non-canonical form; both such points have small order.)
bool is_canonical(const Encoding& point) {
  const Encoding y = y_of(point);
  if (y[31] != 0x7f || y[0] < 0xed) return true;
  return !std::all_of(y.begin() + 1, y.end() - 1, [](std::uint8_t byte) { return byte == 0xff; });
}

// The y coordinates of the eight points of small order; both signs of x are refused. Source: the torsion subgroup of
// edwards25519, as listed in "Taming the many EdDSAs" (Chalkias et al., 2020), table 1.
constexpr std::array<Encoding, 5> kSmallOrderY = {{
    {},      // order 4
    {0x01},  // the neutral element
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},  // order 2
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},  // order 8
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},  // order 8
}};

bool has_small_order(const Encoding& point) {
  return std::ranges::find(kSmallOrderY, y_of(point)) != kSmallOrderY.end();
}

}  // namespace

Status verify_ed25519(const Ed25519PublicKey& key, ByteView message, const Ed25519Signature& signature) {
  if (!is_canonical(key)) return fail(kPublicKeyInvalid, "an Ed25519 public key is not in canonical form");
  if (has_small_order(key)) return fail(kPublicKeyInvalid, "an Ed25519 public key has small order");
  const Encoding r = *to_array<32>(ByteView(signature).first(32));
  if (!is_canonical(r)) return fail(kSignatureInvalid, "the R of an Ed25519 signature is not in canonical form");
  if (has_small_order(r)) return fail(kSignatureInvalid, "the R of an Ed25519 signature has small order");

  EVP_SIGNATURE* const algorithm = openssl::ed25519();
  const openssl::Pkey pkey = openssl::public_pkey(Curve::kEd25519, key);
  const openssl::PkeyCtx ctx(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey.get(), nullptr));
  if (ctx == nullptr) panic("out of memory");
  must(EVP_PKEY_verify_message_init(ctx.get(), algorithm, nullptr));
  // A key that is no point of the curve fails here too.
  if (EVP_PKEY_verify(ctx.get(), signature.data(), signature.size(), message.data(), message.size()) != 1) {
    openssl::forget_errors();
    return fail(kSignatureInvalid, "an Ed25519 signature does not verify");
  }
  return {};
}

}  // namespace eml

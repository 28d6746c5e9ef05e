// PublicKey is a key of somebody else's that verifies signatures: EC on P-256 or P-384, RSA, or Ed25519.
//
// Nothing here is trusted: whoever uses a key has found out first whose it is.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ed25519.h"  // kSignatureInvalid

namespace eml {

inline constexpr ErrorCode kPublicKeyMalformed{ErrorClass::kMalformed, "public-key-malformed"};
inline constexpr ErrorCode kPublicKeyUnsupported{ErrorClass::kUnsupported, "public-key-unsupported"};
inline constexpr ErrorCode kSignatureMalformed{ErrorClass::kMalformed, "signature-malformed"};

enum class KeyKind : std::uint8_t { kP256, kP384, kRsa, kEd25519 };

// SignatureScheme is key kind, padding and hash in one; RSA-PSS has a salt as long as its hash and MGF1 with that hash.
enum class SignatureScheme : std::uint8_t {
  kEcdsaP256Sha256,
  kEcdsaP384Sha384,
  kRsaPkcs1Sha256,
  kRsaPkcs1Sha384,
  kRsaPkcs1Sha512,
  kRsaPssSha256,
  kRsaPssSha384,
  kRsaPssSha512,
  kEd25519,
};

// EcdsaForm is how an ECDSA signature is written. kRaw: r || s, big-endian, each as long as the curve's order (64 or 96
// bytes in all). kDer: strict DER SEQUENCE of two INTEGERs. The other schemes have one form, and ignore it.
enum class EcdsaForm : std::uint8_t { kRaw, kDer };

// kRsaBitsMin and kRsaBitsMax bound what is accepted: below is breakable, above is a way to burn a processor.
inline constexpr unsigned kRsaBitsMin = 2048;
inline constexpr unsigned kRsaBitsMax = 8192;

class PublicKey {
 public:
  // decode_spki reads a DER SubjectPublicKeyInfo and consumes all of it. kPublicKeyMalformed (also a point that is not
  // on its curve); kPublicKeyUnsupported (another algorithm or curve, RSA outside the bounds above).
  static Result<PublicKey> decode_spki(ByteView der);
  // decode_pem reads one "-----BEGIN PUBLIC KEY-----" block and nothing else but white space around it.
  static Result<PublicKey> decode_pem(ByteView pem);
  // from_point makes an EC key from x || y (64 or 96 bytes). kPublicKeyMalformed if it is not on the curve.
  static Result<PublicKey> from_point(KeyKind curve, ByteView xy);
  // from_rsa makes an RSA key from big-endian modulus and exponent (odd, 3 to 2^32 - 1); leading zeros do not count.
  static Result<PublicKey> from_rsa(ByteView modulus, ByteView exponent);

  KeyKind kind() const;
  unsigned bits() const;      // of the modulus, or of the curve
  const Bytes& spki() const;  // DER
  Bytes point() const;        // EC: x || y; otherwise empty
  Bytes modulus() const;      // RSA, big-endian; otherwise empty

  // verify: kPublicKeyUnsupported if the scheme is not for this kind of key; kSignatureMalformed for a wrong length or
  // form; kSignatureInvalid.
  Status verify(SignatureScheme scheme, ByteView message, ByteView signature, EcdsaForm form = EcdsaForm::kRaw) const;

 private:
  struct State;
  explicit PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace eml

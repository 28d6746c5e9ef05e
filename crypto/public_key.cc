#include "crypto/public_key.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <string_view>

#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "encoding/base64.h"
#include "encoding/der.h"

namespace eml {
namespace {

using openssl::forget_errors;
using openssl::must;
using openssl::panic;
using openssl::Pkey;
using openssl::PkeyCtx;

constexpr std::string_view kEcPublicKey = "1.2.840.10045.2.1";
constexpr std::string_view kOidP256 = "1.2.840.10045.3.1.7";
constexpr std::string_view kOidP384 = "1.3.132.0.34";
constexpr std::string_view kRsaEncryption = "1.2.840.113549.1.1.1";
constexpr std::string_view kOidEd25519 = "1.3.101.112";
constexpr std::uint8_t kUncompressed = 0x04;  // SEC 1, 2.3.3
constexpr std::size_t kSpkiBytesMax = kRsaBitsMax / 8 + 64;
constexpr std::size_t kPemBytesMax = 2 * kSpkiBytesMax;

bool is(ByteView oid, std::string_view dotted) { return equal(oid, der_oid(dotted)); }

std::size_t coordinate_size(KeyKind curve) { return curve == KeyKind::kP256 ? 32 : 48; }

ByteView without_leading_zeros(ByteView number) {
  const auto first = std::ranges::find_if(number, [](std::uint8_t byte) { return byte != 0; });
  return number.subspan(static_cast<std::size_t>(first - number.begin()));
}

// The contents of an INTEGER that is not negative.
Bytes integer_contents(ByteView number) {
  const ByteView magnitude = without_leading_zeros(number);
  Bytes out;
  if (magnitude.empty() || (magnitude[0] & 0x80) != 0) out.push_back(0);
  out.insert(out.end(), magnitude.begin(), magnitude.end());
  return out;
}

Bytes der_integer(ByteView number) { return der_element(der::kInteger, integer_contents(number)); }

Bytes oid_element(std::string_view dotted) { return der_element(der::kOid, der_oid(dotted)); }

Bytes encode_spki(ByteView algorithm, ByteView key) {
  return der_element(der::kSequence, concat(der_element(der::kSequence, algorithm),
                                            der_element(der::kBitString, concat(Bytes{0}, key))));
}

// OpenSSL's form of a public key; nothing if it is none (a point that is not on the curve).
Pkey pkey_of(const char* type, int selection, OSSL_PARAM* params) {
  const PkeyCtx ctx(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  if (ctx == nullptr) panic("out of memory");
  must(EVP_PKEY_fromdata_init(ctx.get()));
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(ctx.get(), &key, selection, params) != 1) forget_errors();
  return Pkey(key);
}

// A key of the curve without a point. Made once: to set up a curve costs more than to copy it.
EVP_PKEY* curve_alone(const char* name) {
  std::string group = name;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
                         OSSL_PARAM_construct_end()};
  Pkey key = pkey_of("EC", EVP_PKEY_KEY_PARAMETERS, params);
  if (key == nullptr) panic("OpenSSL lacks a curve that this program needs");
  return key.release();
}

Pkey ec_pkey(KeyKind curve, ByteView point) {
  static EVP_PKEY* const p256 = curve_alone("P-256");
  static EVP_PKEY* const p384 = curve_alone("P-384");
  Pkey key(EVP_PKEY_dup(curve == KeyKind::kP256 ? p256 : p384));
  if (key == nullptr) panic("out of memory");
  if (EVP_PKEY_set1_encoded_public_key(key.get(), point.data(), point.size()) == 1) return key;
  forget_errors();
  return nullptr;
}

// OSSL_PARAM has integers in the machine's byte order.
Bytes native_order(ByteView big_endian) {
  Bytes out = to_bytes(big_endian);
  if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(out);
  return out;
}

Pkey rsa_pkey(ByteView modulus, ByteView exponent) {
  Bytes n = native_order(modulus);
  Bytes e = native_order(exponent);
  OSSL_PARAM params[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n.data(), n.size()),
                         OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e.data(), e.size()),
                         OSSL_PARAM_construct_end()};
  return pkey_of("RSA", EVP_PKEY_PUBLIC_KEY, params);
}

Status check_rsa(ByteView n, ByteView e) {
  if (n.empty() || (n.back() & 1) == 0) return fail(kPublicKeyMalformed, "an RSA modulus is not odd");
  if (e.empty() || (e.back() & 1) == 0 || (e.size() == 1 && e[0] == 1))
    return fail(kPublicKeyMalformed, "an RSA exponent is not odd, or is 1");
  if (e.size() > 4) return fail(kPublicKeyUnsupported, "an RSA exponent has more than 32 bits", e.size());
  return {};
}

std::size_t bits_of(ByteView n) { return n.size() * 8 - static_cast<std::size_t>(std::countl_zero(n[0])); }

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

Bytes hash_of(SignatureScheme scheme, ByteView message) {
  switch (scheme) {
    case SignatureScheme::kEcdsaP384Sha384:
    case SignatureScheme::kRsaPkcs1Sha384:
    case SignatureScheme::kRsaPssSha384:
      return to_bytes(sha384(message));
    case SignatureScheme::kRsaPkcs1Sha512:
    case SignatureScheme::kRsaPssSha512: {
      Bytes out(SHA512_DIGEST_LENGTH);
      if (SHA512(message.data(), message.size(), out.data()) == nullptr) panic("SHA-512 failed");
      return out;
    }
    default:
      return to_bytes(sha256(message));
  }
}

const char* hash_name(std::size_t hash_size) {
  return hash_size == 32 ? "SHA2-256" : hash_size == 48 ? "SHA2-384" : "SHA2-512";
}

bool is_pss(SignatureScheme scheme) {
  return scheme == SignatureScheme::kRsaPssSha256 || scheme == SignatureScheme::kRsaPssSha384 ||
         scheme == SignatureScheme::kRsaPssSha512;
}

KeyKind kind_for(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::kEcdsaP256Sha256:
      return KeyKind::kP256;
    case SignatureScheme::kEcdsaP384Sha384:
      return KeyKind::kP384;
    case SignatureScheme::kEd25519:
      return KeyKind::kEd25519;
    default:
      return KeyKind::kRsa;
  }
}

// Whether `signature` is a SEQUENCE of two INTEGERs that fit the curve; zero and what is not below the order is left to
// the verification.
bool is_der_ecdsa(ByteView signature, std::size_t coordinate) {
  DerReader outer(signature);
  auto inner = outer.enter(der::kSequence);
  if (!inner || !outer.expect_end()) return false;
  for (int i = 0; i < 2; ++i) {
    const auto number = inner->unsigned_integer();
    if (!number || number->size() > coordinate) return false;
  }
  return inner->expect_end().has_value();
}

Result<Bytes> ecdsa_der(KeyKind curve, ByteView signature, EcdsaForm form) {
  const std::size_t size = coordinate_size(curve);
  if (form == EcdsaForm::kRaw) {
    if (signature.size() != 2 * size)
      return fail(kSignatureMalformed, "an ECDSA signature has a wrong length", 2 * size, signature.size());
    return der_element(der::kSequence, concat(der_integer(signature.first(size)), der_integer(signature.last(size))));
  }
  if (!is_der_ecdsa(signature, size)) return fail(kSignatureMalformed, "an ECDSA signature is not two DER integers");
  return to_bytes(signature);
}

Status verify_with(EVP_PKEY* key, EVP_SIGNATURE* algorithm, const OSSL_PARAM* params, ByteView hash,
                   ByteView signature) {
  const PkeyCtx ctx(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (ctx == nullptr) panic("out of memory");
  must(EVP_PKEY_verify_init_ex2(ctx.get(), algorithm, params));
  if (EVP_PKEY_verify(ctx.get(), signature.data(), signature.size(), hash.data(), hash.size()) != 1) {
    forget_errors();
    return fail(kSignatureInvalid, "a signature does not verify");
  }
  return {};
}

Status verify_rsa(EVP_PKEY* key, SignatureScheme scheme, ByteView hash, ByteView signature) {
  std::string name = hash_name(hash.size());
  std::string padding = is_pss(scheme) ? OSSL_PKEY_RSA_PAD_MODE_PSS : OSSL_PKEY_RSA_PAD_MODE_PKCSV15;
  int salt_size = static_cast<int>(hash.size());
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, name.data(), name.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, padding.data(), padding.size()),
      OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
  if (is_pss(scheme)) {
    params[2] = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, name.data(), name.size());
    params[3] = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_size);
  }
  return verify_with(key, openssl::rsa(), params, hash, signature);
}

}  // namespace

struct PublicKey::State {
  Pkey key;  // none for Ed25519, whose own verifier takes bytes
  KeyKind kind = KeyKind::kP256;
  unsigned bits = 0;
  Bytes spki;
  Bytes raw;  // point, modulus, or Ed25519 key
};

Result<PublicKey> PublicKey::from_point(KeyKind curve, ByteView xy) {
  if (curve != KeyKind::kP256 && curve != KeyKind::kP384)
    return fail(kPublicKeyUnsupported, "a key with coordinates is on another curve than P-256 and P-384");
  const std::size_t size = 2 * coordinate_size(curve);
  if (xy.size() != size) return fail(kPublicKeyMalformed, "a point has a wrong length", size, xy.size());
  const Bytes point = concat(Bytes{kUncompressed}, xy);
  Pkey key = ec_pkey(curve, point);
  if (key == nullptr) return fail(kPublicKeyMalformed, "a point is not on its curve");
  const Bytes algorithm = concat(oid_element(kEcPublicKey), oid_element(curve == KeyKind::kP256 ? kOidP256 : kOidP384));
  return PublicKey(std::make_shared<const State>(
      State{std::move(key), curve, static_cast<unsigned>(size * 4), encode_spki(algorithm, point), to_bytes(xy)}));
}

Result<PublicKey> PublicKey::from_rsa(ByteView modulus, ByteView exponent) {
  const ByteView n = without_leading_zeros(modulus);
  const ByteView e = without_leading_zeros(exponent);
  EML_CHECK(check_rsa(n, e));
  const std::size_t bits = bits_of(n);
  if (bits < kRsaBitsMin || bits > kRsaBitsMax)
    return fail(kPublicKeyUnsupported, "an RSA key is smaller or larger than we accept", bits);
  Pkey key = rsa_pkey(n, e);
  if (key == nullptr) return fail(kPublicKeyMalformed, "an RSA key is refused");
  const Bytes algorithm = concat(oid_element(kRsaEncryption), der_element(der::kNull, {}));
  const Bytes numbers = der_element(der::kSequence, concat(der_integer(n), der_integer(e)));
  return PublicKey(std::make_shared<const State>(
      State{std::move(key), KeyKind::kRsa, static_cast<unsigned>(bits), encode_spki(algorithm, numbers), to_bytes(n)}));
}

namespace {

struct Spki {
  ByteView algorithm;
  DerReader parameters;
  ByteView key;
};

Result<Spki> read_spki(ByteView der) {
  DerReader outer(der);
  EML_TRY(DerReader inner, outer.enter(der::kSequence));
  EML_CHECK(outer.expect_end());
  EML_TRY(DerReader algorithm, inner.enter(der::kSequence));
  EML_TRY(const ByteView oid, algorithm.oid());
  EML_TRY(const ByteView key, inner.bit_string());
  EML_CHECK(inner.expect_end());
  return Spki{oid, algorithm, key};
}

Result<PublicKey> ec_from(Spki& spki) {
  const auto curve = spki.parameters.oid();
  if (!curve || !spki.parameters.expect_end()) return fail(kPublicKeyUnsupported, "an EC key does not name its curve");
  if (spki.key.empty() || spki.key[0] != kUncompressed)
    return fail(kPublicKeyUnsupported, "a point is not in uncompressed form");
  if (is(*curve, kOidP256)) return PublicKey::from_point(KeyKind::kP256, spki.key.subspan(1));
  if (is(*curve, kOidP384)) return PublicKey::from_point(KeyKind::kP384, spki.key.subspan(1));
  return fail(kPublicKeyUnsupported, "a key is on another curve than P-256 and P-384");
}

Result<PublicKey> rsa_from(Spki& spki) {
  EML_CHECK(spki.parameters.null());
  EML_CHECK(spki.parameters.expect_end());
  DerReader outer(spki.key);
  EML_TRY(DerReader inner, outer.enter(der::kSequence));
  EML_CHECK(outer.expect_end());
  EML_TRY(const ByteView n, inner.unsigned_integer());
  EML_TRY(const ByteView e, inner.unsigned_integer());
  EML_CHECK(inner.expect_end());
  return PublicKey::from_rsa(n, e);
}

// Errors of the DER reader become this module's own.
Result<PublicKey> as_key_error(Result<PublicKey> key) {
  if (!key && key.error().code() == kDerMalformed)
    return fail(kPublicKeyMalformed, "a public key is not well-formed DER", key.error().first());
  return key;
}

}  // namespace

Result<PublicKey> PublicKey::decode_spki(ByteView der) {
  if (der.size() > kSpkiBytesMax) return fail(kPublicKeyUnsupported, "a public key is larger than any we accept");
  auto spki = read_spki(der);
  if (!spki) return fail(kPublicKeyMalformed, "a public key is not well-formed DER", spki.error().first());
  if (is(spki->algorithm, kEcPublicKey)) return as_key_error(ec_from(*spki));
  if (is(spki->algorithm, kRsaEncryption)) return as_key_error(rsa_from(*spki));
  if (!is(spki->algorithm, kOidEd25519))
    return fail(kPublicKeyUnsupported, "a public key has an algorithm that we do not have");
  if (spki->key.size() != 32 || !spki->parameters.at_end())
    return fail(kPublicKeyMalformed, "an Ed25519 key is not 32 bytes long");
  return PublicKey(
      std::make_shared<const State>(State{nullptr, KeyKind::kEd25519, 255, to_bytes(der), to_bytes(spki->key)}));
}

Result<PublicKey> PublicKey::decode_pem(ByteView pem) {
  constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----";
  constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";
  if (pem.size() > kPemBytesMax) return fail(kPublicKeyUnsupported, "a public key is larger than any we accept");
  std::string_view text = trim(as_text(pem));
  if (!text.starts_with(kBegin) || !text.ends_with(kEnd) || text.size() < kBegin.size() + kEnd.size())
    return fail(kPublicKeyMalformed, "a public key is not one PEM block");
  text = text.substr(kBegin.size(), text.size() - kBegin.size() - kEnd.size());
  std::string body(text);
  std::erase_if(body, is_space);
  const auto der = from_base64(body);
  if (!der) return fail(kPublicKeyMalformed, "a PEM block is not base64");
  return decode_spki(*der);
}

KeyKind PublicKey::kind() const { return state_->kind; }
unsigned PublicKey::bits() const { return state_->bits; }
const Bytes& PublicKey::spki() const { return state_->spki; }

Bytes PublicKey::point() const { return kind() == KeyKind::kP256 || kind() == KeyKind::kP384 ? state_->raw : Bytes{}; }

Bytes PublicKey::modulus() const { return kind() == KeyKind::kRsa ? state_->raw : Bytes{}; }

Status PublicKey::verify(SignatureScheme scheme, ByteView message, ByteView signature, EcdsaForm form) const {
  if (kind_for(scheme) != kind()) return fail(kPublicKeyUnsupported, "a signature is of another kind than its key");
  switch (kind()) {
    case KeyKind::kEd25519: {
      const auto fixed = to_array<64>(signature);
      if (!fixed) return fail(kSignatureMalformed, "an Ed25519 signature has a wrong length", 64, signature.size());
      if (!verify_ed25519(*to_array<32>(state_->raw), message, *fixed))
        return fail(kSignatureInvalid, "an Ed25519 signature does not verify");
      return {};
    }
    case KeyKind::kRsa: {
      const std::size_t size = state_->raw.size();
      if (signature.size() != size)
        return fail(kSignatureMalformed, "an RSA signature is not as long as its modulus", size, signature.size());
      return verify_rsa(state_->key.get(), scheme, hash_of(scheme, message), signature);
    }
    case KeyKind::kP256:
    case KeyKind::kP384:
      break;
  }
  EML_TRY(const Bytes der, ecdsa_der(kind(), signature, form));
  return verify_with(state_->key.get(), openssl::ecdsa(), nullptr, hash_of(scheme, message), der);
}

}  // namespace eml

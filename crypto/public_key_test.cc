#include "crypto/public_key.h"

#include <gtest/gtest.h>

#include <string>

#include "encoding/base64.h"
#include "encoding/der.h"
#include "tests/support/signer.h"

namespace eml {
namespace {

using test::shared_rsa_signer;
using test::Signer;
using test::TestKey;
using test::TestPadding;

const Bytes kMessage = to_bytes("message");

PublicKey key_of(const Signer& signer) { return PublicKey::decode_spki(signer.spki()).value(); }

Bytes raw_number(ByteView number, std::size_t size) {
  Bytes out(size - number.size());
  out.insert(out.end(), number.begin(), number.end());
  return out;
}

// The orders of the two groups. Source: SEC 2, 2.4.2 and 2.5.1.
const char* const kOrderP256 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const char* const kOrderP384 =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";

struct Curve {
  TestKey test_key;
  KeyKind kind;
  SignatureScheme scheme;
  int hash;
  std::size_t size;
  const char* order;
};
const Curve kCurves[] = {{TestKey::kP256, KeyKind::kP256, SignatureScheme::kEcdsaP256Sha256, 256, 32, kOrderP256},
                         {TestKey::kP384, KeyKind::kP384, SignatureScheme::kEcdsaP384Sha384, 384, 48, kOrderP384}};

TEST(PublicKey, EachKindReadsItsOwnSpkiAndVerifiesItsOwnSignatures) {
  for (const Curve& curve : kCurves) {
    const Signer signer(curve.test_key);
    const PublicKey key = key_of(signer);
    EXPECT_EQ(key.kind(), curve.kind);
    EXPECT_EQ(key.bits(), curve.size * 8);
    EXPECT_EQ(key.spki(), signer.spki());
    EXPECT_EQ(key.point().size(), 2 * curve.size);
    EXPECT_TRUE(key.modulus().empty());
    EXPECT_TRUE(key.verify(curve.scheme, kMessage, signer.sign_raw(kMessage, curve.hash)));
    EXPECT_TRUE(key.verify(curve.scheme, kMessage, signer.sign(kMessage, curve.hash), EcdsaForm::kDer));
    EXPECT_EQ(PublicKey::from_point(curve.kind, key.point()).value().spki(), signer.spki());
  }
  const Signer edwards(TestKey::kEd25519);
  EXPECT_EQ(key_of(edwards).kind(), KeyKind::kEd25519);
  EXPECT_TRUE(key_of(edwards).verify(SignatureScheme::kEd25519, kMessage, edwards.sign(kMessage, 0)));
}

TEST(PublicKey, AnRsaKeyVerifiesBothPaddingsWithEachHash) {
  const Signer& signer = shared_rsa_signer();
  const PublicKey key = key_of(signer);
  EXPECT_EQ(key.bits(), 2048U);
  EXPECT_EQ(key.modulus().size(), 256U);
  EXPECT_EQ(PublicKey::from_rsa(key.modulus(), Bytes{0, 1, 0, 1}).value().spki(), signer.spki());
  const std::tuple<SignatureScheme, int, TestPadding> schemes[] = {
      {SignatureScheme::kRsaPkcs1Sha256, 256, TestPadding::kNone},
      {SignatureScheme::kRsaPkcs1Sha384, 384, TestPadding::kNone},
      {SignatureScheme::kRsaPkcs1Sha512, 512, TestPadding::kNone},
      {SignatureScheme::kRsaPssSha256, 256, TestPadding::kPss},
      {SignatureScheme::kRsaPssSha384, 384, TestPadding::kPss},
      {SignatureScheme::kRsaPssSha512, 512, TestPadding::kPss}};
  for (const auto& [made, hash, padding] : schemes) {
    const Bytes signature = signer.sign(kMessage, hash, padding);
    for (const auto& other : schemes) {
      const auto status = key.verify(std::get<0>(other), kMessage, signature);
      EXPECT_EQ(status.has_value(), std::get<0>(other) == made);
      if (!status) EXPECT_EQ(status.error().code(), kSignatureInvalid);
    }
  }
}

TEST(PublicKey, AnythingElseThanTheSignedMessageAndTheSignersKeyIsInvalid) {
  for (const Curve& curve : kCurves) {
    const Signer signer(curve.test_key);
    const Bytes signature = signer.sign_raw(kMessage, curve.hash);
    EXPECT_EQ(key_of(Signer(curve.test_key)).verify(curve.scheme, kMessage, signature).error().code(),
              kSignatureInvalid);
    EXPECT_EQ(key_of(signer).verify(curve.scheme, to_bytes("massage"), signature).error().code(), kSignatureInvalid);
    for (std::size_t i = 0; i < signature.size(); ++i) {
      Bytes bad = signature;
      bad[i] ^= 1;
      EXPECT_EQ(key_of(signer).verify(curve.scheme, kMessage, bad).error().code(), kSignatureInvalid) << i;
    }
  }
}

TEST(PublicKey, NumbersOutsideTheGroupAreInvalidInARawSignature) {
  for (const Curve& curve : kCurves) {
    const PublicKey key = key_of(Signer(curve.test_key));
    const Bytes order = *from_hex(curve.order);
    const Bytes zero(curve.size);
    const Bytes one = raw_number(Bytes{1}, curve.size);
    const Bytes above(curve.size, 0xff);
    for (const auto& [r, s] : {std::pair(zero, zero), std::pair(zero, one), std::pair(one, zero), std::pair(order, one),
                               std::pair(one, order), std::pair(above, above), std::pair(order, order)}) {
      EXPECT_EQ(key.verify(curve.scheme, kMessage, concat(r, s)).error().code(), kSignatureInvalid);
    }
  }
}

TEST(PublicKey, AWrongLengthIsMalformedBeforeAnythingIsComputed) {
  const Signer edwards(TestKey::kEd25519);
  const Signer& rsa = shared_rsa_signer();
  struct Case {
    const Signer& signer;
    SignatureScheme scheme;
    Bytes good;
  };
  const Signer p256(TestKey::kP256);
  const Signer p384(TestKey::kP384);
  for (const Case& c : {Case{p256, SignatureScheme::kEcdsaP256Sha256, p256.sign_raw(kMessage, 256)},
                        Case{p384, SignatureScheme::kEcdsaP384Sha384, p384.sign_raw(kMessage, 384)},
                        Case{rsa, SignatureScheme::kRsaPkcs1Sha256, rsa.sign(kMessage, 256)},
                        Case{edwards, SignatureScheme::kEd25519, edwards.sign(kMessage, 0)}}) {
    const PublicKey key = key_of(c.signer);
    ASSERT_TRUE(key.verify(c.scheme, kMessage, c.good));
    const ByteView good = c.good;
    for (const Bytes& bad : {Bytes{}, to_bytes(good.first(good.size() - 1)), concat(good, Bytes{0}),
                             concat(Bytes{0}, good), concat(good, good)}) {
      EXPECT_EQ(key.verify(c.scheme, kMessage, bad).error().code(), kSignatureMalformed) << bad.size();
    }
  }
}

TEST(PublicKey, ADerSignatureIsTwoMinimalIntegersAndNothingElse) {
  const Signer signer(TestKey::kP256);
  const PublicKey key = key_of(signer);
  const auto integer = [](const Bytes& contents) { return der_element(der::kInteger, contents); };
  const auto two = [&](const Bytes& r, const Bytes& s) {
    return der_element(der::kSequence, concat(integer(r), integer(s)));
  };
  const Bytes good = signer.sign(kMessage, 256);
  Bytes indefinite = {0x30, 0x80};
  indefinite.insert(indefinite.end(), good.begin() + 2, good.end());
  const std::pair<const char*, Bytes> malformed[] = {
      {"empty", {}},
      {"trailing byte", concat(good, Bytes{0})},
      {"truncated", to_bytes(ByteView(good).first(good.size() - 1))},
      {"raw", signer.sign_raw(kMessage, 256)},
      {"indefinite length", concat(indefinite, Bytes{0, 0})},
      {"negative", two({0x80}, {1})},
      {"padded with zeros", two({0, 1}, {1})},
      {"three integers", der_element(der::kSequence, concat(integer({1}), integer({1}), integer({1})))},
      {"one integer", der_element(der::kSequence, integer({1}))},
      {"longer than the order", two(Bytes(40, 1), {1})}};
  for (const auto& [name, signature] : malformed) {
    EXPECT_EQ(key.verify(SignatureScheme::kEcdsaP256Sha256, kMessage, signature, EcdsaForm::kDer).error().code(),
              kSignatureMalformed)
        << name;
  }
  const Bytes order = concat(Bytes{0}, *from_hex(kOrderP256));
  for (const Bytes& signature : {two({0}, {0}), two({1}, {0}), two({0}, {1}), two(order, {1}), two({1}, order)}) {
    EXPECT_EQ(key.verify(SignatureScheme::kEcdsaP256Sha256, kMessage, signature, EcdsaForm::kDer).error().code(),
              kSignatureInvalid);
  }
}

TEST(PublicKey, ASchemeOfAnotherKindIsUnsupported) {
  const PublicKey p256 = key_of(Signer(TestKey::kP256));
  for (const SignatureScheme scheme :
       {SignatureScheme::kEcdsaP384Sha384, SignatureScheme::kRsaPkcs1Sha256, SignatureScheme::kEd25519}) {
    EXPECT_EQ(p256.verify(scheme, kMessage, Bytes(64)).error().code(), kPublicKeyUnsupported);
  }
}

TEST(PublicKey, KeysThatAreTooSmallTooLargeOrOnOtherCurvesAreUnsupported) {
  EXPECT_EQ(PublicKey::decode_spki(Signer(TestKey::kRsa1024).spki()).error().code(), kPublicKeyUnsupported);
  EXPECT_EQ(PublicKey::decode_spki(Signer(TestKey::kP521).spki()).error().code(), kPublicKeyUnsupported);
  const Bytes e = {1, 0, 1};
  for (const std::size_t bits : {512U, 2040U, 8200U, 32768U}) {
    EXPECT_EQ(PublicKey::from_rsa(Bytes(bits / 8, 0xff), e).error().code(), kPublicKeyUnsupported) << bits;
  }
  EXPECT_EQ(PublicKey::from_rsa(Bytes(256, 0xff), Bytes{1, 0, 0, 0, 1}).error().code(), kPublicKeyUnsupported);
  EXPECT_TRUE(PublicKey::from_rsa(Bytes(1024, 0xff), e));
  EXPECT_EQ(PublicKey::from_point(KeyKind::kRsa, Bytes(64)).error().code(), kPublicKeyUnsupported);
}

TEST(PublicKey, WhatIsNoKeyIsMalformed) {
  const Bytes n(256, 0xff);
  for (const Bytes& e : {Bytes{}, Bytes{0}, Bytes{1}, Bytes{2}, Bytes{1, 0, 0}}) {
    EXPECT_EQ(PublicKey::from_rsa(n, e).error().code(), kPublicKeyMalformed);
  }
  Bytes even = n;
  even.back() = 0xfe;
  EXPECT_EQ(PublicKey::from_rsa(even, Bytes{3}).error().code(), kPublicKeyMalformed);
  EXPECT_EQ(PublicKey::from_rsa({}, Bytes{3}).error().code(), kPublicKeyMalformed);
  Bytes point = key_of(Signer(TestKey::kP256)).point();
  EXPECT_EQ(PublicKey::from_point(KeyKind::kP256, ByteView(point).first(63)).error().code(), kPublicKeyMalformed);
  point.back() ^= 1;
  EXPECT_EQ(PublicKey::from_point(KeyKind::kP256, point).error().code(), kPublicKeyMalformed) << "not on the curve";
  EXPECT_EQ(PublicKey::from_point(KeyKind::kP256, Bytes(64)).error().code(), kPublicKeyMalformed);
  EXPECT_EQ(PublicKey::from_point(KeyKind::kP384, Bytes(96, 0xff)).error().code(), kPublicKeyMalformed);
}

TEST(PublicKey, EveryTruncationAndEveryTrailingByteOfAnSpkiIsRefused) {
  for (const TestKey kind : {TestKey::kP256, TestKey::kP384, TestKey::kEd25519, TestKey::kRsa2048}) {
    const Bytes spki = kind == TestKey::kRsa2048 ? shared_rsa_signer().spki() : Signer(kind).spki();
    for (std::size_t size = 0; size < spki.size(); ++size) {
      EXPECT_EQ(PublicKey::decode_spki(ByteView(spki).first(size)).error().code(), kPublicKeyMalformed);
    }
    EXPECT_EQ(PublicKey::decode_spki(concat(spki, Bytes{0})).error().code(), kPublicKeyMalformed);
  }
  EXPECT_EQ(PublicKey::decode_spki(Bytes(100000)).error().code(), kPublicKeyUnsupported);
}

TEST(PublicKey, APemBlockMayHaveWhiteSpaceAroundItAndNothingElse) {
  const Bytes spki = Signer(TestKey::kP256).spki();
  const std::string pem = "-----BEGIN PUBLIC KEY-----\n" + base64(spki) + "\n-----END PUBLIC KEY-----";
  for (const std::string& good : {pem, "\r\n " + pem + "\n\n"}) {
    EXPECT_EQ(PublicKey::decode_pem(as_bytes(good)).value().spki(), spki);
  }
  for (const std::string& bad : {std::string(), "x" + pem, pem + "x", pem + "\n" + pem, pem.substr(0, pem.size() - 1),
                                 std::string("-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----"),
                                 "-----BEGIN PUBLIC KEY-----\n" + base64(spki) + "=\n-----END PUBLIC KEY-----"}) {
    EXPECT_EQ(PublicKey::decode_pem(as_bytes(bad)).error().code(), kPublicKeyMalformed) << bad;
  }
}

}  // namespace
}  // namespace eml

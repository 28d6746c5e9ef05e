#include "crypto/ed25519.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include <string>
#include <thread>
#include <vector>

#include "crypto/testing.h"
#include "tests/support/json_vectors.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

using test::access;
using test::CountingRandom;
using test::reveal;
using test::secret_of;
using test::unhex;
using test::VectorObject;

Ed25519PublicKey key_of(std::string_view text) { return to_array<32>(unhex(text)).value_or(Ed25519PublicKey{}); }

// A signature that this library makes and that nothing is wrong with.
struct Signed {
  Ed25519Key key;
  Bytes message = to_bytes("a message");
  Ed25519Signature signature;
};

Signed make_signed() {
  CountingRandom random(17);
  Signed s{.key = Ed25519Key::generate(random), .signature = {}};
  s.signature = s.key.sign(s.message);
  return s;
}

TEST(Ed25519, PassesWycheproof) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/wycheproof/ed25519_test.json");
  int ran = 0;
  const auto json = test::parse_vectors(text);
  VectorObject file(json, "ed25519");
  file.ignore({"schema", "header", "notes"});
  EXPECT_EQ(file.text("algorithm"), "EDDSA");
  for (const auto& group_json : file.array("testGroups")) {
    VectorObject group(group_json, "group");
    group.ignore({"type", "source", "publicKeyDer", "publicKeyPem", "publicKeyJwk"});
    VectorObject public_key(group.value("publicKey"), "publicKey");
    public_key.ignore({"type", "keySize"});
    EXPECT_EQ(public_key.text("curve"), "edwards25519");
    const Ed25519PublicKey key = key_of(public_key.text("pk"));
    for (const auto& test_json : group.array("tests")) {
      VectorObject v(test_json, "ed25519 test");
      SCOPED_TRACE(v.number("tcId"));
      v.ignore({"comment", "flags"});
      const bool valid = v.text("result") == "valid";
      const Bytes message = unhex(v.text("msg"));
      const auto signature = to_array<64>(unhex(v.text("sig")));
      ++ran;
      if (!signature) {
        EXPECT_FALSE(valid) << "another size is not expressible in our types";
        continue;
      }
      EXPECT_EQ(verify_ed25519(key, message, *signature).has_value(), valid);
    }
  }
  EXPECT_EQ(ran, file.number("numberOfTests"));
}

struct Rfc8032 {
  std::string_view seed, public_key, message, signature;
};

TEST(Ed25519, SignsAsTheStandardsExamples) {
  // RFC 8032, 7.1, tests 1 to 3.
  for (
      const Rfc8032& v : {
          Rfc8032{
              "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
              "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
              "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0"
              "595bbe24655141438e7a100b"},
          Rfc8032{
              "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
              "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
              "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eae"
              "b4302aeeb00d291612bb0c00"},
          Rfc8032{
              "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
              "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
              "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9"
              "716ed28dc027beceea1ec40a"},
      }) {
    const Ed25519Key key = Ed25519Key::from_seed(secret_of(v.seed)).value();
    EXPECT_EQ(hex(key.public_key()), v.public_key);
    EXPECT_EQ(hex(key.sign(unhex(v.message))), v.signature);
    EXPECT_EQ(hex(reveal(key.export_seed(access()))), v.seed);
    EXPECT_TRUE(verify_ed25519(key.public_key(), unhex(v.message), key.sign(unhex(v.message))));
  }
}

TEST(Ed25519, AFlippedBitOfMessageSignatureOrKeyIsRefused) {
  const Signed s = make_signed();
  ASSERT_TRUE(verify_ed25519(s.key.public_key(), s.message, s.signature));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    Ed25519Signature bad = s.signature;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const Status status = verify_ed25519(s.key.public_key(), s.message, bad);
    ASSERT_FALSE(status) << bit;
    EXPECT_EQ(status.error().code(), kSignatureInvalid);
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Ed25519PublicKey bad = s.key.public_key();
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(verify_ed25519(bad, s.message, s.signature)) << bit;
  }
  for (std::size_t size = 0; size < s.message.size(); ++size) {
    EXPECT_FALSE(verify_ed25519(s.key.public_key(), ByteView(s.message).first(size), s.signature)) << size;
  }
}

// All encodings of the eight points of small order, canonical or not. Source: "Taming the many EdDSAs", table 1.
const std::vector<std::string_view> kSmallOrder = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    // non-canonical
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

TEST(Ed25519, RefusesSmallOrderKeysThatWouldAcceptAnySignature) {
  for (const std::string_view text : kSmallOrder) {
    SCOPED_TRACE(text);
    // R = neutral element, S = 0: satisfies the equation for every message whose k is a multiple of the order.
    Ed25519Signature forged{};
    forged[0] = 1;
    for (int i = 0; i < 16; ++i) {
      const Bytes message{static_cast<std::uint8_t>(i)};
      const Status status = verify_ed25519(key_of(text), message, forged);
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code(), kPublicKeyInvalid);
    }
  }
}

// What OpenSSL alone says: the control of the tests below.
bool openssl_accepts(const Ed25519PublicKey& key, ByteView message, const Ed25519Signature& signature) {
  EVP_PKEY* const pkey = EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, key.data(), key.size());
  EVP_MD_CTX* const ctx = EVP_MD_CTX_new();
  const bool accepted = EVP_DigestVerifyInit_ex(ctx, nullptr, nullptr, nullptr, nullptr, pkey, nullptr) == 1 &&
                        EVP_DigestVerify(ctx, signature.data(), signature.size(), message.data(), message.size()) == 1;
  EVP_MD_CTX_free(ctx);
  EVP_PKEY_free(pkey);
  return accepted;
}

Bytes sha512(ByteView bytes) {
  Bytes out(64);
  EXPECT_EQ(EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, EVP_sha512(), nullptr), 1);
  return out;
}

// The owner of a key signs with r = 0: R is the neutral element and S = k * a (mod L). The equation holds, and OpenSSL
// accepts it; such an R says that the signer's randomness is broken, or that the signature is made to fit many
// messages.
Ed25519Signature sign_with_neutral_r(const Ed25519Key& key, ByteView message) {
  Bytes a = sha512(reveal(key.export_seed(access())));
  a.resize(32);
  a[0] &= 248;
  a[31] = static_cast<std::uint8_t>((a[31] & 63) | 64);
  Ed25519Signature out{1};
  const Bytes k = sha512(concat(ByteView(out).first(32), key.public_key(), message));
  const Bytes order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  BN_CTX* const ctx = BN_CTX_new();
  BIGNUM* const l = BN_lebin2bn(order.data(), 32, nullptr);
  BIGNUM* const s = BN_lebin2bn(k.data(), 64, nullptr);
  BIGNUM* const scalar = BN_lebin2bn(a.data(), 32, nullptr);
  EXPECT_EQ(BN_mod_mul(s, s, scalar, l, ctx), 1);
  EXPECT_EQ(BN_bn2lebinpad(s, out.data() + 32, 32), 32);
  BN_free(scalar);
  BN_free(s);
  BN_free(l);
  BN_CTX_free(ctx);
  return out;
}

TEST(Ed25519, RefusesASignatureThatIsGoodButForItsSmallOrderR) {
  const Signed s = make_signed();
  const Ed25519Signature signature = sign_with_neutral_r(s.key, s.message);
  EXPECT_TRUE(openssl_accepts(s.key.public_key(), s.message, signature)) << "the forgery is wrong in another way";
  const Status status = verify_ed25519(s.key.public_key(), s.message, signature);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), kSignatureInvalid);
}

TEST(Ed25519, RefusesAKeyUnderWhichOpenSslAcceptsAnything) {
  const Ed25519PublicKey neutral = {1};
  const Ed25519Signature forged = {1};  // R the neutral element, S = 0
  EXPECT_TRUE(openssl_accepts(neutral, as_bytes("any message"), forged));
  EXPECT_EQ(verify_ed25519(neutral, as_bytes("any message"), forged).error().code(), kPublicKeyInvalid);
}

TEST(Ed25519, RefusesSmallOrderR) {
  const Signed s = make_signed();
  for (const std::string_view text : kSmallOrder) {
    Ed25519Signature bad = s.signature;
    std::ranges::copy(unhex(text), bad.begin());
    const Status status = verify_ed25519(s.key.public_key(), s.message, bad);
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().code(), kSignatureInvalid);
  }
}

TEST(Ed25519, RefusesEveryNonCanonicalKeyAndR) {
  // y = p + i for i = 0..18, with either sign: the only encodings of 255 bits that are not below p.
  const Signed s = make_signed();
  for (int i = 0; i < 19; ++i) {
    for (const std::uint8_t last : {std::uint8_t{0x7f}, std::uint8_t{0xff}}) {
      Ed25519PublicKey point;
      point.fill(0xff);
      point[0] = static_cast<std::uint8_t>(0xed + i);
      point[31] = last;
      const Status as_key = verify_ed25519(point, s.message, s.signature);
      ASSERT_FALSE(as_key);
      EXPECT_EQ(as_key.error().code(), kPublicKeyInvalid);
      Ed25519Signature bad = s.signature;
      std::ranges::copy(point, bad.begin());
      const Status as_r = verify_ed25519(s.key.public_key(), s.message, bad);
      ASSERT_FALSE(as_r);
      EXPECT_EQ(as_r.error().code(), kSignatureInvalid);
    }
  }
}

TEST(Ed25519, DoesNotCallTheLargestCanonicalKeysNonCanonical) {
  // p - 2 and the points around the border that only differ in one byte from a non-canonical form.
  const Signed s = make_signed();
  for (const std::string_view text : {"ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                      "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe7f",
                                      "fffeffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7e"}) {
    const Status status = verify_ed25519(key_of(text), s.message, s.signature);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), kSignatureInvalid) << text;
  }
}

// s + L, the same signature to a verifier that does not check S < L.
Ed25519Signature with_s_plus_l(Ed25519Signature signature, int times) {
  const Bytes order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  for (int n = 0; n < times; ++n) {
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      const unsigned sum = signature[32 + i] + unsigned{order[i]} + carry;
      signature[32 + i] = static_cast<std::uint8_t>(sum);
      carry = sum >> 8;
    }
    EXPECT_EQ(carry, 0U);
  }
  return signature;
}

TEST(Ed25519, RefusesASignatureWhoseSIsNotBelowTheOrder) {
  const Signed s = make_signed();
  for (int times = 1; times <= 14; ++times) {
    const Status status = verify_ed25519(s.key.public_key(), s.message, with_s_plus_l(s.signature, times));
    ASSERT_FALSE(status) << times;
    EXPECT_EQ(status.error().code(), kSignatureInvalid);
  }
}

TEST(Ed25519, RefusesSeedsOfOtherSizes) {
  for (const std::size_t size : std::vector<std::size_t>{0, 1, 31, 33, 64}) {
    const auto key = Ed25519Key::from_seed(SecretBytes(size));
    ASSERT_FALSE(key) << size;
    EXPECT_EQ(key.error().code(), kPrivateKeyInvalid);
  }
}

TEST(Ed25519, GeneratesFromTheGivenRandomness) {
  CountingRandom a(1);
  CountingRandom b(1);
  EXPECT_EQ(Ed25519Key::generate(a).public_key(), Ed25519Key::generate(b).public_key());
  EXPECT_NE(Ed25519Key::generate(a).public_key(), Ed25519Key::from_seed(SecretBytes(32))->public_key());
}

TEST(Ed25519, MovesWithItsKey) {
  Signed s = make_signed();
  Ed25519Key moved = std::move(s.key);
  EXPECT_EQ(moved.sign(s.message), s.signature);
  CountingRandom random;
  Ed25519Key assigned = Ed25519Key::generate(random);
  assigned = std::move(moved);
  EXPECT_EQ(assigned.sign(s.message), s.signature);
}

TEST(Ed25519, OneKeySignsInManyThreads) {
  const Signed s = make_signed();
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::vector<Ed25519Signature> made(4);
  for (Ed25519Signature& out : made) {
    threads.emplace_back([&s, &out] {
      for (int i = 0; i < 50; ++i) out = s.key.sign(s.message);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Ed25519Signature& signature : made) EXPECT_EQ(signature, s.signature);
}

}  // namespace
}  // namespace eml

#include "crypto/aead.h"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/evp_aead.h"
#include "crypto/testing.h"
#include "tests/support/json_vectors.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

using test::reveal;
using test::secret_of;
using test::unhex;
using test::VectorObject;

using Nonce = ByteArray<kAeadNonceSize>;

Bytes seal(AeadKey& key, const Nonce& nonce, ByteView aad, ByteView plaintext) {
  Bytes out(plaintext.size() + kAeadTagSize);
  key.seal(out, nonce, aad, plaintext);
  return out;
}

Result<Bytes> open(AeadKey& key, const Nonce& nonce, ByteView aad, ByteView sealed) {
  Bytes out(sealed.size() - std::min(sealed.size(), kAeadTagSize), 0xee);
  if (auto status = key.open(out, nonce, aad, sealed); !status) {
    EXPECT_EQ(out, Bytes(out.size(), 0)) << "the output of a failed opening was not wiped";
    return std::unexpected(status.error());
  }
  return out;
}

AeadKey some_key() {
  SecretBytes key(kAeadKeySize);
  test::CountingRandom(1).fill(key.write(test::access()));
  return AeadKey(key);
}

constexpr Nonce kNonce = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

// Runs one group of a Wycheproof AEAD file through EvpAead; `ran` counts.
void run_group(AeadId id, VectorObject& group, int& ran) {
  group.ignore({"type", "source"});
  EXPECT_EQ(group.number("tagSize"), 128);
  const auto iv_bits = group.number("ivSize");
  const auto key_bits = static_cast<std::size_t>(group.number("keySize"));
  const bool our_sizes = iv_bits == 96 && key_bits == aead_key_size(id) * 8;
  for (const auto& test_json : group.array("tests")) {
    VectorObject v(test_json, "aead test");
    SCOPED_TRACE(v.number("tcId"));
    v.ignore({"comment", "flags"});
    const SecretBytes key = secret_of(v.text("key"));
    const auto nonce = to_array<kAeadNonceSize>(unhex(v.text("iv")));
    const Bytes aad = unhex(v.text("aad"));
    const Bytes message = unhex(v.text("msg"));
    const Bytes sealed = unhex(v.text("ct") + v.text("tag"));
    const bool valid = v.text("result") == "valid";
    ++ran;
    if (!our_sizes) {
      EXPECT_TRUE(!nonce || key.size() != aead_key_size(id)) << "not expressible in our types";
      continue;
    }
    EvpAead aead(id, key);
    Bytes out(message.size() + kAeadTagSize);
    aead.seal(out, *nonce, aad, message);
    EXPECT_EQ(out == sealed, valid);
    Bytes opened(sealed.size() - kAeadTagSize);
    const Status status = aead.open(opened, *nonce, aad, sealed);
    EXPECT_EQ(status.has_value(), valid);
    if (valid) EXPECT_EQ(opened, message);
  }
}

TEST(Aead, ChaCha20Poly1305PassesWycheproof) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/wycheproof/chacha20_poly1305_test.json");
  int ran = 0;
  const auto json = test::parse_vectors(text);
  VectorObject file(json, "chacha20-poly1305");
  file.ignore({"schema", "header", "notes"});
  EXPECT_EQ(file.text("algorithm"), "CHACHA20-POLY1305");
  for (const auto& group_json : file.array("testGroups")) {
    VectorObject group(group_json, "group");
    run_group(AeadId::kChaCha20Poly1305, group, ran);
  }
  EXPECT_EQ(ran, file.number("numberOfTests"));
}

TEST(Aead, AesGcmPassesWycheproof) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/wycheproof/aes_gcm_test.json");
  int ran = 0;
  const auto json = test::parse_vectors(text);
  VectorObject file(json, "aes-gcm");
  file.ignore({"schema", "header", "notes"});
  EXPECT_EQ(file.text("algorithm"), "AES-GCM");
  for (const auto& group_json : file.array("testGroups")) {
    VectorObject group(group_json, "group");
    run_group(group.number("keySize") == 128 ? AeadId::kAes128Gcm : AeadId::kAes256Gcm, group, ran);
  }
  EXPECT_EQ(ran, file.number("numberOfTests"));
}

TEST(Aead, OpensWhatItSealedInEverySizeAroundABlock) {
  AeadKey key = some_key();
  for (std::size_t size = 0; size <= 200; ++size) {
    const Bytes text(size, 't');
    const Bytes sealed = seal(key, kNonce, as_bytes("aad"), text);
    ASSERT_EQ(open(key, kNonce, as_bytes("aad"), sealed).value(), text) << size;
  }
}

TEST(Aead, WorksInPlace) {
  AeadKey key = some_key();
  for (const std::size_t size : std::vector<std::size_t>{0, 1, 15, 16, 17, 255, 256, 65536, 1048576}) {
    const Bytes text(size, 'x');
    Bytes buffer(size + kAeadTagSize);
    std::copy(text.begin(), text.end(), buffer.begin());
    key.seal(buffer, kNonce, {}, ByteView(buffer).first(size));
    EXPECT_EQ(buffer, seal(key, kNonce, {}, text));
    ASSERT_TRUE(key.open(MutableByteView(buffer).first(size), kNonce, {}, buffer));
    buffer.resize(size);
    EXPECT_EQ(buffer, text);
  }
}

TEST(Aead, AFlippedBitAnywhereIsRefusedAndTheOutputWiped) {
  AeadKey key = some_key();
  const Bytes sealed = seal(key, kNonce, as_bytes("aad"), as_bytes("a text of some length"));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes bad = sealed;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto opened = open(key, kNonce, as_bytes("aad"), bad);
    ASSERT_FALSE(opened) << bit;
    EXPECT_EQ(opened.error().code(), kAeadUnauthentic);
  }
  EXPECT_TRUE(open(key, kNonce, as_bytes("aad"), sealed)) << "a failure spoiled the key";
}

TEST(Aead, AnotherNonceAadOrKeyIsRefused) {
  AeadKey key = some_key();
  const Bytes sealed = seal(key, kNonce, as_bytes("aad"), as_bytes("text"));
  Nonce other = kNonce;
  other[11] ^= 1;
  EXPECT_FALSE(open(key, other, as_bytes("aad"), sealed));
  EXPECT_FALSE(open(key, kNonce, as_bytes("aae"), sealed));
  EXPECT_FALSE(open(key, kNonce, {}, sealed));
  AeadKey zero{SecretBytes(kAeadKeySize)};
  EXPECT_FALSE(open(zero, kNonce, as_bytes("aad"), sealed));
}

TEST(Aead, ACutAtEveryLengthIsRefused) {
  AeadKey key = some_key();
  const Bytes sealed = seal(key, kNonce, {}, as_bytes("a text of some length"));
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    const auto opened = open(key, kNonce, {}, ByteView(sealed).first(size));
    ASSERT_FALSE(opened) << size;
    EXPECT_EQ(opened.error().code(), kAeadUnauthentic);
  }
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_FALSE(open(key, kNonce, {}, longer));
}

TEST(Aead, SealingAndOpeningMayAlternateUnderOneKey) {
  AeadKey key = some_key();
  AeadKey fresh = some_key();
  Nonce nonce = kNonce;
  for (std::uint8_t i = 0; i < 50; ++i) {
    nonce[0] = i;
    const Bytes text(i * 5U, i);
    const Bytes sealed = seal(key, nonce, as_bytes("a"), text);
    EXPECT_EQ(open(key, nonce, as_bytes("a"), sealed).value(), text);
    EXPECT_EQ(open(fresh, nonce, as_bytes("a"), sealed).value(), text);
    EXPECT_FALSE(open(key, kNonce, {}, sealed));
  }
}

TEST(Aead, MovesWithItsKey) {
  AeadKey a = some_key();
  const Bytes sealed = seal(a, kNonce, {}, as_bytes("text"));
  AeadKey b = std::move(a);
  EXPECT_TRUE(open(b, kNonce, {}, sealed));
  AeadKey c{SecretBytes(kAeadKeySize)};
  c = std::move(b);
  EXPECT_TRUE(open(c, kNonce, {}, sealed));
}

TEST(AeadDeathTest, BuffersAndKeysOfWrongSizesEndTheProcess) {
  AeadKey key = some_key();
  Bytes out(20);
  EXPECT_DEATH(AeadKey{SecretBytes(31)}, "wrong size");
  EXPECT_DEATH(AeadKey{SecretBytes()}, "wrong size");
  EXPECT_DEATH(key.seal(out, kNonce, {}, Bytes(5)), "wrong size");
  EXPECT_DEATH(key.seal(MutableByteView(out).first(3), kNonce, {}, {}), "wrong size");
  EXPECT_DEATH(static_cast<void>(key.open(out, kNonce, {}, Bytes(35))), "wrong size");
}

}  // namespace
}  // namespace eml

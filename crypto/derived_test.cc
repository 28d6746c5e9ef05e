// The small helpers over HKDF and AeadKey that give a public name, a further key, or numbered nonces.
#include <gtest/gtest.h>

#include <limits>

#include "crypto/derived_key.h"
#include "crypto/hkdf.h"
#include "crypto/key_commitment.h"
#include "crypto/numbered_aead.h"
#include "crypto/testing.h"

namespace eml {
namespace {

using test::reveal;
using test::secret_of;

constexpr std::string_view kKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kIv = "f0f1f2f3f4f5f6f7f8f9fafb";

TEST(NumberedAead, UsesTheBaseNonceXorTheNumber) {
  NumberedAead numbered(secret_of(kKey), secret_of(kIv));
  AeadKey plain(secret_of(kKey));
  const std::vector<std::pair<std::uint64_t, std::string_view>> cases = {
      {0, "f0f1f2f3f4f5f6f7f8f9fafb"},
      {1, "f0f1f2f3f4f5f6f7f8f9fafa"},
      {0x0102030405060708, "f0f1f2f3f5f7f5f3fdfffdf3"},
      {std::numeric_limits<std::uint64_t>::max(), "f0f1f2f30b0a090807060504"},
  };
  for (const auto& [number, nonce] : cases) {
    Bytes sealed(20);
    numbered.seal(sealed, number, as_bytes("aad"), as_bytes("text"));
    Bytes opened(4);
    ASSERT_TRUE(plain.open(opened, *to_array<12>(test::unhex(nonce)), as_bytes("aad"), sealed)) << number;
    EXPECT_EQ(as_text(opened), "text");
    ASSERT_TRUE(numbered.open(opened, number, as_bytes("aad"), sealed));
    const Status other = numbered.open(opened, number ^ 1, as_bytes("aad"), sealed);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), kAeadUnauthentic);
    EXPECT_EQ(opened, Bytes(4));
  }
}

TEST(NumberedAead, RevealsANameAsItIs) { EXPECT_EQ(hex(reveal_name(secret_of(kKey))), kKey); }

TEST(NumberedAeadDeathTest, SecretsOfOtherSizesEndTheProcess) {
  EXPECT_DEATH(NumberedAead(secret_of(kKey), SecretBytes(11)), "wrong size");
  EXPECT_DEATH(NumberedAead(SecretBytes(16), secret_of(kIv)), "wrong size");
  EXPECT_DEATH(static_cast<void>(reveal_name(SecretBytes(31))), "wrong size");
  EXPECT_DEATH(static_cast<void>(reveal_name(SecretBytes(64))), "wrong size");
}

TEST(KeyCommitment, IsTheFirstBlockOfHkdfExpand) {
  const Hash32 commitment = key_commitment(secret_of(kKey), as_bytes("label"));
  EXPECT_EQ(to_bytes(commitment), reveal(hkdf_expand(secret_of(kKey), as_bytes("label"), 32)));
  EXPECT_NE(commitment, key_commitment(secret_of(kKey), as_bytes("another")));
  EXPECT_NE(commitment, key_commitment(SecretBytes(32), as_bytes("label")));
}

TEST(DerivedKey, IsHkdfOfTheSeed) {
  const Ed25519Key key = Ed25519Key::from_seed(secret_of(kKey)).value();
  const Bytes derived = reveal(derive_secret(key, as_bytes("label"), 32));
  EXPECT_EQ(derived, reveal(hkdf_expand(hkdf_extract({}, secret_of(kKey)), as_bytes("label"), 32)));
  EXPECT_NE(derived, reveal(derive_secret(key, as_bytes("another"), 32)));
}

}  // namespace
}  // namespace eml

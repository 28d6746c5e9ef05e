#include "package/dek.h"

#include <gtest/gtest.h>

#include "package/testing.h"

namespace eml {
namespace {

using test::reveal;

struct Wrapped {
  KemKeyPair recipient = test::kem_key("recipient");
  PackageId package_id{7, 7, 7};
  std::string key_id = x25519_key_id(recipient.public_key());
  SecretBytes dek = copy_to_secret(Bytes(kDekSize, 0x5a));
  test::SeededRandom random{"wrap"};
  Bytes file = *wrap_dek(dek, package_id, key_id, random);

  std::string_view error() const {
    const auto opened = unwrap_dek(file, package_id, key_id, recipient);
    return opened ? "opened" : opened.error().code().name;
  }
};

TEST(Dek, WrappedComesBack) {
  const Wrapped wrapped;
  EXPECT_EQ(wrapped.file.size(), kWrappedDekSize);
  const auto opened = unwrap_dek(wrapped.file, wrapped.package_id, wrapped.key_id, wrapped.recipient);
  ASSERT_TRUE(opened) << opened.error().to_string();
  EXPECT_EQ(reveal(*opened), reveal(wrapped.dek));
}

TEST(Dek, OfAnotherPackageDoesNotOpen) {
  Wrapped wrapped;
  wrapped.package_id[0] ^= 1;
  EXPECT_EQ(wrapped.error(), "dek-unwrap");
}

TEST(Dek, ForAnotherKeyIsTold) {
  Wrapped wrapped;
  wrapped.recipient = test::kem_key("somebody else");
  EXPECT_EQ(wrapped.error(), "dek-wrong-recipient");
  wrapped.key_id = x25519_key_id(wrapped.recipient.public_key());
  EXPECT_EQ(wrapped.error(), "dek-unwrap");
}

TEST(Dek, WithAnyByteChangedDoesNotOpen) {
  Wrapped wrapped;
  for (std::size_t i = 0; i < wrapped.file.size(); ++i) {
    wrapped.file[i] ^= 1;
    EXPECT_EQ(wrapped.error(), i < 8 ? "dek-malformed" : "dek-unwrap") << i;
    wrapped.file[i] ^= 1;
  }
}

TEST(Dek, OfAnyOtherSizeIsMalformed) {
  Wrapped wrapped;
  const Bytes whole = wrapped.file;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    wrapped.file.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(wrapped.error(), "dek-malformed");
  }
  wrapped.file = concat(whole, Bytes{0});
  EXPECT_EQ(wrapped.error(), "dek-malformed");
}

TEST(Dek, KeyIdHasOneSpelling) {
  const std::string good = "x25519:" + std::string(62, '0') + "ff";
  EXPECT_TRUE(parse_x25519_key_id(good));
  for (const std::string& bad :
       {std::string(), std::string("x25519:"), "x25519:" + std::string(62, '0') + "FF", good + "0", good.substr(0, 70),
        "X25519:" + good.substr(7), std::string("projects/p/locations/l/keyRings/r/cryptoKeys/k")}) {
    const auto parsed = parse_x25519_key_id(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code(), kDekKeyId);
  }
}

TEST(Dek, IsNotWrappedToAKeyThatGivesNoSecret) {
  test::SeededRandom random("zero");
  const auto wrapped = wrap_dek(copy_to_secret(Bytes(kDekSize)), {}, "x25519:" + std::string(64, '0'), random);
  ASSERT_FALSE(wrapped);
  EXPECT_EQ(wrapped.error().code(), kHpkeBadPublicKey);
}

TEST(Dek, IsAnotherEachTime) {
  test::SeededRandom random("deks");
  EXPECT_NE(reveal(random_dek(random)), reveal(random_dek(random)));
  EXPECT_NE(random_package_id(random), random_package_id(random));
}

}  // namespace
}  // namespace eml

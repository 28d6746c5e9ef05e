#include "crypto/x25519.h"

#include <gtest/gtest.h>

#include "crypto/testing.h"
#include "tests/support/json_vectors.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

using test::reveal;
using test::secret_of;
using test::unhex;
using test::VectorObject;

TEST(X25519, PassesWycheproof) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/wycheproof/x25519_test.json");
  int ran = 0;
  const auto json = test::parse_vectors(text);
  VectorObject file(json, "x25519");
  file.ignore({"schema", "header", "notes"});
  EXPECT_EQ(file.text("algorithm"), "XDH");
  for (const auto& group_json : file.array("testGroups")) {
    VectorObject group(group_json, "group");
    group.ignore({"type", "source"});
    EXPECT_EQ(group.text("curve"), "curve25519");
    for (const auto& test_json : group.array("tests")) {
      VectorObject v(test_json, "x25519 test");
      SCOPED_TRACE(v.number("tcId"));
      v.ignore({"comment", "flags", "result"});  // "acceptable" leaves the choice: see the all-zero rule below
      const X25519Key key = X25519Key::from_private(secret_of(v.text("private")));
      const auto peer = to_array<kX25519Size>(unhex(v.text("public")));
      ASSERT_TRUE(peer);
      const std::string shared = v.text("shared");
      const auto got = key.shared_secret(*peer);
      ++ran;
      if (shared == std::string(64, '0')) {
        ASSERT_FALSE(got) << "a small-order public key was taken";
        EXPECT_EQ(got.error().code(), kX25519BadPublicKey);
      } else {
        ASSERT_TRUE(got);
        EXPECT_EQ(hex(reveal(*got)), shared);
      }
    }
  }
  EXPECT_EQ(ran, file.number("numberOfTests"));
}

TEST(X25519, BothSidesComputeTheSameSecret) {
  // RFC 7748, 6.1: Bob's keys.
  const auto bob =
      X25519Key::from_private(secret_of("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  EXPECT_EQ(hex(bob.public_key()), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  test::CountingRandom random(8);
  const auto peer = X25519Key::generate(random);
  EXPECT_EQ(reveal(peer.shared_secret(bob.public_key()).value()), reveal(bob.shared_secret(peer.public_key()).value()));
}

TEST(X25519, GeneratesFromTheGivenRandomness) {
  test::CountingRandom a(5);
  test::CountingRandom b(5);
  const X25519Key first = X25519Key::generate(a);
  EXPECT_EQ(first.public_key(), X25519Key::generate(b).public_key());
  EXPECT_NE(first.public_key(), X25519Key::generate(a).public_key());
}

TEST(X25519DeathTest, APrivateKeyOfAnotherSizeEndsTheProcess) {
  EXPECT_DEATH(static_cast<void>(X25519Key::from_private(SecretBytes(31))), "wrong size");
}

}  // namespace
}  // namespace eml

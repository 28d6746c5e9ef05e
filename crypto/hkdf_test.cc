#include "crypto/hkdf.h"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/hmac.h"
#include "crypto/testing.h"
#include "tests/support/json_vectors.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

using test::access;
using test::reveal;
using test::secret_of;
using test::unhex;
using test::VectorObject;

Bytes hmac(ByteView key, ByteView message) {
  Bytes tag(kHmacSize);
  HmacSha256(key).update(message).finish(tag);
  return tag;
}

TEST(Hmac, PassesWycheproof) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/wycheproof/hmac_sha256_test.json");
  int ran = 0;
  const auto json = test::parse_vectors(text);
  VectorObject file(json, "hmac");
  file.ignore({"schema", "header", "notes"});
  EXPECT_EQ(file.text("algorithm"), "HMACSHA256");
  for (const auto& group_json : file.array("testGroups")) {
    VectorObject group(group_json, "group");
    group.ignore({"type", "source"});
    const auto tag_size = static_cast<std::size_t>(group.number("tagSize")) / 8;
    const auto key_size = static_cast<std::size_t>(group.number("keySize")) / 8;
    for (const auto& test_json : group.array("tests")) {
      VectorObject v(test_json, "hmac test");
      SCOPED_TRACE(v.number("tcId"));
      v.ignore({"comment", "flags"});
      const Bytes key = unhex(v.text("key"));
      EXPECT_EQ(key.size(), key_size);
      Bytes tag = hmac(key, unhex(v.text("msg")));
      tag.resize(tag_size);
      EXPECT_EQ(hex(tag) == v.text("tag"), v.text("result") == "valid");
      ++ran;
    }
  }
  EXPECT_EQ(ran, file.number("numberOfTests"));
}

TEST(Hmac, HashesAKeyThatIsLongerThanABlock) {
  // RFC 4231, test case 6 (key of 131 bytes), and the border: 64 bytes are used as they are, 65 are hashed.
  EXPECT_EQ(hex(hmac(Bytes(131, 0xaa), as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  Bytes padded(65, 'k');
  padded.back() = 0;
  EXPECT_EQ(hmac(Bytes(63, 'k'), {}), hmac(concat(Bytes(63, 'k'), Bytes(1, 0)), {}));
  EXPECT_NE(hmac(Bytes(64, 'k'), {}), hmac(padded, {}));
}

TEST(Hmac, ACopyServesTheNextMessageUnderTheSameKey) {
  const HmacSha256 keyed(as_bytes("key"));
  for (const std::string_view message : {"one", "two", ""}) {
    Bytes tag(kHmacSize);
    HmacSha256(keyed).update(as_bytes(message)).finish(tag);
    EXPECT_EQ(tag, hmac(as_bytes("key"), as_bytes(message)));
  }
}

TEST(HmacDeathTest, AnotherTagSizeEndsTheProcess) {
  Bytes tag(31);
  EXPECT_DEATH(HmacSha256({}).finish(tag), "another size");
}

TEST(Hkdf, PassesWycheproof) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/wycheproof/hkdf_sha256_test.json");
  int ran = 0;
  const auto json = test::parse_vectors(text);
  VectorObject file(json, "hkdf");
  file.ignore({"schema", "header", "notes"});
  EXPECT_EQ(file.text("algorithm"), "HKDF-SHA-256");
  for (const auto& group_json : file.array("testGroups")) {
    VectorObject group(group_json, "group");
    group.ignore({"type", "source"});
    const auto key_size = static_cast<std::size_t>(group.number("keySize")) / 8;
    for (const auto& test_json : group.array("tests")) {
      VectorObject v(test_json, "hkdf test");
      SCOPED_TRACE(v.number("tcId"));
      v.ignore({"comment", "flags"});
      const SecretBytes ikm = secret_of(v.text("ikm"));
      EXPECT_EQ(ikm.size(), key_size);
      const Bytes salt = unhex(v.text("salt"));
      const Bytes info = unhex(v.text("info"));
      const auto size = static_cast<std::size_t>(v.number("size"));
      const std::string okm = v.text("okm");
      ++ran;
      if (v.text("result") == "invalid") {
        EXPECT_GT(size, 255U * 32U) << "the only reason for which we refuse";
        EXPECT_DEATH(static_cast<void>(hkdf_expand(hkdf_extract(salt, ikm), info, size)), "255 blocks");
        continue;
      }
      EXPECT_EQ(hex(reveal(hkdf_expand(hkdf_extract(salt, ikm), info, size))), okm);
    }
  }
  EXPECT_EQ(ran, file.number("numberOfTests"));
}

TEST(Hkdf, ExtractGivesThePrkOfTheStandard) {
  // RFC 5869, A.1 and A.3.
  EXPECT_EQ(hex(reveal(hkdf_extract(unhex("000102030405060708090a0b0c"),
                                    secret_of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b")))),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(hex(reveal(hkdf_extract({}, secret_of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b")))),
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
}

TEST(Hkdf, AShorterOutputIsTheBeginningOfALongerOne) {
  const SecretBytes prk = secret_of("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  const Bytes longest = reveal(hkdf_expand(prk, as_bytes("info"), std::size_t{255} * 32));
  for (const std::size_t size : std::vector<std::size_t>{0, 1, 31, 32, 33, 63, 64, 65, 1000, 8159}) {
    EXPECT_EQ(reveal(hkdf_expand(prk, as_bytes("info"), size)), to_bytes(ByteView(longest).first(size)));
  }
}

}  // namespace
}  // namespace eml

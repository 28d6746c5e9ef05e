#include "crypto/key_file.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "crypto/testing.h"
#include "encoding/base64.h"

namespace eml {
namespace {

using test::access;
using test::CountingRandom;
using test::reveal;

constexpr UnixSeconds kCreated = 1795612080;  // 2026-11-25T13:08:00Z

Ed25519Key some_key(std::uint8_t first = 3) {
  CountingRandom random(first);
  return Ed25519Key::generate(random);
}

std::string private_text(KeyPurpose purpose = KeyPurpose::kBroker, std::uint8_t first = 3) {
  const auto text = encode_private_key_file(purpose, kCreated, some_key(first));
  return {text.begin(), text.end()};
}

Result<PrivateKeyFile> decode(const std::string& text, KeyPurpose wanted = KeyPurpose::kBroker) {
  Bytes bytes = to_bytes(text);
  auto decoded = decode_private_key_file(bytes, wanted);
  EXPECT_EQ(bytes, Bytes(bytes.size(), 0)) << "the text was not wiped";
  return decoded;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

constexpr KeyPurpose kAll[] = {KeyPurpose::kPublisher, KeyPurpose::kBroker, KeyPurpose::kPolicy,
                               KeyPurpose::kLocalRoot};

TEST(KeyFile, PrivateFilesComeBackForTheirOwnPurposeOnly) {
  for (const KeyPurpose purpose : kAll) {
    for (const KeyPurpose wanted : kAll) {
      const auto decoded = decode(private_text(purpose), wanted);
      if (purpose == wanted) {
        ASSERT_TRUE(decoded);
        EXPECT_EQ(decoded->created, kCreated);
        EXPECT_EQ(decoded->key.sign(as_bytes("x")), some_key().sign(as_bytes("x")));
      } else {
        EXPECT_EQ(decoded.error().code(), kKeyFileWrongPurpose);
      }
      const std::string text = encode_public_key_file(purpose, some_key().public_key());
      const auto public_key = decode_public_key_file(as_bytes(text), wanted);
      if (purpose == wanted) {
        EXPECT_EQ(public_key.value(), some_key().public_key());
      } else {
        EXPECT_EQ(public_key.error().code(), kKeyFileWrongPurpose);
      }
    }
  }
}

TEST(KeyFile, EveryPurposeHasAName) {
  for (const KeyPurpose purpose : kAll) EXPECT_EQ(key_purpose(to_string(purpose)), purpose);
  for (const std::string_view text : {"", "Broker", "broker ", "root", "policies"}) EXPECT_FALSE(key_purpose(text));
}

// Another JSON reader and the library's base64 read the same values.
TEST(KeyFile, IsJsonWithTheStatedMembers) {
  for (std::uint8_t first = 0; first < 250; first = static_cast<std::uint8_t>(first + 5)) {
    const auto json = boost::json::parse(private_text(KeyPurpose::kPolicy, first)).as_object();
    ASSERT_EQ(json.size(), 5U);
    EXPECT_EQ(json.at("schema"), "eml-key/1");
    EXPECT_EQ(json.at("purpose"), "policy");
    EXPECT_EQ(json.at("created"), "2026-11-25T13:08:00Z");
    EXPECT_EQ(std::string_view(json.at("public_key").as_string()), hex(some_key(first).public_key()));
    EXPECT_EQ(std::string_view(json.at("seed").as_string()), base64url(reveal(some_key(first).export_seed(access()))));
    EXPECT_TRUE(decode(private_text(KeyPurpose::kPolicy, first), KeyPurpose::kPolicy));
  }
  const auto json =
      boost::json::parse(encode_public_key_file(KeyPurpose::kPolicy, some_key().public_key())).as_object();
  EXPECT_EQ(json.size(), 3U);
  EXPECT_EQ(json.at("schema"), "eml-public-key/1");
}

TEST(KeyFile, EncodesSeedsOfAllBits) {
  for (const std::uint8_t fill : {std::uint8_t{0}, std::uint8_t{0xff}, std::uint8_t{0xfb}, std::uint8_t{0x55}}) {
    const Bytes seed(32, fill);
    const Ed25519Key key = Ed25519Key::from_seed(copy_to_secret(seed)).value();
    const auto text = encode_private_key_file(KeyPurpose::kBroker, 0, key);
    EXPECT_NE(std::string(text.begin(), text.end()).find("\"" + base64url(seed) + "\""), std::string::npos);
    const auto decoded = decode({text.begin(), text.end()});
    ASSERT_TRUE(decoded);
    EXPECT_EQ(reveal(decoded->key.export_seed(access())), seed);
  }
}

TEST(KeyFile, TakesWhiteSpaceBetweenMembers) {
  std::string text = private_text();
  for (const char c : {',', ':', '{'}) {
    std::string spaced;
    bool quoted = false;
    for (const char each : text) {
      if (each == '"') quoted = !quoted;
      spaced += each;
      if (each == c && !quoted) spaced += " \n\t\r";
    }
    text = spaced;
  }
  EXPECT_TRUE(decode(" \n" + text + "\n\n"));
}

TEST(KeyFile, ACutAtEveryLengthIsRefused) {
  const std::string text = private_text();
  const std::string public_text = encode_public_key_file(KeyPurpose::kBroker, some_key().public_key());
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {  // without the final newline it is whole
    EXPECT_EQ(decode(text.substr(0, size)).error().code(), kKeyFileMalformed) << size;
  }
  for (std::size_t size = 0; size + 1 < public_text.size(); ++size) {
    const auto decoded = decode_public_key_file(as_bytes(public_text).first(size), KeyPurpose::kBroker);
    EXPECT_EQ(decoded.error().code(), kKeyFileMalformed) << size;
  }
}

TEST(KeyFile, AChangedCharacterNeverGivesAnotherKey) {
  const std::string text = private_text();
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string bad = text;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    const auto decoded = decode(bad);
    if (decoded) EXPECT_EQ(decoded->key.public_key(), some_key().public_key()) << i;
  }
}

struct Bad {
  std::string_view defect;
  std::string text;
  ErrorCode code;
};

TEST(KeyFile, RefusesBadPrivateFiles) {
  const std::string good = private_text();
  const std::string seed = base64url(reveal(some_key().export_seed(access())));
  std::string foreign = seed;
  foreign[5] = '+';
  std::string leftover = seed;
  leftover.back() = leftover.back() == 'B' ? 'C' : 'B';
  const std::vector<Bad> table = {
      {"nothing", "", kKeyFileMalformed},
      {"not JSON", "hello", kKeyFileMalformed},
      {"binary", std::string("\x7f\x45\x4c\x46\0\0", 6), kKeyFileMalformed},
      {"a byte order mark", "\xef\xbb\xbf" + good, kKeyFileMalformed},
      {"empty object", "{}", kKeyFileMalformed},
      {"an array", "[" + good + "]", kKeyFileMalformed},
      {"trailing text", good + "x", kKeyFileMalformed},
      {"two documents", good + good, kKeyFileMalformed},
      {"too large", good + std::string(kKeyFileMax, ' '), kKeyFileTooLarge},
      {"huge", std::string(1U << 20, '{'), kKeyFileTooLarge},
      {"future schema", replaced(good, "eml-key/1", "eml-key/2"), kKeyFileUnsupported},
      {"a public file", encode_public_key_file(KeyPurpose::kBroker, some_key().public_key()), kKeyFileUnsupported},
      {"unknown purpose", replaced(good, "broker", "brakes"), kKeyFileMalformed},
      {"an escape", replaced(good, "broker", "br\\u006fker"), kKeyFileMalformed},
      {"a number", replaced(good, "\"broker\"", "1"), kKeyFileMalformed},
      {"null", replaced(good, "\"broker\"", "null"), kKeyFileMalformed},
      {"unknown member", replaced(good, "\"created\"", "\"note\":\"x\",\"created\""), kKeyFileMalformed},
      {"duplicate member", replaced(good, "\"created\"", "\"purpose\":\"broker\",\"created\""), kKeyFileMalformed},
      {"renamed member", replaced(good, "\"created\"", "\"Created\""), kKeyFileMalformed},
      {"no time", replaced(good, "2026-11-25T13:08:00Z", ""), kKeyFileMalformed},
      {"bad time", replaced(good, "2026-11-25T13:08:00Z", "2026-13-25T13:08:00Z"), kKeyFileMalformed},
      {"another form of the time", replaced(good, "13:08:00Z", "13:08:00+00:00"), kKeyFileMalformed},
      {"upper-case public key",
       replaced(good, hex(some_key().public_key()),
                [] {
                  std::string text = hex(some_key().public_key());
                  for (char& c : text) c = static_cast<char>(std::toupper(c));
                  return text;
                }()),
       kKeyFileMalformed},
      {"short public key", replaced(good, hex(some_key().public_key()), "00"), kKeyFileMalformed},
      {"another's public key", replaced(good, hex(some_key().public_key()), hex(some_key(9).public_key())),
       kKeyFileMismatch},
      {"no seed", replaced(good, seed, ""), kKeyFileMalformed},
      {"short seed", replaced(good, seed, seed.substr(1)), kKeyFileMalformed},
      {"long seed", replaced(good, seed, seed + "A"), kKeyFileMalformed},
      {"padded seed", replaced(good, seed, seed + "="), kKeyFileMalformed},
      {"seed in the other alphabet", replaced(good, seed, foreign), kKeyFileMalformed},
      {"seed with leftover bits", replaced(good, seed, leftover), kKeyFileMalformed},
      {"another's seed", replaced(good, seed, base64url(Bytes(32, 1))), kKeyFileMismatch},
  };
  for (const Bad& bad : table) {
    const auto decoded = decode(bad.text);
    ASSERT_FALSE(decoded) << bad.defect;
    EXPECT_EQ(decoded.error().code(), bad.code) << bad.defect << ": " << decoded.error().to_string();
  }
}

TEST(KeyFile, RefusesBadPublicFiles) {
  const std::string good = encode_public_key_file(KeyPurpose::kBroker, some_key().public_key());
  const std::string key = hex(some_key().public_key());
  const std::vector<Bad> table = {
      {"nothing", "", kKeyFileMalformed},
      {"a private file", private_text(), kKeyFileUnsupported},
      {"future schema", replaced(good, "eml-public-key/1", "eml-public-key/9"), kKeyFileUnsupported},
      {"too large", good + std::string(kKeyFileMax, '\n'), kKeyFileTooLarge},
      {"trailing text", good + "{}", kKeyFileMalformed},
      {"short key", replaced(good, key, key.substr(2)), kKeyFileMalformed},
      {"long key", replaced(good, key, key + "00"), kKeyFileMalformed},
      {"not hex", replaced(good, key, std::string(64, 'g')), kKeyFileMalformed},
      {"unknown member", replaced(good, "\"}", "\",\"x\":\"y\"}"), kKeyFileMalformed},
      {"a control character", replaced(good, "broker", "bro\nker"), kKeyFileMalformed},
  };
  for (const Bad& bad : table) {
    const auto decoded = decode_public_key_file(as_bytes(bad.text), KeyPurpose::kBroker);
    ASSERT_FALSE(decoded) << bad.defect;
    EXPECT_EQ(decoded.error().code(), bad.code) << bad.defect;
  }
}

}  // namespace
}  // namespace eml

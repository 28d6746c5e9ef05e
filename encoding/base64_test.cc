#include "encoding/base64.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace eml {
namespace {

// RFC 4648, section 10.
TEST(Base64, AgreesWithTheSpecification) {
  const std::vector<std::pair<std::string, std::string>> vectors = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64(as_bytes(plain)), encoded);
    EXPECT_EQ(from_base64(encoded), to_bytes(plain));
    const std::string unpadded = encoded.substr(0, encoded.find('='));
    EXPECT_EQ(base64url(as_bytes(plain)), unpadded);
    EXPECT_EQ(from_base64url(unpadded), to_bytes(plain));
  }
}

TEST(Base64, KeepsTheAlphabetsApart) {
  const Bytes bytes{0xfb, 0xff, 0xfe};
  EXPECT_EQ(base64(bytes), "+//+");
  EXPECT_EQ(base64url(bytes), "-__-");
  EXPECT_FALSE(from_base64("-__-"));
  EXPECT_FALSE(from_base64url("+//+"));
}

TEST(Base64, RoundTripsEverySize) {
  Bytes bytes;
  for (unsigned n = 0; n < 300; ++n) {
    EXPECT_EQ(from_base64(base64(bytes)), bytes);
    EXPECT_EQ(from_base64url(base64url(bytes)), bytes);
    bytes.push_back(static_cast<std::uint8_t>(n * 37));
  }
}

TEST(Base64, RejectsEveryOtherEncoding) {
  const std::vector<std::pair<const char*, std::string>> bad = {
      {"no padding", "Zg"},
      {"too little padding", "Zg="},
      {"too much padding", "Zm8=="},
      {"only padding", "===="},
      {"padding twice", "Zg==Zg=="},
      {"padding inside", "Z=g="},
      {"space", "Zm 9v"},
      {"line feed", "Zm9v\n"},
      {"leading space", " Zm9"},
      {"leftover bits of two", "Zh=="},
      {"leftover bits of one", "Zm9="},
      {"one character", "Z"},
      {"zero byte", std::string("Zm9\0", 4)},
      {"not ASCII", "Zm9\xff"},
      {"three paddings", "Z==="},
  };
  for (const auto& [name, text] : bad) EXPECT_FALSE(from_base64(text)) << name;
}

TEST(Base64Url, RejectsEveryOtherEncoding) {
  const std::vector<std::pair<const char*, std::string>> bad = {
      {"padding", "Zg=="},     {"one character", "Z"},          {"five characters", "Zm9vZ"},
      {"leftover bits", "Zh"}, {"leftover bits of one", "Zm9"}, {"space", "Zm 9"},
      {"line feed", "Zm9v\n"},
  };
  for (const auto& [name, text] : bad) EXPECT_FALSE(from_base64url(text)) << name;
}

}  // namespace
}  // namespace eml

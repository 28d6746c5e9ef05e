#include "crypto/tpm_hash.h"

#include <gtest/gtest.h>

namespace eml {
namespace {

std::string hash_hex(std::uint16_t algorithm, std::initializer_list<ByteView> parts) {
  return hex(tpm_hash(algorithm, parts));
}

// FIPS 180-4, "abc" (the examples that NIST publishes with it).
TEST(TpmHash, GivesTheDigestsOfTheStandard) {
  const ByteView abc = as_bytes("abc");
  EXPECT_EQ(hash_hex(kTpmSha1, {abc}), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hash_hex(kTpmSha256, {abc}), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_hex(kTpmSha384, {abc}),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(
      hash_hex(kTpmSha512, {abc}),
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce8"
      "0e2a9ac94fa54ca49f");
}

TEST(TpmHash, JoinsItsParts) {
  EXPECT_EQ(tpm_hash(kTpmSha256, {as_bytes("a"), {}, as_bytes("bc")}), tpm_hash(kTpmSha256, {as_bytes("abc")}));
}

TEST(TpmHash, HasNothingForAnotherAlgorithm) {
  for (const std::uint16_t other : std::initializer_list<std::uint16_t>{0, 5, 0x10, 0x12, 0x27}) {
    EXPECT_TRUE(tpm_hash(other, {}).empty());
    EXPECT_EQ(tpm_hash_size(other), 0U);
    EXPECT_TRUE(tpm_hash_name(other).empty());
  }
}

TEST(TpmHash, SizesAndNamesAreThoseOfTheDigests) {
  for (const std::uint16_t id : {kTpmSha1, kTpmSha256, kTpmSha384, kTpmSha512}) {
    EXPECT_EQ(tpm_hash(id, {}).size(), tpm_hash_size(id));
    EXPECT_TRUE(tpm_hash_name(id).starts_with("sha"));
  }
}

}  // namespace
}  // namespace eml

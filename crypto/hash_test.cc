#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/testing.h"

namespace eml {
namespace {

// FIPS 180-4 examples (NIST, "Examples with intermediate values").
constexpr std::string_view kTwoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
constexpr std::string_view kFourBlocks =
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";

TEST(Hash, Sha256GivesTheStandardsExamples) {
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(as_bytes(kTwoBlocks))), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(sha256(Bytes(1'000'000, 'a'))), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hash, Sha384GivesTheStandardsExamples) {
  EXPECT_EQ(hex(sha384({})),
            "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b");
  EXPECT_EQ(hex(sha384(as_bytes("abc"))),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(hex(sha384(as_bytes(kFourBlocks))),
            "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039");
}

TEST(Hash, PiecesOfEverySizeGiveTheHashOfTheWhole) {
  Bytes text(300);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::uint8_t>(i * 7);
  const Hash32 whole256 = sha256(text);
  const Hash48 whole384 = sha384(text);
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    Sha256 a;
    Sha384 b;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      const ByteView part = ByteView(text).subspan(at, std::min(piece, text.size() - at));
      a.update(part);
      b.update(part);
    }
    ASSERT_EQ(a.finish(), whole256) << piece;
    ASSERT_EQ(b.finish(), whole384) << piece;
  }
}

TEST(Hash, PartsAreHashedAsIfJoined) {
  EXPECT_EQ(sha256_of({}), sha256({}));
  EXPECT_EQ(sha256_of({as_bytes("a"), {}, as_bytes("bc")}), sha256(as_bytes("abc")));
}

TEST(Hash, MovesWithItsState) {
  Sha256 a;
  a.update(as_bytes("ab"));
  Sha256 b = std::move(a);
  b.update(as_bytes("c"));
  EXPECT_EQ(b.finish(), sha256(as_bytes("abc")));
  Sha384 c;
  c.update(as_bytes("ab"));
  Sha384 d;
  d = std::move(c);
  d.update(as_bytes("c"));
  EXPECT_EQ(d.finish(), sha384(as_bytes("abc")));
}

TEST(HashDeathTest, ASecondFinishEndsTheProcess) {
  EXPECT_DEATH(
      {
        Sha256 hash;
        static_cast<void>(hash.finish());
        static_cast<void>(hash.finish());
      },
      "finished twice");
  EXPECT_DEATH(
      {
        Sha384 hash;
        static_cast<void>(hash.finish());
        hash.update(as_bytes("x"));
      },
      "after its end");
}

}  // namespace
}  // namespace eml

#include "channel/frame.h"

#include <gtest/gtest.h>

#include "tests/support/channel_pair.h"

namespace eml::test {
namespace {

TEST(Frame, ViewsAWholeFrameInTheInputWithoutACopy) {
  const Bytes wire = frame_bytes(4, Bytes(300, 7));
  FrameDecoder decoder(FrameType::kRecord);
  ByteView input(wire);
  const auto frame = decoder.next(input);
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->body.data(), wire.data() + kFrameHeaderSize);
  EXPECT_EQ((*frame)->body.size(), 300U);
  EXPECT_TRUE(equal((*frame)->whole, wire));
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(decoder.kept_capacity(), 0U);
}

TEST(Frame, GivesTheSameFramesWhereverTheStreamIsCut) {
  const Bytes wire =
      concat(frame_bytes(4, Bytes(272, 1)), frame_bytes(4, Bytes(513, 2)), frame_bytes(4, Bytes(300, 3)));
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    FrameDecoder decoder(FrameType::kRecord);
    std::vector<Bytes> bodies;
    for (ByteView input : {ByteView(wire).first(cut), ByteView(wire).subspan(cut)}) {
      while (!input.empty()) {
        const auto frame = decoder.next(input);
        ASSERT_TRUE(frame);
        if (*frame) bodies.push_back(to_bytes((*frame)->body));
      }
    }
    ASSERT_EQ(bodies.size(), 3U) << cut;
    EXPECT_EQ(bodies[0], Bytes(272, 1));
    EXPECT_EQ(bodies[1], Bytes(513, 2));
    EXPECT_EQ(bodies[2], Bytes(300, 3));
    EXPECT_EQ(decoder.partial_bytes(), 0U);
  }
}

TEST(Frame, GivesTheSameFramesByteByByte) {
  const Bytes wire = concat(frame_bytes(1, Bytes(41, 1)), frame_bytes(1, Bytes(512, 2)));
  FrameDecoder decoder(FrameType::kClientHello);
  std::size_t frames = 0;
  for (const std::uint8_t& byte : wire) {
    ByteView input(&byte, 1);
    const auto frame = decoder.next(input);
    ASSERT_TRUE(frame);
    if (*frame) ++frames;
  }
  EXPECT_EQ(frames, 2U);
}

struct BadFrame {
  const char* name;
  FrameType expected;
  std::size_t size;
  std::uint8_t type;
  ErrorCode code;
};

class BadFrames : public testing::TestWithParam<BadFrame> {};

TEST_P(BadFrames, AreRefusedOnTheirHeaderAlone) {
  const BadFrame& bad = GetParam();
  const FrameHeader header = frame_header(static_cast<FrameType>(bad.type), bad.size);
  for (std::size_t cut = 0; cut < header.size(); ++cut) {
    FrameDecoder decoder(bad.expected);
    ByteView input = ByteView(header).first(cut);
    ASSERT_TRUE(decoder.next(input)) << "a header is judged when it is whole";
    input = ByteView(header).subspan(cut);
    const auto frame = decoder.next(input);
    ASSERT_FALSE(frame) << bad.name;
    EXPECT_EQ(frame.error().code(), bad.code);
    EXPECT_LE(decoder.kept_capacity(), 64U);
    ByteView more = header;
    const auto again = decoder.next(more);
    ASSERT_FALSE(again) << "an error is final";
    EXPECT_EQ(again.error().code(), bad.code);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Frame, BadFrames,
    testing::Values(BadFrame{"type 5", FrameType::kRecord, 300, 5, kFrameUnknownType},
                    BadFrame{"type 255", FrameType::kRecord, 300, 255, kFrameUnknownType},
                    BadFrame{"server_hello for client_hello", FrameType::kClientHello, 300, 2, kFrameUnexpected},
                    BadFrame{"client_hello for record", FrameType::kRecord, 300, 1, kFrameUnexpected},
                    BadFrame{"record for client_finish", FrameType::kClientFinish, 300, 4, kFrameUnexpected},
                    BadFrame{"empty client_hello", FrameType::kClientHello, 0, 1, kFrameBadSize},
                    BadFrame{"client_hello of 513", FrameType::kClientHello, 513, 1, kFrameBadSize},
                    BadFrame{"server_hello of 1 MiB and 1", FrameType::kServerHello, (1U << 20) + 1, 2, kFrameBadSize},
                    BadFrame{"empty client_finish", FrameType::kClientFinish, 0, 3, kFrameBadSize},
                    BadFrame{"client_finish of 1121", FrameType::kClientFinish, 1121, 3, kFrameBadSize},
                    BadFrame{"record of 271", FrameType::kRecord, 271, 4, kFrameBadSize},
                    BadFrame{"record of 65553", FrameType::kRecord, 65553, 4, kFrameBadSize},
                    BadFrame{"record of 4 GiB", FrameType::kRecord, 0xffffffff, 4, kFrameBadSize},
                    BadFrame{"refuse with a body", FrameType::kClientHello, 1, 0, kFrameBadSize},
                    BadFrame{"refuse", FrameType::kServerHello, 0, 0, kFrameRefused}));

TEST(Frame, TakesTheLargestAndSmallestOfEachType) {
  struct Size {
    FrameType type;
    std::size_t size;
  };
  for (const Size& good :
       {Size{FrameType::kClientHello, 1}, Size{FrameType::kClientHello, 512}, Size{FrameType::kServerHello, 1U << 20},
        Size{FrameType::kClientFinish, 32}, Size{FrameType::kClientFinish, 1120}, Size{FrameType::kRecord, 272},
        Size{FrameType::kRecord, 65552}}) {
    const Bytes wire = frame_bytes(static_cast<std::uint8_t>(good.type), Bytes(good.size, 9));
    FrameDecoder decoder(good.type);
    ByteView input(wire);
    const auto frame = decoder.next(input);
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ((*frame)->body.size(), good.size);
  }
}

TEST(Frame, GivesTheMemoryOfAHelloBackWithTheNextFrame) {
  const Bytes hello = frame_bytes(2, Bytes(1U << 20, 1));
  FrameDecoder decoder(FrameType::kServerHello);
  ByteView input = ByteView(hello).first(hello.size() - 1);
  ASSERT_TRUE(decoder.next(input));
  input = ByteView(hello).last(1);
  ASSERT_TRUE(decoder.next(input));
  decoder.expect(FrameType::kRecord);
  const Bytes record = frame_bytes(4, Bytes(272, 1));
  input = record;
  ASSERT_TRUE(decoder.next(input));
  EXPECT_LE(decoder.kept_capacity(), FrameDecoder::kKeptMax);
}

}  // namespace
}  // namespace eml::test

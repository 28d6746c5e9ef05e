#include "encoding/reader.h"

#include <gtest/gtest.h>

namespace eml {
namespace {

const Bytes kBytes{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09};

TEST(Reader, ReadsIntegersInBothOrders) {
  EXPECT_EQ(Reader(kBytes).u8(), 0x01);
  EXPECT_EQ(Reader(kBytes).u16(), 0x0102);
  EXPECT_EQ(Reader(kBytes).u32(), 0x01020304U);
  EXPECT_EQ(Reader(kBytes).u64(), 0x0102030405060708U);
  EXPECT_EQ(Reader(kBytes).u16_le(), 0x0201);
  EXPECT_EQ(Reader(kBytes).u32_le(), 0x04030201U);
  EXPECT_EQ(Reader(kBytes).u64_le(), 0x0807060504030201U);
}

TEST(Reader, AdvancesAndEnds) {
  Reader in(kBytes);
  EXPECT_TRUE(in.u64());
  EXPECT_EQ(in.offset(), 8U);
  EXPECT_FALSE(in.expect_end());
  EXPECT_EQ(in.expect_end().error().code(), kTrailingBytes);
  EXPECT_EQ(in.expect_end().error().first(), 8U);
  EXPECT_EQ(in.rest().size(), 1U);
  EXPECT_TRUE(in.expect_end());
  EXPECT_TRUE(in.rest().empty());
}

TEST(Reader, FailsWithoutMovingWhenTheInputIsTooShort) {
  Reader in(ByteView(kBytes).first(3));
  for (const auto& error : {in.u32().error(), in.u32_le().error(), in.bytes(4).error(), in.array<4>().error(),
                            in.sub_reader(4).error(), in.must_be_zero(4).error()}) {
    EXPECT_EQ(error.code(), kTruncated);
    EXPECT_EQ(error.first(), 0U);
    EXPECT_EQ(error.second(), 4U);
  }
  EXPECT_FALSE(in.bytes(~std::size_t{0}));
  EXPECT_EQ(in.offset(), 0U);
  EXPECT_TRUE(in.array<3>());
  EXPECT_FALSE(in.u8());
}

TEST(Reader, ASubReaderCannotReachOutside) {
  Reader in(kBytes);
  auto inner = in.sub_reader(2);
  ASSERT_TRUE(inner);
  EXPECT_TRUE(inner->u16());
  EXPECT_FALSE(inner->u8());
  EXPECT_EQ(in.u8(), 0x03);
}

TEST(Reader, SaysWhichReservedByteIsNotZero) {
  const Bytes bytes{0xff, 0, 0, 7};
  Reader in(bytes);
  ASSERT_TRUE(in.u8());
  const Status status = in.must_be_zero(3);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), kReservedNotZero);
  EXPECT_EQ(status.error().first(), 3U);
}

TEST(Writer, WritesWhatTheReaderReads) {
  Writer out;
  out.u8(1).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0f).bytes(Bytes{0xff}).zeros(2);
  EXPECT_EQ(out.size(), 18U);
  EXPECT_EQ(hex(out.take()), "0102030405060708090a0b0c0d0e0fff0000");
}

}  // namespace
}  // namespace eml

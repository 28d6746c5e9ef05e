#include "encoding/cbor.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <string>
#include <utility>
#include <vector>

#include "encoding/json.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

Bytes unhex(std::string_view text) { return from_hex(text).value(); }

// The one item that `bytes` must be.
Result<ByteView> whole(ByteView bytes) {
  CborReader in(bytes);
  EML_TRY(const ByteView item, in.item());
  EML_CHECK(in.expect_end());
  return item;
}

void copy_item(CborReader& in, CborWriter& out);

void copy_items(CborReader& in, CborWriter& out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) copy_item(in, out);
}

// Reads every kind of item through its own call and writes it again. `in` holds what `item` accepted.
void copy_item(CborReader& in, CborWriter& out) {
  switch (in.peek().value()) {
    case CborType::kUnsigned:
      out.uint(in.uint().value());
      return;
    case CborType::kNegative: {
      CborReader ahead(in);
      if (const auto value = in.integer()) {
        out.integer(*value);
      } else {
        in = ahead;
        out.raw(in.item().value());
      }
      return;
    }
    case CborType::kBytes:
      out.bytes(in.bytes().value());
      return;
    case CborType::kText:
      out.text(in.text().value());
      return;
    case CborType::kBool:
      out.boolean(in.boolean().value());
      return;
    case CborType::kNull:
      EXPECT_TRUE(in.null());
      out.null();
      return;
    case CborType::kTag:
      out.tag(in.tag().value());
      copy_item(in, out);
      return;
    case CborType::kArray: {
      const std::size_t count = in.array().value();
      out.array(count);
      copy_items(in, out, count);
      return;
    }
    case CborType::kMap: {
      const std::size_t count = in.map().value();
      out.map(count);
      copy_items(in, out, 2 * count);
      return;
    }
  }
}

Bytes copied(ByteView bytes) {
  CborReader in(bytes);
  CborWriter out;
  copy_item(in, out);
  return out.take();
}

// What an item that begins with `initial` must be refused for.
std::string_view refusal_of(std::uint8_t initial) {
  if (initial >> 5 == 7) return kCborUnsupportedType.name;
  return (initial & 31U) == 31 ? kCborNotDeterministic.name : "nothing";
}

// Every example of RFC 8949, appendix A: it comes back as it was, or it holds a float, an undefined, another simple
// value or an indefinite length, which deterministic evidence does not.
TEST(Cbor, AgreesWithAppendixAOrRefusesForItsReason) {
  EML_SHARED_FILE_OR_SKIP(file, "vectors/cbor/rfc8949_appendix_a.json");
  const auto vectors = parse_json(as_bytes(file));
  ASSERT_TRUE(vectors);
  std::size_t good = 0;
  std::size_t refused = 0;
  for (const Json& vector : vectors->as_array()) {
    const std::string_view text = vector.at("hex").as_string();
    const Bytes bytes = unhex(text);
    const auto item = whole(bytes);
    if (item) {
      ++good;
      EXPECT_TRUE(vector.at("roundtrip").as_bool()) << text;
      EXPECT_EQ(hex(copied(bytes)), text);
      continue;
    }
    ++refused;
    const std::string_view reason = item.error().code().name;
    // The offset is that of the item that is refused, which may lie inside others.
    const auto at = static_cast<std::size_t>(item.error().first());
    ASSERT_LT(at, bytes.size()) << text;
    EXPECT_EQ(reason, refusal_of(bytes[at])) << text;
  }
  EXPECT_EQ(good, 44U);
  EXPECT_EQ(refused, 38U);
}

struct Bad {
  const char* name;
  std::string bytes;
  ErrorCode code;
};

const std::vector<Bad>& bad_items() {
  static const std::vector<Bad> table = {
      {"nothing", "", kCborTruncated},
      {"23 in two bytes", "1817", kCborNotDeterministic},
      {"255 in three bytes", "1900ff", kCborNotDeterministic},
      {"65535 in five bytes", "1a0000ffff", kCborNotDeterministic},
      {"2^32-1 in nine bytes", "1b00000000ffffffff", kCborNotDeterministic},
      {"negative not shortest", "3800", kCborNotDeterministic},
      {"length of bytes not shortest", "580100", kCborNotDeterministic},
      {"length of text not shortest", "780161", kCborNotDeterministic},
      {"count of array not shortest", "980100", kCborNotDeterministic},
      {"count of map not shortest", "b8010000", kCborNotDeterministic},
      {"tag not shortest", "d80100", kCborNotDeterministic},
      {"bytes of indefinite length", "5f4100ff", kCborNotDeterministic},
      {"text of indefinite length", "7f6161ff", kCborNotDeterministic},
      {"array of indefinite length", "9fff", kCborNotDeterministic},
      {"map of indefinite length", "bfff", kCborNotDeterministic},
      {"integer with info 31", "1f", kCborNotDeterministic},
      {"reserved info 28", "1c", kCborUnsupportedType},
      {"reserved info 30", "5e", kCborUnsupportedType},
      {"half float", "f93c00", kCborUnsupportedType},
      {"float", "fa47c35000", kCborUnsupportedType},
      {"double", "fb3ff199999999999a", kCborUnsupportedType},
      {"undefined", "f7", kCborUnsupportedType},
      {"simple 16", "f0", kCborUnsupportedType},
      {"simple 255", "f8ff", kCborUnsupportedType},
      {"false in two bytes", "f814", kCborUnsupportedType},
      {"break alone", "ff", kCborUnsupportedType},
      {"keys not sorted", "a201000000", kCborUnsortedKey},
      {"longer key first", "a262616100616200", kCborUnsortedKey},
      {"text before integer", "a26161000000", kCborUnsortedKey},
      {"negative before unsigned of two bytes", "a22000186400", kCborUnsortedKey},
      {"duplicate integer key", "a201000100", kCborDuplicateKey},
      {"duplicate text key", "a2616100616100", kCborDuplicateKey},
      {"duplicate key of a nested map", "81a201000100", kCborDuplicateKey},
      {"text with a lone continuation", "6180", kCborBadText},
      {"text with a surrogate", "63eda080", kCborBadText},
      {"text with an overlong form", "62c080", kCborBadText},
      {"key that is not UTF-8", "a1618000", kCborBadText},
      {"bytes longer than the input", "5bffffffffffffffff", kCborTruncated},
      {"text longer than the input", "7affffffff", kCborTruncated},
      {"array longer than the input", "9bffffffffffffffff", kCborTruncated},
      {"map longer than the input", "bbffffffffffffffff", kCborTruncated},
      {"map whose pairs overflow when doubled", "bb8000000000000001000000", kCborTruncated},
      {"tag without its item", "c0", kCborTruncated},
      {"argument cut short", "1901", kCborTruncated},
      {"trailing byte", "0000", kCborTrailingBytes},
  };
  return table;
}

TEST(Cbor, RejectsEachDefectByItsName) {
  for (const Bad& bad : bad_items()) {
    const Bytes bytes = unhex(bad.bytes);
    const auto result = whole(bytes);
    ASSERT_FALSE(result) << bad.name;
    EXPECT_EQ(result.error().code().name, bad.code.name) << bad.name;
  }
}

TEST(Cbor, RejectsNestingDeeperThanTheLimit) {
  for (const std::uint8_t opening : {std::uint8_t{0x81}, std::uint8_t{0xc1}}) {
    Bytes bytes(kCborDepthMax, opening);
    bytes.push_back(0);
    EXPECT_TRUE(whole(bytes));
    bytes.insert(bytes.begin(), opening);
    ASSERT_FALSE(whole(bytes));
    EXPECT_EQ(whole(bytes).error().code(), kCborTooDeep);
  }
  EXPECT_EQ(whole(Bytes(1 << 20, 0x81)).error().code(), kCborTooDeep);
}

TEST(Cbor, CountsTheDepthAndNotTheSiblings) {
  Bytes bytes(1 + 20, 0x80);
  bytes[0] = 0x94;
  EXPECT_TRUE(whole(bytes));
}

TEST(Cbor, CountsTheDepthThroughMapsReadOneByOne) {
  Bytes bytes;
  for (int i = 0; i < kCborDepthMax + 1; ++i) bytes.insert(bytes.end(), {0xa1, 0x00});
  bytes.push_back(0);
  EXPECT_EQ(CborMap::decode(bytes).error().code(), kCborTooDeep);
  bytes.erase(bytes.begin(), bytes.begin() + 2);
  auto map = CborMap::decode(bytes);
  for (int i = 1; i < kCborDepthMax; ++i) {
    ASSERT_TRUE(map) << i;
    auto value = map->required(0);
    ASSERT_TRUE(value);
    map = CborMap::read(*value);
  }
  ASSERT_TRUE(map);
  EXPECT_EQ(map->required(0)->uint(), 0U);
}

Bytes sample() {
  CborWriter out;
  out.map(5);
  out.uint(1).uint(1000);
  out.uint(24).bytes(Bytes{1, 2, 3});
  out.integer(-1).array(3).boolean(true).null().integer(-500);
  out.text("a").map(1).text("nested").text("value");
  out.text("bb").tag(18).text("tagged");
  return out.take();
}

TEST(Cbor, RejectsEveryTruncation) {
  const Bytes good = sample();
  ASSERT_TRUE(whole(good));
  for (std::size_t n = 0; n < good.size(); ++n) {
    const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n));
    const auto item = whole(cut);
    ASSERT_FALSE(item) << n;
    EXPECT_EQ(item.error().code(), kCborTruncated) << n;
    EXPECT_FALSE(CborMap::decode(cut)) << n;
  }
}

TEST(Cbor, WhateverParsesEncodesTheSame) {
  const Bytes good = sample();
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      Bytes changed = good;
      changed[at] = static_cast<std::uint8_t>(value);
      if (whole(changed)) {
        EXPECT_EQ(copied(changed), changed);
      }
    }
  }
}

TEST(CborReader, ReadsTheLimitsOfIntegers) {
  const auto integer = [](std::string_view text) {
    const Bytes bytes = unhex(text);
    return CborReader(bytes).integer();
  };
  EXPECT_EQ(integer("1b7fffffffffffffff"), INT64_MAX);
  EXPECT_EQ(integer("3b7fffffffffffffff"), INT64_MIN);
  EXPECT_EQ(integer("1b8000000000000000").error().code(), kCborOutOfRange);
  EXPECT_EQ(integer("3b8000000000000000").error().code(), kCborOutOfRange);
  CborWriter out;
  out.integer(INT64_MIN).integer(INT64_MAX);
  EXPECT_EQ(hex(out.view()), "3b7fffffffffffffff1b7fffffffffffffff");
}

TEST(CborReader, SaysWhenAnItemHasAnotherType) {
  const Bytes number = unhex("00");
  const Bytes text = unhex("6161");
  const Bytes yes = unhex("f5");
  const Bytes null = unhex("f6");
  EXPECT_EQ(CborReader(text).uint().error().code(), kCborWrongType);
  EXPECT_EQ(CborReader(text).integer().error().code(), kCborWrongType);
  EXPECT_EQ(CborReader(text).bytes().error().code(), kCborWrongType);
  EXPECT_EQ(CborReader(number).text().error().code(), kCborWrongType);
  EXPECT_EQ(CborReader(number).array().error().code(), kCborWrongType);
  EXPECT_EQ(CborReader(number).map().error().code(), kCborWrongType);
  EXPECT_EQ(CborReader(number).tag().error().code(), kCborWrongType);
  EXPECT_EQ(CborReader(null).boolean().error().code(), kCborWrongType);
  EXPECT_EQ(CborReader(yes).null().error().code(), kCborWrongType);
}

TEST(CborReader, ByteArrayWantsTheExactSize) {
  const Bytes bytes = unhex("43010203");
  EXPECT_EQ(CborReader(bytes).byte_array<3>(), (ByteArray<3>{1, 2, 3}));
  const auto result = CborReader(bytes).byte_array<4>();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), kCborOutOfRange);
}

TEST(CborReader, TellsTheOffsetInTheWholeInput) {
  const Bytes bytes = unhex("a10081820102");
  auto map = CborMap::decode(bytes);
  ASSERT_TRUE(map);
  auto value = map->required(0);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->offset(), 2U);
  ASSERT_TRUE(value->array());
  const auto wrong = value->text();
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().first(), 3U);
}

TEST(CborMap, FindsKeysOfBothKindsAndNoOthers) {
  const Bytes bytes = sample();
  auto map = CborMap::decode(bytes);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->size(), 5U);
  EXPECT_EQ(map->required(1)->uint(), 1000U);
  EXPECT_EQ(map->required(24)->byte_array<3>(), (ByteArray<3>{1, 2, 3}));
  EXPECT_EQ(map->required(-1)->array(), 3U);
  auto nested_value = map->required("a");
  auto nested = CborMap::read(*nested_value);
  ASSERT_TRUE(nested);
  EXPECT_EQ(nested->required("nested")->text(), "value");
  EXPECT_FALSE(map->optional(2));
  EXPECT_FALSE(map->optional("A"));
  EXPECT_EQ(map->required(2).error().code(), kCborMissingKey);
  EXPECT_EQ(map->required("c").error().code(), kCborMissingKey);
  EXPECT_EQ(map->done().error().code(), kCborUnknownKey);  // "bb" was not looked up
  EXPECT_TRUE(map->optional("bb"));
  EXPECT_TRUE(map->done());
}

TEST(CborMap, RejectsKeysThatAreNeitherIntegersNorTexts) {
  EXPECT_EQ(CborMap::decode(unhex("a1410000")).error().code(), kCborWrongType);
  EXPECT_EQ(CborMap::decode(unhex("a1f500")).error().code(), kCborWrongType);
  EXPECT_EQ(CborMap::decode(unhex("a11bffffffffffffffff00")).error().code(), kCborOutOfRange);
  EXPECT_EQ(CborMap::decode(unhex("80")).error().code(), kCborWrongType);
  EXPECT_EQ(CborMap::decode(unhex("a000")).error().code(), kCborTrailingBytes);
  EXPECT_EQ(CborMap::decode(unhex("a201000100")).error().code(), kCborDuplicateKey);
  EXPECT_EQ(CborMap::decode(unhex("a202000100")).error().code(), kCborUnsortedKey);
}

TEST(CborMap, AValueEndsWhereItsItemEnds) {
  const Bytes bytes = unhex("a200010102");
  auto map = CborMap::decode(bytes);
  ASSERT_TRUE(map);
  auto value = map->required(0);
  EXPECT_EQ(value->uint(), 1U);
  EXPECT_TRUE(value->at_end());
  EXPECT_EQ(value->uint().error().code(), kCborTruncated);
}

#ifndef NDEBUG
TEST(CborWriterDeathTest, EndsTheProcessWhenKeysAreWrittenInTheWrongOrder) {
  const auto write = [](std::int64_t first, std::int64_t second) {
    CborWriter out;
    out.array(1).map(2).integer(first).null().integer(second).null();
    return out.take();
  };
  EXPECT_EQ(write(0, 1).size(), 6U);
  EXPECT_DEATH(write(1, 0), "");
  EXPECT_DEATH(write(1, 1), "");
  EXPECT_DEATH(write(-1, 100), "");
}
#endif

}  // namespace
}  // namespace eml

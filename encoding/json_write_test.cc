#include <gtest/gtest.h>

#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "encoding/json.h"
#include "encoding/numbers.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

// The inputs and outputs that come with RFC 8785.
TEST(CanonicalJson, AgreesWithTheVectorsOfTheSpecification) {
  std::size_t count = 0;
  for (const std::string name : {"arrays", "french", "structures", "unicode", "values", "weird"}) {
    EML_SHARED_FILE_OR_SKIP(input, ("vectors/jcs/input/" + name + ".json"));
    EML_SHARED_FILE_OR_SKIP(output, ("vectors/jcs/output/" + name + ".json"));
    const auto value = parse_json(as_bytes(input));
    ASSERT_TRUE(value) << name;
    EXPECT_EQ(canonical_json(*value), output) << name;
    ++count;
  }
  EXPECT_EQ(count, 6U);
}

TEST(CanonicalJson, IsAFixedPoint) {
  for (const std::string text : {R"({"b":[1.50,{"z":null,"a":true}],"a":"\u00e9\u0007"})",
                                 R"([-0.0,1e21,1E-7,123456789012345678901234567890])"}) {
    const std::string once = canonical_json(*parse_json(as_bytes(text)));
    EXPECT_EQ(canonical_json(*parse_json(as_bytes(once))), once);
  }
}

// RFC 8785, appendix B.
TEST(CanonicalJson, WritesNumbersAsEcmaScriptDoes) {
  const std::vector<std::pair<std::uint64_t, std::string>> table = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, text] : table) {
    EXPECT_EQ(canonical_json(Json(std::bit_cast<double>(bits))), text) << std::hex << bits;
  }
}

TEST(CanonicalJson, WritesLargeIntegersAsTheDoublesThatTheyAre) {
  EXPECT_EQ(canonical_json(Json(std::int64_t{9007199254740991})), "9007199254740991");
  EXPECT_EQ(canonical_json(Json(std::int64_t{9007199254740993})), "9007199254740992");
  EXPECT_EQ(canonical_json(Json(std::int64_t{-9007199254740993})), "-9007199254740992");
  EXPECT_EQ(canonical_json(Json(std::numeric_limits<std::uint64_t>::max())), "18446744073709552000");
  EXPECT_EQ(compact_json(Json(std::numeric_limits<std::uint64_t>::max())), "18446744073709551615");
}

TEST(CanonicalJson, SortsNamesByUtf16CodeUnits) {
  // U+E000 and U+FFFD come after U+10000, whose first code unit is a surrogate.
  const auto value =
      parse_json(as_bytes("{\"\xee\x80\x80\":1,\"\xf0\x90\x80\x80\":2,\"\xed\x9f\xbf\":3,\"\xef\xbf\xbd\":4,\"a\":5,"
                          "\"\":6,\"aa\":7,\"Z\":8}"));
  ASSERT_TRUE(value);
  EXPECT_EQ(canonical_json(*value),
            "{\"\":6,\"Z\":8,\"a\":5,\"aa\":7,\"\xed\x9f\xbf\":3,\"\xf0\x90\x80\x80\":2,\"\xee\x80\x80\":1,"
            "\"\xef\xbf\xbd\":4}");
}

TEST(CanonicalJson, EscapesOnlyWhatItMust) {
  const auto value = parse_json(as_bytes(R"("\u0000\u001f\b\t\n\f\r\"\\\/\u007f\u20ac")"));
  EXPECT_EQ(canonical_json(*value), "\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\x7f\xe2\x82\xac\"");
}

TEST(CompactJson, KeepsTheOrderOfMembers) {
  const auto value = parse_json(as_bytes(R"({ "b" : 1 , "a" : [ ] , "c" : { } })"));
  EXPECT_EQ(compact_json(*value), R"({"b":1,"a":[],"c":{}})");
  EXPECT_EQ(compact_json_of_user(*value).text(), R"({"b":1,"a":[],"c":{}})");
}

TEST(CompactJson, WritesNullForWhatJsonCannotSay) {
  EXPECT_EQ(compact_json(Json(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(compact_json(Json(std::nan(""))), "null");
}

TEST(ShortestNumber, OfAFloatReadsBackToTheSameFloat) {
  EXPECT_EQ(ShortestNumber(0.1F).view(), "0.1");
  EXPECT_EQ(ShortestNumber(-0.0F).view(), "0");
  EXPECT_EQ(ShortestNumber(16777216.0F).view(), "16777216");
  EXPECT_EQ(ShortestNumber(std::numeric_limits<float>::min()).view(), "1.1754944e-38");
  EXPECT_EQ(ShortestNumber(std::numeric_limits<float>::max()).view(), "3.4028235e+38");
  for (std::uint32_t bits = 1; bits < 0x7f800000; bits += 65'521) {
    const auto value = std::bit_cast<float>(bits);
    const ShortestNumber text(value);
    float back = 0;
    std::from_chars(text.view().data(), text.view().data() + text.view().size(), back);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(back), bits) << text.view();
  }
}

TEST(ShortestNumber, FitsItsBufferAtItsLongest) {
  EXPECT_EQ(ShortestNumber(-1.2345678901234568e-300).view(), "-1.2345678901234568e-300");
  EXPECT_EQ(ShortestNumber(-0.0000012345678901234567).view(), "-0.0000012345678901234567");
  EXPECT_EQ(ShortestNumber(-123456789012345680000.0).view(), "-123456789012345680000");
}

}  // namespace
}  // namespace eml

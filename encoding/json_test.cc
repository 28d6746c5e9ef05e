#include "encoding/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "encoding/wiping_resource.h"

#ifdef EML_SANITIZED
#include <sanitizer/allocator_interface.h>
#endif

namespace eml {
namespace {

Result<Json> parse(std::string_view text) { return parse_json(as_bytes(text)); }

double number(std::string_view text) {
  const auto value = parse(text);
  EXPECT_TRUE(value) << text;
  if (!value) return std::nan("");
  if (const auto* d = value->if_double()) return *d;
  if (const auto* i = value->if_int64()) return static_cast<double>(*i);
  return static_cast<double>(value->as_uint64());
}

TEST(Json, ParsesEveryKindOfValue) {
  const auto value = parse(" {\"a\": [true, false, null, -1, 18446744073709551615, 1.5e3, \"x\"], \"b\": {}}\r\n\t");
  ASSERT_TRUE(value);
  EXPECT_EQ(compact_json(*value), R"({"a":[true,false,null,-1,18446744073709551615,1500,"x"],"b":{}})");
}

TEST(Json, ParsesEveryEscape) {
  const auto value = parse(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\uDe00")");
  ASSERT_TRUE(value);
  EXPECT_EQ(std::string_view(value->as_string()), "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  const auto zero = parse(R"("a\u0000b")");
  ASSERT_TRUE(zero);
  EXPECT_EQ(zero->as_string().size(), 3U);
}

struct Bad {
  const char* name;
  std::string text;
  ErrorCode code;
};

const std::vector<Bad>& bad_documents() {
  static const std::vector<Bad> table = {
      {"nothing", "", kJsonSyntax},
      {"only space", " \n", kJsonSyntax},
      {"byte order mark", "\xef\xbb\xbf{}", kJsonSyntax},
      {"UTF-16", std::string("\xff\xfe{\0", 4), kJsonSyntax},
      {"two documents", "{}{}", kJsonSyntax},
      {"trailing letter", "1x", kJsonSyntax},
      {"trailing zero byte", std::string("1\0", 2), kJsonSyntax},
      {"comment", "/* */1", kJsonSyntax},
      {"line comment", "1//", kJsonSyntax},
      {"trailing comma of an array", "[1,]", kJsonSyntax},
      {"trailing comma of an object", "{\"a\":1,}", kJsonSyntax},
      {"leading comma", "[,1]", kJsonSyntax},
      {"missing comma", "[1 2]", kJsonSyntax},
      {"missing colon", "{\"a\" 1}", kJsonSyntax},
      {"missing value", "{\"a\":}", kJsonSyntax},
      {"name without quotes", "{a:1}", kJsonSyntax},
      {"single quotes", "'a'", kJsonSyntax},
      {"number as a name", "{1:1}", kJsonSyntax},
      {"wrong bracket", "[1}", kJsonSyntax},
      {"capital word", "True", kJsonSyntax},
      {"cut word", "tru", kJsonSyntax},
      {"NaN", "NaN", kJsonSyntax},
      {"infinity", "-Infinity", kJsonSyntax},
      {"leading plus", "+1", kJsonSyntax},
      {"leading zero", "01", kJsonSyntax},
      {"leading zero of a negative", "-01", kJsonSyntax},
      {"leading point", ".5", kJsonSyntax},
      {"trailing point", "5.", kJsonSyntax},
      {"point before exponent", "1.e5", kJsonSyntax},
      {"empty exponent", "1e", kJsonSyntax},
      {"signed empty exponent", "1e+", kJsonSyntax},
      {"minus alone", "-", kJsonSyntax},
      {"hexadecimal", "0x10", kJsonSyntax},
      {"form feed as space", "\f1", kJsonSyntax},
      {"no-break space",
       "\xc2\xa0"
       "1",
       kJsonSyntax},
      {"line feed in a string", "\"a\nb\"", kJsonSyntax},
      {"zero byte in a string", std::string("\"a\0\"", 4), kJsonSyntax},
      {"unknown escape", R"("\x41")", kJsonSyntax},
      {"capital U escape", R"("\U0041")", kJsonSyntax},
      {"short escape", R"("\u004")", kJsonSyntax},
      {"escape of letters", R"("\u00g0")", kJsonSyntax},
      {"lone high surrogate", R"("\ud800")", kJsonSyntax},
      {"lone low surrogate", R"("\udc00")", kJsonSyntax},
      {"two high surrogates", R"("\ud800\ud800")", kJsonSyntax},
      {"high surrogate before a letter", R"("\ud800\u0041")", kJsonSyntax},
      {"encoded surrogate", "\"\xed\xa0\x80\"", kJsonSyntax},
      {"overlong form", "\"\xc0\xaf\"", kJsonSyntax},
      {"lone continuation", "\"\x80\"", kJsonSyntax},
      {"cut character", "\"\xe2\x82\"", kJsonSyntax},
      {"same name twice", R"({"a":1,"a":1})", kJsonDuplicateName},
      {"same name twice by an escape", R"({"a":1,"\u0061":1})", kJsonDuplicateName},
      {"same name twice, nested", R"([{"a":{"b":1,"c":2,"b":3}}])", kJsonDuplicateName},
      {"empty name twice", R"({"":1,"":1})", kJsonDuplicateName},
      {"too large for a double", "1e309", kJsonOutOfRange},
      {"too small for a double", "-1e309", kJsonOutOfRange},
      {"endless integer", std::string(400, '9'), kJsonOutOfRange},
      {"endless exponent", "1e99999999999999999999", kJsonOutOfRange},
      {"exponent of 2^63 - 1", "4.494e9223372036854775807", kJsonOutOfRange},
  };
  return table;
}

TEST(Json, RejectsEachDefectByItsName) {
  for (const Bad& bad : bad_documents()) {
    const auto value = parse(bad.text);
    ASSERT_FALSE(value) << bad.name;
    EXPECT_EQ(value.error().code().name, bad.code.name) << bad.name;
  }
}

TEST(Json, TellsWhereTheDefectIs) {
  EXPECT_EQ(parse("[1, x]").error().first(), 4U);
  EXPECT_EQ(parse(R"({"a":1,"a":2})").error().first(), 7U);
  EXPECT_EQ(parse("\"\xff\"").error().first(), 1U);
}

TEST(Json, RejectsEveryTruncation) {
  const std::string good = R"({"a":[true,false,null,-1.5e+3,"\ud83d\ude00",{"b":""}]})";
  ASSERT_TRUE(parse(good));
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(parse(good.substr(0, n))) << n;
}

TEST(Json, KeepsToItsLimits) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse(nested(32)));
  EXPECT_EQ(parse(nested(33)).error().code(), kJsonTooDeep);
  EXPECT_EQ(parse_json(as_bytes("{\"a\":{}}"), {.depth_max = 1}).error().code(), kJsonTooDeep);
  EXPECT_TRUE(parse_json(as_bytes("1"), {.depth_max = 0}));
  EXPECT_TRUE(parse_json(as_bytes("[1]"), {.bytes_max = 3}));
  EXPECT_EQ(parse_json(as_bytes("[11]"), {.bytes_max = 3}).error().code(), kJsonTooLarge);
  EXPECT_EQ(parse_json(as_bytes("[11]"), {.bytes_max = 3}).error().first(), 4U);
}

TEST(Json, FindsADuplicateAmongManyNames) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i) text += "\"name" + std::to_string(i) + "\":0,";
  EXPECT_TRUE(parse(text + "\"last\":0}"));
  EXPECT_EQ(parse(text + "\"name77\":0}").error().code(), kJsonDuplicateName);
}

TEST(JsonNumbers, AreIntegersWhere64BitsHoldThem) {
  EXPECT_EQ(parse("9223372036854775807")->as_int64(), INT64_MAX);
  EXPECT_EQ(parse("-9223372036854775808")->as_int64(), INT64_MIN);
  EXPECT_EQ(parse("9223372036854775808")->as_uint64(), std::uint64_t{1} << 63);
  EXPECT_TRUE(parse("18446744073709551616")->is_double());
  EXPECT_TRUE(parse("-9223372036854775809")->is_double());
  EXPECT_TRUE(parse("1.0")->is_double());
  EXPECT_TRUE(parse("1e0")->is_double());
  EXPECT_TRUE(parse("-0")->is_double());
  EXPECT_TRUE(std::signbit(parse("-0")->as_double()));
}

// Decimal strings that sit on or beside a rounding boundary; the C library's strtod is the judge.
TEST(JsonNumbers, AreTheNearestDouble) {
  for (const std::string text :
       {"0.1", "1.7976931348623157e308", "1.7976931348623158e308", "2.2250738585072011e-308", "4.9e-324", "2.5e-324",
        "9007199254740993.0", "9007199254740992.9999999999999999999999",
        "0.500000000000000166533453693773481063544750213623046875", "3.518437208883201171875e13",
        "62.5364939768271845828", "8.10109172351e-10", "1.50000000000000011102230246251565", "6929495644600919.5",
        "3.2378839133029012895883524125015321748630994253e-319", "-123456789.123456789e-30"}) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(number(text)),
              std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr)))
        << text;
  }
}

TEST(JsonNumbers, ThatAreTooSmallAreZero) {
  EXPECT_EQ(number("1e-400"), 0.0);
  EXPECT_TRUE(std::signbit(number("-1e-400")));
  EXPECT_EQ(number("0." + std::string(500, '0') + "1e100"), 0.0);
  EXPECT_EQ(number("1e-99999999999999999999"), 0.0);
  EXPECT_EQ(number("0e99999999999999999999"), 0.0);
  EXPECT_EQ(number("0.0000000000e999"), 0.0);
  EXPECT_EQ(number("1" + std::string(400, '0') + "e-400"), 1.0);
}

TEST(JsonNumbers, ReadBackToTheSameBits) {
  std::mt19937_64 random(20261125);  // a fixed seed: the test is the same every time
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = compact_json(Json(value));
    const auto back = parse(text);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(number(text)), std::bit_cast<std::uint64_t>(value)) << text;
  }
  EXPECT_EQ(compact_json(Json(-0.0)), "-0.0");
  EXPECT_TRUE(std::signbit(number("-0.0")));
}

TEST(JsonMembers, AreReadByTypeAndName) {
  const auto value = parse(R"({"t":"x","n":9007199254740991,"b":true,"o":{},"a":[]})");
  const JsonObject& object = value->as_object();
  EXPECT_EQ(json_text(object, "t"), "x");
  EXPECT_EQ(json_uint(object, "n"), 9007199254740991U);
  EXPECT_EQ(json_bool(object, "b"), true);
  EXPECT_TRUE(json_object(object, "o"));
  EXPECT_TRUE(json_array(object, "a"));
  EXPECT_EQ(json_text(object, "T").error().code(), kJsonMissingMember);
  EXPECT_EQ(json_uint(object, "T").error().code(), kJsonMissingMember);
  EXPECT_EQ(json_bool(object, "T").error().code(), kJsonMissingMember);
  EXPECT_EQ(json_object(object, "T").error().code(), kJsonMissingMember);
  EXPECT_EQ(json_array(object, "T").error().code(), kJsonMissingMember);
  EXPECT_EQ(json_text(object, "n").error().code(), kJsonWrongType);
  EXPECT_EQ(json_uint(object, "t").error().code(), kJsonWrongType);
  EXPECT_EQ(json_bool(object, "n").error().code(), kJsonWrongType);
  EXPECT_EQ(json_object(object, "a").error().code(), kJsonWrongType);
  EXPECT_EQ(json_array(object, "o").error().code(), kJsonWrongType);
  EXPECT_TRUE(expect_members(object, {"a", "b", "n", "o", "t", "unused"}));
  EXPECT_EQ(expect_members(object, {"a", "b", "n", "o"}).error().code(), kJsonUnknownMember);
}

TEST(JsonMembers, UintTakesIntegersBelowTwoToThe53Only) {
  const auto code = [](std::string_view text) {
    const auto value = parse("{\"n\":" + std::string(text) + "}");
    const auto result = json_uint(value->as_object(), "n");
    return result ? kInternalError : result.error().code();
  };
  EXPECT_EQ(code("-1"), kJsonOutOfRange);
  EXPECT_EQ(code("9007199254740992"), kJsonOutOfRange);
  EXPECT_EQ(code("18446744073709551615"), kJsonOutOfRange);
  EXPECT_EQ(code("1.0"), kJsonWrongType);
  EXPECT_EQ(code("-0"), kJsonWrongType);
  EXPECT_EQ(code("\"1\""), kJsonWrongType);
}

TEST(WipingResource, WipesEveryBufferOfAValue) {
  WipingResource resource;
  {
    const auto value = parse_json(as_bytes(R"({"input":["a prompt that is longer than a short string",1.5,{"x":[]}]})"),
                                  {}, &resource);
    ASSERT_TRUE(value);
    EXPECT_EQ(*value->storage(), resource);
    EXPECT_EQ(*value->at("input").at(0).storage(), resource);
    EXPECT_GT(resource.buffers_allocated(), resource.buffers_wiped());
  }
  EXPECT_EQ(resource.buffers_allocated(), resource.buffers_wiped());
  EXPECT_GT(resource.bytes_wiped(), 45U);
}

TEST(WipingResource, HoldsShortStringsToo) {
  WipingResource resource;
  const auto value = parse_json(as_bytes(R"(["short"])"), {}, &resource);
  ASSERT_TRUE(value);
  const Json& element = value->at(0);
  const auto* const inside = reinterpret_cast<const char*>(&element);
  const char* const text = element.as_string().data();
  EXPECT_TRUE(text < inside || text >= inside + sizeof element);
}

TEST(WipingResource, WipesWhatARejectedDocumentLeft) {
  WipingResource resource;
  EXPECT_FALSE(parse_json(as_bytes(R"(["a prompt that is longer than a short string", oops])"), {}, &resource));
  EXPECT_GT(resource.buffers_wiped(), 0U);
  EXPECT_EQ(resource.buffers_allocated(), resource.buffers_wiped());
}

TEST(WipingResource, CountsBytesAndKeepsToTheAlignment) {
  WipingResource resource;
  boost::json::storage_ptr storage(&resource);
  void* const data = storage->allocate(64, 64);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0U);
  storage->deallocate(data, 64, 64);
  EXPECT_EQ(resource.bytes_wiped(), 64U);
}

#ifdef EML_SANITIZED
std::size_t g_marks_freed = 0;

// Looks into every heap buffer at the moment it is given back.
__attribute__((no_sanitize("address", "thread"))) void look_into(const volatile void* data) {
  const std::size_t size = ::__sanitizer_get_allocated_size(const_cast<const void*>(data));
  const auto* const bytes = static_cast<const volatile char*>(data);
  for (std::size_t i = 0; i < size; ++i) g_marks_freed += bytes[i] == 'Q' ? 1U : 0U;
}

TEST(WipingResource, LeavesNothingOfAPromptInAnyBufferThatItGivesBack) {
  static const bool installed =
      ::__sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t) {}, look_into) != 0;
  ASSERT_TRUE(installed);
  const std::string body = R"({"input":["QQQ","QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\u0041QQQQQQQQQQQQQQQQQQQQQQQQQ"]})";
  const auto freed_with = [&](boost::json::storage_ptr storage) {
    g_marks_freed = 0;
    EXPECT_TRUE(parse_json(as_bytes(body), {}, std::move(storage)));
    return g_marks_freed;
  };
  WipingResource resource;
  EXPECT_EQ(freed_with(&resource), 0U);
  EXPECT_GT(freed_with({}), 0U);  // ordinary storage shows that we can see
}
#endif

}  // namespace
}  // namespace eml

#include "encoding/json_source.h"

#include <gtest/gtest.h>

#include <string>

#include "encoding/json.h"

namespace eml {
namespace {

std::string source(std::string_view document, std::string_view name) {
  const auto found = json_member_source(as_bytes(document), name);
  return found ? std::string(as_text(*found)) : std::string(found.error().code().name);
}

TEST(JsonSource, GivesEveryKindOfValueAsItWasWritten) {
  const std::string_view document =
      " { \"a\" : {\"x\":[1, 2],\"y\":\"}\"} ,\"b\":[ \"]\" , {} ]\n, \"c\":\"q\\\"\\\\\",\"d\": -1.50e+3 "
      ",\"e\":true} ";
  EXPECT_EQ(source(document, "a"), "{\"x\":[1, 2],\"y\":\"}\"}");
  EXPECT_EQ(source(document, "b"), "[ \"]\" , {} ]");
  EXPECT_EQ(source(document, "c"), "\"q\\\"\\\\\"");
  EXPECT_EQ(source(document, "d"), "-1.50e+3");
  EXPECT_EQ(source(document, "e"), "true");
}

TEST(JsonSource, LooksAtTheOutermostObjectOnly) {
  EXPECT_EQ(source(R"({"outer":{"tcbInfo":1},"text":"\"tcbInfo\":2"})", "tcbInfo"), "json-missing-member");
  EXPECT_EQ(source(R"([{"tcbInfo":1}])", "tcbInfo"), "json-wrong-type");
  EXPECT_EQ(source("", "tcbInfo"), "json-wrong-type");
  EXPECT_EQ(source("{}", "tcbInfo"), "json-missing-member");
}

TEST(JsonSource, DoesNotFindANameThatIsWrittenWithEscapes) {
  EXPECT_EQ(source(R"({"tcb\u0049nfo":1})", "tcbInfo"), "json-missing-member");
}

TEST(JsonSource, ReadsNothingOutsideOfATruncatedDocument) {
  const std::string document = R"({"a":{"b":["\\\"",1]},"c":"d\"","signature":"00"})";
  for (std::size_t size = 0; size < document.size(); ++size) {
    const std::string cut = document.substr(0, size);  // its own allocation, so that the sanitizer sees its end
    static_cast<void>(json_member_source(as_bytes(cut), "signature"));
  }
}

TEST(JsonSource, AgreesWithTheParser) {
  const std::string document = R"({"a":{"b":["\\\"",1]},"c":"d\"","signature":"00"})";
  const auto parsed = parse_json(as_bytes(document));
  ASSERT_TRUE(parsed);
  for (const auto& member : parsed->get_object()) {
    const auto found = json_member_source(as_bytes(document), std::string_view(member.key()));
    ASSERT_TRUE(found);
    const auto again = parse_json(*found);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, member.value());
  }
}

}  // namespace
}  // namespace eml

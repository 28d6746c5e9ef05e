#include "encoding/config_file.h"

#include <gtest/gtest.h>

namespace eml {
namespace {

TEST(ConfigFile, ReadsEachTypeAndFallsBackWhereAllowed) {
  ConfigFile file("a = 'x'\n[b]\nn = 7\nyes = true\nlist = ['p', 'q']\n[c]\n'm.n' = 3\n");
  EXPECT_EQ(file.text("a"), "x");
  EXPECT_EQ(file.integer("b.n", {.min = 1, .max = 9}), 7U);
  EXPECT_TRUE(file.boolean("b.yes"));
  EXPECT_EQ(file.texts("b.list"), (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(file.integers("c").at(0), (std::pair<std::string, std::uint64_t>{"m.n", 3}));
  EXPECT_EQ(file.text("absent", "default"), "default");
  EXPECT_EQ(file.integer("absent.too", {.min = 0, .max = 9}, 4), 4U);
  EXPECT_TRUE(file.finish());
}

struct BadCase {
  const char* name;
  const char* text;
  ErrorCode code;
  const char* line;
};

class BadConfig : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadConfig, IsRefusedByItsOwnCodeAndNamesTheLine) {
  ConfigFile file(GetParam().text);
  file.text("a", "");
  file.integer("n", {.min = 2, .max = 5}, 3);
  file.boolean("b", false);
  file.texts("list");
  const auto end = file.finish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().error.code(), GetParam().code) << end.error().to_string();
  EXPECT_EQ(end.error().to_string(), GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadConfig,
    ::testing::Values(
        BadCase{"Syntax", "a = \n", kConfigSyntax, "line 1: not TOML"},
        BadCase{"HeaderWithoutAKey", "a = 'x'\n[=]\n", kConfigSyntax, "line 2: not TOML"},
        BadCase{"BadUtf8", "a = '\xff'\n", kConfigSyntax, "not TOML: it is not UTF-8"},
        BadCase{"ForeignCharacterInAValue", "a = 1\"\xc3\xa9\"\n", kConfigSyntax, "line 1: not TOML"},
        BadCase{"ForeignCharacterInAKey", "a = 'x'\n[\xc3\xa9]\n", kConfigSyntax, "line 2: not TOML"},
        BadCase{"ForeignCharacterBehindAQuotedKey", "['a\\'\xc3\xa9]\n", kConfigSyntax, "line 1: not TOML"},
        BadCase{"DuplicateKey", "a = '1'\na = '2'\n", kConfigSyntax, "line 2: not TOML"},
        BadCase{"UnknownKey", "a = 'x'\nz = 1\n", kConfigUnknownKey, "line 2: z: there is no such key"},
        BadCase{"UnknownTable", "[z]\ny = 1\n", kConfigUnknownKey, "line 2: z.y: there is no such key"},
        BadCase{"EmptyUnknownTable", "[z]\n", kConfigUnknownKey, "line 1: z: there is no such key"},
        BadCase{"TextIsInteger", "a = 1\n", kConfigWrongType, "line 1: a: the value is not a text"},
        BadCase{"IntegerIsText", "n = '3'\n", kConfigWrongType, "line 1: n: the value is not an integer"},
        BadCase{"IntegerIsFloat", "n = 3.0\n", kConfigWrongType, "line 1: n: the value is not an integer"},
        BadCase{"Negative", "n = -3\n", kConfigBadValue, "line 1: n: the value is too small"},
        BadCase{"TooSmall", "n = 1\n", kConfigBadValue, "line 1: n: the value is too small"},
        BadCase{"TooLarge", "n = 6\n", kConfigBadValue, "line 1: n: the value is too large"},
        BadCase{"BooleanIsText", "b = 'yes'\n", kConfigWrongType, "line 1: b: the value is neither true nor false"},
        BadCase{"ListIsText", "list = 'x'\n", kConfigWrongType, "line 1: list: the value is not a list of texts"},
        BadCase{"ListOfIntegers", "list = [1]\n", kConfigWrongType, "line 1: list: the value is not a list of texts"}),
    [](const auto& info) { return info.param.name; });

TEST(ConfigFile, ReadsForeignCharactersInTextsAndComments) {
  ConfigFile file("# \xc3\xa9\na = \"\xc3\xa9\\\"\xc3\xa9\" # \xc3\xa9\n'\xc3\xa9' = 'x'\n");
  EXPECT_EQ(file.text("a"), "\xc3\xa9\"\xc3\xa9");
  EXPECT_EQ(file.text("\xc3\xa9"), "x");
  EXPECT_TRUE(file.finish());
}

TEST(ConfigFile, SaysThatAMandatoryKeyIsMissing) {
  ConfigFile file("");
  file.text("server.listen");
  const auto end = file.finish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().to_string(), "server.listen: this key is missing");
}

TEST(ConfigFile, SaysThatABadValueIsNotTheFiles) {
  ConfigFile file("# a comment\nn = 3\n");
  file.override_value("n", "99");
  file.integer("n", {.min = 2, .max = 5});
  const auto end = file.finish();
  ASSERT_FALSE(end);
  EXPECT_TRUE(end.error().overridden);
  EXPECT_EQ(end.error().to_string(), "n: the value is too large");
}

TEST(ConfigFile, KeepsTheFirstFailure) {
  ConfigFile file("a = 1\nb = 2\n");
  file.text("a");
  file.boolean("b");
  EXPECT_EQ(file.finish().error().key, "a");
}

TEST(ConfigFile, RefusesAHugeFile) {
  ConfigFile file(std::string(kConfigBytesMax + 1, '#'));
  EXPECT_FALSE(file.finish());
}

}  // namespace
}  // namespace eml

#include "base/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace eml {
namespace {

std::vector<std::string>& lines() {
  static std::vector<std::string> lines;
  return lines;
}

class Log : public ::testing::Test {
 protected:
  Log() {
    lines().clear();
    set_log_sink([](std::string_view line) { lines().emplace_back(line); });
  }
  ~Log() override {
    set_log_sink(nullptr);
    set_log_level(LogLevel::kInfo);
  }
  // The line without its time, which has a fixed width.
  static std::string last() { return lines().empty() ? "" : lines().back().substr(sizeof "2026-11-25T13:08:00Z"); }
};

TEST_F(Log, WritesOneLineWithFields) {
  log(LogLevel::kInfo, "server", "ready",
      {{"port", 443}, {"mode", "evaluation"}, {"config", PublicText::declared_public("a b.toml")}});
  EXPECT_EQ(last(), "info server ready port=443 mode=evaluation config=\"a b.toml\"\n");
}

TEST_F(Log, WritesAnErrorWithItsCodeAndIntegers) {
  log(LogLevel::kWarning, "keys", "refused", Error(kInternalError, "it broke", 3, 4), {{"n", 1}});
  EXPECT_EQ(last(), "warning keys refused n=1 error=\"internal: it broke (3, 4)\"\n");
}

TEST_F(Log, KeepsToTheLevel) {
  log(LogLevel::kDebug, "server", "tick");
  EXPECT_TRUE(lines().empty());
  set_log_level(LogLevel::kDebug);
  log(LogLevel::kDebug, "server", "tick");
  EXPECT_EQ(last(), "debug server tick\n");
  set_log_level(LogLevel::kError);
  log(LogLevel::kWarning, "server", "tick");
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(Log, PublicTextCannotForgeALine) {
  const auto text = PublicText::declared_public("a\n2026-11-25T13:08:00Z error x\x1b[31m\xff\\\"");
  log(LogLevel::kInfo, "server", "event", {{"path", text}});
  EXPECT_EQ(last(), "info server event path=\"a\\x0a2026-11-25T13:08:00Z error x\\x1b[31m\\xff\\x5c\\\"\"\n");
}

TEST_F(Log, PublicTextKeepsAtMost256Bytes) {
  EXPECT_EQ(PublicText::declared_public(std::string(1000, 'x')).view().size(), 256U);
  EXPECT_LE(PublicText::declared_public(std::string(1000, '\n')).view().size(), 256U);
}

TEST_F(Log, AnEmptyValueIsQuoted) {
  log(LogLevel::kInfo, "server", "event", {{"path", PublicText::declared_public("")}});
  EXPECT_EQ(last(), "info server event path=\"\"\n");
}

TEST(LogLevels, ParseByTheirNamesOnly) {
  EXPECT_EQ(parse_log_level("error"), LogLevel::kError);
  EXPECT_EQ(parse_log_level("debug"), LogLevel::kDebug);
  for (const std::string_view bad : {"", "Error", "warn", "info ", "trace"}) {
    const auto level = parse_log_level(bad);
    ASSERT_FALSE(level) << bad;
    EXPECT_EQ(level.error().code(), kLogLevelUnknown);
  }
}

}  // namespace
}  // namespace eml

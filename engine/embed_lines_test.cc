#include "engine/embed_lines.h"

#include <gtest/gtest.h>

#include <sstream>

#include "encoding/json.h"
#include "engine/test_model.h"

namespace eml {
namespace {

class EmbedLines : public testing::Test {
 protected:
  std::string run(const std::string& input, const EmbedLinesOptions& options = {}) {
    std::istringstream in(input);
    std::ostringstream out;
    status_ = embed_lines(*model_, in, out, options);
    return out.str();
  }

  std::shared_ptr<const EmbeddingModel> model_ = *test::TestModel().load();
  Status status_;
};

TEST_F(EmbedLines, WritesALineForEachInTheSameOrder) {
  const std::string out = run("{\"text\":\"hello\"}\n{\"text\":\"world\",\"more\":[1]}\n");
  ASSERT_TRUE(status_) << status_.error().to_string();
  const auto split = out.find('\n');
  const auto first = parse_json(as_bytes(std::string_view(out).substr(0, split)));
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_EQ(compact_json(first->at("ids")), "[2,4,3]");
  EXPECT_EQ(first->at("embedding").as_array().size(), 32U);
  EXPECT_NE(out.find("{\"ids\":[2,5,3]", split), std::string::npos);
}

TEST_F(EmbedLines, GivesIdsAloneIfToldSo) {
  EXPECT_EQ(run("{\"text\":\"hello\"}\n{\"text\":\"\"}\n", {.ids_only = true}), "{\"ids\":[2,4,3]}\n{\"ids\":[2,3]}\n");
  EXPECT_TRUE(status_);
}

TEST_F(EmbedLines, NumbersReadBackToTheSameBits) {
  const std::string out = run("{\"text\":\"hello\"}");
  const auto line = parse_json(as_bytes(std::string_view(out).substr(0, out.size() - 1)));
  ASSERT_TRUE(line);
  auto workspace = model_->encoder().make_workspace();
  const std::vector<TokenId> ids = {2, 4, 3};
  std::vector<float> want(32);
  const TokenSpan span(ids);
  ASSERT_TRUE(model_->encoder().embed(*workspace, {&span, 1}, want));
  const JsonArray& got = line->at("embedding").as_array();
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_EQ(static_cast<float>(got[i].to_number<double>()), want[i]);
}

TEST_F(EmbedLines, DoesNotDependOnBatchOrThreads) {
  std::string input;
  for (int i = 0; i < 300; ++i)
    input += "{\"text\":\"" + std::string(static_cast<std::size_t>(i % 70), 'a') + " hello\"}\n";
  const std::string want = run(input, {.threads = 1, .batch = 1});
  ASSERT_TRUE(status_);
  EXPECT_EQ(std::count(want.begin(), want.end(), '\n'), 300);
  for (const unsigned threads : {1U, 2U, 4U}) {
    for (const std::size_t batch : {0U, 3U, 1000U}) EXPECT_EQ(run(input, {.threads = threads, .batch = batch}), want);
  }
}

TEST_F(EmbedLines, NoInputGivesNoOutput) {
  EXPECT_EQ(run(""), "");
  EXPECT_TRUE(status_);
}

TEST_F(EmbedLines, ABadLineIsNamedByItsNumberAndTheOnesBeforeItAreWritten) {
  for (const std::string bad : {"", "{", "[]", "3", "{\"txt\":\"a\"}", "{\"text\":3}", "{\"text\":\"\\ud800\"}",
                                "{\"text\":\"a\"} x", "{\"text\":\"\xff\"}", "{\"text\":\"a\",\"text\":\"b\"}"}) {
    const std::string out = run("{\"text\":\"hello\"}\n" + bad + "\n{\"text\":\"world\"}\n");
    ASSERT_FALSE(status_) << bad;
    EXPECT_EQ(status_.error().code(), kEmbedLine) << bad;
    EXPECT_EQ(status_.error().first(), 2U) << bad;
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1) << bad;
  }
}

TEST_F(EmbedLines, ALineOverTheLimitIsRefusedWithoutReadingItWhole) {
  run("{\"text\":\"" + std::string(kEmbedLineBytesMax, 'a') + "\"}");
  ASSERT_FALSE(status_);
  EXPECT_EQ(status_.error().code(), kEmbedLineTooLong);
}

TEST_F(EmbedLines, AnOutputThatFailsIsAnError) {
  std::istringstream in("{\"text\":\"hello\"}\n");
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  EXPECT_EQ(embed_lines(*model_, in, out, {}).error().code(), kEmbedWrite);
}

}  // namespace
}  // namespace eml

#include "engine/measure.h"

#include <gtest/gtest.h>

#include <sstream>

#include "encoding/json.h"
#include "engine/test_model.h"

namespace eml {
namespace {

TEST(Measure, LoadsAreRealTextOfTheLengthsThatTheyName) {
  EML_REAL_MODEL_OR_SKIP(model);
  const auto loads = measure_loads(model);
  ASSERT_TRUE(loads);
  ASSERT_EQ(loads->size(), 8U);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ((*loads)[i].tokens(), kMeasureLengths[i]);
  EXPECT_EQ((*loads)[6].tokens(), 32U * 128U);
  EXPECT_EQ((*loads)[7].texts.size(), 64U);
  for (const MeasureLoad& load : *loads) {
    for (const auto& text : load.texts) {
      EXPECT_EQ(text.front(), 101U);
      EXPECT_EQ(text.back(), 102U);
      EXPECT_TRUE(std::all_of(text.begin() + 1, text.end() - 1, [](TokenId id) { return id > 998; }));
    }
  }
  // 2 * 10,616,832 weights a token, and 9,216 operations a token and key.
  EXPECT_EQ(work_flop(model.config(), (*loads)[4]), 128 * (21233664.0 + 9216.0 * 128));
}

TEST(Measure, LeavesOutLengthsThatTheModelDoesNotHave) {
  const auto loads = measure_loads(**test::TestModel().load());
  ASSERT_TRUE(loads);
  ASSERT_EQ(loads->size(), 4U);
  EXPECT_EQ(loads->back().tokens(), 64U);
}

TEST(Measure, RunsEveryLoadOnEveryModelAndNumberOfThreads) {
  const std::shared_ptr<const EmbeddingModel> model = *test::TestModel().load();
  const std::vector<MeasureLoad> loads = {{.name = "3", .texts = {{2, 5, 3}}},
                                          {.name = "two", .texts = {{2, 5, 3}, {2, 6, 7, 3}}}};
  for (const MeasureBy by : {MeasureBy::kElapsed, MeasureBy::kProcessor}) {
    const auto all = measure_all({model}, loads, {1, 2}, 1, by, system_clock());
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 4U);
    EXPECT_EQ((*all)[3].threads, 2U);
    EXPECT_EQ((*all)[3].load->name, "two");
    for (const Measured& measured : *all) EXPECT_GT(measured.median_ms(), 0);
  }
}

TEST(Measure, ThePeakIsThereForEveryVectorKernel) {
  for (const std::string_view numerics : kernels::numerics_profiles()) {
    for (const kernels::Profile& profile : kernels::profiles(numerics)) {
      EXPECT_EQ(peak_gflops(profile.peak, system_clock()) > 0, profile.kernels != "scalar")
          << numerics << " " << profile.kernels;
    }
  }
}

class MeasureLines : public testing::Test {
 protected:
  Status run(const std::string& input) {
    std::istringstream in(input);
    return measure_lines(model_, 1, in, out_, system_clock());
  }
  std::shared_ptr<const EmbeddingModel> model_ = *test::TestModel().load();
  std::ostringstream out_;
};

TEST_F(MeasureLines, AnswersEachLineWithTwoTimes) {
  ASSERT_TRUE(
      run("{\"texts\":[[2,5,3]],\"repeat\":3}\n{\"texts\":[[2,5,3],[2,3]],\"repeat\":1}\n"
          "{\"tokenize\":[\"hello world\"],\"repeat\":2}\n"));
  std::istringstream lines(out_.str());
  std::string line;
  std::size_t count = 0;
  for (; std::getline(lines, line); ++count) {
    const auto json = parse_json(as_bytes(line));
    ASSERT_TRUE(json);
    EXPECT_GE(json->at("ms").to_number<double>(), 0);
    EXPECT_GE(json->at("cpu_ms").to_number<double>(), 0);
  }
  EXPECT_EQ(count, 3U);
}

TEST_F(MeasureLines, RefusesBadLines) {
  for (const char* line :
       {"", "[]", "{}", R"({"texts":[[2,3]]})", R"({"texts":[[2,3]],"repeat":0})",
        R"({"texts":[[2,3]],"repeat":10001})", R"({"texts":[2],"repeat":1})", R"({"texts":[["a"]],"repeat":1})",
        R"({"texts":[[-1]],"repeat":1})", R"({"texts":[[4294967296]],"repeat":1})", R"({"texts":5,"repeat":1})",
        R"({"tokenize":[5],"repeat":1})", R"({"repeat":1})"}) {
    const auto done = run(std::string(line) + "\n");
    ASSERT_FALSE(done) << line;
    EXPECT_EQ(done.error().code(), kMeasureLine) << line;
  }
  EXPECT_EQ(run("{\"texts\":[[4000000]],\"repeat\":1}\n").error().code(), kTokenOutOfRange);
}

}  // namespace
}  // namespace eml

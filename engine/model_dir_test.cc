#include "engine/model_dir.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "engine/test_model.h"

namespace eml {
namespace {

class ModelDirectory : public testing::Test {
 protected:
  void write(const test::TestModel& model) {
    dir_.write("config.json", model.config);
    dir_.write("tokenizer.json", model.tokenizer);
    dir_.write("model.safetensors", std::string(as_text(test::safetensors_of(model.tensors))));
  }
  ErrorCode load_error() { return load_model_directory(dir_.path().string()).error().code(); }

  test::TempDir dir_;
};

TEST_F(ModelDirectory, LoadsAModel) {
  write(test::TestModel());
  const auto model = load_model_directory(dir_.path().string());
  ASSERT_TRUE(model) << model.error().to_string();
  EXPECT_EQ((*model)->numerics(), default_precision());
  EXPECT_EQ((*model)->dimensions(), 32U);
}

TEST_F(ModelDirectory, ReadsTheFilesOfSentenceTransformersIfTheyAreThere) {
  write(test::TestModel());
  std::filesystem::create_directory(dir_.path() / "1_Pooling");
  dir_.write("1_Pooling/config.json", R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})");
  dir_.write("sentence_bert_config.json", R"({"max_seq_length":48})");
  const auto model = load_model_directory(dir_.path().string());
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->config().pooling, Pooling::kCls);
  EXPECT_EQ((*model)->config().tokens_max, 48U);
}

TEST_F(ModelDirectory, SaysWhichKindOfDefectAFileHas) {
  EXPECT_EQ(load_error(), kFileNotFound);
  write(test::TestModel());
  dir_.write("model.safetensors", "");
  EXPECT_EQ(load_error(), kSafetensorsTruncated);
  std::filesystem::remove(dir_.path() / "model.safetensors");
  EXPECT_EQ(load_error(), kFileNotFound);
  std::filesystem::create_directory(dir_.path() / "model.safetensors");
  EXPECT_EQ(load_error(), kFileNotRegular);
  std::filesystem::remove(dir_.path() / "config.json");
  std::filesystem::create_symlink("config.json", dir_.path() / "config.json");
  EXPECT_FALSE(load_model_directory(dir_.path().string()));
}

}  // namespace
}  // namespace eml

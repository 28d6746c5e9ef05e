#include "engine/model_config.h"

#include <gtest/gtest.h>

#include <string>

#include "encoding/json.h"

namespace eml {
namespace {

const std::string kGood =
    R"({"model_type":"bert","hidden_act":"gelu","hidden_size":384,"intermediate_size":1536,"num_hidden_layers":6,)"
    R"("num_attention_heads":12,"max_position_embeddings":512,"type_vocab_size":2,"layer_norm_eps":1e-12,)"
    R"("vocab_size":30522,"position_embedding_type":"absolute","torch_dtype":"float32","pad_token_id":0})";

Result<ModelConfig> decode(const std::string& config, const std::string& pooling = "",
                           const std::string& sentence = "") {
  return decode_model_config(
      {.config = as_bytes(config), .pooling = as_bytes(pooling), .sentence_bert = as_bytes(sentence)});
}

std::string with(const std::string& from, const std::string& to) {
  std::string out = kGood;
  const auto at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

TEST(ModelConfig, ReadsMiniLm) {
  const auto config = decode(kGood);
  ASSERT_TRUE(config) << config.error().to_string();
  EXPECT_EQ(config->hidden, 384U);
  EXPECT_EQ(config->intermediate, 1536U);
  EXPECT_EQ(config->layers, 6U);
  EXPECT_EQ(config->heads, 12U);
  EXPECT_EQ(config->head_size(), 32U);
  EXPECT_EQ(config->positions, 512U);
  EXPECT_EQ(config->token_types, 2U);
  EXPECT_EQ(config->vocab_size, 30522U);
  EXPECT_EQ(config->layer_norm_epsilon, 1e-12F);
  EXPECT_EQ(config->pooling, Pooling::kMean);
  EXPECT_EQ(config->tokens_max, 256U);
}

TEST(ModelConfig, ReadsPoolingAndLengthFromTheirFiles) {
  const auto config = decode(kGood, R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})",
                             R"({"max_seq_length":512,"do_lower_case":false})");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->pooling, Pooling::kCls);
  EXPECT_EQ(config->tokens_max, 512U);
}

TEST(ModelConfig, AShortTableOfPositionsLimitsTheLength) { EXPECT_EQ(decode(with("512", "128"))->tokens_max, 128U); }

struct Bad {
  const char* defect;
  std::string config, pooling, sentence;
  ErrorCode code;
};

TEST(ModelConfig, RefusesEachDefectByItsName) {
  const std::vector<Bad> cases = {
      {"empty", "", "", "", kJsonSyntax},
      {"not an object", "[]", "", "", kModelConfigMalformed},
      {"another architecture", with("\"bert\"", "\"roberta\""), "", "", kModelConfigUnsupported},
      {"another activation", with("\"gelu\"", "\"relu\""), "", "", kModelConfigUnsupported},
      {"relative positions", with("\"absolute\"", "\"relative_key\""), "", "", kModelConfigUnsupported},
      {"text for a size", with("384", "\"384\""), "", "", kModelConfigMalformed},
      {"a negative size", with("384", "-384"), "", "", kModelConfigMalformed},
      {"a fractional size", with("384", "384.5"), "", "", kModelConfigMalformed},
      {"no width", with("\"hidden_size\"", "\"hidden\""), "", "", kModelConfigMalformed},
      {"an absurd width", with("384", "1048576"), "", "", kModelConfigRange},
      {"no layer", with("\"num_hidden_layers\":6", "\"num_hidden_layers\":0"), "", "", kModelConfigRange},
      {"absurd layers", with("\"num_hidden_layers\":6", "\"num_hidden_layers\":4000000000"), "", "", kModelConfigRange},
      {"heads that do not divide", with(":12,", ":7,"), "", "", kModelConfigMalformed},
      {"heads that are too narrow", with(":12,", ":24,"), "", "", kModelConfigUnsupported},
      {"an odd intermediate size", with("1536", "1537"), "", "", kModelConfigUnsupported},
      {"an epsilon of text", with("1e-12", "\"x\""), "", "", kModelConfigMalformed},
      {"an epsilon of zero", with("1e-12", "0.0"), "", "", kModelConfigRange},
      {"max pooling", kGood, R"({"pooling_mode_max_tokens":true})", "", kModelConfigUnsupported},
      {"two poolings", kGood, R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":true})", "",
       kModelConfigUnsupported},
      {"pooling that is not an object", kGood, "3", "", kModelConfigMalformed},
      {"more tokens than positions", kGood, "", R"({"max_seq_length":513})", kModelConfigRange},
      {"no room for a token", kGood, "", R"({"max_seq_length":2})", kModelConfigRange},
  };
  for (const Bad& bad : cases) {
    const auto config = decode(bad.config, bad.pooling, bad.sentence);
    ASSERT_FALSE(config) << bad.defect;
    EXPECT_EQ(config.error().code(), bad.code) << bad.defect << ": " << config.error().to_string();
  }
}

TEST(ModelConfig, RefusesAFileThatIsCutAnywhere) {
  for (std::size_t n = 0; n < kGood.size(); ++n) EXPECT_FALSE(decode(kGood.substr(0, n))) << n;
}

}  // namespace
}  // namespace eml

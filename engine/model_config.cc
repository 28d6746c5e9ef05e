#include "engine/model_config.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "encoding/json.h"
#include "engine/kernels/kernel_table.h"

namespace eml {
namespace {

constexpr JsonLimits kLimits{.bytes_max = 1U << 20, .depth_max = 16};

// all-MiniLM-L6-v2 truncates at 256; its tokenizer.json says 128, which is not what the model's authors run.
constexpr std::uint32_t kTokensDefault = 256;

struct Bounds {
  std::uint32_t least, most;
};

Result<std::uint32_t> read_size(const JsonObject& object, std::string_view member, Bounds bounds) {
  const auto value = json_uint(object, member);
  if (!value) return fail(kModelConfigMalformed, "a size in config.json is missing or not an integer");
  if (*value < bounds.least || *value > bounds.most) {
    return fail(kModelConfigRange, "a size in config.json is out of range", bounds.most, *value);
  }
  return static_cast<std::uint32_t>(*value);
}

// A member that may be absent, but if present must be this text.
Status expect_text(const JsonObject& object, std::string_view member, std::string_view wanted, Literal otherwise) {
  const Json* value = object.if_contains(member);
  if (value == nullptr) return {};
  if (!value->is_string()) return fail(kModelConfigMalformed, "a member of config.json should be text");
  if (std::string_view(value->get_string()) != wanted) return fail(kModelConfigUnsupported, otherwise);
  return {};
}

Result<float> read_epsilon(const JsonObject& object) {
  const Json* value = object.if_contains("layer_norm_eps");
  if (value == nullptr) return 1e-12F;  // BertConfig's default
  if (!value->is_double()) return fail(kModelConfigMalformed, "layer_norm_eps is not a number");
  const double epsilon = value->get_double();
  if (!(epsilon >= 1e-15 && epsilon <= 1e-3)) return fail(kModelConfigRange, "layer_norm_eps is out of range");
  return static_cast<float>(epsilon);
}

Status check_widths(const ModelConfig& config) {
  constexpr std::uint32_t step = kernels::kWidthStep;
  if (config.hidden % config.heads != 0) {
    return fail(kModelConfigMalformed, "hidden_size is not a multiple of num_attention_heads");
  }
  if (config.hidden % step != 0 || config.intermediate % step != 0 || config.head_size() % step != 0) {
    return fail(kModelConfigUnsupported, "hidden, intermediate and head sizes must be multiples of 32");
  }
  return {};
}

Status read_architecture(const JsonObject& root, ModelConfig& out) {
  EML_CHECK(expect_text(root, "model_type", "bert", "only model_type bert is supported"));
  EML_CHECK(expect_text(root, "hidden_act", "gelu", "only the activation gelu (erf) is supported"));
  EML_CHECK(expect_text(root, "position_embedding_type", "absolute", "only absolute positions are supported"));
  EML_TRY(out.vocab_size, read_size(root, "vocab_size", {4, 1U << 20}));
  EML_TRY(out.hidden, read_size(root, "hidden_size", {32, 4096}));
  EML_TRY(out.layers, read_size(root, "num_hidden_layers", {1, 48}));
  EML_TRY(out.heads, read_size(root, "num_attention_heads", {1, 128}));
  EML_TRY(out.intermediate, read_size(root, "intermediate_size", {32, 16384}));
  EML_TRY(out.positions, read_size(root, "max_position_embeddings", {8, 8192}));
  EML_TRY(out.token_types, read_size(root, "type_vocab_size", {1, 2}));
  EML_TRY(out.layer_norm_epsilon, read_epsilon(root));
  return check_widths(out);
}

bool is_true(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  return value != nullptr && value->is_bool() && value->get_bool();
}

Result<Pooling> read_pooling(ByteView file) {
  EML_TRY(const Json root, parse_json(file, kLimits));
  if (!root.is_object()) return fail(kModelConfigMalformed, "the pooling configuration is not an object");
  const JsonObject& object = root.get_object();
  constexpr std::array<std::string_view, 4> others = {"pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens",
                                                      "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken"};
  const bool other = std::any_of(others.begin(), others.end(), [&](auto name) { return is_true(object, name); });
  const bool mean = is_true(object, "pooling_mode_mean_tokens");
  const bool cls = is_true(object, "pooling_mode_cls_token");
  if (other || mean == cls) {
    return fail(kModelConfigUnsupported, "the pooling is neither the mean alone nor the first token alone");
  }
  return mean ? Pooling::kMean : Pooling::kCls;
}

Result<std::uint32_t> read_tokens_max(ByteView file, std::uint32_t positions) {
  EML_TRY(const Json root, parse_json(file, kLimits));
  if (!root.is_object()) return fail(kModelConfigMalformed, "sentence_bert_config.json is not an object");
  return read_size(root.get_object(), "max_seq_length", {3, positions});
}

}  // namespace

Result<ModelConfig> decode_model_config(const ModelConfigFiles& files) {
  EML_TRY(const Json root, parse_json(files.config, kLimits));
  if (!root.is_object()) return fail(kModelConfigMalformed, "config.json is not an object");
  ModelConfig out;
  EML_CHECK(read_architecture(root.get_object(), out));
  out.tokens_max = std::min(kTokensDefault, out.positions);
  if (!files.pooling.empty()) {
    EML_TRY(out.pooling, read_pooling(files.pooling));
  }
  if (!files.sentence_bert.empty()) {
    EML_TRY(out.tokens_max, read_tokens_max(files.sentence_bert, out.positions));
  }
  return out;
}

}  // namespace eml

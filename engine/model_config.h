// What the model's own configuration files say, checked for what this engine can run.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kModelConfigMalformed{ErrorClass::kMalformed, "model-config-malformed"};
inline constexpr ErrorCode kModelConfigUnsupported{ErrorClass::kUnsupported, "model-config-unsupported"};
inline constexpr ErrorCode kModelConfigRange{ErrorClass::kLimit, "model-config-range"};

// Pooling turns the vectors of a text's tokens into one: their mean, or the first ([CLS]).
enum class Pooling : std::uint8_t { kMean, kCls };

// ModelConfig describes an encoder of the BERT family. Every field has been checked against the bounds of
// decode_model_config, so sums and products of two of them do not overflow 64 bits.
struct ModelConfig {
  std::uint32_t vocab_size = 0;
  std::uint32_t hidden = 0;        // a multiple of 32, at most 4096
  std::uint32_t layers = 0;        // at most 48
  std::uint32_t heads = 0;         // hidden / heads is a multiple of 32
  std::uint32_t intermediate = 0;  // a multiple of 32, at most 16384
  std::uint32_t positions = 0;     // at most 8192
  std::uint32_t token_types = 0;   // 1 or 2; type 0 is used
  float layer_norm_epsilon = 0;
  Pooling pooling = Pooling::kMean;
  std::uint32_t tokens_max = 0;  // ids of one text, [CLS] and [SEP] included

  std::uint32_t head_size() const { return hidden / heads; }
};

// ModelConfigFiles are the bytes of the files; empty where the model has none.
struct ModelConfigFiles {
  ByteView config;         // config.json
  ByteView pooling;        // 1_Pooling/config.json
  ByteView sentence_bert;  // sentence_bert_config.json: max_seq_length
};

// decode_model_config reads config.json and, where they are there, the two files of sentence-transformers. Without
// them the pooling is the mean and a text has at most 256 tokens (all-MiniLM-L6-v2's own setting) or `positions`, if
// that is less. Members that do not change the result are ignored.
// Errors: Malformed (JSON, a member missing or of a wrong type), Limit (a size out of range), Unsupported (another
// architecture, activation, position embedding, pooling, or a width that is not a multiple of 32).
Result<ModelConfig> decode_model_config(const ModelConfigFiles& files);

}  // namespace eml

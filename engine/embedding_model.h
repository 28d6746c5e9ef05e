// EmbeddingModel is a loaded model: tokenizer, encoder, and what its answers are called.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "engine/encoder.h"
#include "engine/model_config.h"
#include "engine/tokenizer.h"

namespace eml {

inline constexpr ErrorCode kPrecisionUnknown{ErrorClass::kUnsupported, "precision-unknown"};
inline constexpr ErrorCode kKernelsUnavailable{ErrorClass::kUnsupported, "kernels-unavailable"};
inline constexpr ErrorCode kModelMismatch{ErrorClass::kMalformed, "model-mismatch"};

// EmbeddingModelFiles are the files of a model, already authenticated by whoever gives them. All but the weights are
// read during load only; empty means that the model has no such file.
struct EmbeddingModelFiles {
  ModelConfigFiles config;
  ByteView tokenizer;  // tokenizer.json
  ModelWeights weights;
};

// default_precision is the profile of a server that was not told one: bf16 where the processor multiplies it in tiles
// (AMX), else fp32, which is exact and elsewhere no slower.
std::string_view default_precision();

struct EngineOptions {
  std::string_view precision = "";  // a numerics profile; empty: default_precision()
  std::string_view kernels = "";    // "scalar", "avx2", "avx512", "amx"; empty: the best that the processor has
};

// EmbeddingModel is immutable and shared between threads.
class EmbeddingModel {
 public:
  // load checks all files against each other, packs the weights, and runs the self-tests: the kernels against their
  // definition, and one inference.
  // Errors: those of decode_model_config, Tokenizer::decode and Encoder::load; kPrecisionUnknown; kKernelsUnavailable
  // (this processor cannot run them); kModelMismatch (vocabularies of different sizes).
  static Result<std::shared_ptr<const EmbeddingModel>> load(EmbeddingModelFiles files,
                                                            const EngineOptions& options = {});

  const ModelConfig& config() const { return encoder_->config(); }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const Encoder& encoder() const { return *encoder_; }
  std::size_t dimensions() const { return config().hidden; }

  // What a response reports: with these two and the model anyone gets the same bits.
  std::string_view numerics() const { return encoder_->profile().numerics; }
  std::string_view kernels() const { return encoder_->profile().kernels; }

  // tokenize is Tokenizer::encode with the model's own length.
  Status tokenize(TokenIds& ids, TokenizerScratch& scratch, std::string_view text) const {
    return tokenizer_.encode(ids, scratch, text, config().tokens_max);
  }

 private:
  EmbeddingModel(Tokenizer tokenizer, std::unique_ptr<const Encoder> encoder)
      : tokenizer_(std::move(tokenizer)), encoder_(std::move(encoder)) {}

  Tokenizer tokenizer_;
  std::unique_ptr<const Encoder> encoder_;
};

}  // namespace eml

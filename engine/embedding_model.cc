#include "engine/embedding_model.h"

#include <algorithm>
#include <vector>

namespace eml {
namespace {

Result<kernels::Profile> choose_profile(const EngineOptions& options) {
  const std::string_view precision = options.precision.empty() ? default_precision() : options.precision;
  const auto known = kernels::numerics_profiles();
  if (std::find(known.begin(), known.end(), precision) == known.end()) {
    return fail(kPrecisionUnknown, "the precision is none of fp32, bf16, int8");
  }
  if (options.kernels.empty()) return kernels::profiles(precision).front();
  const auto profile = kernels::find_profile(precision, options.kernels);
  if (!profile) return fail(kKernelsUnavailable, "this processor or build does not have the kernels asked for");
  return *profile;
}

// One inference on the shortest text: wrong bits in a weight that no check sees may still overflow.
Status try_out(const EmbeddingModel& model) {
  TokenizerScratch scratch;
  TokenIds ids;
  EML_CHECK(model.tokenize(ids, scratch, "self-test"));
  EML_TRY(Workspace workspace, model.encoder().make_workspace());
  std::vector<float> out(model.dimensions());
  const TokenSpan text(ids);
  return model.encoder().embed(workspace, {&text, 1}, out);
}

}  // namespace

std::string_view default_precision() { return kernels::find_profile("bf16", "amx") ? "bf16" : "fp32"; }

Result<std::shared_ptr<const EmbeddingModel>> EmbeddingModel::load(EmbeddingModelFiles files,
                                                                   const EngineOptions& options) {
  EML_TRY(const kernels::Profile profile, choose_profile(options));
  EML_TRY(const ModelConfig config, decode_model_config(files.config));
  EML_TRY(Tokenizer tokenizer, Tokenizer::decode(files.tokenizer));
  // Some models pad the table of word embeddings; none may have more tokens than rows.
  if (tokenizer.vocab_size() > config.vocab_size) {
    return fail(kModelMismatch, "the tokenizer has more tokens than the model", config.vocab_size,
                tokenizer.vocab_size());
  }
  EML_TRY(auto encoder, Encoder::load(config, std::move(files.weights), profile));
  std::shared_ptr<const EmbeddingModel> model(new EmbeddingModel(std::move(tokenizer), std::move(encoder)));
  EML_CHECK(try_out(*model));
  return model;
}

}  // namespace eml

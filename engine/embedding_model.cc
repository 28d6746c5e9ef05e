#include "engine/embedding_model.h"

#include <vector>

namespace eml {
namespace {

Result<const kernels::KernelTable*> choose_kernels(std::string_view name) {
  if (name.empty()) return kernels::available().front();
  const kernels::KernelTable* table = kernels::find(name);
  if (table == nullptr) return fail(kKernelsUnavailable, "this processor or build does not have the kernels asked for");
  return table;
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

Result<std::shared_ptr<const EmbeddingModel>> EmbeddingModel::load(EmbeddingModelFiles files,
                                                                   const EngineOptions& options) {
  if (options.precision != "fp32") return fail(kPrecisionUnknown, "the only precision so far is fp32");
  EML_TRY(const kernels::KernelTable* kernels, choose_kernels(options.kernels));
  EML_TRY(const ModelConfig config, decode_model_config(files.config));
  EML_TRY(Tokenizer tokenizer, Tokenizer::decode(files.tokenizer));
  // Some models pad the table of word embeddings; none may have more tokens than rows.
  if (tokenizer.vocab_size() > config.vocab_size) {
    return fail(kModelMismatch, "the tokenizer has more tokens than the model", config.vocab_size,
                tokenizer.vocab_size());
  }
  EML_TRY(auto encoder, Encoder::load(config, std::move(files.weights), *kernels));
  std::shared_ptr<const EmbeddingModel> model(new EmbeddingModel(std::move(tokenizer), std::move(encoder)));
  EML_CHECK(try_out(*model));
  return model;
}

}  // namespace eml

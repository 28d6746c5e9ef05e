// Models in clear in a directory, as `model pull` leaves them.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/embedding_model.h"

namespace eml {

// load_model_directory loads config.json, tokenizer.json, model.safetensors and, where they are there,
// 1_Pooling/config.json and sentence_bert_config.json. The weights are mapped, and their pages given back as they are
// packed. Nothing is authenticated: for `embed`, benchmarks and tests, never for `serve`.
// Errors: those of base/files.h and of EmbeddingModel::load.
// `where`, if given, gets the path of the file that could not be read, or else the directory.
Result<std::shared_ptr<const EmbeddingModel>> load_model_directory(const std::string& directory,
                                                                   const EngineOptions& options = {},
                                                                   std::string* where = nullptr);

// advise_unused tells the system that the whole pages inside [data, data + size) will not be read again. For a private
// mapping of memory this discards their content.
void advise_unused(const void* data, std::size_t size);

}  // namespace eml

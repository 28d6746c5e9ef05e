// What the engine needs of a model whose files were loaded.
#pragma once

#include <memory>

#include "engine/embedding_model.h"
#include "package/package.h"
#include "server/package_reader.h"

namespace eml {

// view_files finds the files of `loaded` by their roles. The weights keep `owner`, whose memory they are in.
EmbeddingModelFiles view_files(const LoadedModel& loaded, std::shared_ptr<const void> owner);

// engine_files is the same for a package that was loaded with `reader`: decrypted weights give their pages back as the
// engine packs them.
EmbeddingModelFiles engine_files(const LoadedModel& loaded, const std::shared_ptr<DirectoryReader>& reader);

}  // namespace eml

#include "server/engine_files.h"

#include <algorithm>
#include <utility>

namespace eml {
namespace {

const LoadedFile* file_of(const LoadedModel& loaded, FileRole role) {
  const auto found = std::ranges::find(loaded.files, role, &LoadedFile::role);
  return found == loaded.files.end() ? nullptr : &*found;
}

ByteView bytes_of(const LoadedModel& loaded, FileRole role) {
  const LoadedFile* file = file_of(loaded, role);
  return file == nullptr ? ByteView{} : file->bytes;
}

}  // namespace

EmbeddingModelFiles view_files(const LoadedModel& loaded, std::shared_ptr<const void> owner) {
  EmbeddingModelFiles files;
  files.config = {.config = bytes_of(loaded, FileRole::kConfig),
                  .pooling = bytes_of(loaded, FileRole::kPooling),
                  .sentence_bert = bytes_of(loaded, FileRole::kSentence)};
  files.tokenizer = bytes_of(loaded, FileRole::kTokenizer);
  files.weights.bytes = bytes_of(loaded, FileRole::kWeights);
  files.weights.owner = std::move(owner);
  return files;
}

EmbeddingModelFiles engine_files(const LoadedModel& loaded, const std::shared_ptr<DirectoryReader>& reader) {
  // The encoder reads word embeddings in place, so weights in clear keep the reader.
  EmbeddingModelFiles files = view_files(loaded, reader);
  if (auto plain = reader->plain(file_of(loaded, FileRole::kWeights)->path)) {
    files.weights.owner = plain;
    files.weights.release = [plain = plain.get()](std::size_t offset, std::size_t size) {
      plain->release(offset, size);
    };
  }
  return files;
}

}  // namespace eml

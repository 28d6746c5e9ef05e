#include "engine/model_dir.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

#include "base/files.h"

namespace eml {
namespace {

constexpr std::size_t kConfigBytesMax = 1U << 20;
constexpr std::size_t kTokenizerBytesMax = 16U << 20;
constexpr std::uint64_t kWeightsBytesMax = std::uint64_t{16} << 30;

Result<Bytes> read_if_there(const std::string& path) {
  auto file = read_file(path, kConfigBytesMax);
  if (!file && file.error().code() == kFileNotFound) return Bytes{};
  return file;
}

}  // namespace

void advise_unused(const void* data, std::size_t size) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t skip = (page - begin % page) % page;
  if (size < skip + page) return;
  char* first = const_cast<char*>(static_cast<const char*>(data)) + skip;
  // Only advice: if it is refused, the memory stays in use.
  static_cast<void>(madvise(first, (size - skip) / page * page, MADV_DONTNEED));
}

Result<std::shared_ptr<const EmbeddingModel>> load_model_directory(const std::string& directory,
                                                                   const EngineOptions& options, std::string* where) {
  const auto at = [&](const char* name) {
    std::string path = directory + name;
    if (where != nullptr) *where = path;
    return path;
  };
  EML_TRY(const Bytes config, read_file(at("/config.json"), kConfigBytesMax));
  EML_TRY(const Bytes tokenizer, read_file(at("/tokenizer.json"), kTokenizerBytesMax));
  EML_TRY(const Bytes pooling, read_if_there(at("/1_Pooling/config.json")));
  EML_TRY(const Bytes sentence, read_if_there(at("/sentence_bert_config.json")));
  EML_TRY(MappedFile mapped, MappedFile::open(at("/model.safetensors"), kWeightsBytesMax));
  if (where != nullptr) *where = directory;
  const auto file = std::make_shared<MappedFile>(std::move(mapped));
  const ByteView bytes = file->bytes();
  return EmbeddingModel::load(
      {.config = {.config = config, .pooling = pooling, .sentence_bert = sentence},
       .tokenizer = tokenizer,
       .weights = {.bytes = bytes,
                   .owner = file,
                   .release = [bytes](std::size_t at, std::size_t size) { advise_unused(bytes.data() + at, size); }}},
      options);
}

}  // namespace eml

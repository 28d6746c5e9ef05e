#include "apps/ephemeralml/model_directory.h"

#include <algorithm>
#include <utility>

#include "server/package_reader.h"

namespace eml::cli {
namespace {

constexpr std::size_t kClearFileMax = 16U << 20;  // as the engine's bound of a tokenizer
constexpr std::uint64_t kWeightsMax = std::uint64_t{16} << 30;

// The name that the file has in a package: the engine reads the settings of pooling from a directory of their own.
constexpr std::string_view kPoolingSource = "1_Pooling/config.json";
constexpr std::string_view kPoolingName = "pooling.json";

}  // namespace

Status ModelFiles::add(const std::string& path, std::string name, FileRole role) {
  const bool weights = role == FileRole::kWeights;
  ByteView bytes;
  if (weights) {
    EML_TRY(MappedFile file, MappedFile::open(path, kWeightsMax));
    mapped.push_back(std::move(file));
    bytes = mapped.back().bytes();
  } else {
    EML_TRY(Bytes file, read_file(path, kClearFileMax));
    read.push_back(std::move(file));
    bytes = read.back();
  }
  files.push_back({.path = std::move(name), .role = role, .bytes = bytes, .encrypt = weights});
  return {};
}

bool ModelFiles::has(FileRole role) const { return std::ranges::find(files, role, &PlainFile::role) != files.end(); }

std::expected<void, FileFailure> collect_model(const std::string& directory, ModelFiles& model) {
  const auto failed = [](std::string where, const Error& error) {
    return std::unexpected(FileFailure{std::move(where), error});
  };
  auto names = DirectoryReader(directory).names();
  if (!names) return failed(directory, names.error());
  for (const std::string& name : *names) {
    const auto role = default_role(name);
    if (!role) continue;
    std::string path = directory;
    path.append("/").append(name);
    if (auto added = model.add(path, name, *role); !added) return failed(path, added.error());
  }
  const std::string pooling = directory + "/" + std::string(kPoolingSource);
  if (!model.has(FileRole::kPooling)) {
    auto added = model.add(pooling, std::string(kPoolingName), FileRole::kPooling);
    if (!added && added.error().code() != kFileNotFound) return failed(pooling, added.error());
  }
  if (!model.has(FileRole::kConfig)) return failed(directory, Error(kModelFileMissing, "has no config.json"));
  if (!model.has(FileRole::kTokenizer)) return failed(directory, Error(kModelFileMissing, "has no tokenizer.json"));
  if (!model.has(FileRole::kWeights)) return failed(directory, Error(kModelFileMissing, "has no *.safetensors"));
  for (const PlainFile& file : model.files) {
    if (file.bytes.empty()) return failed(directory + "/" + file.path, Error(kModelFileEmpty, "is empty"));
  }
  return {};
}

}  // namespace eml::cli

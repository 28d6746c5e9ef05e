// A directory of a model in clear, as `model pull` leaves it.
#pragma once

#include <expected>
#include <list>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "package/package.h"

namespace eml::cli {

// ModelFiles are the files of a directory that belong into a package. Weights are mapped, the rest is read.
struct ModelFiles {
  std::list<Bytes> read;
  std::list<MappedFile> mapped;
  std::vector<PlainFile> files;

  Status add(const std::string& path, std::string name, FileRole role);
  bool has(FileRole role) const;
};

inline constexpr ErrorCode kModelFileMissing{ErrorClass::kMalformed, "model-file-missing"};
inline constexpr ErrorCode kModelFileEmpty{ErrorClass::kMalformed, "model-file-empty"};

// FileFailure is an error and the path that it is about.
struct FileFailure {
  std::string where;
  Error error;
};

// collect_model reads them; 1_Pooling/config.json gets the name that it has in a package, pooling.json. Errors: those
// of base/files.h; kModelFileMissing for what each model has; kModelFileEmpty.
std::expected<void, FileFailure> collect_model(const std::string& directory, ModelFiles& model);

}  // namespace eml::cli

// The model that a receipt names, opened from a package or from plain files, every file checked.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/embedding_model.h"
#include "package/manifest.h"

namespace eml::cli {

inline constexpr ErrorCode kReplayOtherModel{ErrorClass::kUnauthentic, "replay-other-model"};
inline constexpr ErrorCode kReplayMissingFile{ErrorClass::kUnauthentic, "replay-missing-file"};
inline constexpr ErrorCode kReplayNoManifest{ErrorClass::kUnavailable, "replay-no-manifest"};
inline constexpr ErrorCode kReplayNoKey{ErrorClass::kUnavailable, "replay-no-key"};

// ModelFailure: `judged` if the files were read and are not the receipt's; else nothing can be said of them.
struct ModelFailure {
  std::string where;
  Error error;
  bool judged = false;
};

struct ReplayModelOptions {
  std::string path;      // a package, if it has a manifest.json; else a directory as `model pull` leaves it
  std::string key_file;  // broker's key file, for a package
};

// ReplayModel is what the engine loads; `owner` keeps the memory of all but the weights, which keep theirs themselves.
struct ReplayModel {
  EmbeddingModelFiles files;
  std::shared_ptr<const void> owner;
};

// open_replay_model demands that each file of the model has the size and the SHA-256 of the manifest that hashes to
// `model_hash`. For plain files that manifest is one of `manifests`; their signatures
// do not matter, because whoever vouches for the hash vouches for all that is in it.
std::expected<ReplayModel, ModelFailure> open_replay_model(const ReplayModelOptions& options, const Hash32& model_hash,
                                                           const std::vector<ByteView>& manifests);

}  // namespace eml::cli

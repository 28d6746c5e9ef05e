#include "apps/ephemeralml/replay_model.h"

#include <algorithm>

#include "apps/ephemeralml/model_directory.h"
#include "apps/ephemeralml/model_files.h"
#include "keys/provider.h"
#include "package/dek.h"
#include "package/package.h"
#include "server/engine_files.h"
#include "server/package_reader.h"

namespace eml::cli {
namespace {

using Opened = std::expected<ReplayModel, ModelFailure>;

std::unexpected<ModelFailure> unread(const std::string& where, const Error& error) {
  return std::unexpected(ModelFailure{where, error, false});
}

// An error of the content is a verdict about the model; one of the disk is none.
std::unexpected<ModelFailure> judged(const std::string& where, const Error& error) {
  return std::unexpected(ModelFailure{where, error, error.error_class() != ErrorClass::kUnavailable});
}

struct OpenedPackage {
  std::shared_ptr<DirectoryReader> reader;
  TrustedManifest trusted;
  Bytes manifest;
};

std::expected<OpenedPackage, ModelFailure> open_package(const std::string& path, const Hash32& wanted) {
  OpenedPackage out{.reader = std::make_shared<DirectoryReader>(path), .trusted = {}, .manifest = {}};
  const std::string where = path + "/" + std::string(kManifestName);
  auto bytes = out.reader->member(kManifestName, kManifestBytesMax);
  if (!bytes) return unread(where, bytes.error());
  out.manifest = std::move(*bytes);
  const auto model = verify_manifest(out.manifest);
  if (!model) return judged(where, model.error());
  if (model->model_hash != wanted) {
    return judged(where, Error(kReplayOtherModel, "this is another model than the receipt's"));
  }
  // The receipt names the model by its hash, so whoever published it need not be known here.
  auto trusted = accept_manifest(out.manifest, {.publishers = model->publishers, .minimum_serials = {}});
  if (!trusted) return judged(where, trusted.error());
  out.trusted = std::move(*trusted);
  auto names = out.reader->names();
  if (!names) return unread(path, names.error());
  if (auto members = check_members(out.trusted.manifest, std::move(*names)); !members) {
    return judged(path, members.error());
  }
  return out;
}

Opened open_encrypted(const ReplayModelOptions& options, const std::string& path, const Hash32& wanted) {
  auto package = open_package(path, wanted);
  if (!package) return std::unexpected(package.error());
  if (options.key_file.empty()) {
    return unread(path, Error(kReplayNoKey, "an encrypted package needs --key-file, the broker's key file"));
  }
  auto provider = FileProvider::open(options.key_file);
  if (!provider) return unread(options.key_file, provider.error());
  auto wrapped = package->reader->member(kWrappedDekName, kWrappedDekSize);
  if (!wrapped) return unread(path + "/" + std::string(kWrappedDekName), wrapped.error());
  auto released =
      provider->release({.manifest = &package->trusted, .manifest_bytes = package->manifest, .wrapped_dek = *wrapped});
  if (!released) return unread(options.key_file, released.error());
  auto loaded = load_package(package->trusted, *package->reader, released->dek, serial_for);
  released->dek.clear();
  if (!loaded) return judged(package->reader->current(), loaded.error());
  return ReplayModel{engine_files(*loaded, package->reader), package->reader};
}

const Manifest* find_manifest(const std::vector<Manifest>& manifests, const Hash32& wanted) {
  const auto found =
      std::ranges::find_if(manifests, [&](const Manifest& manifest) { return model_hash(manifest) == wanted; });
  return found == manifests.end() ? nullptr : &*found;
}

Opened open_plain(const std::string& path, const Hash32& wanted, const std::vector<ByteView>& manifests) {
  std::vector<Manifest> decoded;
  for (const ByteView bytes : manifests) {
    if (auto manifest = decode_manifest(bytes)) decoded.push_back(std::move(*manifest));
  }
  const Manifest* manifest = find_manifest(decoded, wanted);
  if (manifest == nullptr) {
    return unread(path, Error(kReplayNoManifest, "no manifest of the receipt's model is at hand; give --manifest"));
  }
  const auto model = std::make_shared<ModelFiles>();
  if (auto collected = collect_model(path, *model); !collected) {
    return unread(collected.error().where, collected.error().error);
  }
  LoadedModel loaded;
  for (const ModelFile& file : manifest->files) {
    const auto found = std::ranges::find(model->files, file.path, &PlainFile::path);
    if (found == model->files.end()) {
      return judged(path + "/" + file.path, Error(kReplayMissingFile, "a file of the receipt's model is not there"));
    }
    if (auto same = verify_clear_file(*manifest, file, found->bytes); !same) {
      return judged(path + "/" + file.path, same.error());
    }
    loaded.files.push_back({.path = file.path, .role = file.role, .bytes = found->bytes});
  }
  return ReplayModel{view_files(loaded, model), model};
}

}  // namespace

Opened open_replay_model(const ReplayModelOptions& options, const Hash32& model_hash,
                         const std::vector<ByteView>& manifests) {
  const std::string path = without_slashes(options.path);
  auto names = DirectoryReader(path).names();
  if (!names) return unread(path, names.error());
  const bool is_package = std::ranges::find(*names, kManifestName) != names->end();
  return is_package ? open_encrypted(options, path, model_hash) : open_plain(path, model_hash, manifests);
}

}  // namespace eml::cli

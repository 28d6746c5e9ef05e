#include "package/package.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "package/dek.h"

namespace eml {

namespace {

Manifest unsigned_manifest(const PackageRequest& request, const std::vector<PlainFile>& files, const PackageId& id) {
  Manifest manifest{.model_id = request.model_id,
                    .version = request.version,
                    .serial = request.serial,
                    .files = {},
                    .package_id = id,
                    .key_id = request.key_id,
                    .encrypted = {},
                    .created = rfc3339(request.created),
                    .signatures = {}};
  for (const PlainFile& file : files) {
    manifest.files.push_back(
        {.path = file.path, .role = file.role, .size = file.bytes.size(), .sha256 = sha256(file.bytes)});
    if (file.encrypt) manifest.encrypted.push_back(file.path);
  }
  return manifest;
}

Status write_member(PackageSink& sink, std::string_view name, ByteView bytes) {
  EML_CHECK(sink.begin(name, bytes.size()));
  EML_CHECK(sink.write(bytes));
  return sink.end();
}

Status write_encrypted(PackageSink& sink, const Manifest& manifest, const ModelFile& file, ByteView plaintext,
                       const SecretBytes& dek, Random& random) {
  EML_CHECK(sink.begin(manifest.package_name(file), encrypted_size(file.size)));
  EML_CHECK(encrypt_file(context_of(manifest, file), dek, plaintext, random,
                         [&](ByteView bytes) { return sink.write(bytes); }));
  return sink.end();
}

std::uint64_t place_of(const Manifest& manifest, const ModelFile& file) {
  const auto at = std::ranges::find(manifest.files, file.path, &ModelFile::path);
  return static_cast<std::uint64_t>(at - manifest.files.begin());
}

Result<ByteView> load_encrypted(const Manifest& manifest, const ModelFile& file, PackageReader& reader,
                                const SecretBytes& dek, const ParallelFor& parallel_for) {
  EML_TRY(const EncryptedSource* source, reader.encrypted(file, manifest.package_name(file)));
  EML_TRY(const MutableByteView target, reader.target(file));
  EML_CHECK(decrypt_file(*source, context_of(manifest, file), file.sha256, dek, target, parallel_for));
  return target;
}

Result<ByteView> load_clear(const Manifest& manifest, const ModelFile& file, PackageReader& reader) {
  EML_TRY(const ByteView bytes, reader.clear(file));
  EML_CHECK(verify_clear_file(manifest, file, bytes));
  return bytes;
}

}  // namespace

std::optional<FileRole> default_role(std::string_view path) {
  if (path == "config.json") return FileRole::kConfig;
  if (path == "tokenizer.json") return FileRole::kTokenizer;
  if (path == "pooling.json") return FileRole::kPooling;
  if (path == "sentence_bert_config.json") return FileRole::kSentence;
  if (path.ends_with(".safetensors")) return FileRole::kWeights;
  return std::nullopt;
}

Result<Manifest> make_package(const PackageRequest& request, std::vector<PlainFile> files, Random& random,
                              PackageSink& sink) {
  std::ranges::sort(files, {}, &PlainFile::path);
  // Signed first: a request that breaks a rule of the manifest fails before anything is written.
  EML_TRY(Manifest manifest,
          sign_manifest(unsigned_manifest(request, files, random_package_id(random)), request.publishers));
  const SecretBytes dek = random_dek(random);
  EML_TRY(const Bytes wrapped, wrap_dek(dek, manifest.package_id, manifest.key_id, random));
  for (std::size_t i = 0; i < files.size(); ++i) {
    const ModelFile& file = manifest.files[i];
    if (manifest.is_encrypted(file.path)) {
      EML_CHECK(write_encrypted(sink, manifest, file, files[i].bytes, dek, random));
    } else {
      EML_CHECK(write_member(sink, file.path, files[i].bytes));
    }
  }
  EML_CHECK(write_member(sink, kWrappedDekName, wrapped));
  EML_CHECK(write_member(sink, kManifestName, encode_manifest(manifest)));
  return manifest;
}

Status check_members(const Manifest& manifest, std::vector<std::string> names) {
  std::ranges::sort(names);
  if (std::ranges::adjacent_find(names) != names.end()) return fail(kPackageDuplicateMember, "a name occurs twice");
  const std::vector<std::string> wanted = manifest.package_names();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!std::ranges::binary_search(names, wanted[i])) {
      return fail(kPackageMissingMember, "a file of the package is missing (number in the sorted list of names)", i);
    }
  }
  for (const std::string& name : names) {
    if (!std::ranges::binary_search(wanted, name)) {
      return fail(kPackageUnknownMember, "a file that the manifest does not name");
    }
  }
  return {};
}

Status verify_clear_file(const Manifest& manifest, const ModelFile& file, ByteView bytes) {
  if (bytes.size() != file.size) {
    return fail(kPackageFileSize, "a file has another size than the manifest says (file, got)",
                place_of(manifest, file), bytes.size());
  }
  if (sha256(bytes) != file.sha256) {
    return fail(kPackageFileHash, "a file is not the one of the manifest (file)", place_of(manifest, file));
  }
  return {};
}

FileContext context_of(const Manifest& manifest, const ModelFile& file) {
  return {.package_id = manifest.package_id, .path = file.path, .plaintext_size = file.size};
}

Result<LoadedModel> load_package(const TrustedManifest& trusted, PackageReader& reader, const SecretBytes& dek,
                                 const ParallelFor& parallel_for) {
  const Manifest& manifest = trusted.manifest;
  LoadedModel loaded{.model = trusted.model, .files = {}};
  for (const ModelFile& file : manifest.files) {
    EML_TRY(const ByteView bytes, manifest.is_encrypted(file.path)
                                      ? load_encrypted(manifest, file, reader, dek, parallel_for)
                                      : load_clear(manifest, file, reader));
    loaded.files.push_back({.path = file.path, .role = file.role, .bytes = bytes});
  }
  return loaded;
}

}  // namespace eml

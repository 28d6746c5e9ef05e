#include "package/manifest.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/hash.h"
#include "package/manifest_json.h"

namespace eml {

namespace {

constexpr std::array<std::pair<FileRole, std::string_view>, 5> kRoles{{
    {FileRole::kConfig, "config"},
    {FileRole::kTokenizer, "tokenizer"},
    {FileRole::kWeights, "weights"},
    {FileRole::kPooling, "pooling"},
    {FileRole::kSentence, "sentence"},
}};

SignedModel signed_model(const Manifest& manifest) {
  SignedModel model{.id = manifest.model_id,
                    .version = manifest.version,
                    .serial = manifest.serial,
                    .model_hash = model_hash(manifest),
                    .package_id = hex(manifest.package_id),
                    .publishers = {}};
  for (const ManifestSignature& signature : manifest.signatures) model.publishers.push_back(signature.key);
  return model;
}

Status verify_signatures(const Manifest& manifest) {
  const Bytes message = manifest_signed_message(manifest);
  for (std::size_t i = 0; i < manifest.signatures.size(); ++i) {
    const ManifestSignature& entry = manifest.signatures[i];
    if (!verify_ed25519(entry.key, message, entry.signature)) {
      return fail(kManifestSignature, "a publisher's signature does not verify", i);
    }
  }
  return {};
}

}  // namespace

std::string_view to_string(FileRole role) {
  for (const auto& [value, name] : kRoles) {
    if (value == role) return name;
  }
  return "";
}

std::optional<FileRole> parse_file_role(std::string_view name) {
  for (const auto& [value, text] : kRoles) {
    if (text == name) return value;
  }
  return std::nullopt;
}

bool Manifest::is_encrypted(std::string_view path) const {
  return std::ranges::find(encrypted, path) != encrypted.end();
}

std::string Manifest::package_name(const ModelFile& file) const {
  return is_encrypted(file.path) ? file.path + ".enc" : file.path;
}

std::vector<std::string> Manifest::package_names() const {
  std::vector<std::string> names{std::string(kManifestName), std::string(kWrappedDekName)};
  for (const ModelFile& file : files) names.push_back(package_name(file));
  std::ranges::sort(names);
  return names;
}

JsonObject manifest_model_json(const Manifest& manifest) {
  JsonArray files;
  for (const ModelFile& file : manifest.files) {
    files.push_back(JsonObject{
        {"path", file.path}, {"role", to_string(file.role)}, {"sha256", hex(file.sha256)}, {"size", file.size}});
  }
  return {{"files", std::move(files)},
          {"id", manifest.model_id},
          {"serial", manifest.serial},
          {"version", manifest.version}};
}

JsonObject manifest_body_json(const Manifest& manifest) {
  JsonArray encrypted;
  for (const std::string& path : manifest.encrypted) encrypted.emplace_back(path);
  JsonObject package{{"created", manifest.created},
                     {"encrypted", std::move(encrypted)},
                     {"id", hex(manifest.package_id)},
                     {"key_id", manifest.key_id}};
  return {{"model", manifest_model_json(manifest)}, {"package", std::move(package)}, {"schema", "eml-manifest/1"}};
}

Bytes manifest_signed_message(const Manifest& manifest) {
  const std::string body = canonical_json(manifest_body_json(manifest));
  return concat(label("eml manifest v1"), as_bytes(body));
}

Hash32 model_hash(const Manifest& manifest) { return sha256(as_bytes(canonical_json(manifest_model_json(manifest)))); }

Bytes encode_manifest(const Manifest& manifest) {
  JsonArray signatures;
  for (const ManifestSignature& entry : manifest.signatures) {
    signatures.push_back(JsonObject{{"key", hex(entry.key)}, {"sig", hex(entry.signature)}});
  }
  JsonObject document = manifest_body_json(manifest);
  document["signatures"] = std::move(signatures);
  return to_bytes(canonical_json(document));
}

Result<Manifest> sign_manifest(Manifest manifest, const std::vector<const Ed25519Key*>& keys) {
  const Bytes message = manifest_signed_message(manifest);
  manifest.signatures.clear();
  for (const Ed25519Key* key : keys) {
    manifest.signatures.push_back({.key = key->public_key(), .signature = key->sign(message)});
  }
  std::ranges::sort(manifest.signatures, {}, &ManifestSignature::key);
  return decode_manifest(encode_manifest(manifest));
}

Result<SignedModel> verify_manifest(ByteView json) {
  EML_TRY(const Manifest manifest, decode_manifest(json));
  EML_CHECK(verify_signatures(manifest));
  return signed_model(manifest);
}

Result<TrustedManifest> accept_manifest(ByteView json, const ManifestExpectation& expectation) {
  EML_TRY(Manifest manifest, decode_manifest(json));
  EML_CHECK(verify_signatures(manifest));
  SignedModel model = signed_model(manifest);
  if (std::ranges::find_first_of(model.publishers, expectation.publishers) == model.publishers.end()) {
    return fail(kManifestPublisher, "none of the signing keys is a trusted publisher");
  }
  const auto minimum = expectation.minimum_serials.find(model.id);
  if (minimum != expectation.minimum_serials.end() && model.serial < minimum->second) {
    return fail(kManifestSerial, "the model's serial is below the minimum (minimum, got)", minimum->second,
                model.serial);
  }
  return TrustedManifest{.manifest = std::move(manifest), .model = std::move(model)};
}

}  // namespace eml

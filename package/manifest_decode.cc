// Step 1 of docs/spec/package.md, 2: the form of a manifest.
#include <algorithm>
#include <utility>

#include "encoding/json.h"
#include "package/manifest.h"
#include "package/manifest_json.h"

namespace eml {

namespace {

// The format needs four levels; a small bound keeps the parser small too.
constexpr JsonLimits kManifestLimits{.bytes_max = kManifestBytesMax, .depth_max = 8};

struct TextRule {
  std::string_view punctuation;
  bool upper_case;
  std::size_t size_max;
};
constexpr TextRule kPathRule{.punctuation = "._-", .upper_case = false, .size_max = 64};
constexpr TextRule kModelIdRule{.punctuation = "._/-", .upper_case = true, .size_max = 128};
constexpr TextRule kVersionRule{.punctuation = "._+-", .upper_case = true, .size_max = 64};
constexpr TextRule kKeyIdRule{.punctuation = "._:/-", .upper_case = true, .size_max = 256};

bool obeys(std::string_view text, const TextRule& rule) {
  if (text.empty() || text.size() > rule.size_max) return false;
  return std::ranges::all_of(text, [&](char c) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) return true;
    if (c >= 'A' && c <= 'Z') return rule.upper_case;
    return rule.punctuation.contains(c);
  });
}

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// One spelling for each value, so that equal manifests are equal bytes.
template <std::size_t n>
Result<ByteArray<n>> hex_member(const JsonObject& object, std::string_view member) {
  EML_TRY(const std::string_view text, json_text(object, member));
  if (text.size() != 2 * n || !is_lower_hex(text)) {
    return fail(kManifestMalformed, "not the lower-case hex digits that it must be (digits wanted)", 2 * n);
  }
  return *to_array<n>(*from_hex(text));
}

Result<std::string> text_member(const JsonObject& object, std::string_view member, const TextRule& rule) {
  EML_TRY(const std::string_view text, json_text(object, member));
  if (!obeys(text, rule))
    return fail(kManifestMalformed, "a text is empty, too long or has a character out of its alphabet");
  return std::string(text);
}

Result<std::string> path_text(std::string_view text) {
  if (!obeys(text, kPathRule) || text.front() == '.') return fail(kManifestBadPath, "a path is not [a-z0-9._-]{1,64}");
  if (text == kManifestName || text == kWrappedDekName)
    return fail(kManifestBadPath, "a path is a name of the package itself");
  return std::string(text);
}

Status strictly_ascending(const std::vector<std::string>& names) {
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (names[i - 1] == names[i]) return fail(kManifestDuplicate, "the same path twice", i);
    if (names[i - 1] > names[i]) return fail(kManifestUnsorted, "paths are not sorted", i);
  }
  return {};
}

Result<const JsonObject*> as_object(const Json& value) {
  if (!value.is_object()) return fail(kJsonWrongType, "an element is not an object");
  return &value.get_object();
}

Result<ModelFile> decode_file(const Json& value) {
  EML_TRY(const JsonObject* object, as_object(value));
  EML_CHECK(expect_members(*object, {"path", "role", "sha256", "size"}));
  ModelFile file;
  EML_TRY(const std::string_view path, json_text(*object, "path"));
  EML_TRY(file.path, path_text(path));
  EML_TRY(const std::string_view role_name, json_text(*object, "role"));
  const std::optional<FileRole> role = parse_file_role(role_name);
  if (!role) return fail(kManifestMalformed, "a role that we do not know");
  file.role = *role;
  EML_TRY(file.size, json_uint(*object, "size"));
  EML_TRY(file.sha256, hex_member<32>(*object, "sha256"));
  return file;
}

Status check_roles(const std::vector<ModelFile>& files) {
  const auto count = [&](FileRole role) { return std::ranges::count(files, role, &ModelFile::role); };
  if (count(FileRole::kConfig) != 1 || count(FileRole::kTokenizer) != 1 || count(FileRole::kWeights) < 1 ||
      count(FileRole::kPooling) > 1 || count(FileRole::kSentence) > 1) {
    return fail(kManifestMalformed, "not one config, one tokenizer and weights");
  }
  return {};
}

Status decode_model(const JsonObject& object, Manifest& manifest) {
  EML_CHECK(expect_members(object, {"files", "id", "serial", "version"}));
  EML_TRY(manifest.model_id, text_member(object, "id", kModelIdRule));
  EML_TRY(manifest.version, text_member(object, "version", kVersionRule));
  EML_TRY(manifest.serial, json_uint(object, "serial"));
  EML_TRY(const JsonArray* files, json_array(object, "files"));
  if (files->empty() || files->size() > kManifestFilesMax)
    return fail(kManifestMalformed, "no files or too many", files->size());
  std::vector<std::string> paths;
  for (const Json& value : *files) {
    EML_TRY(ModelFile file, decode_file(value));
    paths.push_back(file.path);
    manifest.files.push_back(std::move(file));
  }
  EML_CHECK(strictly_ascending(paths));
  return check_roles(manifest.files);
}

Status decode_encrypted(const JsonArray& paths, Manifest& manifest) {
  if (paths.empty()) return fail(kManifestMalformed, "nothing is encrypted");
  for (const Json& value : paths) {
    if (!value.is_string()) return fail(kJsonWrongType, "a path is not a string");
    EML_TRY(std::string path, path_text(std::string_view(value.get_string())));
    if (std::ranges::find(manifest.files, path, &ModelFile::path) == manifest.files.end()) {
      return fail(kManifestBadPath, "an encrypted path is no file of the model");
    }
    manifest.encrypted.push_back(std::move(path));
  }
  return strictly_ascending(manifest.encrypted);
}

Status decode_package(const JsonObject& object, Manifest& manifest) {
  EML_CHECK(expect_members(object, {"created", "encrypted", "id", "key_id"}));
  EML_TRY(const std::string_view created, json_text(object, "created"));
  EML_TRY(const UnixSeconds time, parse_rfc3339(created));
  if (rfc3339(time) != created) return fail(kManifestMalformed, "the time of creation is not in UTC");
  manifest.created = std::string(created);
  EML_TRY(const JsonArray* encrypted, json_array(object, "encrypted"));
  EML_CHECK(decode_encrypted(*encrypted, manifest));
  EML_TRY(manifest.package_id, hex_member<16>(object, "id"));
  EML_TRY(manifest.key_id, text_member(object, "key_id", kKeyIdRule));
  const std::vector<std::string> names = manifest.package_names();
  if (std::ranges::adjacent_find(names) != names.end())
    return fail(kManifestDuplicate, "two files of the package have one name");
  return {};
}

Status decode_signatures(const JsonArray& entries, Manifest& manifest) {
  if (entries.empty() || entries.size() > kManifestSignaturesMax) {
    return fail(kManifestMalformed, "no signatures or too many", entries.size());
  }
  for (const Json& value : entries) {
    EML_TRY(const JsonObject* object, as_object(value));
    EML_CHECK(expect_members(*object, {"key", "sig"}));
    ManifestSignature entry;
    EML_TRY(entry.key, hex_member<32>(*object, "key"));
    EML_TRY(entry.signature, hex_member<64>(*object, "sig"));
    if (!manifest.signatures.empty()) {
      if (manifest.signatures.back().key == entry.key) return fail(kManifestDuplicate, "two signatures of one key");
      if (manifest.signatures.back().key > entry.key)
        return fail(kManifestUnsorted, "signatures are not sorted by key");
    }
    manifest.signatures.push_back(entry);
  }
  return {};
}

}  // namespace

Result<Manifest> decode_manifest(ByteView json) {
  EML_TRY(const Json document, parse_json(json, kManifestLimits));
  EML_TRY(const JsonObject* object, as_object(document));
  EML_TRY(const std::string_view schema, json_text(*object, "schema"));
  if (schema != "eml-manifest/1") return fail(kManifestSchema, "not an eml-manifest/1");
  EML_CHECK(expect_members(*object, {"model", "package", "schema", "signatures"}));
  Manifest manifest;
  EML_TRY(const JsonObject* model, json_object(*object, "model"));
  EML_CHECK(decode_model(*model, manifest));
  EML_TRY(const JsonObject* package, json_object(*object, "package"));
  EML_CHECK(decode_package(*package, manifest));
  EML_TRY(const JsonArray* signatures, json_array(*object, "signatures"));
  EML_CHECK(decode_signatures(*signatures, manifest));
  return manifest;
}

}  // namespace eml

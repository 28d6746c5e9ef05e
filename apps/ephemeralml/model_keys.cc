#include "apps/ephemeralml/model_keys.h"

#include <algorithm>

#include "apps/ephemeralml/command.h"
#include "base/clock.h"
#include "base/files.h"
#include "crypto/key_file.h"
#include "package/dek.h"

namespace eml::cli {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

std::optional<Ed25519PublicKey> key_of_hex(std::string_view text) {
  const auto bytes = from_hex(text);
  return bytes ? to_array<32>(*bytes) : std::nullopt;
}

std::optional<SecretBytes> dek_of(ByteView bytes) {
  if (bytes.size() == kDekSize) return copy_to_secret(bytes);
  auto decoded = from_hex(trimmed(as_text(bytes)));
  if (!decoded) return std::nullopt;
  std::optional<SecretBytes> out;
  if (decoded->size() == kDekSize) out = copy_to_secret(*decoded);
  wipe(*decoded);
  return out;
}

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  if (out.size() < width) out.resize(width, ' ');
  return out;
}

}  // namespace

Result<Ed25519Key> read_publisher_key(const std::string& path) {
  EML_TRY(Bytes text, read_file(path, kKeyFileMax));
  EML_TRY(PrivateKeyFile file, decode_private_key_file(text, KeyPurpose::kPublisher));
  return std::move(file.key);
}

Result<Ed25519PublicKey> public_key_of(const std::string& text_or_path) {
  if (const auto key = key_of_hex(text_or_path)) return *key;
  EML_TRY(const Bytes file, read_file(text_or_path, kKeyFileMax));
  if (const auto key = to_array<32>(file)) return *key;
  if (const auto key = key_of_hex(trimmed(as_text(file)))) return *key;
  return decode_public_key_file(file, KeyPurpose::kPublisher);
}

Result<SecretBytes> read_dek(const std::string& path) {
  EML_TRY(Bytes bytes, read_file(path, kKeyFileMax));
  auto dek = dek_of(bytes);
  wipe(bytes);
  if (!dek) return fail(kKeyTextMalformed, "a DEK is 32 bytes, or 64 hex digits");
  return std::move(*dek);
}

PackageRequest package_request(std::string id, std::string version, std::uint64_t serial, std::string key_id,
                               const std::vector<Ed25519Key>& keys) {
  PackageRequest request{.model_id = std::move(id),
                         .version = std::move(version),
                         .serial = serial,
                         .key_id = std::move(key_id),
                         .created = system_clock().now(),
                         .publishers = {}};
  for (const Ed25519Key& key : keys) request.publishers.push_back(&key);
  return request;
}

JsonObject manifest_json(const Manifest& manifest) {
  JsonArray files;
  for (const ModelFile& file : manifest.files) {
    files.push_back(JsonObject{{"path", file.path},
                               {"role", to_string(file.role)},
                               {"size", file.size},
                               {"sha256", hex(file.sha256)},
                               {"encrypted", manifest.is_encrypted(file.path)}});
  }
  JsonArray publishers;
  for (const ManifestSignature& signature : manifest.signatures) publishers.emplace_back(hex(signature.key));
  return {{"model_id", manifest.model_id}, {"version", manifest.version},
          {"serial", manifest.serial},     {"model_hash", hex(model_hash(manifest))},
          {"key_id", manifest.key_id},     {"package_id", hex(manifest.package_id)},
          {"created", manifest.created},   {"publishers", std::move(publishers)},
          {"files", std::move(files)}};
}

void print_manifest(const Manifest& manifest) {
  say("model       " + manifest.model_id + " " + manifest.version + ", serial " + std::to_string(manifest.serial));
  say("model hash  " + hex(model_hash(manifest)));
  for (const ManifestSignature& signature : manifest.signatures) say("publisher   " + hex(signature.key));
  say("key id      " + manifest.key_id);
  say("package     " + hex(manifest.package_id) + ", made " + manifest.created);
  std::size_t width = 0;
  for (const ModelFile& file : manifest.files) width = std::max(width, file.path.size());
  for (const ModelFile& file : manifest.files) {
    std::string line = "file        " + padded(file.path, width) + "  " + padded(to_string(file.role), 9) + "  ";
    line += padded(manifest.is_encrypted(file.path) ? "encrypted" : "clear", 9) + "  " + std::to_string(file.size);
    say(line + " bytes");
  }
}

}  // namespace eml::cli

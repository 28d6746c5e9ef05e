#include "package/import.h"

#include <algorithm>
#include <utility>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "encoding/json.h"
#include "package/dek.h"

namespace eml {

namespace {

constexpr std::size_t kTextMax = 512;
constexpr JsonLimits kOldLimits{.bytes_max = kManifestBytesMax, .depth_max = 8};

// The old form writes bytes as arrays of integers.
template <std::size_t n>
Result<ByteArray<n>> byte_array_of(const Json& value) {
  if (!value.is_array() || value.get_array().size() != n) {
    return fail(kImportMalformed, "not an array of that many bytes (wanted)", n);
  }
  ByteArray<n> out{};
  for (std::size_t i = 0; i < n; ++i) {
    const Json& item = value.get_array()[i];
    if (!item.is_int64() || item.get_int64() < 0 || item.get_int64() > 255) {
      return fail(kImportMalformed, "an element of an array of bytes is none (place)", i);
    }
    out[i] = static_cast<std::uint8_t>(item.get_int64());
  }
  return out;
}

template <std::size_t n>
Result<ByteArray<n>> required_bytes(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr) return fail(kJsonMissingMember, "the old manifest lacks a member");
  return byte_array_of<n>(*value);
}

Result<std::optional<Hash32>> optional_hash(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr) return std::nullopt;
  EML_TRY(const Hash32 hash, byte_array_of<32>(*value));
  return hash;
}

Result<std::string> required_text(const JsonObject& object, std::string_view member) {
  EML_TRY(const std::string_view text, json_text(object, member));
  if (text.empty() || text.size() > kTextMax) return fail(kImportMalformed, "a text is empty or too long", text.size());
  return std::string(text);
}

Status check_old_members(const JsonObject& object) {
  EML_CHECK(expect_members(object, {"config_hash", "created_at", "gcs_uris", "hash_algorithm", "key_id", "model_hash",
                                    "model_id", "signature", "tokenizer_hash", "version"}));
  EML_TRY(const std::string_view algorithm, json_text(object, "hash_algorithm"));
  if (algorithm != "sha256") return fail(kImportMalformed, "another hash algorithm than sha256");
  if (const Json* uris = object.if_contains("gcs_uris")) {
    const bool texts = uris->is_object() && std::ranges::all_of(uris->get_object(), [](const auto& member) {
                         return member.value().is_string();
                       });
    if (!texts) return fail(kImportMalformed, "gcs_uris is not a map of texts");
  }
  return {};
}

// An optional member that is null was absent when the old system signed.
JsonObject without_nulls(const JsonObject& object) {
  JsonObject out;
  for (const auto& member : object) {
    if (!member.value().is_null()) out[member.key()] = member.value();
  }
  return out;
}

// The 32 bytes, in memory that is wiped; the person has said that they are the key.
Result<SecretBytes> choose_dek(const OldPackage& old, const ImportOptions& options) {
  if (options.dek) {
    if (options.dek->size() != kDekSize) return fail(kImportMalformed, "a DEK has 32 bytes", options.dek->size());
    return SecretBytes();  // the caller's own is used
  }
  if (old.wrapped_dek.size() != kDekSize) {
    return fail(kImportNeedsDek, "only its cloud can open this wrapped DEK (bytes)", old.wrapped_dek.size());
  }
  if (!options.wrapped_dek_is_clear) {
    return fail(kImportClearDek, "wrapped_dek.bin seems to be a DEK in clear: say that it is, or give the DEK");
  }
  return copy_to_secret(old.wrapped_dek);
}

Result<Bytes> decrypt_weights(ByteView file, const SecretBytes& dek) {
  if (file.size() < kAeadNonceSize + kAeadTagSize)
    return fail(kImportMalformed, "the weights are shorter than nonce and tag");
  const auto nonce = *to_array<kAeadNonceSize>(file.first(kAeadNonceSize));
  const ByteView sealed = file.subspan(kAeadNonceSize);
  Bytes plaintext(sealed.size() - kAeadTagSize);
  AeadKey key(dek);
  if (!key.open(plaintext, nonce, {}, sealed)) return fail(kImportDecrypt, "the weights do not open under this DEK");
  return plaintext;
}

Status check_hash(const std::optional<Hash32>& wanted, ByteView bytes) {
  if (wanted && sha256(bytes) != *wanted) return fail(kImportFileHash, "a file is not the one of the old manifest");
  return {};
}

Result<Manifest> write_new(const OldPackage& old, const OldManifest& manifest, ByteView weights, PackageRequest request,
                           Random& random, PackageSink& sink) {
  if (request.model_id.empty()) request.model_id = manifest.model_id;
  if (request.version.empty()) request.version = manifest.version;
  return make_package(
      request,
      {{.path = "config.json", .role = FileRole::kConfig, .bytes = old.config, .encrypt = false},
       {.path = "model.safetensors", .role = FileRole::kWeights, .bytes = weights, .encrypt = true},
       {.path = "tokenizer.json", .role = FileRole::kTokenizer, .bytes = old.tokenizer, .encrypt = false}},
      random, sink);
}

}  // namespace

Result<OldManifest> decode_old_manifest(ByteView json) {
  EML_TRY(const Json document, parse_json(json, kOldLimits));
  if (!document.is_object()) return fail(kImportMalformed, "not an object");
  JsonObject object = without_nulls(document.get_object());
  EML_CHECK(check_old_members(object));
  OldManifest out;
  EML_TRY(out.model_id, required_text(object, "model_id"));
  EML_TRY(out.version, required_text(object, "version"));
  EML_TRY(out.key_id, required_text(object, "key_id"));
  EML_TRY(out.created_at, required_text(object, "created_at"));
  EML_CHECK(parse_rfc3339(out.created_at));
  EML_TRY(out.model_hash, required_bytes<32>(object, "model_hash"));
  EML_TRY(out.tokenizer_hash, optional_hash(object, "tokenizer_hash"));
  EML_TRY(out.config_hash, optional_hash(object, "config_hash"));
  EML_TRY(out.signature, required_bytes<64>(object, "signature"));
  object.erase("signature");
  out.signed_message = to_bytes(canonical_json(object));
  return out;
}

Result<ImportReport> import_package(const OldPackage& old, const ImportOptions& options, PackageRequest request,
                                    Random& random, PackageSink& sink) {
  ImportReport report;
  EML_TRY(report.old, decode_old_manifest(old.manifest));
  if (options.old_publisher) {
    if (!verify_ed25519(*options.old_publisher, report.old.signed_message, report.old.signature)) {
      return fail(kImportSignature, "the old manifest's signature does not verify under the given key");
    }
    report.signature_verified = true;
  }
  EML_CHECK(check_hash(report.old.config_hash, old.config));
  EML_CHECK(check_hash(report.old.tokenizer_hash, old.tokenizer));
  report.config_vouched = report.signature_verified && report.old.config_hash.has_value();
  report.tokenizer_vouched = report.signature_verified && report.old.tokenizer_hash.has_value();
  EML_TRY(const SecretBytes clear_dek, choose_dek(old, options));
  EML_TRY(Bytes weights, decrypt_weights(old.weights, options.dek ? *options.dek : clear_dek));
  auto manifest = sha256(weights) == report.old.model_hash
                      ? write_new(old, report.old, weights, std::move(request), random, sink)
                      : fail(kImportModelHash, "the weights are not those of the old manifest");
  wipe(weights);
  if (!manifest) return std::unexpected(manifest.error());
  report.manifest = *std::move(manifest);
  return report;
}

}  // namespace eml

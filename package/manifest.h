// Manifest says what a model package is: files, sizes, hashes, serial, signed by its publishers.
//
// Trust is in the type: a Manifest is well formed and nothing more; verify_manifest gives a SignedModel (genuine);
// accept_manifest gives a TrustedManifest (genuine and acceptable to this reader).
// Source: docs/spec/package.md, 2.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/signed_model.h"

namespace eml {

inline constexpr ErrorCode kManifestMalformed{ErrorClass::kMalformed, "manifest-malformed"};
inline constexpr ErrorCode kManifestSchema{ErrorClass::kUnsupported, "manifest-schema"};
inline constexpr ErrorCode kManifestBadPath{ErrorClass::kMalformed, "manifest-bad-path"};
inline constexpr ErrorCode kManifestUnsorted{ErrorClass::kMalformed, "manifest-unsorted"};
inline constexpr ErrorCode kManifestDuplicate{ErrorClass::kMalformed, "manifest-duplicate"};
inline constexpr ErrorCode kManifestSignature{ErrorClass::kUnauthentic, "manifest-signature"};
inline constexpr ErrorCode kManifestPublisher{ErrorClass::kRejected, "manifest-publisher"};
inline constexpr ErrorCode kManifestSerial{ErrorClass::kRejected, "manifest-serial"};

inline constexpr std::size_t kManifestBytesMax = 65536;
inline constexpr std::size_t kManifestFilesMax = 64;
inline constexpr std::size_t kManifestSignaturesMax = 8;
inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kWrappedDekName = "wrapped_dek.bin";

using PackageId = ByteArray<16>;

// FileRole is what the engine takes a file for. kConfig and kTokenizer occur once, kWeights at least once, the others
// at most once.
enum class FileRole : std::uint8_t { kConfig, kTokenizer, kWeights, kPooling, kSentence };
std::string_view to_string(FileRole role);  // "config", "tokenizer", "weights", "pooling", "sentence"
std::optional<FileRole> parse_file_role(std::string_view name);

struct ModelFile {
  std::string path;  // of the plaintext; in the package an encrypted file has `.enc` behind it
  FileRole role = FileRole::kConfig;
  std::uint64_t size = 0;  // of the plaintext, bytes
  Hash32 sha256{};         // of the plaintext
};

struct ManifestSignature {
  Ed25519PublicKey key{};
  Ed25519Signature signature{};
};

// Manifest is a decoded document: form checked, signatures not.
struct Manifest {
  std::string model_id;
  std::string version;
  std::uint64_t serial = 0;
  std::vector<ModelFile> files;  // sorted by path
  PackageId package_id{};
  std::string key_id;
  std::vector<std::string> encrypted;  // paths, sorted
  std::string created;                 // RFC 3339, UTC
  std::vector<ManifestSignature> signatures;

  bool is_encrypted(std::string_view path) const;
  // package_name is the name of a file in the package: `path`, or `path.enc`.
  std::string package_name(const ModelFile& file) const;
  // package_names are all the names that the package must have, manifest.json and wrapped_dek.bin included, sorted.
  std::vector<std::string> package_names() const;
};

// model_hash is H(JCS(model)): it names the model whatever package carries it. Precondition: a valid Manifest.
Hash32 model_hash(const Manifest& manifest);

// encode_manifest gives the canonical JSON, signatures included.
Bytes encode_manifest(const Manifest& manifest);

// sign_manifest makes the signatures of `keys`, in the order that the format wants, and drops those that were there.
// Fails with the error of decode_manifest if `manifest` breaks a rule, so that what is signed can be read.
Result<Manifest> sign_manifest(Manifest manifest, const std::vector<const Ed25519Key*>& keys);

// decode_manifest is step 1 of docs/spec/package.md, 2.
Result<Manifest> decode_manifest(ByteView json);

// verify_manifest is steps 1 and 2: every signature verified. It is a ManifestVerifier for check_bundle.
Result<SignedModel> verify_manifest(ByteView json);

// ManifestExpectation is what the reader brings: whom it trusts, and below which serial it does not go.
struct ManifestExpectation {
  std::vector<Ed25519PublicKey> publishers;
  std::map<std::string, std::uint64_t, std::less<>> minimum_serials;  // by model id; absent: 0
};

// TrustedManifest exists only after all four steps passed.
struct TrustedManifest {
  Manifest manifest;
  SignedModel model;
};
Result<TrustedManifest> accept_manifest(ByteView json, const ManifestExpectation& expectation);

}  // namespace eml

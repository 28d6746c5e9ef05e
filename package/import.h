// Import of the first system's package: read once, checked, and written as a package of ours. Never served as it is.
// Source: docs/spec/package.md, 6.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/ed25519.h"
#include "package/package.h"

namespace eml {

inline constexpr ErrorCode kImportMalformed{ErrorClass::kMalformed, "import-malformed"};
inline constexpr ErrorCode kImportSignature{ErrorClass::kUnauthentic, "import-signature"};
inline constexpr ErrorCode kImportClearDek{ErrorClass::kRejected, "import-clear-dek"};
inline constexpr ErrorCode kImportNeedsDek{ErrorClass::kUnavailable, "import-needs-dek"};
inline constexpr ErrorCode kImportDecrypt{ErrorClass::kUnauthentic, "import-decrypt"};
inline constexpr ErrorCode kImportModelHash{ErrorClass::kUnauthentic, "import-model-hash"};
inline constexpr ErrorCode kImportFileHash{ErrorClass::kUnauthentic, "import-file-hash"};

// OldPackage views the five files; they outlive the call.
struct OldPackage {
  ByteView manifest;     // manifest.json
  ByteView config;       // config.json
  ByteView tokenizer;    // tokenizer.json
  ByteView weights;      // model.safetensors.enc
  ByteView wrapped_dek;  // wrapped_dek.bin
};

// OldManifest is the decoded manifest.json of the first system.
struct OldManifest {
  std::string model_id;
  std::string version;
  Hash32 model_hash{};  // SHA-256 of the plaintext weights, and of nothing else
  std::string key_id;
  std::optional<Hash32> tokenizer_hash;
  std::optional<Hash32> config_hash;
  std::string created_at;
  Bytes signed_message;  // compact JSON, names sorted, without the signature
  Ed25519Signature signature{};
};

// decode_old_manifest: any other form is kImportMalformed, or a JSON error.
Result<OldManifest> decode_old_manifest(ByteView json);

struct ImportOptions {
  // The old publisher's key. Without it nobody vouches for anything, and the report says so.
  std::optional<Ed25519PublicKey> old_publisher;
  // The DEK as the old package's cloud unwrapped it.
  std::optional<SecretBytes> dek;
  // A wrapped_dek.bin of 32 bytes is a DEK in clear that a dry run left behind. Only a person may say that it is.
  bool wrapped_dek_is_clear = false;
};

// ImportReport says what was vouched for, for the person.
struct ImportReport {
  OldManifest old;
  Manifest manifest;  // of the new package
  bool signature_verified = false;
  bool config_vouched = false;  // a hash in a signed manifest
  bool tokenizer_vouched = false;
};

// import_package checks `old` and writes a new package. `request.model_id` and `request.version`, if empty, are the old
// manifest's. The plaintext is in memory once and is wiped. Nothing is written before everything was checked.
// kImportNeedsDek: a wrapped DEK that only its cloud can open, and none was given.
Result<ImportReport> import_package(const OldPackage& old, const ImportOptions& options, PackageRequest request,
                                    Random& random, PackageSink& sink);

}  // namespace eml

// What `model package`, `model import` and `model inspect` share: keys from the command line, and how a manifest is
// printed.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/ed25519.h"
#include "encoding/json.h"
#include "package/manifest.h"
#include "package/package.h"

namespace eml::cli {

inline constexpr ErrorCode kKeyTextMalformed{ErrorClass::kMalformed, "key-text-malformed"};

// read_publisher_key reads a private key file of purpose publisher.
Result<Ed25519Key> read_publisher_key(const std::string& path);

// public_key_of reads 64 hex digits, or else the file of that name: a public key file of purpose publisher, 64 hex
// digits, or the 32 bytes themselves.
Result<Ed25519PublicKey> public_key_of(const std::string& text_or_path);

// read_dek reads 32 bytes or 64 hex digits from a file; what was read is wiped.
Result<SecretBytes> read_dek(const std::string& path);

// package_request puts the pieces together; `keys` outlive it.
PackageRequest package_request(std::string id, std::string version, std::uint64_t serial, std::string key_id,
                               const std::vector<Ed25519Key>& keys);

// manifest_json has the model, its hash, the package, the publishers and the files. print_manifest says it in lines.
JsonObject manifest_json(const Manifest& manifest);
void print_manifest(const Manifest& manifest);

}  // namespace eml::cli

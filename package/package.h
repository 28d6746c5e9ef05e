// Package: making one, and opening one. No files here: what is read and written goes through the caller.
// Source: docs/spec/package.md, 5.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "package/encrypted_file.h"
#include "package/manifest.h"
#include "package/parallel_for.h"

namespace eml {

inline constexpr ErrorCode kPackageMissingMember{ErrorClass::kMalformed, "package-missing-member"};
inline constexpr ErrorCode kPackageUnknownMember{ErrorClass::kMalformed, "package-unknown-member"};
inline constexpr ErrorCode kPackageDuplicateMember{ErrorClass::kMalformed, "package-duplicate-member"};
inline constexpr ErrorCode kPackageFileSize{ErrorClass::kUnauthentic, "package-file-size"};
inline constexpr ErrorCode kPackageFileHash{ErrorClass::kUnauthentic, "package-file-hash"};

// --- Making ---

// PlainFile is one file of a model in clear; the view outlives the call.
struct PlainFile {
  std::string path;
  FileRole role = FileRole::kConfig;
  ByteView bytes;
  bool encrypt = false;
};

// default_role tells the role that a file of a model directory usually has by its name; nullopt: not part of a package.
//   config.json, tokenizer.json, *.safetensors, pooling.json (1_Pooling/config.json), sentence_bert_config.json
std::optional<FileRole> default_role(std::string_view path);

struct PackageRequest {
  std::string model_id;
  std::string version;
  std::uint64_t serial = 0;
  std::string key_id;  // x25519:...
  UnixSeconds created = 0;
  std::vector<const Ed25519Key*> publishers;  // not owned, at least one
};

// PackageSink receives the members, one after the other: begin, bytes in order, end. A caller that writes files makes a
// temporary one in begin and renames it in end. The manifest comes last, so that a package with one is whole.
class PackageSink {
 public:
  virtual ~PackageSink() = default;
  virtual Status begin(std::string_view name, std::uint64_t size) = 0;
  virtual Status write(ByteView bytes) = 0;
  virtual Status end() = 0;
};

// make_package encrypts, wraps, signs and writes a package. The DEK is made here, never leaves in clear and is wiped.
// Returns the signed manifest. Errors: the sink's; those of decode_manifest and wrap_dek for a request that breaks a
// rule.
Result<Manifest> make_package(const PackageRequest& request, std::vector<PlainFile> files, Random& random,
                              PackageSink& sink);

// --- Opening ---

// check_members is step 2: `names` are those found in the directory, in any order.
Status check_members(const Manifest& manifest, std::vector<std::string> names);

// verify_clear_file is step 3 for one file: kPackageFileSize, kPackageFileHash with the file's place in the manifest.
Status verify_clear_file(const Manifest& manifest, const ModelFile& file, ByteView bytes);

// context_of gives what the key of an encrypted file is bound to.
FileContext context_of(const Manifest& manifest, const ModelFile& file);

// PackageReader gives the members' bytes and the memory for the plaintexts, both by the caller's means.
class PackageReader {
 public:
  virtual ~PackageReader() = default;
  // clear views a whole file that is not encrypted, for as long as the reader lives.
  virtual Result<ByteView> clear(const ModelFile& file) = 0;
  // encrypted opens `name` (path and .enc); owned by the reader.
  virtual Result<const EncryptedSource*> encrypted(const ModelFile& file, std::string_view name) = 0;
  // target gives exactly file.size bytes, where the plaintext is to lie; owned by the reader.
  virtual Result<MutableByteView> target(const ModelFile& file) = 0;
};

struct LoadedFile {
  std::string path;
  FileRole role = FileRole::kConfig;
  ByteView bytes;  // of the reader: clear(), or target() after decryption
};

// LoadedModel exists only after every file of the manifest matched it: good to state its hash in evidence.
struct LoadedModel {
  SignedModel model;
  std::vector<LoadedFile> files;  // in the manifest's order
};

// load_package runs steps 3 and 5 on every file. Errors: those of the page; the reader's.
Result<LoadedModel> load_package(const TrustedManifest& trusted, PackageReader& reader, const SecretBytes& dek,
                                 const ParallelFor& parallel_for);

}  // namespace eml

#include "attester/local_attester.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "attestation/local/local.h"
#include "base/files.h"
#include "crypto/cose/sign1.h"
#include "crypto/hash.h"
#include "crypto/key_file.h"
#include "encoding/cbor.h"

namespace eml {
namespace {

constexpr std::uint64_t kProgramBytesMax = std::uint64_t{1} << 30;  // a sanitized build is 200 MB

bool others_may_read(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::perms permissions = fs::status(path, error).permissions();
  return !error && (permissions & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none;
}

Result<Ed25519Key> read_root(const std::string& path) {
  EML_TRY(Bytes text, read_file(path, kKeyFileMax));
  if (others_may_read(path)) {
    wipe(text);
    return fail(kLocalRootExposed, "the local root's key file is open to others than its owner: chmod 600");
  }
  EML_TRY(PrivateKeyFile file, decode_private_key_file(text, KeyPurpose::kLocalRoot));
  return std::move(file.key);
}

// Two servers may start at once on one state directory: the one that comes second reads what the first wrote.
Result<Ed25519Key> make_root(const std::string& path, Random& random, const Clock& clock) {
  const Ed25519Key key = Ed25519Key::generate(random);
  const auto text = encode_private_key_file(KeyPurpose::kLocalRoot, clock.now(), key);
  const Status written = write_file(path, text, WriteMode::kNewPrivate);
  if (!written && written.error().code() != kFileExists) return std::unexpected(written.error());
  return read_root(path);
}

Result<Ed25519Key> open_root(const std::string& directory, Random& random, const Clock& clock) {
  if (directory.empty()) return fail(kLocalStateDirectory, "evidence of kind local needs a state directory");
  const Status made = make_directory(directory, DirectoryMode::kPrivate);
  if (!made && made.error().code() == kFileExists) {
    return fail(kLocalStateDirectory, "the state directory of kind local is not a directory");
  }
  EML_CHECK(made);
  const std::string path = directory + "/" + std::string(kLocalRootFile);
  auto root = read_root(path);
  if (!root && root.error().code() == kFileNotFound) return make_root(path, random, clock);
  return root;
}

Result<Hash48> hash_program(const std::string& path) {
  EML_TRY(const MappedFile file, MappedFile::open(path, kProgramBytesMax));
  return sha384(file.bytes());
}

}  // namespace

Result<std::unique_ptr<LocalAttester>> LocalAttester::open(const LocalAttesterConfig& config, Random& random,
                                                           const Clock& clock) {
  EML_TRY(const Hash48 binary, hash_program(config.program_file));
  EML_TRY(Ed25519Key root, open_root(config.state_directory, random, clock));
  return std::unique_ptr<LocalAttester>(new LocalAttester(std::move(root), binary));
}

Result<MadeEvidence> LocalAttester::attest(const Binding& binding, ByteView binding_bytes) {
  EML_TRY(const Bytes digest, value_to_sign(kind(), binding, binding_bytes));
  CborWriter payload;
  payload.map(3);
  payload.uint(1).bytes(digest);
  payload.uint(2).bytes(binary_);
  payload.uint(3).bytes(root_.public_key());
  return MadeEvidence{.evidence = sign1(root_, local_evidence_header(), payload.view()), .endorsements = {}};
}

}  // namespace eml

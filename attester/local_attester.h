// LocalAttester makes evidence of kind `local`: software, for evaluation, worth what its root key's file is worth.
// Source: docs/spec/evidence.md, "Kind local".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "attester/attester.h"
#include "crypto/ed25519.h"

namespace eml {

inline constexpr ErrorCode kLocalRootExposed{ErrorClass::kRejected, "local-root-exposed"};
inline constexpr ErrorCode kLocalStateDirectory{ErrorClass::kMalformed, "local-state-directory"};

// kLocalBanner is printed wherever local evidence is made or accepted. It is loud on purpose.
inline constexpr std::string_view kLocalBanner =
    "*****************************************************************************\n"
    "*  EVALUATION ONLY: this evidence is software. No hardware protects memory  *\n"
    "*  here, and whoever runs this machine can read all that it processes.      *\n"
    "*****************************************************************************\n";

// kLocalRootFile is the root key's file below the state directory: mode 0600, format of crypto/key_file.h.
inline constexpr std::string_view kLocalRootFile = "local-root.key";

struct LocalAttesterConfig {
  std::string state_directory;                  // created (0700) if its parent exists
  std::string program_file = "/proc/self/exe";  // other only in tests; no configuration reaches it
};

class LocalAttester final : public Attester {
 public:
  // open reads the root key, or makes it on first use, and hashes the program's file once: the kernel keeps the running
  // file's bytes, so a later replacement does not matter.
  // Errors: kLocalStateDirectory if none is configured; kLocalRootExposed if others than the owner may read the key;
  // those of base/files.h and crypto/key_file.h.
  static Result<std::unique_ptr<LocalAttester>> open(const LocalAttesterConfig& config, Random& random,
                                                     const Clock& clock);

  EvidenceKind kind() const override { return EvidenceKind::kLocal; }
  Result<MadeEvidence> attest(const Binding& binding, ByteView binding_bytes) override;

  const Ed25519PublicKey& root() const { return root_.public_key(); }
  const Hash48& binary() const { return binary_; }  // SHA-384 of the program's file

 private:
  LocalAttester(Ed25519Key root, const Hash48& binary) : root_(std::move(root)), binary_(binary) {}
  Ed25519Key root_;
  Hash48 binary_;
};

}  // namespace eml

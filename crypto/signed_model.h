// SignedModel is what a model manifest states after its publisher signatures verified. `package` makes one,
// `attestation` needs one to check a bundle; they are of one layer and meet here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ed25519.h"

namespace eml {

struct SignedModel {
  std::string id;
  std::string version;
  std::uint64_t serial = 0;
  Hash32 model_hash{};
  std::string package_id;                    // hex, 32 characters
  std::vector<Ed25519PublicKey> publishers;  // every one of these signatures verified; at least one
};

// ManifestVerifier decodes a manifest and verifies all of its signatures. package/manifest.h has the one
// implementation (verify_manifest).
using ManifestVerifier = Result<SignedModel> (*)(ByteView manifest);

}  // namespace eml

// KeyTrust is who vouches for the key that signed a quote: section 4 of docs/spec/evidence/tpm.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "attestation/judge.h"
#include "attestation/steps.h"
#include "attestation/tpm/tpm.h"

namespace eml {

// AttestationKey is the signing key in the forms in which the collateral has it.
struct AttestationKey {
  PublicKey key;        // the first form there is, in the order of tpm.md's table
  bool one_key = true;  // all forms are of this key
  std::optional<TpmPublic> tpm_public;
  std::optional<Certificate> certificate;
};

// collateral_of is the piece with this name; nullopt if it is not there.
std::optional<ByteView> collateral_of(const EvidenceInput& input, std::string_view name);
// required_collateral: kTpmMissingCollateral.
Result<ByteView> required_collateral(const EvidenceInput& input, std::string_view name);

// decode_attestation_key is the key's part of step 1. kTpmMissingCollateral, kTpmAkParse.
Result<AttestationKey> decode_attestation_key(const EvidenceInput& input);

struct KeyTrust {
  std::string_view word = "given";  // "hardware", "certificate" or "given"
  std::string root;                 // hex of the root's SHA-256; empty for "given"
  bool debug = false;               // of the TEE, if there is one
  Bytes measurement;                // of the TEE's image, the paravisor in it; empty if there is no verified one
  std::string_view ek_root;         // "", "collateral" (its own) or "given" (the caller's)
  std::optional<JsonObject> azure_hcl;
};

// judge_key_trust is step 7: a line for each piece of collateral.
KeyTrust judge_key_trust(Steps& steps, const EvidenceInput& input, const AttestationKey* key);

}  // namespace eml

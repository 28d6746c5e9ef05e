// What a policy's author needs: sign it, draft an entry from evidence that was seen, ask which entry would decide.
// Source: docs/spec/policy.md.
#pragma once

#include <optional>
#include <string>

#include "attestation/bundle.h"
#include "attestation/policy.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

// policy_signing_input is L("eml policy v1") || JCS(all members but signatures).
Bytes policy_signing_input(const JsonObject& policy);

// sign_policy returns `policy` as indented JSON with one more signature by `key`; an older one by the same key is
// replaced. It must be a policy that loads: kPolicyMalformed or kPolicyImpossible otherwise.
Result<std::string> sign_policy(const Json& policy, const Ed25519Key& key);

// DraftOptions is what evidence cannot say. Where it is not given, the draft carries an Ignore with a reason that asks
// the person to think.
struct DraftOptions {
  std::string name;         // of the entry, [a-z0-9._-]
  std::string approved_by;  // who signs
  std::optional<UnixSeconds> not_before;
  std::optional<UnixSeconds> not_after;
  // accept_evaluation writes the consent that entries of kinds local and tpm need. Without it the draft says Ignore
  // there, and does not load until a person has edited it.
  bool accept_evaluation = false;
  // For kinds with a vendor: when, and under which root, the evidence is to be verified before its values are taken.
  UnixSeconds time = 0;
  std::optional<Bytes> given_root;
};

// draft_entry_from_bundle drafts an entry that accepts exactly what `bundle` claims. That the claims are what he built
// is for a person to compare, who then signs the draft. Evidence of a vendor's hardware must be genuine (kind local has
// no vendor: NOTHING of it is verified). Errors: those of decode_bundle, decode_binding, decode_configuration and of
// the kind's verifier.
Result<Json> draft_entry_from_bundle(ByteView bundle, const DraftOptions& options);

// draft_policy wraps entries into an unsigned policy without fresh evidence.
Json draft_policy(std::string_view name, std::uint64_t serial, JsonArray entries);

// Explanation is the answer of `policy test`: the bundle's checks, and one line for each entry (detail "name: field").
struct Explanation {
  std::optional<std::string> rule;  // the entry that accepts
  Checks bundle;
  Checks entries;  // empty if the bundle failed before it came to the policy
};
Explanation explain_policy(ByteView bundle, const BundleExpectation& expectation);

}  // namespace eml

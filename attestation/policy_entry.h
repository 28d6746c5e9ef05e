// PolicyEntry is one whole tuple of a policy: all that must hold together for one deployment. Entries never multiply.
// Source: docs/spec/policy.md, "Entry".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/kind.h"
#include "attestation/policy.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

// Requirement is one field: Require(value), or Ignore with the reason that a person gave. There is no third state and
// no default.
template <typename T>
struct Requirement {
  std::optional<T> required;
  std::string ignored_because;  // not empty exactly if nothing is required
};

// TcbFloor: the status is one of these, and each named component is at least its minimum.
struct TcbFloor {
  std::vector<std::string> statuses;
  std::map<std::string, std::uint64_t, std::less<>> minimum;
};

// ModelRule: every bound model is one of `hashes`; or its id is in `serials` with at least that serial. One of the two.
struct ModelRule {
  std::vector<Hash32> hashes;
  std::map<std::string, std::uint64_t, std::less<>> serials;
};

struct PolicyEntry {
  std::string name;  // [a-z0-9._-], unique in the policy
  EvidenceKind kind = EvidenceKind::kLocal;
  // for_evaluation: the entry carries the consent to evaluation, and so accepts nothing for production.
  bool for_evaluation = false;
  // roots are the policy's own: keys of kind local, SHA-256 of root certificates of a hardware kind (then the entry is
  // for evaluation). Empty: the vendor's roots, which are built in.
  std::vector<ByteArray<32>> roots;
  std::map<std::string, Requirement<Bytes>, std::less<>> measurements;  // exactly the names that the kind gives
  Requirement<Hash32> configuration;
  Requirement<std::string> platform_identity;
  Requirement<Ed25519PublicKey> operator_key;
  Requirement<TcbFloor> tcb_floor;
  // requirements are the kind's own, each of its profile's names; `required_json` is the object of those required.
  std::map<std::string, Requirement<Json>, std::less<>> requirements;
  Json required_json;
  Requirement<Ed25519PublicKey> publisher;
  Requirement<ModelRule> model;
  Requirement<UnixSeconds> not_before;
  Requirement<UnixSeconds> not_after;
  std::string approved_by;
};

// is_evaluation_kind: kinds that no vendor's hardware root stands behind. Their entries carry the explicit consent
// "evaluation": {"require": "acceptable"}, and other entries must not.
bool is_evaluation_kind(EvidenceKind kind);

// decode_policy_entry: kPolicyMalformed for the form (with `index` as the error's integer), kPolicyImpossible if the
// entry requires what its kind cannot give or withholds the consent without which it could accept nothing.
Result<PolicyEntry> decode_policy_entry(const Json& json, std::uint64_t index);

// EvidenceView is what an entry is held against.
struct EvidenceView {
  const VerifiedEvidence& evidence;
  const Binding& binding;
  std::string_view operator_key_hex;
  const std::vector<SignedModel>& models;
  UnixSeconds time;
};

// refusing_field returns the first field of `entry` that the evidence does not satisfy, in the order of
// docs/spec/policy.md, "Decision"; nullopt if all hold.
std::optional<std::string_view> refusing_field(const PolicyEntry& entry, const EvidenceView& view);

// entry_claims says what is known once `entry` has accepted: a line for each field, not checked where it was ignored.
Checks entry_claims(const PolicyEntry& entry, const VerifiedEvidence& evidence);

}  // namespace eml

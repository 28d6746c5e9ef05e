// EvidenceKind names the hardware (or lack of it) behind a piece of evidence; KindProfile says what that kind can give,
// so that a policy which requires more is refused when it is loaded.
// Source: docs/spec/policy.md, "What a kind can give".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "attestation/binding.h"
#include "base/bytes.h"
#include "encoding/json.h"

namespace eml {

enum class EvidenceKind : std::uint8_t { kLocal, kTdx, kSevSnp, kNitro, kConfidentialSpace, kTpm };
std::string_view to_string(EvidenceKind kind);  // "local", "tdx", "sevsnp", "nitro", "confidential_space", "tpm"
std::optional<EvidenceKind> parse_evidence_kind(std::string_view name);

// Measurements are the named digests of one piece of evidence: local {"binary": 48 bytes}.
using Measurements = std::map<std::string, Bytes, std::less<>>;

// VerifiedEvidence is what a kind's verifier hands to the appraisal: genuine, not yet acceptable.
struct VerifiedEvidence {
  EvidenceKind kind = EvidenceKind::kLocal;
  Bytes signed_value;  // what the TEE signed for us: D, or H(receipt key) || D
  Measurements measurements;
  std::string platform_identity;  // PPID, chip id, project; empty if the kind has none
  std::string root;               // which root it chains to: hex of its SHA-256 or key
  bool debug = false;
  std::string tcb_status;                                 // "UpToDate"; empty if the kind has none
  std::map<std::string, std::uint64_t, std::less<>> tcb;  // named components; empty if the kind has none
  // binds holds the evidence to what else it must carry of a binding, beside the signed value (the audience of a token,
  // the key and the nonce of a Nitro document). Empty if there is nothing.
  std::function<Status(const Binding& binding)> binds;
  // meets decides the kind's own requirements, a closed JSON object of what is required (docs/spec/evidence/KIND.md,
  // "Requirements"): the first that the evidence does not meet is the error. Empty if the kind has none.
  std::function<Status(const Json& requirements)> meets;
};

// MeasurementName is one digest that a kind gives, with its size in bytes.
struct MeasurementName {
  std::string_view name;
  std::size_t size;
};

struct KindProfile {
  std::span<const MeasurementName> measurements;
  bool gives_platform_identity;
  std::span<const std::string_view> tcb_statuses;    // statuses that a floor may accept; empty: the kind has none
  std::span<const std::string_view> tcb_components;  // components that a floor may bound; empty: the kind has none
  std::span<const std::string_view> requirements;    // the kind's own, which an entry must require or ignore
  std::span<const std::string_view> vendor_roots;    // SHA-256 of the pinned certificates, hex; empty: never production
};
const KindProfile& kind_profile(EvidenceKind kind);

// expected_signed_value is what evidence of `kind` must have signed for these binding bytes.
// Source: docs/spec/evidence.md, "Signed value".
Bytes expected_signed_value(EvidenceKind kind, const Binding& binding, ByteView binding_bytes);

// above_production_floor is the built-in floor that no policy lowers: a kind with a vendor's hardware root, evidence
// that chains to exactly that root, no debug mode. `local` and `tpm` never are.
bool above_production_floor(const VerifiedEvidence& evidence);

}  // namespace eml

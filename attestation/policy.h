// Policy says which evidence is acceptable: signed JSON, closed, every field Require or Ignore with a reason.
// Source: docs/spec/policy.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/binding.h"
#include "base/check.h"
#include "crypto/signed_model.h"

namespace eml {

inline constexpr ErrorCode kPolicyMalformed{ErrorClass::kMalformed, "policy-malformed"};
inline constexpr ErrorCode kPolicyUnsigned{ErrorClass::kUnauthentic, "policy-unsigned"};
inline constexpr ErrorCode kPolicySerial{ErrorClass::kRejected, "policy-serial"};
inline constexpr ErrorCode kPolicyNoEntry{ErrorClass::kRejected, "policy-no-entry"};
inline constexpr ErrorCode kPolicyImpossible{ErrorClass::kMalformed, "policy-impossible"};

enum class EvidenceKind : std::uint8_t { kLocal, kTdx, kSevSnp, kNitro, kConfidentialSpace, kTpm };
std::string_view to_string(EvidenceKind kind);  // "local", "tdx", "sevsnp", "nitro", "confidential_space", "tpm"
std::optional<EvidenceKind> parse_evidence_kind(std::string_view name);

// Measurements are the named digests of one piece of evidence: local {"binary": 48 bytes}.
using Measurements = std::map<std::string, Bytes, std::less<>>;

// VerifiedEvidence is what a kind's verifier hands to the appraisal: genuine, not yet acceptable.
struct VerifiedEvidence {
  EvidenceKind kind = EvidenceKind::kLocal;
  Bytes signed_value;          // what the TEE signed for us: D, or H(receipt key) || D
  Measurements measurements;
  std::string platform_identity;  // PPID, chip id, project; empty if the kind has none
  std::string root;            // which root it chains to: hex of its SHA-256 or key
  bool debug = false;
};

// Policy is a decoded, closed document. Which entries exist and how they decide: policy.cc and docs/spec/policy.md.
class Policy {
 public:
  // decode checks the form only. decode_signed also demands a signature by `owner` and a serial >= minimum_serial.
  static Result<Policy> decode(ByteView json);
  static Result<Policy> decode_signed(ByteView json, const Ed25519PublicKey& owner, std::uint64_t minimum_serial);

  std::uint64_t serial() const;
  Hash32 hash() const;  // H of the bytes that were decoded
  // local_roots are the roots that entries of kind local pin (software keys: evaluation only).
  const std::vector<Ed25519PublicKey>& local_roots() const;
  // publishers that any entry requires; for the manifest's link in a dossier.
  bool accepts_evaluation() const;  // true if an entry of kind local says that evaluation is acceptable
  bool requires_fresh() const;      // no prompt before fresh evidence (channel.md, 2.6)

  struct Decision {
    std::string rule;    // name of the entry that accepts
    bool evaluation = true;
    Checks claims;
  };
  // appraise finds the first entry that the evidence satisfies wholly. kPolicyNoEntry otherwise; `checks`, if
  // given, gets a line per entry with the field that refused it.
  Result<Decision> appraise(const VerifiedEvidence& evidence, const Binding& binding, std::string_view operator_key_hex,
                            const std::vector<SignedModel>& models, UnixSeconds time, Checks* checks = nullptr) const;

 private:
  friend struct PolicyParser;
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace eml

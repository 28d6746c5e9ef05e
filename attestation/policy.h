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
#include "attestation/kind.h"
#include "base/check.h"
#include "crypto/signed_model.h"

namespace eml {

inline constexpr ErrorCode kPolicyMalformed{ErrorClass::kMalformed, "policy-malformed"};
inline constexpr ErrorCode kPolicyUnsigned{ErrorClass::kUnauthentic, "policy-unsigned"};
inline constexpr ErrorCode kPolicySerial{ErrorClass::kRejected, "policy-serial"};
inline constexpr ErrorCode kPolicyNoEntry{ErrorClass::kRejected, "policy-no-entry"};
inline constexpr ErrorCode kPolicyImpossible{ErrorClass::kMalformed, "policy-impossible"};

inline constexpr std::size_t kPolicyBytesMax = 512 * 1024;  // 256 entries of 2 KiB

// Policy is a decoded, closed document. Which entries exist and how they decide: policy.cc and docs/spec/policy.md.
class Policy {
 public:
  // decode checks the form only. decode_signed also demands a signature by `owner` and a serial >= minimum_serial.
  static Result<Policy> decode(ByteView json);
  static Result<Policy> decode_signed(ByteView json, const Ed25519PublicKey& owner, std::uint64_t minimum_serial);

  std::string_view name() const;
  std::uint64_t serial() const;
  Hash32 hash() const;  // H of the bytes that were decoded
  // local_roots are the roots that entries of kind local pin (software keys: evaluation only).
  const std::vector<Ed25519PublicKey>& local_roots() const;
  bool accepts_evaluation() const;  // true if an entry of kind local (or tpm) says that evaluation is acceptable
  bool requires_fresh() const;      // no prompt before fresh evidence (channel.md, 2.6)

  struct Decision {
    std::string rule;  // name of the entry that accepts
    bool evaluation = true;
    Checks claims;
  };
  // appraise finds the first entry that the evidence satisfies wholly. kPolicyNoEntry otherwise; `checks`, if
  // given, gets a line per entry with the field that refused it (detail "name: field"). Those lines are kFailed only if
  // no entry accepts; beside an accepting one they are kNotChecked.
  Result<Decision> appraise(const VerifiedEvidence& evidence, const Binding& binding, std::string_view operator_key_hex,
                            const std::vector<SignedModel>& models, UnixSeconds time, Checks* checks = nullptr) const;

 private:
  friend struct PolicyParser;
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace eml

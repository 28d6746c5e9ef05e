// Attester makes evidence on this machine. Judging it is attestation's business, in no file both.
//
// attest is the only function of the program that asks for evidence, and it takes a Binding: nothing else is ever
// signed by the platform for us. Source: docs/spec/evidence.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/binding.h"
#include "attestation/bundle.h"
#include "attestation/kind.h"
#include "base/clock.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kAttesterKindUnknown{ErrorClass::kMalformed, "attester-kind-unknown"};
inline constexpr ErrorCode kAttesterKindUnsupported{ErrorClass::kUnsupported, "attester-kind-unsupported"};
inline constexpr ErrorCode kAttesterNotHere{ErrorClass::kUnavailable, "attester-not-here"};
inline constexpr ErrorCode kAttesterAmbiguous{ErrorClass::kUnavailable, "attester-ambiguous"};
inline constexpr ErrorCode kAttesterDevice{ErrorClass::kUnavailable, "attester-device-failed"};
inline constexpr ErrorCode kAttesterBusy{ErrorClass::kUnavailable, "attester-busy"};
inline constexpr ErrorCode kAttesterAnswer{ErrorClass::kMalformed, "attester-answer-malformed"};
inline constexpr ErrorCode kAttesterAnswerTooLarge{ErrorClass::kLimit, "attester-answer-too-large"};
inline constexpr ErrorCode kAttesterClock{ErrorClass::kUnavailable, "attester-clock"};

// MadeEvidence is what a platform signed, as it gave it, and what it had at hand to judge it by: bundle members 2
// and 4.
struct MadeEvidence {
  Bytes evidence;
  std::vector<Endorsement> endorsements;
};

class Attester {
 public:
  virtual ~Attester() = default;
  virtual EvidenceKind kind() const = 0;
  // attest returns evidence over expected_signed_value(kind(), binding, binding_bytes). `binding_bytes` must be
  // encode_binding(binding), the bytes that the bundle will carry: kInternalError otherwise. May block for seconds
  // where the platform is slow. Thread-safe.
  virtual Result<MadeEvidence> attest(const Binding& binding, ByteView binding_bytes) = 0;
};

// value_to_sign is expected_signed_value after the check that `binding_bytes` are the binding's: every attest begins
// with it.
Result<Bytes> value_to_sign(EvidenceKind kind, const Binding& binding, ByteView binding_bytes);

// kAttesterAuto as a kind takes the one TEE that this machine has.
inline constexpr std::string_view kAttesterAuto = "auto";

struct AttesterConfig {
  std::string kind;             // a kind's name or "auto"; as configured, never guessed
  std::string state_directory;  // kind local: where its root key lives
};

// make_attester opens the configured kind, or with "auto" the only platform that is found. Auto is never `local`: that
// must be asked for by name. A device that is there and fails counts as found, so its error is seen.
// Errors: kAttesterKindUnknown for no kind's name; kAttesterKindUnsupported for a kind that this program cannot make
// yet; kAttesterNotHere if the platform is not here, or with "auto" none is; kAttesterAmbiguous if there are several;
// else the errors of that kind's attester.
Result<std::unique_ptr<Attester>> make_attester(const AttesterConfig& config, Random& random, const Clock& clock);

}  // namespace eml

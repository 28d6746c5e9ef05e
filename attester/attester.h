// Attester makes evidence on this machine. Judging it is attestation's business, in no file both.
//
// attest is the only function of the program that asks for evidence, and it takes a Binding: nothing else is ever
// signed by the platform for us. Source: docs/spec/evidence.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "attestation/binding.h"
#include "attestation/kind.h"
#include "base/clock.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kAttesterKindUnknown{ErrorClass::kMalformed, "attester-kind-unknown"};
inline constexpr ErrorCode kAttesterKindUnsupported{ErrorClass::kUnsupported, "attester-kind-unsupported"};

class Attester {
 public:
  virtual ~Attester() = default;
  virtual EvidenceKind kind() const = 0;
  // attest returns evidence over expected_signed_value(kind(), binding, binding_bytes). `binding_bytes` must be
  // encode_binding(binding), the bytes that the bundle will carry: kInternalError otherwise. May block for seconds
  // where the platform is slow. Thread-safe.
  virtual Result<Bytes> attest(const Binding& binding, ByteView binding_bytes) = 0;
};

struct AttesterConfig {
  std::string kind;             // "local"; as configured, never guessed
  std::string state_directory;  // kind local: where its root key lives
};

// make_attester opens the configured kind. kAttesterKindUnknown for no kind's name, kAttesterKindUnsupported for a kind
// that this program cannot make yet; else the errors of that kind's open.
Result<std::unique_ptr<Attester>> make_attester(const AttesterConfig& config, Random& random, const Clock& clock);

}  // namespace eml

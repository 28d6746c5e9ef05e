// EvidenceRequest is what the C ABI is asked (abi/ephemeralml_evidence.h has the form), decoded.
#pragma once

#include <optional>
#include <string>

#include "attestation/judge.h"
#include "attestation/kinds.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

inline constexpr ErrorCode kRequestMalformed{ErrorClass::kMalformed, "request-malformed"};
inline constexpr ErrorCode kRequestUnknownKind{ErrorClass::kUnsupported, "request-unknown-kind"};

// A request of base64 of the largest genuine evidence and collateral is below 2 MiB (a RIM of 300 KiB each for driver
// and VBIOS, an event log of 200 KiB).
inline constexpr std::size_t kRequestBytesMax = std::size_t{32} << 20;

class EvidenceRequest {
 public:
  // decode reads a request. Errors: those of parse_json; kRequestMalformed if a member is missing, unknown or not what
  // it should be, or if the policy names already what `nonce` would; kRequestUnknownKind; kTimeMalformed.
  static Result<EvidenceRequest> decode(ByteView json);

  // judge asks the kind's verifier, and verdict_json writes what it said.
  EvidenceVerdict judge() const;
  JsonObject verdict_json(const EvidenceVerdict& verdict) const;

 private:
  Status read_kind(const JsonObject& object);
  Status read_collateral(const JsonObject& object);
  Status read_policy(const JsonObject& object);
  Status read_nonce(const JsonObject& object);

  const KindVerifier* kind_ = nullptr;
  Bytes evidence_;
  Collateral collateral_;
  UnixSeconds time_ = 0;
  std::optional<Json> requirements_;
  std::optional<Bytes> root_;
};

// answer_request decodes, judges and writes the answer; its status is the process's for the same.
struct EvidenceAnswer {
  std::string json;
  int status = 0;
};
EvidenceAnswer answer_request(ByteView json);

}  // namespace eml

// kind_verifier: what the code that is common to all kinds needs of each. The one place that knows them all.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "attestation/judge.h"
#include "attestation/kind.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

struct KindVerifier {
  std::string_view name;  // "tdx", ..., "nvidia"
  EvidenceVerdict (*judge)(const EvidenceInput&);
  std::string_view nonce_requirement;  // the requirement that names what the evidence must have signed
  // check_requirements refuses an object that judge would not take as requirements.
  Status (*check_requirements)(const Json& requirements);
  // The names under which collateral is known; a bundle's endorsements have no other.
  std::span<const std::string_view> collateral;
};

// kind_verifiers are all that judge_* has, NVIDIA's devices among them; not `local`, which has no vendor.
std::span<const KindVerifier> kind_verifiers();
const KindVerifier* kind_verifier(std::string_view name);

// error_class_of is the class in a code's name: "jws_signature" of "confidential-space-jws-signature". A code that is
// not the kind's is returned whole, so that it stands out.
std::string error_class_of(std::string_view kind, const Error& error);

// check_requirements is the kind's own; kinds without a verifier have no requirements.
Status check_requirements(EvidenceKind kind, const Json& requirements);

}  // namespace eml

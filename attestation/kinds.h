// kind_verifier: what the code that is common to all kinds needs of each. The one place that knows them all.
#pragma once

#include <span>
#include <string_view>

#include "attestation/judge.h"
#include "attestation/kind.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

struct KindVerifier {
  std::string_view name;  // "tdx", ..., "nvidia"
  EvidenceVerdict (*judge)(const EvidenceInput&);
  // check_requirements refuses an object that judge would not take as requirements.
  Status (*check_requirements)(const Json& requirements);
  // The names under which collateral is known; a bundle's endorsements have no other.
  std::span<const std::string_view> collateral;
};

// kind_verifiers are all that judge_* has, NVIDIA's devices among them; not `local`, which has no vendor.
std::span<const KindVerifier> kind_verifiers();
const KindVerifier* kind_verifier(std::string_view name);

// check_requirements is the kind's own; kinds without a verifier have no requirements.
Status check_requirements(EvidenceKind kind, const Json& requirements);

}  // namespace eml

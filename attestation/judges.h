// The table of kinds that judge offline, by name. It is the one place that a new kind is added to.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "attestation/judge.h"

namespace eml {

struct KindJudge {
  std::string_view kind;
  EvidenceVerdict (*judge)(const EvidenceInput& input);
  std::string_view nonce_requirement;  // the requirement that names what the evidence must have signed
};

std::span<const KindJudge> kind_judges();
// find_judge returns nullptr for a kind that is not in the table.
const KindJudge* find_judge(std::string_view kind);

// error_class_of is the class in a code's name: "jws_signature" of "confidential-space-jws-signature", for whoever
// compares it with the corpus. A code of another kind's name is returned whole, so that it stands out.
std::string error_class_of(std::string_view kind, const Error& error);

}  // namespace eml

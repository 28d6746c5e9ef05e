// verdict_json is the one written form of a verdict: what `evidence verify --json` prints and the C ABI answers.
#pragma once

#include <string_view>

#include "attestation/judge.h"
#include "base/clock.h"
#include "encoding/json.h"

namespace eml {

// verdict_text is "valid", "invalid", or "verified under a root that you gave", which is never called valid.
std::string_view verdict_text(const EvidenceVerdict& verdict);

// verdict_json has kind, time, verdict, root_given, error (the class of docs/spec/evidence/KIND.md, or null), message,
// tcb_status, advisories, evidence (only if it is genuine), fields, details and checks. What refused evidence says of
// itself stands under "unverified_fields" instead of "fields".
JsonObject verdict_json(std::string_view kind, UnixSeconds time, const EvidenceVerdict& verdict);

}  // namespace eml

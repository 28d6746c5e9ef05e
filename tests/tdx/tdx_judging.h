// What the tests of this folder share: judging a plan, and the name of what came out.
#pragma once

#include <string>

#include "attestation/tdx/tdx.h"
#include "tests/support/dcap.h"

namespace eml::test::dcap {

inline EvidenceVerdict judge_made(const Made& made, UnixSeconds at = time(), const Json* requirements = nullptr) {
  return judge_tdx(EvidenceInput{.evidence = made.quote,
                                 .collateral = &made.collateral,
                                 .time = at,
                                 .requirements = requirements,
                                 .root = made.root});
}

// outcome is "ok" or the error's name without "tdx-".
inline std::string outcome(const EvidenceVerdict& verdict) {
  if (!verdict.error) return "ok";
  return std::string(verdict.error->code().name.substr(4));
}

inline std::string judge_plan(const Plan& plan) { return outcome(judge_made(plan.make())); }

// status_of is the TCB status of a plan, or the outcome in parentheses if it did not come so far.
inline std::string status_of(const Plan& plan) {
  const EvidenceVerdict verdict = judge_made(plan.make());
  return verdict.tcb_status.empty() ? "(" + outcome(verdict) + ")" : verdict.tcb_status;
}

}  // namespace eml::test::dcap

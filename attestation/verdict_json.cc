#include "attestation/verdict_json.h"

#include "attestation/kinds.h"

namespace eml {
namespace {

JsonObject check_json(const Check& check) {
  JsonObject out;
  out["id"] = check.id;
  out["title"] = check.title.view();
  out["outcome"] = to_string(check.outcome);
  out["voucher"] = to_string(check.voucher);
  if (check.error) out["error"] = check.error->to_string();
  if (!check.detail.empty()) out["detail"] = check.detail;
  return out;
}

JsonObject evidence_json(const VerifiedEvidence& evidence) {
  JsonObject out;
  out["root"] = evidence.root;
  out["signed_value"] = hex(evidence.signed_value);
  out["platform_identity"] = evidence.platform_identity;
  out["debug"] = evidence.debug;
  JsonObject measurements;
  for (const auto& [name, value] : evidence.measurements) measurements[name] = hex(value);
  out["measurements"] = std::move(measurements);
  JsonObject tcb;
  for (const auto& [name, value] : evidence.tcb) tcb[name] = value;
  out["tcb"] = std::move(tcb);
  return out;
}

}  // namespace

std::string_view verdict_text(const EvidenceVerdict& verdict) {
  if (verdict.error) return "invalid";
  return verdict.root_given ? "verified under a root that you gave" : "valid";
}

JsonObject verdict_json(std::string_view kind, UnixSeconds time, const EvidenceVerdict& verdict) {
  JsonObject out;
  out["kind"] = kind;
  out["time"] = rfc3339(time);
  out["verdict"] = verdict_text(verdict);
  out["root_given"] = verdict.root_given;
  out["error"] = verdict.error ? Json(error_class_of(kind, *verdict.error)) : Json(nullptr);
  if (verdict.error) out["message"] = verdict.error->to_string();
  if (!verdict.tcb_status.empty()) out["tcb_status"] = verdict.tcb_status;
  if (!verdict.advisories.empty()) out["advisories"] = JsonArray(verdict.advisories.begin(), verdict.advisories.end());
  if (!verdict.error) out["evidence"] = evidence_json(verdict.evidence);
  // What bad evidence says of itself is shown, under a name that nobody takes for a finding.
  out[verdict.error ? "unverified_fields" : "fields"] = verdict.fields;
  out["details"] = verdict.details;
  JsonArray checks;
  for (const Check& check : verdict.checks) checks.emplace_back(check_json(check));
  out["checks"] = std::move(checks);
  return out;
}

}  // namespace eml

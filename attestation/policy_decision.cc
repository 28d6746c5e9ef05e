// How an entry decides, and what is known once it did: docs/spec/policy.md, "Decision".
#include <algorithm>

#include "attestation/policy_entry.h"

namespace eml {
namespace {

bool root_fits(const PolicyEntry& entry, const VerifiedEvidence& evidence) {
  if (entry.roots.empty()) return true;  // the vendor's root is the production floor's business
  return std::ranges::any_of(entry.roots, [&](const ByteArray<32>& root) { return hex(root) == evidence.root; });
}

// Only an entry that says that it is for evaluation accepts what does not stand above the built-in floor.
bool floor_fits(const PolicyEntry& entry, const VerifiedEvidence& evidence) {
  return entry.for_evaluation ? !evidence.debug : above_production_floor(evidence);
}

// The evidence itself knows how its kind decides its own requirements; if it does not, nothing can be required.
bool requirements_fit(const PolicyEntry& entry, const VerifiedEvidence& evidence) {
  if (!entry.required_json.is_object() || entry.required_json.get_object().empty()) return true;
  return evidence.meets && evidence.meets(entry.required_json).has_value();
}

// All names must be there with the required bytes, and the evidence must have no further ones.
bool measurements_fit(const PolicyEntry& entry, const Measurements& measurements) {
  if (measurements.size() != entry.measurements.size()) return false;
  return std::ranges::all_of(entry.measurements, [&](const auto& item) {
    const auto found = measurements.find(item.first);
    if (found == measurements.end()) return false;
    return !item.second.required || equal(found->second, *item.second.required);
  });
}

bool tcb_fits(const Requirement<TcbFloor>& floor, const VerifiedEvidence& evidence) {
  if (!floor.required) return true;
  const auto& statuses = floor.required->statuses;
  if (!statuses.empty() && std::ranges::find(statuses, evidence.tcb_status) == statuses.end()) return false;
  return std::ranges::all_of(floor.required->minimum, [&](const auto& item) {
    const auto found = evidence.tcb.find(item.first);
    return found != evidence.tcb.end() && found->second >= item.second;
  });
}

bool publisher_fits(const Requirement<Ed25519PublicKey>& publisher, const std::vector<SignedModel>& models) {
  if (!publisher.required) return true;
  return !models.empty() && std::ranges::all_of(models, [&](const SignedModel& model) {
    return std::ranges::find(model.publishers, *publisher.required) != model.publishers.end();
  });
}

bool model_fits(const ModelRule& rule, const SignedModel& model) {
  if (!rule.hashes.empty()) return std::ranges::find(rule.hashes, model.model_hash) != rule.hashes.end();
  const auto minimum = rule.serials.find(model.id);
  return minimum != rule.serials.end() && model.serial >= minimum->second;
}

bool models_fit(const Requirement<ModelRule>& rule, const std::vector<SignedModel>& models) {
  if (!rule.required) return true;
  return !models.empty() &&
         std::ranges::all_of(models, [&](const SignedModel& model) { return model_fits(*rule.required, model); });
}

template <typename T, typename U>
bool equals(const Requirement<T>& requirement, const U& value) {
  return !requirement.required || *requirement.required == value;
}

void claim(Checks& claims, std::string_view id, Literal title, Voucher voucher, const std::string& ignored_because,
           std::string detail) {
  if (ignored_because.empty()) {
    pass(claims, id, title, voucher, std::move(detail));
    return;
  }
  claims.push_back(
      {.id = id, .title = title, .voucher = voucher, .detail = "the policy ignores it: " + ignored_because});
}

template <typename T>
void claim(Checks& claims, std::string_view id, Literal title, Voucher voucher, const Requirement<T>& requirement,
           std::string detail = {}) {
  claim(claims, id, title, voucher, requirement.ignored_because, requirement.required ? std::move(detail) : "");
}

}  // namespace

std::optional<std::string_view> refusing_field(const PolicyEntry& entry, const EvidenceView& view) {
  const VerifiedEvidence& evidence = view.evidence;
  if (evidence.kind != entry.kind) return "kind";
  if (!root_fits(entry, evidence)) return "roots";
  if (!floor_fits(entry, evidence)) return "production floor";
  if (!measurements_fit(entry, evidence.measurements)) return "measurements";
  if (!equals(entry.configuration, view.binding.configuration_hash)) return "configuration";
  if (!equals(entry.platform_identity, evidence.platform_identity)) return "platform_identity";
  if (entry.operator_key.required && hex(*entry.operator_key.required) != view.operator_key_hex) return "operator_key";
  if (!tcb_fits(entry.tcb_floor, evidence)) return "tcb_floor";
  if (!requirements_fit(entry, evidence)) return "requirements";
  if (!publisher_fits(entry.publisher, view.models)) return "publisher";
  if (!models_fit(entry.model, view.models)) return "model";
  if (entry.not_before.required && view.time < *entry.not_before.required) return "not_before";
  if (entry.not_after.required && view.time > *entry.not_after.required) return "not_after";
  return std::nullopt;
}

Checks entry_claims(const PolicyEntry& entry, const VerifiedEvidence& evidence) {
  const Voucher platform = entry.for_evaluation ? Voucher::kNobody : Voucher::kHardware;
  Checks out;
  pass(out, "claim-kind", "kind of evidence", platform,
       std::string(to_string(evidence.kind)) + " root " + evidence.root);
  for (const auto& [name, requirement] : entry.measurements) {
    claim(out, "claim-measurement", "measurement of the program", platform, requirement,
          requirement.required ? name + " " + hex(*requirement.required) : "");
  }
  claim(out, "claim-configuration", "public configuration", Voucher::kWorkload, entry.configuration,
        hex(entry.configuration.required.value_or(Hash32{})));
  claim(out, "claim-platform-identity", "which machine", platform, entry.platform_identity,
        entry.platform_identity.required.value_or(""));
  claim(out, "claim-operator-key", "who operates it", Voucher::kWorkload, entry.operator_key,
        hex(entry.operator_key.required.value_or(Ed25519PublicKey{})));
  claim(out, "claim-tcb-floor", "security version of the platform", Voucher::kVendorService, entry.tcb_floor,
        evidence.tcb_status);
  for (const auto& [name, requirement] : entry.requirements) {
    claim(out, "claim-requirement", "what the kind of evidence can be asked besides", platform, requirement, name);
  }
  claim(out, "claim-publisher", "publisher of the model", Voucher::kVerifiedHere, entry.publisher,
        hex(entry.publisher.required.value_or(Ed25519PublicKey{})));
  claim(out, "claim-model", "the model", Voucher::kWorkload, entry.model);
  return out;
}

}  // namespace eml

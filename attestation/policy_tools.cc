#include "attestation/policy_tools.h"

#include <utility>

#include "attestation/kinds.h"
#include "attestation/local/local.h"
#include "attestation/policy_entry.h"
#include "encoding/pretty_json.h"

namespace eml {
namespace {

constexpr std::string_view kThink = "not decided yet: say why this does not matter, or require a value";

Json require(Json value) { return JsonObject{{"require", std::move(value)}}; }
Json ignore(std::string_view reason) { return JsonObject{{"ignore", reason}}; }

Json require_time(const std::optional<UnixSeconds>& time) {
  return time ? require(Json(rfc3339(*time))) : ignore(kThink);
}

Json draft_model(const Binding& binding) {
  JsonArray hashes;
  for (const Hash32& hash : binding.model_hashes) hashes.emplace_back(hex(hash));
  return require(JsonObject{{"hashes", std::move(hashes)}});
}

// One publisher is the tuple's; of several a person has to choose.
Json draft_publisher(const PublicConfiguration& configuration) {
  if (configuration.publishers.size() == 1) return require(Json(hex(configuration.publishers.front())));
  return ignore("the model is pinned by its hash");
}

Result<JsonObject> draft_local_part(const EvidenceBundle& bundle, const DraftOptions& options) {
  EML_TRY(const LocalStatement statement, decode_local_evidence(bundle.evidence));
  JsonObject out;
  out["evaluation"] = options.accept_evaluation ? require("acceptable") : ignore(kThink);
  out["roots"] = require(JsonArray{hex(statement.root)});
  out["measurements"] = JsonObject{{"binary", require(Json(hex(statement.binary)))}};
  out["platform_identity"] = ignore("software evidence names no machine; its root is pinned");
  out["tcb_floor"] = ignore("software evidence has no security version");
  return out;
}

Json draft_tcb_floor(const VerifiedEvidence& evidence) {
  JsonObject floor;
  if (!evidence.tcb_status.empty()) floor["status"] = JsonArray{Json(evidence.tcb_status)};
  JsonObject minimum;
  for (const auto& [name, value] : evidence.tcb) minimum[name] = value;
  if (!minimum.empty()) floor["minimum"] = std::move(minimum);
  return floor.empty() ? ignore("this kind has no security version") : require(std::move(floor));
}

Result<VerifiedEvidence> genuine_evidence(const EvidenceBundle& bundle, const DraftOptions& options) {
  const KindVerifier* verifier = kind_verifier(to_string(bundle.kind));
  if (verifier == nullptr) return fail(kBundleKindUnsupported, "this program cannot verify evidence of this kind");
  Collateral collateral;
  for (const Endorsement& endorsement : bundle.endorsements) collateral.emplace(endorsement.name, endorsement.bytes);
  EvidenceVerdict verdict = verifier->judge(
      {.evidence = bundle.evidence, .collateral = &collateral, .time = options.time, .root = options.given_root});
  if (verdict.error) return std::unexpected(*verdict.error);
  return std::move(verdict.evidence);
}

Result<JsonObject> draft_vendor_part(const EvidenceBundle& bundle, const DraftOptions& options) {
  EML_TRY(const VerifiedEvidence evidence, genuine_evidence(bundle, options));
  JsonObject out;
  if (options.given_root) {
    out["evaluation"] = options.accept_evaluation ? require("acceptable") : ignore(kThink);
    out["roots"] = require(JsonArray{Json(evidence.root)});
  } else if (bundle.kind == EvidenceKind::kTpm) {
    out["evaluation"] = options.accept_evaluation ? require("acceptable") : ignore(kThink);
  }
  JsonObject measurements;
  for (const auto& [name, value] : evidence.measurements) measurements[name] = require(Json(hex(value)));
  out["measurements"] = std::move(measurements);
  out["platform_identity"] = evidence.platform_identity.empty() ? ignore("the evidence names no machine")
                                                                : require(Json(evidence.platform_identity));
  out["tcb_floor"] = draft_tcb_floor(evidence);
  JsonObject requirements;
  for (const std::string_view name : kind_profile(bundle.kind).requirements) requirements[name] = ignore(kThink);
  if (!requirements.empty()) out["requirements"] = std::move(requirements);
  return out;
}

}  // namespace

Bytes policy_signing_input(const JsonObject& policy) {
  JsonObject body = policy;
  body.erase("signatures");
  return concat(label("eml policy v1"), as_bytes(canonical_json(body)));
}

Result<std::string> sign_policy(const Json& policy, const Ed25519Key& key) {
  EML_CHECK(Policy::decode(as_bytes(compact_json(policy))));
  JsonObject root = policy.get_object();
  const std::string public_key = hex(key.public_key());
  JsonArray signatures;
  if (const Json* old = root.if_contains("signatures")) {
    for (const Json& item : old->get_array()) {
      if (item.at("key").get_string() != public_key) signatures.push_back(item);
    }
  }
  const Ed25519Signature signature = key.sign(policy_signing_input(root));
  signatures.push_back(JsonObject{{"key", public_key}, {"sig", hex(signature)}});
  root["signatures"] = std::move(signatures);
  std::string text = pretty_json(root);
  // A ninth signature, say, would not load.
  EML_CHECK(Policy::decode(as_bytes(text)));
  return text;
}

Result<Json> draft_entry_from_bundle(ByteView bundle, const DraftOptions& options) {
  EML_TRY(const EvidenceBundle decoded, decode_bundle(bundle));
  EML_TRY(const Binding binding, decode_binding(decoded.binding));
  EML_TRY(const PublicConfiguration configuration, decode_configuration(decoded.configuration));
  EML_TRY(JsonObject kind_part, decoded.kind == EvidenceKind::kLocal ? draft_local_part(decoded, options)
                                                                     : draft_vendor_part(decoded, options));
  JsonObject entry;
  entry["name"] = options.name;
  entry["kind"] = to_string(decoded.kind);
  for (auto& member : kind_part) entry[member.key()] = std::move(member.value());
  entry["configuration"] = require(Json(hex(binding.configuration_hash)));
  entry["operator_key"] = configuration.operator_key ? require(Json(hex(*configuration.operator_key)))
                                                     : ignore("the configuration names no operator");
  entry["publisher"] = draft_publisher(configuration);
  entry["model"] = draft_model(binding);
  entry["not_before"] = require_time(options.not_before);
  entry["not_after"] = require_time(options.not_after);
  entry["approved_by"] = options.approved_by;
  return entry;
}

Json draft_policy(std::string_view name, std::uint64_t serial, JsonArray entries) {
  JsonObject root;
  root["schema"] = "eml-policy/1";
  root["serial"] = serial;
  root["name"] = name;
  root["fresh_evidence"] = ignore("an epoch's evidence is enough: it is at most an hour old");
  root["entries"] = std::move(entries);
  return root;
}

Explanation explain_policy(ByteView bundle, const BundleExpectation& expectation) {
  Explanation out;
  if (expectation.policy == nullptr) return out;
  const TrustRoots roots{.local = expectation.policy->local_roots()};
  const auto peer = verify_bundle(bundle, expectation, roots, &out.bundle);
  if (!peer) return out;
  const auto& operator_key = peer->configuration.operator_key;
  const auto decision =
      expectation.policy->appraise(peer->evidence, peer->binding, operator_key ? hex(*operator_key) : std::string(),
                                   peer->models, expectation.time, &out.entries);
  if (decision) out.rule = decision->rule;
  return out;
}

}  // namespace eml

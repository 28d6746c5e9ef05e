#include "attestation/policy.h"

#include <algorithm>

#include "attestation/policy_entry.h"
#include "attestation/policy_tools.h"
#include "attestation/text.h"
#include "crypto/hash.h"
#include "encoding/json.h"

namespace eml {
namespace {

constexpr std::string_view kSchema = "eml-policy/1";
constexpr std::size_t kEntriesMax = 256;
constexpr std::size_t kSignaturesMax = 8;

struct PolicySignature {
  Ed25519PublicKey key{};
  Ed25519Signature signature{};
};

Result<std::vector<PolicySignature>> decode_signatures(const JsonObject& root) {
  std::vector<PolicySignature> out;
  if (!root.contains("signatures")) return out;
  const auto array = json_array(root, "signatures");
  if (!array || (*array)->size() > kSignaturesMax) return fail(kPolicyMalformed, "signatures: up to 8 {key, sig}");
  for (const Json& item : **array) {
    if (!item.is_object() || !expect_members(item.get_object(), {"key", "sig"})) {
      return fail(kPolicyMalformed, "signatures: each is {key, sig}");
    }
    const auto key = json_text(item.get_object(), "key");
    const auto sig = json_text(item.get_object(), "sig");
    const auto key_bytes = key ? hex_array<32>(*key) : std::nullopt;
    const auto sig_bytes = sig ? hex_array<64>(*sig) : std::nullopt;
    if (!key_bytes || !sig_bytes) return fail(kPolicyMalformed, "signatures: key is 64 and sig 128 hex digits");
    if (std::ranges::find(out, *key_bytes, &PolicySignature::key) != out.end()) {
      return fail(kPolicyMalformed, "signatures: a key signs twice");
    }
    out.push_back({.key = *key_bytes, .signature = *sig_bytes});
  }
  return out;
}

// {"require": true} or {"ignore": "reason"}.
Result<bool> decode_fresh(const JsonObject& root) {
  constexpr Literal kForm = "fresh_evidence: {\"require\": true} or {\"ignore\": reason}";
  const auto object = json_object(root, "fresh_evidence");
  if (!object || (*object)->size() != 1) return fail(kPolicyMalformed, kForm);
  const auto& [name, value] = *(*object)->begin();
  if (name == "require" && value.is_bool() && value.get_bool()) return true;
  if (name == "ignore" && value.is_string() && is_printable(value.get_string(), 256)) return false;
  return fail(kPolicyMalformed, kForm);
}

Result<std::vector<PolicyEntry>> decode_entries(const JsonObject& root) {
  const auto array = json_array(root, "entries");
  if (!array || (*array)->empty() || (*array)->size() > kEntriesMax) {
    return fail(kPolicyMalformed, "entries: 1 to 256 of them");
  }
  std::vector<PolicyEntry> out;
  for (const Json& item : **array) {
    EML_TRY(PolicyEntry entry, decode_policy_entry(item, out.size()));
    if (std::ranges::find(out, entry.name, &PolicyEntry::name) != out.end()) {
      return fail(kPolicyMalformed, "name: two entries have the same", out.size());
    }
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<Ed25519PublicKey> local_roots_of(const std::vector<PolicyEntry>& entries) {
  std::vector<Ed25519PublicKey> roots;
  for (const PolicyEntry& entry : entries) {
    if (entry.kind == EvidenceKind::kLocal) roots.insert(roots.end(), entry.roots.begin(), entry.roots.end());
  }
  std::ranges::sort(roots);
  const auto repeated = std::ranges::unique(roots);
  roots.erase(repeated.begin(), repeated.end());
  return roots;
}

}  // namespace

struct Policy::State {
  std::string name;
  std::uint64_t serial = 0;
  bool fresh = false;
  std::vector<PolicyEntry> entries;
  std::vector<Ed25519PublicKey> local_roots;
  std::vector<PolicySignature> signatures;
  Bytes signing_input;
  Hash32 hash{};
};

struct PolicyParser {
  static Result<Policy> parse(ByteView json) {
    const auto document = parse_json(json, {.bytes_max = kPolicyBytesMax, .depth_max = 8});
    if (!document || !document->is_object()) return fail(kPolicyMalformed, "a policy is not a strict JSON object");
    const JsonObject& root = document->get_object();
    if (!expect_members(root, {"schema", "serial", "name", "fresh_evidence", "entries", "signatures"})) {
      return fail(kPolicyMalformed, "a policy has a member that the schema does not know");
    }
    const auto schema = json_text(root, "schema");
    if (!schema || *schema != kSchema) return fail(kPolicyMalformed, "schema: eml-policy/1");
    auto state = std::make_shared<Policy::State>();
    const auto name = json_text(root, "name");
    if (!name || !is_printable(*name, 128)) return fail(kPolicyMalformed, "name: 1 to 128 printable characters");
    state->name = *name;
    const auto serial = json_uint(root, "serial");
    if (!serial || *serial == 0) return fail(kPolicyMalformed, "serial: an integer from 1");
    state->serial = *serial;
    EML_TRY(state->fresh, decode_fresh(root));
    EML_TRY(state->entries, decode_entries(root));
    EML_TRY(state->signatures, decode_signatures(root));
    state->local_roots = local_roots_of(state->entries);
    state->signing_input = policy_signing_input(root);
    state->hash = sha256(json);
    Policy policy;
    policy.state_ = std::move(state);
    return policy;
  }
};

Result<Policy> Policy::decode(ByteView json) { return PolicyParser::parse(json); }

Result<Policy> Policy::decode_signed(ByteView json, const Ed25519PublicKey& owner, std::uint64_t minimum_serial) {
  EML_TRY(Policy policy, PolicyParser::parse(json));
  const auto& signatures = policy.state_->signatures;
  const auto found = std::ranges::find(signatures, owner, &PolicySignature::key);
  if (found == signatures.end()) return fail(kPolicyUnsigned, "the policy is not signed by its owner");
  if (!verify_ed25519(owner, policy.state_->signing_input, found->signature)) {
    return fail(kPolicyUnsigned, "the owner's signature does not verify");
  }
  if (policy.serial() < minimum_serial) {
    return fail(kPolicySerial, "the policy is older than one that was accepted", minimum_serial, policy.serial());
  }
  return policy;
}

std::uint64_t Policy::serial() const { return state_->serial; }
std::string_view Policy::name() const { return state_->name; }
Hash32 Policy::hash() const { return state_->hash; }
const std::vector<Ed25519PublicKey>& Policy::local_roots() const { return state_->local_roots; }
bool Policy::requires_fresh() const { return state_->fresh; }

// An entry of such a kind does not decode without its consent.
bool Policy::accepts_evaluation() const { return std::ranges::any_of(state_->entries, &PolicyEntry::for_evaluation); }

Result<Policy::Decision> Policy::appraise(const VerifiedEvidence& evidence, const Binding& binding,
                                          std::string_view operator_key_hex, const std::vector<SignedModel>& models,
                                          UnixSeconds time, Checks* checks) const {
  const EvidenceView view{evidence, binding, operator_key_hex, models, time};
  const Error refused(kPolicyNoEntry, "no entry of the policy accepts this evidence");
  const PolicyEntry* accepting = nullptr;
  Checks lines;
  for (const PolicyEntry& entry : state_->entries) {
    const auto field = refusing_field(entry, view);
    if (!field && accepting == nullptr) accepting = &entry;
    Check line{
        .id = "policy-entry", .title = "an entry of the policy", .outcome = Outcome::kPassed, .detail = entry.name};
    if (field) {
      line.outcome = Outcome::kFailed;
      line.error = refused;
      line.detail += ": " + std::string(*field);
    }
    lines.push_back(std::move(line));
  }
  for (Check& line : lines) {
    // Where one entry accepts, that others do not is no failure.
    if (accepting != nullptr && line.outcome == Outcome::kFailed) {
      line.outcome = Outcome::kNotChecked;
      line.error.reset();
    }
    if (checks != nullptr) checks->push_back(std::move(line));
  }
  if (accepting == nullptr) return std::unexpected(refused);
  return Decision{.rule = accepting->name,
                  .evaluation = !above_production_floor(evidence),
                  .claims = entry_claims(*accepting, evidence)};
}

}  // namespace eml

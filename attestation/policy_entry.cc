#include "attestation/policy_entry.h"

#include <algorithm>
#include <array>

#include "attestation/kinds.h"
#include "attestation/text.h"

namespace eml {
namespace {

constexpr std::size_t kReasonMax = 256;
constexpr std::size_t kIdentityMax = 320;  // three PCRs of a Nitro enclave in hex, with their names, are 305
constexpr std::size_t kListMax = 64;       // models or roots of one deployment

// Parser carries the entry's index, so that each error says which entry it is about.
class Parser {
 public:
  Parser(const JsonObject& entry, std::uint64_t index) : entry_(entry), index_(index) {}

  std::unexpected<Error> malformed(Literal what) const { return fail(kPolicyMalformed, what, index_); }
  std::unexpected<Error> impossible(Literal what) const { return fail(kPolicyImpossible, what, index_); }

  Result<std::string> text(std::string_view member, Literal what) const {
    const auto value = json_text(entry_, member);
    if (!value || !is_printable(*value, kReasonMax)) return malformed(what);
    return std::string(*value);
  }

  // field reads {"require": value} or {"ignore": "reason"}; `read` gives the value's optional<T>.
  template <typename Read>
  auto field(const JsonObject& parent, std::string_view member, Literal what, Read read) const
      -> Result<Requirement<typename std::invoke_result_t<Read, const Json&>::value_type>> {
    Requirement<typename std::invoke_result_t<Read, const Json&>::value_type> out;
    const auto object = json_object(parent, member);
    if (!object || (*object)->size() != 1) return malformed(what);
    const auto& [name, value] = *(*object)->begin();
    if (name == "require") {
      out.required = read(value);
      if (!out.required) return malformed(what);
      return out;
    }
    if (name != "ignore" || !value.is_string()) return malformed(what);
    out.ignored_because = value.get_string();
    if (!is_printable(out.ignored_because, kReasonMax)) return malformed(what);
    return out;
  }
  template <typename Read>
  auto field(std::string_view member, Literal what, Read read) const {
    return field(entry_, member, what, read);
  }

  const JsonObject& entry() const { return entry_; }

 private:
  const JsonObject& entry_;
  std::uint64_t index_;
};

std::optional<std::string> read_text(const Json& value) {
  if (!value.is_string() || !is_printable(value.get_string(), kIdentityMax)) return std::nullopt;
  return std::string(value.get_string());
}

template <std::size_t n>
std::optional<ByteArray<n>> read_hex(const Json& value) {
  return value.is_string() ? hex_array<n>(value.get_string()) : std::nullopt;
}

std::optional<UnixSeconds> read_time(const Json& value) {
  if (!value.is_string()) return std::nullopt;
  const auto time = parse_rfc3339(value.get_string());
  return time ? std::optional(*time) : std::nullopt;
}

// A list of distinct 32-byte values, at least one.
std::optional<std::vector<ByteArray<32>>> read_hex_list(const Json& value) {
  if (!value.is_array() || value.get_array().empty() || value.get_array().size() > kListMax) return std::nullopt;
  std::vector<ByteArray<32>> out;
  for (const Json& item : value.get_array()) {
    const auto one = read_hex<32>(item);
    if (!one || std::ranges::find(out, *one) != out.end()) return std::nullopt;
    out.push_back(*one);
  }
  return out;
}

std::optional<std::map<std::string, std::uint64_t, std::less<>>> read_minima(const Json& value) {
  if (!value.is_object() || value.get_object().empty() || value.get_object().size() > kListMax) return std::nullopt;
  std::map<std::string, std::uint64_t, std::less<>> out;
  for (const auto& member : value.get_object()) {
    const auto minimum = json_uint(value.get_object(), member.key());
    if (!minimum || !is_printable(member.key(), 128)) return std::nullopt;
    out.emplace(member.key(), *minimum);
  }
  return out;
}

// {"hashes": [...]} or {"serials": {id: minimum}}.
std::optional<ModelRule> read_model_rule(const Json& value) {
  if (!value.is_object() || value.get_object().size() != 1) return std::nullopt;
  const auto& [name, inner] = *value.get_object().begin();
  ModelRule out;
  if (name == "hashes") {
    auto hashes = read_hex_list(inner);
    if (!hashes) return std::nullopt;
    out.hashes = *std::move(hashes);
    return out;
  }
  if (name != "serials") return std::nullopt;
  auto serials = read_minima(inner);
  if (!serials) return std::nullopt;
  out.serials = *std::move(serials);
  return out;
}

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// {"status": [...], "minimum": {...}}, at least one of them; only names that the kind has.
std::optional<TcbFloor> read_tcb_floor(const Json& value, const KindProfile& profile) {
  if (!value.is_object() || !expect_members(value.get_object(), {"status", "minimum"})) return std::nullopt;
  TcbFloor out;
  if (const Json* statuses = value.get_object().if_contains("status")) {
    if (!statuses->is_array() || statuses->get_array().empty()) return std::nullopt;
    for (const Json& item : statuses->get_array()) {
      if (!item.is_string() || !contains(profile.tcb_statuses, item.get_string())) return std::nullopt;
      out.statuses.emplace_back(item.get_string());
    }
  }
  if (const Json* minimum = value.get_object().if_contains("minimum")) {
    auto minima = read_minima(*minimum);
    if (!minima) return std::nullopt;
    for (const auto& [name, at_least] : *minima) {
      if (!contains(profile.tcb_components, name)) return std::nullopt;
    }
    out.minimum = *std::move(minima);
  }
  if (out.statuses.empty() && out.minimum.empty()) return std::nullopt;
  return out;
}

Status parse_members(const Parser& in, EvidenceKind kind) {
  const auto known = expect_members(in.entry(), {"name", "kind", "measurements", "configuration", "platform_identity",
                                                 "operator_key", "tcb_floor", "publisher", "model", "not_before",
                                                 "not_after", "approved_by", "evaluation", "roots", "requirements"});
  if (!known) return in.malformed("an entry has a member that the schema does not know");
  const bool own_roots = in.entry().contains("roots");
  if (kind == EvidenceKind::kTpm && own_roots) return in.malformed("roots: kind tpm has none");
  if (!is_evaluation_kind(kind) && in.entry().contains("evaluation") != own_roots) {
    return in.malformed("evaluation: an entry of a hardware kind consents to it exactly if it gives roots of its own");
  }
  if (kind_profile(kind).requirements.empty() && in.entry().contains("requirements")) {
    return in.malformed("requirements: this kind has none");
  }
  return {};
}

// The consent without which an entry for evaluation accepts nothing.
Status parse_consent(const Parser& in, PolicyEntry& out) {
  out.for_evaluation = is_evaluation_kind(out.kind) || in.entry().contains("roots");
  if (!out.for_evaluation) return {};
  EML_TRY(const auto consent, in.field("evaluation", "evaluation: {\"require\": \"acceptable\"}", read_text));
  if (!consent.required) return in.impossible("evaluation: without consent an entry of this kind accepts nothing");
  if (*consent.required != "acceptable") return in.malformed("evaluation: the only value is \"acceptable\"");
  return {};
}

Status parse_roots(const Parser& in, PolicyEntry& out) {
  if (out.kind != EvidenceKind::kLocal && !in.entry().contains("roots")) return {};
  EML_TRY(const auto roots, in.field("roots", "roots: {\"require\": [64 hex digits, ...]}", read_hex_list));
  if (!roots.required) return in.impossible("roots: without any, this entry accepts nothing");
  out.roots = *roots.required;
  return {};
}

// Each of the kind's own requirements; those that are required must be what the kind can decide.
Status parse_requirements(const Parser& in, PolicyEntry& out) {
  const auto names = kind_profile(out.kind).requirements;
  if (names.empty()) return {};
  const auto object = json_object(in.entry(), "requirements");
  if (!object || (*object)->size() > names.size()) {
    return in.malformed("requirements: an object with one field for each requirement of the kind");
  }
  JsonObject required;
  for (const std::string_view name : names) {
    const auto read = [](const Json& value) { return std::optional(value); };
    EML_TRY(auto requirement, in.field(**object, name, "requirements: each of the kind's own", read));
    if (requirement.required) required[name] = *requirement.required;
    out.requirements.emplace(name, std::move(requirement));
  }
  out.required_json = std::move(required);
  if (!check_requirements(out.kind, out.required_json)) {
    return in.impossible("requirements: a value that this kind cannot decide");
  }
  return {};
}

Status parse_measurements(const Parser& in, PolicyEntry& out) {
  const auto object = json_object(in.entry(), "measurements");
  const auto names = kind_profile(out.kind).measurements;
  if (!object) return in.malformed("measurements: an object with one field for each measurement of the kind");
  if ((*object)->size() > names.size()) return in.impossible("measurements: a name that this kind does not give");
  for (const auto& member : **object) {
    if (std::ranges::find(names, std::string_view(member.key()), &MeasurementName::name) == names.end()) {
      return in.impossible("measurements: a name that this kind does not give");
    }
  }
  for (const MeasurementName& name : names) {
    const auto read = [&](const Json& value) -> std::optional<Bytes> {
      auto bytes = value.is_string() ? from_hex(value.get_string()) : std::nullopt;
      if (!bytes || bytes->size() != name.size || hex(*bytes) != std::string_view(value.get_string())) return {};
      return bytes;
    };
    EML_TRY(auto requirement,
            in.field(**object, name.name, "measurements: each of the kind's, as hex of its size", read));
    out.measurements.emplace(name.name, std::move(requirement));
  }
  return {};
}

Status parse_platform(const Parser& in, PolicyEntry& out) {
  const KindProfile& profile = kind_profile(out.kind);
  EML_TRY(out.configuration, in.field("configuration", "configuration: SHA-256 as 64 hex digits", read_hex<32>));
  EML_TRY(out.platform_identity, in.field("platform_identity", "platform_identity: text", read_text));
  if (out.platform_identity.required && !profile.gives_platform_identity) {
    return in.impossible("platform_identity: this kind has none; require operator_key, or ignore with a reason");
  }
  EML_TRY(out.operator_key, in.field("operator_key", "operator_key: Ed25519 key as 64 hex digits", read_hex<32>));
  const bool has_tcb = !profile.tcb_statuses.empty() || !profile.tcb_components.empty();
  const auto read = [&](const Json& value) { return has_tcb ? read_tcb_floor(value, profile) : TcbFloor{}; };
  EML_TRY(out.tcb_floor, in.field("tcb_floor", "tcb_floor: status and minimum, by the kind's own names", read));
  if (out.tcb_floor.required && !has_tcb) return in.impossible("tcb_floor: this kind has no TCB levels");
  return {};
}

Status parse_model(const Parser& in, PolicyEntry& out) {
  EML_TRY(out.publisher, in.field("publisher", "publisher: Ed25519 key as 64 hex digits", read_hex<32>));
  EML_TRY(out.model, in.field("model", "model: {\"hashes\": [...]} or {\"serials\": {id: minimum}}", read_model_rule));
  return {};
}

Status parse_dates(const Parser& in, PolicyEntry& out) {
  EML_TRY(out.not_before, in.field("not_before", "not_before: a time such as 2026-11-25T00:00:00Z", read_time));
  EML_TRY(out.not_after, in.field("not_after", "not_after: a time such as 2026-12-25T00:00:00Z", read_time));
  const auto& from = out.not_before.required;
  const auto& to = out.not_after.required;
  if (from && to && *to < *from) return in.impossible("not_after: it is before not_before");
  return {};
}

}  // namespace

bool is_evaluation_kind(EvidenceKind kind) { return kind_profile(kind).vendor_roots.empty(); }

Result<PolicyEntry> decode_policy_entry(const Json& json, std::uint64_t index) {
  if (!json.is_object()) return fail(kPolicyMalformed, "an entry is not an object", index);
  const Parser in(json.get_object(), index);
  PolicyEntry out;
  EML_TRY(out.name, in.text("name", "name: [a-z0-9._-], 1 to 64 characters"));
  if (!is_name(out.name)) return in.malformed("name: [a-z0-9._-], 1 to 64 characters");
  EML_TRY(const std::string kind, in.text("kind", "kind: local, tdx, sevsnp, nitro, confidential_space or tpm"));
  const auto known_kind = parse_evidence_kind(kind);
  if (!known_kind) return in.malformed("kind: local, tdx, sevsnp, nitro, confidential_space or tpm");
  out.kind = *known_kind;
  EML_CHECK(parse_members(in, out.kind));
  EML_CHECK(parse_consent(in, out));
  EML_CHECK(parse_roots(in, out));
  EML_CHECK(parse_measurements(in, out));
  EML_CHECK(parse_platform(in, out));
  EML_CHECK(parse_requirements(in, out));
  EML_CHECK(parse_model(in, out));
  EML_CHECK(parse_dates(in, out));
  EML_TRY(out.approved_by, in.text("approved_by", "approved_by: who approved this entry, 1 to 256 characters"));
  return out;
}

}  // namespace eml

#include "attestation/corpus.h"

#include <algorithm>
#include <set>

#include "attestation/kinds.h"
#include "crypto/x509.h"

namespace eml {
namespace {

constexpr JsonLimits kCorpusLimits{.bytes_max = std::size_t{64} << 20};

std::unexpected<Error> malformed(Literal what, std::size_t index) { return fail(kCorpusMalformed, what, index); }

// A member that is null counts as absent, everywhere in a case.
const Json* member(const JsonObject& object, std::string_view name) {
  const Json* const value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool is_true(const JsonObject& object, std::string_view name) {
  const Json* const value = member(object, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::optional<std::string> text(const JsonObject& object, std::string_view name) {
  const Json* const value = member(object, name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

Status read_collateral(CorpusCase& out, const JsonObject& object, std::size_t index) {
  const Json* const value = member(object, "collateral");
  if (value == nullptr) return {};
  if (!value->is_object()) return malformed("the collateral of a case is not an object", index);
  for (const auto& entry : value->get_object()) {
    if (entry.value().is_null()) continue;
    if (!entry.value().is_string()) return malformed("the collateral of a case is not a path", index);
    out.collateral.emplace(entry.key(), std::string(entry.value().get_string()));
  }
  return {};
}

Result<CorpusCase> read_case(const Json& json, std::string_view kind, std::size_t index) {
  const JsonObject* const object = json.if_object();
  if (object == nullptr) return malformed("a case is not an object", index);
  CorpusCase out;
  const auto id = text(*object, "id");
  const Json* const expect = member(*object, "expect");
  if (!id || expect == nullptr || !expect->is_object()) return malformed("a case has no id or expects nothing", index);
  out.id = *id;
  out.kind = text(*object, "kind").value_or(std::string(kind));
  out.expect = expect->get_object();
  out.evidence = text(*object, "evidence");
  if (const auto time = text(*object, "time")) {
    auto seconds = parse_rfc3339(*time);
    if (!seconds) return malformed("the time of a case is not RFC 3339", index);
    out.time = *seconds;
  }
  if (const Json* const policy = member(*object, "policy")) out.requirements = *policy;
  out.synthetic = is_true(*object, "synthetic");
  out.either = is_true(*object, "either");
  EML_CHECK(read_collateral(out, *object, index));
  return out;
}

std::set<std::string> texts(const Json& value) {
  std::set<std::string> out;
  if (const JsonArray* const list = value.if_array()) {
    for (const Json& entry : *list)
      out.insert(entry.is_string() ? std::string(entry.get_string()) : compact_json(entry));
  }
  return out;
}

// The anchor of a case: its root; of a synthetic one also the CA chain's last (SNP) or the key set (tokens).
Result<std::optional<Bytes>> root_of(const CorpusCase& corpus_case, const Collateral& collateral) {
  const auto find = [&](std::string_view name) -> std::optional<Bytes> {
    const auto found = collateral.find(name);
    return found == collateral.end() ? std::nullopt : std::optional(found->second);
  };
  if (auto root = find("root")) return root;
  if (!corpus_case.synthetic) return std::nullopt;
  if (const auto chain = find("ca_chain")) {
    const auto certificates = decode_pem_certificates(*chain);
    // A chain that cannot be read is for the kind to refuse; there is no root then.
    return certificates ? certificates->back().der() : Bytes{};
  }
  return find("jwks");
}

// Whether all that `wanted` states is in `got`: objects by their members, everything else whole.
bool is_within(const Json& wanted, const Json& got) {
  if (!wanted.is_object()) return canonical_json(wanted) == canonical_json(got);
  if (!got.is_object()) return false;
  return std::ranges::all_of(wanted.get_object(), [&](const auto& entry) {
    const Json* const other = got.get_object().if_contains(entry.key());
    return other != nullptr && is_within(entry.value(), *other);
  });
}

// Members of `expect` that are compared elsewhere, or that are for people.
bool is_elsewhere(std::string_view name) {
  constexpr std::string_view kNames[] = {"verdict", "error",  "error_also", "why",
                                         "claims",  "fields", "tcb_status", "advisories"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

// The first stated thing that the verdict has differently; empty if none.
std::string first_difference(const JsonObject& expect, const EvidenceVerdict& verdict) {
  if (const auto status = text(expect, "tcb_status"); status && *status != verdict.tcb_status)
    return "tcb_status: " + *status + ", got " + verdict.tcb_status;
  if (const Json* const advisories = member(expect, "advisories")) {
    if (texts(*advisories) != std::set<std::string>(verdict.advisories.begin(), verdict.advisories.end()))
      return "advisories: " + compact_json(*advisories);
  }
  for (const std::string_view name : {"fields", "claims"}) {
    const Json* const fields = member(expect, name);
    if (fields == nullptr || !fields->is_object()) continue;
    for (const auto& entry : fields->get_object()) {
      const JsonObject* const got = verdict.fields.if_object();
      const Json* const other = got == nullptr ? nullptr : got->if_contains(entry.key());
      if (other == nullptr || !is_within(entry.value(), *other))
        return std::string(name) + "." + std::string(entry.key()) + ": " + compact_json(entry.value()) + ", got " +
               (other == nullptr ? "nothing" : compact_json(*other));
    }
  }
  for (const auto& entry : expect) {
    const JsonObject* const details = verdict.details.if_object();
    const Json* const other = details == nullptr ? nullptr : details->if_contains(entry.key());
    if (is_elsewhere(entry.key()) || other == nullptr || is_within(entry.value(), *other)) continue;
    return std::string(entry.key()) + ": " + compact_json(entry.value()) + ", got " + compact_json(*other);
  }
  return {};
}

}  // namespace

std::string_view CorpusCase::verdict() const {
  const Json* const value = expect.if_contains("verdict");
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

bool CorpusCase::is_graded() const { return !either && (verdict() == "valid" || verdict() == "invalid"); }

Result<std::vector<CorpusCase>> decode_corpus_cases(ByteView json, std::string_view kind) {
  const auto document = parse_json(json, kCorpusLimits);
  if (!document || !document->is_array()) return fail(kCorpusMalformed, "a file of cases is not a JSON array");
  std::vector<CorpusCase> out;
  for (const Json& entry : document->get_array()) {
    EML_TRY(CorpusCase corpus_case, read_case(entry, kind, out.size()));
    out.push_back(std::move(corpus_case));
  }
  return out;
}

Result<CorpusInput> CorpusInput::read(const CorpusCase& corpus_case, const ReadFile& read_file) {
  CorpusInput out;
  if (corpus_case.evidence) {
    EML_TRY(out.evidence_, read_file(*corpus_case.evidence));
  }
  for (const auto& [name, path] : corpus_case.collateral) {
    EML_TRY(Bytes bytes, read_file(path));
    out.collateral_.emplace(name, std::move(bytes));
  }
  out.time_ = corpus_case.time;
  out.requirements_ = corpus_case.requirements;
  EML_TRY(out.root_, root_of(corpus_case, out.collateral_));
  return out;
}

EvidenceInput CorpusInput::view() const {
  return {.evidence = evidence_,
          .collateral = &collateral_,
          .time = time_,
          .requirements = requirements_ ? &*requirements_ : nullptr,
          .root = root_};
}

CorpusOutcome compare_outcome(const CorpusCase& corpus_case, const EvidenceVerdict& verdict) {
  CorpusOutcome out;
  out.got = verdict.error ? "invalid" : "valid";
  if (verdict.error) out.error = error_class_of(corpus_case.kind, *verdict.error);
  const bool same_verdict = out.got == corpus_case.verdict();
  out.difference = same_verdict ? first_difference(corpus_case.expect, verdict)
                                : "expected " + std::string(corpus_case.verdict()) + ", got " + out.got + " " +
                                      (verdict.error ? verdict.error->to_string() : "");
  out.agrees = same_verdict && out.difference.empty();
  const auto wanted = text(corpus_case.expect, "error").value_or("");
  const Json* const also = member(corpus_case.expect, "error_also");
  out.class_agrees = same_verdict && (out.error == wanted || (also != nullptr && texts(*also).contains(out.error)));
  if (out.agrees && !out.class_agrees) out.difference = "expected error " + wanted + ", got " + out.error;
  return out;
}

JsonObject outcome_json(const CorpusCase& corpus_case, const CorpusOutcome& outcome) {
  JsonObject out;
  out["id"] = corpus_case.id;
  out["kind"] = corpus_case.kind;
  out["expect"] = corpus_case.verdict();
  out["got"] = outcome.got;
  out["error"] = outcome.error.empty() ? Json(nullptr) : Json(outcome.error);
  out["agree"] = corpus_case.is_graded() ? Json(outcome.agrees) : Json(nullptr);
  return out;
}

}  // namespace eml

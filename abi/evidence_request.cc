#include "abi/evidence_request.h"

#include "attestation/verdict_json.h"
#include "encoding/base64.h"

namespace eml {
namespace {

// By base64 a request grows to 4/3; policy and names of collateral are shallow.
constexpr JsonLimits kLimits{.bytes_max = kRequestBytesMax};

std::unexpected<Error> malformed(Literal what) { return fail(kRequestMalformed, what); }

Result<Bytes> decode_base64(const Json& value, Literal what) {
  if (!value.is_string()) return malformed(what);
  auto bytes = from_base64(value.get_string());
  if (!bytes) return malformed(what);
  return *std::move(bytes);
}

}  // namespace

Status EvidenceRequest::read_kind(const JsonObject& object) {
  const auto name = json_text(object, "kind");
  if (!name) return malformed("`kind` is not a text");
  kind_ = kind_verifier(*name);
  if (kind_ == nullptr) return fail(kRequestUnknownKind, "`kind` is none that has a verifier");
  return {};
}

Status EvidenceRequest::read_collateral(const JsonObject& object) {
  const Json* const collateral = object.if_contains("collateral");
  if (collateral == nullptr) return {};
  if (!collateral->is_object()) return malformed("`collateral` is not an object");
  for (const auto& entry : collateral->get_object()) {
    EML_TRY(Bytes bytes, decode_base64(entry.value(), "a member of `collateral` is not base64"));
    collateral_.emplace(entry.key(), std::move(bytes));
  }
  return {};
}

Status EvidenceRequest::read_policy(const JsonObject& object) {
  const Json* const policy = object.if_contains("policy");
  if (policy == nullptr) return {};
  if (!policy->is_object()) return malformed("`policy` is not an object");
  requirements_ = *policy;
  return {};
}

Status EvidenceRequest::read_nonce(const JsonObject& object) {
  const Json* const nonce = object.if_contains("nonce");
  if (nonce == nullptr) return {};
  const auto bytes = nonce->is_string() ? from_hex(nonce->get_string()) : std::nullopt;
  if (!bytes) return malformed("`nonce` is not hexadecimal");
  if (!requirements_) requirements_ = JsonObject();
  JsonObject& requirements = requirements_->get_object();
  if (requirements.contains(kind_->nonce_requirement)) return malformed("`policy` requires a nonce already");
  requirements[kind_->nonce_requirement] = hex(*bytes);
  return {};
}

Result<EvidenceRequest> EvidenceRequest::decode(ByteView json) {
  EML_TRY(const Json document, parse_json(json, kLimits));
  const JsonObject* const object = document.if_object();
  if (object == nullptr) return malformed("a request is not an object");
  if (!expect_members(*object, {"kind", "evidence", "collateral", "time", "nonce", "policy", "root"}))
    return malformed("a request has an unknown member");
  EvidenceRequest out;
  EML_CHECK(out.read_kind(*object));
  const auto time = json_text(*object, "time");
  if (!time) return malformed("`time` is not a text");
  EML_TRY(out.time_, parse_rfc3339(*time));
  const Json* const evidence = object->if_contains("evidence");
  if (evidence == nullptr) return malformed("there is no `evidence`");
  EML_TRY(out.evidence_, decode_base64(*evidence, "`evidence` is not base64"));
  EML_CHECK(out.read_collateral(*object));
  EML_CHECK(out.read_policy(*object));
  EML_CHECK(out.read_nonce(*object));
  if (const Json* const root = object->if_contains("root")) {
    EML_TRY(out.root_, decode_base64(*root, "`root` is not base64"));
  }
  return out;
}

EvidenceVerdict EvidenceRequest::judge() const {
  return kind_->judge({.evidence = evidence_,
                       .collateral = &collateral_,
                       .time = time_,
                       .requirements = requirements_ ? &*requirements_ : nullptr,
                       .root = root_});
}

JsonObject EvidenceRequest::verdict_json(const EvidenceVerdict& verdict) const {
  return eml::verdict_json(kind_->name, time_, verdict);
}

EvidenceAnswer answer_request(ByteView json) {
  const auto request = EvidenceRequest::decode(json);
  if (!request) {
    JsonObject out;
    out["verdict"] = "not judged";
    out["error"] = request.error().code().name;
    out["message"] = request.error().to_string();
    return {.json = compact_json(std::move(out)), .status = 2};
  }
  const EvidenceVerdict verdict = request->judge();
  return {.json = compact_json(request->verdict_json(verdict)),
          .status = verdict.error ? exit_code(verdict.error->error_class()) : 0};
}

}  // namespace eml

#include "attestation/describe.h"

#include <utility>

#include "attestation/bundle.h"
#include "attestation/kinds.h"
#include "attestation/local/local.h"
#include "attestation/nvidia/nras.h"
#include "attestation/tpm/structures.h"
#include "crypto/hash.h"
#include "crypto/jose/jws.h"

namespace eml {
namespace {

constexpr std::size_t kTextMax = 512;  // of one value in the text form; the JSON form has all

Json error_json(const Error& error) { return JsonObject{{"error", error.to_string()}}; }

Json digest_json(ByteView bytes) { return JsonObject{{"bytes", bytes.size()}, {"sha256", hex(sha256(bytes))}}; }

Json digests_json(const std::vector<Bytes>& items) {
  JsonArray out;
  for (const Bytes& item : items) out.push_back(digest_json(item));
  return out;
}

void describe_local(JsonObject& out, ByteView evidence) {
  out["warning"] = "software evidence: no hardware stands behind it";
  const auto statement = decode_local_evidence(evidence);
  if (!statement) {
    out["error"] = statement.error().to_string();
    return;
  }
  out["digest"] = hex(statement->digest);
  out["binary"] = hex(statement->binary);
  out["root"] = hex(statement->root);
}

Json claims_json(std::string_view token) {
  auto jws = decode_jws(as_bytes(token));
  return jws ? std::move(jws->payload) : error_json(jws.error());
}

// Tokens of NVIDIA's service: their judge shows no claim before a key has signed it.
std::optional<Json> token_fields(ByteView evidence) {
  const auto tokens = UnverifiedNrasTokens::decode(evidence);
  if (!tokens) return std::nullopt;
  JsonObject devices;
  for (const auto& [name, token] : tokens->devices) devices[name] = claims_json(token);
  return JsonObject{{"overall_claims", claims_json(tokens->overall)}, {"device_claims", std::move(devices)}};
}

// A quote of a TPM is judged with its signature and registers only; what it says stands in it alone.
std::optional<Json> quote_fields(ByteView evidence) {
  const auto quote = decode_tpm_quote(evidence);
  if (!quote) return std::nullopt;
  return tpm_quote_fields(*quote);
}

std::optional<Json> fields_without_judge(std::string_view kind, ByteView evidence) {
  if (kind == "tpm") return quote_fields(evidence);
  if (kind == "nvidia") return token_fields(evidence);
  return std::nullopt;
}

Json evidence_json(std::string_view kind, ByteView evidence) {
  JsonObject out = digest_json(evidence).get_object();
  const KindVerifier* verifier = kind_verifier(kind);
  if (verifier == nullptr) {
    describe_local(out, evidence);
    return out;
  }
  if (auto fields = fields_without_judge(kind, evidence)) {
    out["fields"] = *std::move(fields);
    return out;
  }
  // Only what the bytes say: without collateral and at no time nothing is verified.
  const EvidenceVerdict verdict = verifier->judge({.evidence = evidence});
  if (verdict.fields.is_object() && !verdict.fields.get_object().empty()) {
    out["fields"] = verdict.fields;
  } else if (verdict.error) {
    out["error"] = verdict.error->to_string();
  }
  return out;
}

Json binding_json(ByteView bytes) {
  const auto binding = decode_binding(bytes);
  if (!binding) return error_json(binding.error());
  const bool serve = binding->purpose == Purpose::kServe;
  JsonObject out;
  out["purpose"] = serve ? "serve" : "release";
  out["digest"] = hex(binding_digest(binding->purpose, bytes));
  out["boot_id"] = hex(binding->boot_id);
  out["issued_at"] = rfc3339(binding->issued_at);
  out["not_after"] = rfc3339(binding->not_after);
  out["configuration_sha256"] = hex(binding->configuration_hash);
  JsonArray models;
  for (const Hash32& model : binding->model_hashes) models.emplace_back(hex(model));
  out["models"] = std::move(models);
  if (serve) {
    out["receipt_key"] = hex(binding->receipt_key);
    out["channel_key"] = hex(binding->channel_key);
  } else {
    out["release_key"] = hex(binding->release_key);
  }
  if (binding->devices_hash) out["devices_sha256"] = hex(*binding->devices_hash);
  if (binding->challenge) out["challenge"] = hex(*binding->challenge);
  return out;
}

// The document itself: it is JSON already.
Json configuration_json(ByteView bytes) {
  const auto configuration = decode_configuration(bytes);
  if (!configuration) return error_json(configuration.error());
  auto json = parse_json(bytes);
  return json ? *std::move(json) : error_json(json.error());
}

Json endorsements_json(const std::vector<Endorsement>& endorsements) {
  JsonObject out;
  for (const Endorsement& item : endorsements) {
    JsonObject one = digest_json(item.bytes).get_object();
    one["fetched_at"] = rfc3339(item.fetched_at);
    out[item.name] = std::move(one);
  }
  return out;
}

void append_escaped(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const bool cut = text.size() > kTextMax;
  for (const char c : text.substr(0, kTextMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      out += c;
    } else {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  if (cut) out += " ...";
}

void write_value(std::string& out, std::string_view name, const Json& value, std::size_t indent) {
  out.append(indent, ' ');
  append_escaped(out, name);
  out += ':';
  if (value.is_object()) {
    out += '\n';
    for (const auto& member : value.get_object()) write_value(out, member.key(), member.value(), indent + 2);
    return;
  }
  if (value.is_array()) {
    out += value.get_array().empty() ? " none\n" : "\n";
    for (const Json& item : value.get_array()) write_value(out, "-", item, indent + 2);
    return;
  }
  out += ' ';
  append_escaped(out, value.is_string() ? std::string_view(value.get_string()) : compact_json(value));
  out += '\n';
}

}  // namespace

Result<Json> describe_bundle(ByteView bundle) {
  EML_TRY(const EvidenceBundle decoded, decode_bundle(bundle));
  JsonObject out;
  out["verified"] = false;
  out["note"] = kUnverifiedNote;
  out["bundle"] = digest_json(bundle);
  out["kind"] = to_string(decoded.kind);
  out["evidence"] = evidence_json(to_string(decoded.kind), decoded.evidence);
  out["binding"] = binding_json(decoded.binding);
  out["configuration"] = configuration_json(decoded.configuration);
  out["manifests"] = digests_json(decoded.manifests);
  out["devices"] = digests_json(decoded.devices);
  out["endorsements"] = endorsements_json(decoded.endorsements);
  out["release_records"] = digests_json(decoded.release_records);
  return out;
}

Json describe_evidence(std::string_view kind, ByteView evidence) {
  return JsonObject{
      {"verified", false}, {"note", kUnverifiedNote}, {"kind", kind}, {"evidence", evidence_json(kind, evidence)}};
}

std::string description_text(const Json& description) {
  std::string out(kUnverifiedNote);
  out += "\n\n";
  if (!description.is_object()) return out;
  for (const auto& member : description.get_object()) {
    if (member.key() == "note" || member.key() == "verified") continue;
    write_value(out, member.key(), member.value(), 0);
  }
  return out;
}

}  // namespace eml

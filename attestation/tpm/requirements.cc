// Section 6 of docs/spec/evidence/tpm.md: the closed object of requirements.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "attestation/tpm/pcr_index.h"
#include "attestation/tpm/tpm.h"

namespace eml {
namespace {

constexpr std::size_t kNonceBytesMax = 64;    // TPM2B_DATA holds a digest of the largest hash
constexpr std::size_t kEventsAskedMax = 256;  // more than any log that we have seen has events to pin

std::unexpected<Error> bad(Literal what) { return fail(kTpmRequirements, what); }

std::optional<Bytes> hex_member(const JsonObject& in, std::string_view name) {
  const auto text = json_text(in, name);
  return text ? from_hex(*text) : std::nullopt;
}

Status read_nonce(const JsonObject& in, TpmRequirements& out) {
  if (in.if_contains("nonce") == nullptr) return {};
  out.nonce = hex_member(in, "nonce");
  if (!out.nonce || out.nonce->size() > kNonceBytesMax) return bad("a nonce is hex of at most 64 bytes");
  return {};
}

Status read_pcrs(const JsonObject& in, TpmRequirements& out) {
  if (in.if_contains("pcrs") == nullptr) return {};
  const auto pcrs = json_object(in, "pcrs");
  if (!pcrs) return bad("required PCRs are an object");
  for (const auto& [key, value] : **pcrs) {
    const auto index = parse_pcr_index(key);
    auto bytes = value.is_string() ? from_hex(value.get_string()) : std::nullopt;
    if (!index || !bytes) return bad("a required PCR is an index and hex");
    out.pcrs.emplace(*index, *std::move(bytes));
  }
  return {};
}

Result<TpmEventRequirement> read_event(const Json& json) {
  const JsonObject* const in = json.if_object();
  if (in == nullptr || !expect_members(*in, {"pcr", "type", "digest", "name"}))
    return bad("a required event is not one");
  TpmEventRequirement out;
  const auto pcr = json_uint(*in, "pcr");
  const auto type = json_text(*in, "type");
  if (!pcr || *pcr > UINT32_MAX || !type) return bad("a required event lacks its register or type");
  out.pcr = static_cast<std::uint32_t>(*pcr);
  out.type = *type;
  if (in->if_contains("digest") != nullptr) {
    out.digest = hex_member(*in, "digest");
    if (!out.digest) return bad("an event's digest is hex");
  }
  if (in->if_contains("name") != nullptr) {
    const auto name = json_text(*in, "name");
    if (!name) return bad("an event's name is text");
    out.name = *name;
  }
  if (!out.digest && !out.name) return bad("a required event has a digest or a name");
  return out;
}

Status read_events(const JsonObject& in, TpmRequirements& out) {
  if (in.if_contains("events") == nullptr) return {};
  const auto events = json_array(in, "events");
  if (!events || (*events)->size() > kEventsAskedMax) return bad("required events are an array, and not that many");
  for (const Json& each : **events) {
    EML_TRY(TpmEventRequirement event, read_event(each));
    out.events.push_back(std::move(event));
  }
  return {};
}

Status read_ak_trust(const JsonObject& in, TpmRequirements& out) {
  if (in.if_contains("ak_trust") == nullptr) return {};
  const auto word = json_text(in, "ak_trust");
  if (!word || (*word != "certificate" && *word != "hardware"))
    return bad("a key is trusted by certificate or hardware");
  out.ak_trust = std::string(*word);
  return {};
}

Status read_hcl_measurement(const JsonObject& in, TpmRequirements& out) {
  if (in.if_contains("hcl_measurement") == nullptr) return {};
  out.hcl_measurement = hex_member(in, "hcl_measurement");
  if (!out.hcl_measurement || out.hcl_measurement->size() != sizeof(Hash48)) {
    return bad("a TEE's measurement is hex of 48 bytes");
  }
  return {};
}

}  // namespace

Result<TpmRequirements> decode_tpm_requirements(const Json* json) {
  TpmRequirements out;
  if (json == nullptr) return out;
  const JsonObject* const in = json->if_object();
  if (in == nullptr || !expect_members(*in, {"nonce", "pcrs", "events", "ak_trust", "hcl_measurement"})) {
    return bad("the requirements are not an object of this kind's members");
  }
  EML_CHECK(read_nonce(*in, out));
  EML_CHECK(read_pcrs(*in, out));
  EML_CHECK(read_events(*in, out));
  EML_CHECK(read_ak_trust(*in, out));
  EML_CHECK(read_hcl_measurement(*in, out));
  return out;
}

}  // namespace eml

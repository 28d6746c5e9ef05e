#include "attestation/nitro/requirements.h"

#include <string_view>

namespace eml {
namespace {

std::unexpected<Error> malformed(Literal what) { return fail(kNitroRequirements, what); }

// One text for each value: lower case only.
std::optional<Bytes> read_hex(const Json& value) {
  if (!value.is_string()) return std::nullopt;
  auto bytes = from_hex(value.get_string());
  if (!bytes || hex(*bytes) != std::string_view(value.get_string())) return std::nullopt;
  return bytes;
}

// Decimal without leading zeros, 0 to 31.
std::optional<unsigned> read_index(std::string_view text) {
  for (unsigned i = 0; i < kNitroPcrCountMax; ++i) {
    if (text == std::to_string(i)) return i;
  }
  return std::nullopt;
}

Status read_pcrs(const Json& value, std::map<unsigned, Bytes>& out) {
  if (!value.is_object()) return malformed("pcrs: an object of index to hex");
  for (const auto& member : value.get_object()) {
    const auto index = read_index(member.key());
    auto bytes = read_hex(member.value());
    if (!index || !bytes) return malformed("pcrs: index 0 to 31 in decimal, to lower-case hex");
    out.emplace(*index, *std::move(bytes));
  }
  return {};
}

Status read_member(std::string_view name, const Json& value, NitroRequirements& out) {
  if (name == "pcrs") return read_pcrs(value, out.pcrs);
  if (name == "allow_debug") {
    if (!value.is_bool()) return malformed("allow_debug: true or false");
    out.allow_debug = value.get_bool();
    return {};
  }
  if (name != "nonce" && name != "user_data") return malformed("an unknown member");
  auto bytes = read_hex(value);
  if (!bytes) return malformed("nonce, user_data: lower-case hex");
  (name == "nonce" ? out.nonce : out.user_data) = *std::move(bytes);
  return {};
}

}  // namespace

Result<NitroRequirements> decode_nitro_requirements(const Json* json) {
  NitroRequirements out;
  if (json == nullptr || json->is_null()) return out;
  if (!json->is_object()) return malformed("requirements are a JSON object");
  for (const auto& member : json->get_object()) EML_CHECK(read_member(member.key(), member.value(), out));
  return out;
}

Status appraise_nitro(const VerifiedNitroDocument& verified, const NitroRequirements& requirements) {
  const NitroDocument& document = verified.document();
  for (const auto& [index, wanted] : requirements.pcrs) {
    const auto found = document.pcrs.find(index);
    if (found == document.pcrs.end() || found->second != wanted) {
      return fail(kNitroMeasurementMismatch, "a PCR is not the required one", index);
    }
  }
  if (requirements.nonce && document.nonce != requirements.nonce) {
    return fail(kNitroNonceMismatch, "the nonce is not the required one");
  }
  if (requirements.user_data && document.user_data != requirements.user_data) {
    return fail(kNitroUserDataMismatch, "user_data is not the required one");
  }
  if (requirements.allow_debug == false && verified.debug()) {
    return fail(kNitroDebugEnabled, "the enclave runs in debug mode: PCR0 to PCR2 are zero");
  }
  return {};
}

}  // namespace eml

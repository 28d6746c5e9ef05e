#include "attestation/nvidia/requirements.h"

#include <algorithm>

namespace eml {
namespace {

std::unexpected<Error> malformed(Literal what) { return fail(kNvidiaRequirements, what); }

Status read_nonce(const Json& value, NvidiaRequirements& out) {
  if (!value.is_string()) return malformed("nonce: lower-case hex");
  auto bytes = from_hex(value.get_string());
  if (!bytes || hex(*bytes) != std::string_view(value.get_string())) return malformed("nonce: lower-case hex");
  out.nonce = *std::move(bytes);
  return {};
}

Status read_versions(const Json& value, NvidiaRequirements& out) {
  if (!value.is_array()) return malformed("driver_versions: an array of strings");
  out.driver_versions.emplace();
  for (const Json& item : value.get_array()) {
    if (!item.is_string()) return malformed("driver_versions: an array of strings");
    out.driver_versions->emplace_back(item.get_string());
  }
  return {};
}

}  // namespace

Result<NvidiaRequirements> NvidiaRequirements::decode(const Json* json) {
  NvidiaRequirements out;
  if (json == nullptr || json->is_null()) return out;
  if (!json->is_object()) return malformed("requirements are a JSON object");
  for (const auto& member : json->get_object()) {
    if (member.key() == "nonce") {
      EML_CHECK(read_nonce(member.value(), out));
    } else if (member.key() == "driver_versions") {
      EML_CHECK(read_versions(member.value(), out));
    } else {
      return malformed("an unknown member");
    }
  }
  return out;
}

bool NvidiaRequirements::accepts_nonce(std::string_view nonce_hex) const { return !nonce || hex(*nonce) == nonce_hex; }

bool NvidiaRequirements::accepts_driver(std::string_view version) const {
  return !driver_versions || std::ranges::find(*driver_versions, version) != driver_versions->end();
}

}  // namespace eml

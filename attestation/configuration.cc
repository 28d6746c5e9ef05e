#include "attestation/configuration.h"

#include <algorithm>
#include <utility>

#include "attestation/text.h"
#include "encoding/json.h"

namespace eml {
namespace {

constexpr std::string_view kSchema = "eml-configuration/1";

Result<Ed25519PublicKey> key_of(std::string_view text) {
  const auto key = hex_array<32>(text);
  if (!key) return fail(kConfigurationMalformed, "a key is not 64 lower-case hex digits");
  return *key;
}

Result<std::vector<Ed25519PublicKey>> decode_publishers(const JsonArray& array) {
  if (array.empty() || array.size() > kConfigurationPublishersMax) {
    return fail(kConfigurationMalformed, "publishers: 1 to 16 keys", array.size());
  }
  std::vector<Ed25519PublicKey> keys;
  for (const Json& item : array) {
    if (!item.is_string()) return fail(kConfigurationMalformed, "publishers: a key is not text");
    EML_TRY(const Ed25519PublicKey key, key_of(item.get_string()));
    if (!keys.empty() && !(keys.back() < key)) return fail(kConfigurationMalformed, "publishers are not in order");
    keys.push_back(key);
  }
  return keys;
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> decode_serials(const JsonObject& object) {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  for (const auto& member : object) {
    const std::string_view id = member.key();
    if (!is_printable(id, 128)) return fail(kConfigurationMalformed, "minimum_serials: not a model id");
    EML_TRY(const std::uint64_t serial, json_uint(object, id));
    out.emplace_back(id, serial);
  }
  return out;
}

Status check_limits(const JsonObject& object) {
  for (const auto& member : object) {
    const std::string_view name = member.key();
    if (!is_name(name)) return fail(kConfigurationMalformed, "limits: not a limit's name");
    EML_CHECK(json_uint(object, name));
  }
  return {};
}

Result<PublicConfiguration> decode_object(const JsonObject& root) {
  EML_CHECK(expect_members(
      root, {"schema", "issuer", "operator_key", "publishers", "minimum_serials", "numerics", "log_level", "limits"}));
  PublicConfiguration out;
  EML_TRY(const std::string_view schema, json_text(root, "schema"));
  if (schema != kSchema) return fail(kConfigurationMalformed, "another schema");
  EML_TRY(out.issuer, json_text(root, "issuer"));
  if (!is_printable(out.issuer, 128)) return fail(kConfigurationMalformed, "issuer: 1 to 128 printable characters");
  if (root.contains("operator_key")) {
    EML_TRY(const std::string_view key, json_text(root, "operator_key"));
    EML_TRY(out.operator_key, key_of(key));
  }
  EML_TRY(const JsonArray* publishers, json_array(root, "publishers"));
  EML_TRY(out.publishers, decode_publishers(*publishers));
  EML_TRY(const JsonObject* serials, json_object(root, "minimum_serials"));
  EML_TRY(out.minimum_serials, decode_serials(*serials));
  EML_TRY(out.numerics, json_text(root, "numerics"));
  if (!is_name(out.numerics)) return fail(kConfigurationMalformed, "numerics: not a name");
  EML_TRY(out.log_level, json_text(root, "log_level"));
  static constexpr std::array<std::string_view, 4> kLevels{"error", "warning", "info", "debug"};
  if (std::ranges::find(kLevels, out.log_level) == kLevels.end()) {
    return fail(kConfigurationMalformed, "log_level: error, warning, info or debug");
  }
  EML_TRY(const JsonObject* limits, json_object(root, "limits"));
  EML_CHECK(check_limits(*limits));
  out.limits = to_bytes(canonical_json(*limits));
  return out;
}

}  // namespace

Result<PublicConfiguration> decode_configuration(ByteView jcs) {
  const auto root = parse_json(jcs, {.bytes_max = kConfigurationBytesMax, .depth_max = 4});
  if (!root || !root->is_object()) return fail(kConfigurationMalformed, "the configuration is not a JSON object");
  if (canonical_json(*root) != as_text(jcs)) return fail(kConfigurationMalformed, "the configuration is not canonical");
  auto out = decode_object(root->get_object());
  if (!out && out.error().code() != kConfigurationMalformed) {
    return fail(kConfigurationMalformed, "a member is missing, unknown or of another type");
  }
  return out;
}

Bytes encode_configuration(const PublicConfiguration& configuration) {
  JsonObject root;
  root["schema"] = kSchema;
  root["issuer"] = configuration.issuer;
  if (configuration.operator_key) root["operator_key"] = hex(*configuration.operator_key);
  std::vector<Ed25519PublicKey> sorted = configuration.publishers;
  std::ranges::sort(sorted);
  JsonArray publishers;
  for (const Ed25519PublicKey& key : sorted) publishers.emplace_back(hex(key));
  root["publishers"] = std::move(publishers);
  JsonObject serials;
  for (const auto& [id, serial] : configuration.minimum_serials) serials[id] = serial;
  root["minimum_serials"] = std::move(serials);
  root["numerics"] = configuration.numerics;
  root["log_level"] = configuration.log_level;
  if (configuration.limits.empty()) {
    root["limits"] = JsonObject();
  } else {
    auto limits = parse_json(configuration.limits, {.bytes_max = kConfigurationBytesMax, .depth_max = 4});
    root["limits"] = limits ? *std::move(limits) : Json(nullptr);
  }
  return to_bytes(canonical_json(root));
}

}  // namespace eml

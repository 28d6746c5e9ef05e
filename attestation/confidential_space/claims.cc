#include "attestation/confidential_space/claims.h"

namespace eml::confidential_space {

const Json* Claims::find(Path path) const {
  const JsonObject* object = claims_;
  const Json* value = nullptr;
  for (const std::string_view name : path) {
    if (object == nullptr) return nullptr;
    value = object->if_contains(name);
    object = value == nullptr ? nullptr : value->if_object();
    if (value == nullptr) return nullptr;
  }
  return value;
}

std::optional<std::string_view> Claims::text(Path path) const {
  const Json* const value = find(path);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

std::optional<bool> Claims::boolean(Path path) const {
  const Json* const value = find(path);
  if (value == nullptr || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

std::optional<std::int64_t> Claims::integer(Path path) const {
  const Json* const value = find(path);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

std::vector<std::string_view> Claims::texts(Path path) const {
  if (const auto one = text(path)) return {*one};
  const Json* const value = find(path);
  if (value == nullptr || !value->is_array()) return {};
  std::vector<std::string_view> out;
  for (const Json& entry : value->get_array()) {
    if (!entry.is_string()) return {};
    out.emplace_back(entry.get_string());
  }
  return out;
}

bool Claims::is_filled(Path path) const {
  const Json* const value = find(path);
  if (value == nullptr) return false;
  if (value->is_object()) return !value->get_object().empty();
  if (value->is_array()) return !value->get_array().empty();
  return true;
}

std::optional<Hash32> Claims::image_digest() const {
  constexpr std::string_view kPrefix = "sha256:";
  const auto digest = text({"submods", "container", "image_digest"});
  if (!digest || !digest->starts_with(kPrefix)) return std::nullopt;
  const auto bytes = from_hex(digest->substr(kPrefix.size()));
  const auto out = bytes ? to_array<32>(*bytes) : std::nullopt;
  // Upper case is another string to whoever compares the claim itself.
  if (!out || hex(*out) != digest->substr(kPrefix.size())) return std::nullopt;
  return out;
}

std::optional<std::string_view> Claims::tdx_status() const {
  const Json* tdx = find({"tdx"});
  if (tdx != nullptr && tdx->is_array() && tdx->get_array().size() == 1) tdx = &tdx->get_array().front();
  if (tdx == nullptr || !tdx->is_object()) return std::nullopt;
  return Claims(tdx->get_object()).text({"gcp_attester_tcb_status"});
}

}  // namespace eml::confidential_space

// Claims reads the claims of a Confidential Space token. A claim of another type than its own counts as absent, so
// whatever requires it refuses it; only the three times must be integers for a token to be one.
// Source: docs/spec/evidence/confidential_space.md, "Claims".
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml::confidential_space {

using Path = std::initializer_list<std::string_view>;

class Claims {
 public:
  explicit Claims(const JsonObject& claims) : claims_(&claims) {}

  const Json* find(Path path) const;
  std::optional<std::string_view> text(Path path) const;
  std::optional<bool> boolean(Path path) const;
  std::optional<std::int64_t> integer(Path path) const;
  // texts reads a list of strings; a single string is a list of one (eat_nonce). Empty if it is anything else.
  std::vector<std::string_view> texts(Path path) const;
  // is_filled: there is a value, and it is not an empty object or list.
  bool is_filled(Path path) const;

  // image_digest is the 32 bytes of "sha256:" and lower-case hex; nullopt otherwise.
  std::optional<Hash32> image_digest() const;
  // tdx_status is gcp_attester_tcb_status of `tdx`, an object or, in older tokens, a list of one.
  std::optional<std::string_view> tdx_status() const;
  bool is_production_image() const { return text({"dbgstat"}) == "disabled-since-boot"; }

 private:
  const JsonObject* claims_;
};

}  // namespace eml::confidential_space

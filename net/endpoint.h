// Endpoint and Url: where to listen and whom to call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kEndpointMalformed{ErrorClass::kMalformed, "endpoint-malformed"};
inline constexpr ErrorCode kUrlMalformed{ErrorClass::kMalformed, "url-malformed"};

// Endpoint is a host (name or address, without brackets) and a port; port 0 asks the system for a free one.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  // to_string gives "127.0.0.1:443" or "[::1]:443".
  std::string to_string() const;
};

// parse_endpoint accepts HOST:PORT and [V6]:PORT.
Result<Endpoint> parse_endpoint(std::string_view text);

// Url is what our clients call: http or https, no user, no fragment.
struct Url {
  bool tls = false;
  Endpoint endpoint;
  std::string target = "/";  // path and query
};
Result<Url> parse_url(std::string_view text);

}  // namespace eml

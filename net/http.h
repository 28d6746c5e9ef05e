// Plain HTTP types of our client and server; nothing of Boost.Beast shows here.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kConnectFailed{ErrorClass::kUnavailable, "connect-failed"};
inline constexpr ErrorCode kListenFailed{ErrorClass::kUnavailable, "listen-failed"};
inline constexpr ErrorCode kNetTimeout{ErrorClass::kUnavailable, "net-timeout"};
inline constexpr ErrorCode kNetClosed{ErrorClass::kUnavailable, "net-closed"};
inline constexpr ErrorCode kHttpMalformed{ErrorClass::kMalformed, "http-malformed"};
inline constexpr ErrorCode kHttpTooLarge{ErrorClass::kLimit, "http-too-large"};
inline constexpr ErrorCode kTlsFailed{ErrorClass::kUnauthentic, "tls-failed"};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpCall {
  std::string method = "GET";
  std::string target = "/";
  HttpHeaders headers;
  Bytes body;
};

struct HttpReply {
  std::uint16_t status = 200;
  HttpHeaders headers;
  Bytes body;
};

// header returns the first header with that name (case ignored), or empty.
std::string_view header(const HttpHeaders& headers, std::string_view name);

}  // namespace eml

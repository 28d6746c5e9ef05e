// http_call makes one HTTP/1.1 request on a connection of its own and waits for the answer.
#pragma once

#include <functional>
#include <string>

#include "net/endpoint.h"
#include "net/http.h"

namespace eml {

struct HttpClientLimits {
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds idle{15'000};   // between two pieces of progress
  std::chrono::milliseconds total{60'000};  // of a call without a sink; with one, only `idle` bounds it
  std::size_t body_bytes_max = 4U << 20;
};

// BodySink receives the body of a 200 or 206 answer in pieces, instead of HttpReply::body. Its error ends the call.
using BodySink = std::function<Status(ByteView)>;

// http_call blocks. Redirects are not followed: the caller looks at the status. Over TLS the peer's chain must end in
// the machine's trust store and its name must match.
// Errors: kConnectFailed, kNetTimeout, kNetClosed, kHttpMalformed, kHttpTooLarge, kTlsFailed.
Result<HttpReply> http_call(const Url& url, const HttpCall& call, const HttpClientLimits& limits = {},
                            const BodySink& sink = {});

// http_call_unix is http_call to a server on the Unix socket `path`, with Host: localhost.
// Errors: as http_call without TLS; kConnectFailed too for a path that no socket can have.
Result<HttpReply> http_call_unix(const std::string& path, const HttpCall& call, const HttpClientLimits& limits = {});

}  // namespace eml

// One request and its answer over a connected stream: shared by the clear client and the TLS client. Internal to net.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <limits>

#include "net/http_client.h"

namespace eml::net_internal {

inline constexpr std::size_t kHeaderBytesMax = 32 * 1024;
inline constexpr std::size_t kPiece = 64 * 1024;

inline std::unexpected<Error> net_error(const boost::system::error_code& error) {
  namespace beast = boost::beast;
  if (error == beast::error::timeout) return fail(kNetTimeout, "the peer did not answer in time");
  if (error == beast::http::error::body_limit || error == beast::http::error::header_limit) {
    return fail(kHttpTooLarge, "the answer is larger than its bound");
  }
  if (error.category() == beast::http::make_error_code(beast::http::error::bad_version).category() &&
      error != beast::http::error::end_of_stream && error != beast::http::error::partial_message) {
    return fail(kHttpMalformed, "the answer is not HTTP");
  }
  return fail(kNetClosed, "the connection ended before the answer was complete");
}

inline boost::beast::http::request<boost::beast::http::vector_body<std::uint8_t>> to_beast(const Url& url,
                                                                                           const HttpCall& call) {
  namespace http = boost::beast::http;
  http::request<http::vector_body<std::uint8_t>> request;
  request.method_string(call.method);
  request.target(call.target);
  request.version(11);
  const bool default_port = url.endpoint.port == (url.tls ? 443 : 80);
  request.set(http::field::host, default_port ? url.endpoint.host : url.endpoint.to_string());
  request.set(http::field::user_agent, "ephemeralml");
  request.set(http::field::connection, "close");
  for (const auto& [name, value] : call.headers) request.set(name, value);
  request.body() = call.body;
  request.prepare_payload();
  return request;
}

// ExpireAfter resets the stream's deadline: `idle`, but never past the end of the whole call.
class Deadline {
 public:
  Deadline(const HttpClientLimits& limits, bool streaming)
      : idle_(limits.idle),
        end_(streaming ? std::chrono::steady_clock::time_point::max()
                       : std::chrono::steady_clock::now() + limits.total) {}
  template <typename Stream>
  void renew(Stream& stream) const {
    stream.expires_at(std::min(end_, std::chrono::steady_clock::now() + idle_));
  }

 private:
  std::chrono::milliseconds idle_;
  std::chrono::steady_clock::time_point end_;
};

// exchange writes `call` and reads the answer. `lowest` is the Beast stream under `stream`, for the deadlines.
template <typename Stream, typename Lowest>
boost::asio::awaitable<Result<HttpReply>> exchange(Stream& stream, Lowest& lowest, const Url& url, const HttpCall& call,
                                                   const HttpClientLimits& limits, const BodySink& sink) {
  namespace http = boost::beast::http;
  using boost::asio::redirect_error;
  using boost::asio::use_awaitable;
  boost::system::error_code error;
  const Deadline deadline(limits, static_cast<bool>(sink));

  auto request = to_beast(url, call);
  deadline.renew(lowest);
  co_await http::async_write(stream, request, redirect_error(use_awaitable, error));
  if (error) co_return net_error(error);

  boost::beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  parser.header_limit(kHeaderBytesMax);
  parser.body_limit(limits.body_bytes_max);
  if (call.method == "HEAD") parser.skip(true);
  deadline.renew(lowest);
  co_await http::async_read_header(stream, buffer, parser, redirect_error(use_awaitable, error));
  if (error) co_return net_error(error);

  HttpReply reply;
  reply.status = static_cast<std::uint16_t>(parser.get().result_int());
  for (const auto& field : parser.get()) reply.headers.emplace_back(field.name_string(), field.value());
  const bool to_sink = sink && (reply.status == 200 || reply.status == 206);

  Bytes piece(kPiece);
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    deadline.renew(lowest);
    co_await http::async_read(stream, buffer, parser, redirect_error(use_awaitable, error));
    if (error == http::error::need_buffer) error = {};
    // A sink gets what arrived before an error too: a transfer can go on from there.
    const ByteView got(piece.data(), piece.size() - parser.get().body().size);
    if (!to_sink) {
      reply.body.insert(reply.body.end(), got.begin(), got.end());
    } else if (auto status = sink(got); !status) {
      co_return std::unexpected(status.error());
    }
    if (error) co_return net_error(error);
  }
  co_return reply;
}

// connect resolves and connects within limits.connect.
boost::asio::awaitable<Status> connect(boost::beast::tcp_stream& stream, const Endpoint& endpoint,
                                       const HttpClientLimits& limits);

// tls_call is http_call over TLS (tls.cc).
boost::asio::awaitable<Result<HttpReply>> tls_call(const Url& url, const HttpCall& call, const HttpClientLimits& limits,
                                                   const BodySink& sink);

}  // namespace eml::net_internal

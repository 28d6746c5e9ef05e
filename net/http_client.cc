#include "net/http_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/string.hpp>
#include <optional>

#include "net/http_exchange.h"

namespace eml {

namespace asio = boost::asio;
namespace beast = boost::beast;

std::string_view header(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (beast::iequals(key, name)) return value;
  }
  return {};
}

namespace net_internal {

namespace {

using Local = asio::local::stream_protocol;

Status connected(const boost::system::error_code& error) {
  if (error == beast::error::timeout) return fail(kNetTimeout, "nobody accepted the connection in time");
  if (error) return fail(kConnectFailed, "the connection was refused", static_cast<std::uint64_t>(error.value()));
  return {};
}

asio::awaitable<Result<HttpReply>> unix_call(const Local::endpoint& endpoint, const HttpCall& call,
                                             const HttpClientLimits& limits) {
  beast::basic_stream<Local> stream(co_await asio::this_coro::executor);
  boost::system::error_code error;
  stream.expires_after(limits.connect);
  co_await stream.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  if (auto status = connected(error); !status) co_return std::unexpected(status.error());
  const Url url{.tls = false, .endpoint = {.host = "localhost", .port = 80}};
  co_return co_await exchange(stream, stream, url, call, limits, {});
}

}  // namespace

asio::awaitable<Status> connect(beast::tcp_stream& stream, const Endpoint& endpoint, const HttpClientLimits& limits) {
  boost::system::error_code error;
  asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
  const auto found = co_await resolver.async_resolve(endpoint.host, std::to_string(endpoint.port),
                                                     asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return fail(kConnectFailed, "the host's name does not resolve");
  stream.expires_after(limits.connect);
  co_await stream.async_connect(found, asio::redirect_error(asio::use_awaitable, error));
  co_return connected(error);
}

namespace {

asio::awaitable<Result<HttpReply>> clear_call(const Url& url, const HttpCall& call, const HttpClientLimits& limits,
                                              const BodySink& sink) {
  beast::tcp_stream stream(co_await asio::this_coro::executor);
  if (auto status = co_await connect(stream, url.endpoint, limits); !status) co_return std::unexpected(status.error());
  co_return co_await exchange(stream, stream, url, call, limits, sink);
}

// Runs one call to its end on this thread.
Result<HttpReply> run(asio::awaitable<Result<HttpReply>> work) {
  asio::io_context context(1);
  std::optional<Result<HttpReply>> result;
  asio::co_spawn(context, std::move(work), [&result](const std::exception_ptr& thrown, Result<HttpReply> reply) {
    if (!thrown) result.emplace(std::move(reply));
  });
  try {
    context.run();
  } catch (const std::exception&) {
    return fail(kInternalError, "the HTTP client threw");
  }
  if (!result) return fail(kInternalError, "the HTTP client threw");
  return std::move(*result);
}

}  // namespace
}  // namespace net_internal

Result<HttpReply> http_call(const Url& url, const HttpCall& call, const HttpClientLimits& limits,
                            const BodySink& sink) {
  return net_internal::run(url.tls ? net_internal::tls_call(url, call, limits, sink)
                                   : net_internal::clear_call(url, call, limits, sink));
}

Result<HttpReply> http_call_unix(const std::string& path, const HttpCall& call, const HttpClientLimits& limits) {
  // Asio throws for a path that is too long, and takes one that begins with a zero byte for an abstract name.
  constexpr std::size_t kPathMax = 107;  // unix(7): sun_path is 108 with its zero
  if (path.empty() || path.size() > kPathMax || path.find('\0') != std::string::npos) {
    return fail(kConnectFailed, "no Unix socket can have this path");
  }
  return net_internal::run(net_internal::unix_call(net_internal::Local::endpoint(path), call, limits));
}

}  // namespace eml

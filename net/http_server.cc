#include "net/http_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <list>

#include "net/listen.h"

namespace eml {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

namespace {
constexpr std::size_t kHeaderBytesMax = 16 * 1024;
}

struct HttpServer::State : std::enable_shared_from_this<HttpServer::State> {
  State(tcp::acceptor acceptor_in, Handler handler_in, const HttpServerLimits& limits_in)
      : acceptor(std::move(acceptor_in)), handler(std::move(handler_in)), limits(limits_in) {}

  asio::awaitable<void> accept_loop() {
    const auto self = shared_from_this();
    while (!stopped) {
      boost::system::error_code error;
      tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (stopped) co_return;
      if (error) {
        // Out of descriptors, most likely: wait for connections to end rather than spin.
        asio::steady_timer pause(acceptor.get_executor(), std::chrono::milliseconds(50));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      if (streams.size() >= limits.connections_max) continue;  // closed at once: a bound is a bound
      streams.emplace_front(std::move(socket));
      asio::co_spawn(acceptor.get_executor(), serve(streams.begin()), asio::detached);
    }
  }

  asio::awaitable<void> serve(std::list<beast::tcp_stream>::iterator stream) {
    const auto self = shared_from_this();
    beast::flat_buffer buffer(kHeaderBytesMax + limits.body_bytes_max + 4096);
    bool more = true;
    for (std::size_t n = 0; more && n < limits.requests_per_connection && !stopped; ++n) {
      more = co_await serve_one(*stream, buffer);
    }
    boost::system::error_code ignored;
    stream->socket().shutdown(tcp::socket::shutdown_send, ignored);
    streams.erase(stream);
  }

  asio::awaitable<bool> serve_one(beast::tcp_stream& stream, beast::flat_buffer& buffer) {
    boost::system::error_code error;
    http::request_parser<http::vector_body<std::uint8_t>> parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(limits.body_bytes_max);
    stream.expires_after(limits.request);
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error == http::error::body_limit) {
      co_await write(stream, {.status = 413, .headers = {}, .body = {}}, 11, false);
      co_return false;
    }
    if (error) {
      const bool quiet = error == http::error::end_of_stream || error == beast::error::timeout ||
                         error.category() == boost::system::system_category() || error == asio::error::eof;
      if (!quiet) co_await write(stream, {.status = 400, .headers = {}, .body = {}}, 11, false);
      co_return false;
    }
    auto request = parser.release();
    HttpCall call;
    call.method = std::string(request.method_string());
    call.target = std::string(request.target());
    for (const auto& field : request) call.headers.emplace_back(field.name_string(), field.value());
    call.body = std::move(request.body());
    const HttpReply reply = handler(call);
    co_return co_await write(stream, reply, request.version(), request.keep_alive());
  }

  asio::awaitable<bool> write(beast::tcp_stream& stream, const HttpReply& reply, unsigned version, bool keep_alive) {
    http::response<http::vector_body<std::uint8_t>> response(static_cast<http::status>(reply.status), version);
    for (const auto& [name, value] : reply.headers) response.set(name, value);
    response.set(http::field::cache_control, "no-store");
    response.keep_alive(keep_alive);
    response.body() = reply.body;
    response.prepare_payload();
    boost::system::error_code error;
    stream.expires_after(limits.request);
    co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
    co_return !error && keep_alive;
  }

  tcp::acceptor acceptor;
  Handler handler;
  HttpServerLimits limits;
  std::list<beast::tcp_stream> streams;
  bool stopped = false;
};

HttpServer::HttpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::io_context& context, const Endpoint& endpoint,
                                                       Handler handler, const HttpServerLimits& limits) {
  EML_TRY(tcp::acceptor acceptor, listen_tcp(context, endpoint));
  auto state = std::make_shared<State>(std::move(acceptor), std::move(handler), limits);
  asio::co_spawn(context, state->accept_loop(), asio::detached);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

Endpoint HttpServer::local_endpoint() const { return local_endpoint_of(state_->acceptor); }

void HttpServer::stop() {
  if (state_->stopped) return;
  state_->stopped = true;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (auto& stream : state_->streams) stream.cancel();
}

}  // namespace eml

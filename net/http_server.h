// HttpServer is a small HTTP/1.1 server for things beside the channel: the broker, health and metrics.
//
// Bounded in every direction: connections, header and body size, time for a request, requests a connection. Handlers
// run on the context's own thread and must not block for long.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "net/endpoint.h"
#include "net/http.h"

namespace eml {

struct HttpServerLimits {
  std::size_t connections_max = 256;
  std::size_t body_bytes_max = 64 * 1024;
  std::chrono::milliseconds request{10'000};  // from the first byte awaited to the last byte read, idle time included
  std::size_t requests_per_connection = 1'000;
};

class HttpServer {
 public:
  using Handler = std::function<HttpReply(const HttpCall&)>;

  // listen binds and starts to accept on `context`. kListenFailed with errno if the endpoint is taken or not ours.
  static Result<std::unique_ptr<HttpServer>> listen(boost::asio::io_context& context, const Endpoint& endpoint,
                                                    Handler handler, const HttpServerLimits& limits = {});
  ~HttpServer();

  // local_endpoint has the port that the system chose, if 0 was asked for.
  Endpoint local_endpoint() const;
  // stop accepts no more and ends every connection.
  void stop();

 private:
  struct State;
  explicit HttpServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace eml

// Session is one connection: a socket, a channel, and the service that answers its requests. All of it runs on one
// io_context of one thread; sessions share nothing but the engine's queue, the epoch and the counters.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "channel/server_channel.h"
#include "server/epoch.h"
#include "server/service.h"

namespace eml {

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `established` is called once, when the keys stand; `ended` once, when the session is over.
  struct Callbacks {
    std::function<void()> established;
    std::function<void(const Session&)> ended;
  };

  Session(boost::asio::ip::tcp::socket socket, std::shared_ptr<const Epoch> epoch, ServiceContext& context,
          RequestBudget& budget, Callbacks callbacks);
  ~Session();

  void start();
  // goaway tells the client that no new request will be answered; the session ends when the open ones were.
  void goaway();
  // abort closes the socket now.
  void abort();

  // established is true once the callback of that name was called.
  bool established() const { return said_established_; }

 private:
  boost::asio::awaitable<void> read_loop();
  boost::asio::awaitable<void> write_loop();
  boost::asio::awaitable<void> time_loop();
  // linger waits until the client has ended its side too; time_last_words bounds that, and the writing before it.
  boost::asio::awaitable<void> linger();
  boost::asio::awaitable<void> time_last_words();
  // pump hands events to the service and wakes the writer and the timer. Called after anything has happened.
  void pump();
  void end();
  Millis now() const;

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<const Epoch> epoch_;
  ServiceContext& context_;
  ServerChannel channel_;
  std::shared_ptr<Service> service_;
  Callbacks callbacks_;
  boost::asio::steady_timer output_ready_;
  boost::asio::steady_timer alarm_;
  Millis epoch_ends_at_;  // then GOAWAY
  bool said_established_ = false;
  bool read_ended_ = false;
  bool ended_ = false;
};

}  // namespace eml

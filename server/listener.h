// Listener accepts connections and spreads them over the I/O threads, within the bounds of docs/spec/channel.md, 7.
// What is over a bound is closed at once: it costs the peer more than us.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <map>
#include <memory>

#include "server/config.h"
#include "server/metrics.h"

namespace eml {

// HelloGate is a token bucket for each address (each /64 of IPv6). Bounded: full buckets are forgotten.
class HelloGate {
 public:
  HelloGate(std::uint32_t per_second, std::uint32_t burst) : per_second_(per_second), burst_(burst) {}
  // admit takes one token; false if the address has none at `now`.
  bool admit(const boost::asio::ip::address& address, std::chrono::nanoseconds now);
  std::size_t size() const { return buckets_.size(); }

 private:
  static constexpr std::size_t kBucketsMax = 65536;
  struct Bucket {
    double tokens;
    std::chrono::nanoseconds at;
  };
  double level(const Bucket& bucket, std::chrono::nanoseconds now) const;
  void forget_full(std::chrono::nanoseconds now);

  std::uint32_t per_second_;
  std::uint32_t burst_;
  std::map<boost::asio::ip::address, Bucket> buckets_;
};

class Listener {
 public:
  using Accept = std::function<void(boost::asio::ip::tcp::socket)>;
  // May says whether another connection may be taken now.
  using May = std::function<bool()>;

  // `contexts` run one thread each; accepted sockets belong to them in turn. All references outlive the listener.
  Listener(boost::asio::ip::tcp::acceptor acceptor, std::vector<boost::asio::io_context*> contexts,
           const ServerLimits& limits, Metrics& metrics, const Clock& clock, May may, Accept accept);

  void start();
  void stop();
  Endpoint local_endpoint() const;

 private:
  boost::asio::awaitable<void> loop();

  boost::asio::ip::tcp::acceptor acceptor_;
  std::vector<boost::asio::io_context*> contexts_;
  Metrics& metrics_;
  const Clock& clock_;
  May may_;
  Accept accept_;
  HelloGate gate_;
  std::size_t next_ = 0;
  bool stopped_ = false;
};

}  // namespace eml

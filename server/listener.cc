#include "server/listener.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/listen.h"

namespace eml {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

// Whoever holds a /64 holds all of its addresses.
asio::ip::address network_of(const asio::ip::address& address) {
  if (!address.is_v6()) return address;
  auto bytes = address.to_v6().to_bytes();
  if (address.to_v6().is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return asio::ip::address_v6(bytes);
}

}  // namespace

double HelloGate::level(const Bucket& bucket, std::chrono::nanoseconds now) const {
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  return std::min<double>(burst_, bucket.tokens + seconds * per_second_);
}

void HelloGate::forget_full(std::chrono::nanoseconds now) {
  std::erase_if(buckets_, [&](const auto& entry) { return level(entry.second, now) >= burst_; });
}

bool HelloGate::admit(const asio::ip::address& address, std::chrono::nanoseconds now) {
  const auto network = network_of(address);
  auto found = buckets_.find(network);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kBucketsMax) forget_full(now);
    if (buckets_.size() >= kBucketsMax) return false;
    found = buckets_.emplace(network, Bucket{static_cast<double>(burst_), now}).first;
  }
  const double tokens = level(found->second, now);
  if (tokens < 1) return false;
  found->second = {tokens - 1, now};
  return true;
}

Listener::Listener(tcp::acceptor acceptor, std::vector<asio::io_context*> contexts, const ServerLimits& limits,
                   Metrics& metrics, const Clock& clock, May may, Accept accept)
    : acceptor_(std::move(acceptor)),
      contexts_(std::move(contexts)),
      metrics_(metrics),
      clock_(clock),
      may_(std::move(may)),
      accept_(std::move(accept)),
      gate_(limits.hellos_per_s, limits.hellos_burst) {}

void Listener::start() {
  asio::co_spawn(acceptor_.get_executor(), [this] { return loop(); }, asio::detached);
}

void Listener::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

Endpoint Listener::local_endpoint() const { return local_endpoint_of(acceptor_); }

asio::awaitable<void> Listener::loop() {
  while (!stopped_) {
    boost::system::error_code error;
    tcp::endpoint peer;
    tcp::socket socket =
        co_await acceptor_.async_accept(*contexts_[next_], peer, asio::redirect_error(asio::use_awaitable, error));
    if (stopped_) co_return;
    if (error) {
      // Out of descriptors, most likely: wait for connections to end rather than spin.
      asio::steady_timer pause(acceptor_.get_executor(), std::chrono::milliseconds(20));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    metrics_.connections_total.fetch_add(1);
    if (!gate_.admit(peer.address(), clock_.monotonic()) || !may_()) {
      metrics_.connections_shed_total.fetch_add(1);
      continue;  // the socket closes here
    }
    next_ = (next_ + 1) % contexts_.size();
    accept_(std::move(socket));
  }
}

}  // namespace eml

// EpochKeeper holds the newest epoch and renews it in time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <mutex>

#include "server/epoch.h"

namespace eml {

class EpochKeeper {
 public:
  EpochKeeper(boost::asio::io_context& context, const EpochMaker& maker, const ServeConfig& config, const Clock& clock,
              std::shared_ptr<const Epoch> first);
  ~EpochKeeper() { pool_.join(); }

  // current is the newest epoch: what a new channel begins with. Thread-safe.
  std::shared_ptr<const Epoch> current() const;
  // usable is false once the newest evidence has ended, because renewing failed for too long. Thread-safe.
  bool usable() const;

  // start renews every epoch_s seconds, and retries sooner after a failure, until stop.
  void start();
  void stop();

 private:
  boost::asio::awaitable<void> loop();
  boost::asio::awaitable<Result<std::shared_ptr<const Epoch>>> make();

  boost::asio::io_context& context_;
  const EpochMaker& maker_;
  const ServeConfig& config_;
  const Clock& clock_;
  boost::asio::steady_timer timer_;
  boost::asio::thread_pool pool_{1};  // evidence may take seconds; nothing else waits for it
  bool stopped_ = false;
  mutable std::mutex mutex_;
  std::shared_ptr<const Epoch> current_;
};

}  // namespace eml

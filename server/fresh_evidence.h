// FreshEvidence makes challenged evidence off the I/O threads: one at a time and a short queue, whoever asks.
// Source: docs/spec/channel.md, 2.6.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>

#include "server/epoch.h"

namespace eml {

inline constexpr ErrorCode kFreshBusy{ErrorClass::kLimit, "fresh-evidence-busy"};
inline constexpr ErrorCode kFreshTooSoon{ErrorClass::kLimit, "fresh-evidence-too-soon"};

inline constexpr int kFreshQueueMax = 8;
inline constexpr std::chrono::seconds kFreshPerChannel{60};

class FreshEvidence {
 public:
  explicit FreshEvidence(const EpochMaker& maker) : maker_(maker) {}
  ~FreshEvidence() { pool_.join(); }

  // ask makes a bundle for `epoch` and `challenge`, and calls `done` on `executor`. kFreshBusy if the queue is full.
  Status ask(std::shared_ptr<const Epoch> epoch, const Hash32& challenge, boost::asio::any_io_executor executor,
             std::function<void(Result<Bytes>)> done);

 private:
  const EpochMaker& maker_;
  std::atomic<int> queued_{0};
  boost::asio::thread_pool pool_{1};
};

}  // namespace eml

#include "server/epoch_keeper.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"

namespace eml {

namespace asio = boost::asio;

namespace {
constexpr std::uint32_t kRetrySeconds = 30;  // evidence is valid for half an hour longer than its epoch: many tries
}

EpochKeeper::EpochKeeper(asio::io_context& context, const EpochMaker& maker, const ServeConfig& config,
                         const Clock& clock, std::shared_ptr<const Epoch> first)
    : context_(context), maker_(maker), config_(config), clock_(clock), timer_(context), current_(std::move(first)) {}

std::shared_ptr<const Epoch> EpochKeeper::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

bool EpochKeeper::usable() const { return clock_.now() < current()->binding.not_after; }

void EpochKeeper::start() {
  asio::co_spawn(context_, [this] { return loop(); }, asio::detached);
}

void EpochKeeper::stop() {
  stopped_ = true;
  timer_.cancel();
}

asio::awaitable<Result<std::shared_ptr<const Epoch>>> EpochKeeper::make() {
  // Run on the pool, resumed on the context.
  co_return co_await asio::co_spawn(
      pool_, [this]() -> asio::awaitable<Result<std::shared_ptr<const Epoch>>> { co_return maker_.make(); },
      asio::use_awaitable);
}

asio::awaitable<void> EpochKeeper::loop() {
  std::uint32_t wait = config_.epoch_s;
  while (!stopped_) {
    boost::system::error_code stopping;
    timer_.expires_after(std::chrono::seconds(wait));
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, stopping));
    if (stopped_) co_return;
    auto next = co_await make();
    if (!next) {
      log(LogLevel::kError, "epoch", "renewing the evidence failed", next.error());
      wait = std::min(kRetrySeconds, config_.epoch_s);
      continue;
    }
    wait = config_.epoch_s;
    const std::lock_guard lock(mutex_);
    current_ = std::move(*next);
    log(LogLevel::kInfo, "epoch", "renewed");
  }
}

}  // namespace eml

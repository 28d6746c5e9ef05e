#include "server/session.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <vector>

namespace eml {

namespace asio = boost::asio;

namespace {

// One read buffer a thread: it holds sealed bytes only, and a connection that is idle needs none.
constexpr std::size_t kReadSize = 128 * 1024;
// A client that sends without end still lets its neighbours have their turn after this many reads.
constexpr int kReadsInARow = 4;
constexpr int kWritesInARow = 8;  // and so does one that reads fast
// Without anything to wait for the alarm sleeps this long; whatever happens wakes it.
constexpr std::chrono::hours kLongSleep{1};
constexpr Millis kNever = Millis{1} << 50;
constexpr Millis kLingerMs = 1000;

MutableByteView read_buffer() {
  thread_local std::vector<std::uint8_t> buffer(kReadSize);
  return buffer;
}

}  // namespace

Session::Session(asio::ip::tcp::socket socket, std::shared_ptr<const Epoch> epoch, ServiceContext& context,
                 RequestBudget& budget, Callbacks callbacks)
    : socket_(std::move(socket)),
      epoch_(std::move(epoch)),
      context_(context),
      channel_({.bundle = epoch_->bundle, .channel_key = &epoch_->channel_key, .owner = epoch_}, context.config.channel,
               context.random, now(), &budget),
      callbacks_(std::move(callbacks)),
      output_ready_(socket_.get_executor(), kLongSleep),
      alarm_(socket_.get_executor(), kLongSleep),
      epoch_ends_at_(now() +
                     static_cast<Millis>(std::max<UnixSeconds>(0, epoch_->binding.not_after - context_.clock.now())) *
                         1000) {}

Session::~Session() = default;

Millis Session::now() const {
  return static_cast<Millis>(std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.monotonic()).count());
}

void Session::start() {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  const auto self = shared_from_this();
  service_ = std::make_shared<Service>(channel_, epoch_, context_, socket_.get_executor(), [weak = weak_from_this()] {
    if (const auto session = weak.lock()) session->pump();
  });
  // A loop that a lack of memory ended must not leave a connection that nobody reads, writes or times.
  const auto ended = [self](const std::exception_ptr& thrown) {
    if (thrown) self->end();
  };
  asio::co_spawn(socket_.get_executor(), [self] { return self->read_loop(); }, ended);
  asio::co_spawn(socket_.get_executor(), [self] { return self->write_loop(); }, ended);
  asio::co_spawn(socket_.get_executor(), [self] { return self->time_loop(); }, ended);
}

asio::awaitable<void> Session::read_loop() {
  while (!ended_) {
    boost::system::error_code error;
    co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
    for (int i = 0; i < kReadsInARow && !error && !ended_ && !read_ended_; ++i) {
      const MutableByteView buffer = read_buffer();
      const std::size_t n = socket_.read_some(asio::buffer(buffer.data(), buffer.size()), error);
      if (error) break;
      // An error ends the channel; what it still wants to say is in its output, and its kEnded event says why.
      (void)channel_.on_bytes(buffer.first(n), now());
      pump();
    }
    if (error == asio::error::would_block || error == asio::error::try_again) continue;
    if (error) {
      read_ended_ = true;
      channel_.on_eof();
      pump();
      co_return;
    }
  }
}

asio::awaitable<void> Session::write_loop() {
  int writes = 0;
  while (!ended_) {
    const ByteView bytes = channel_.output();
    boost::system::error_code error;
    if (bytes.empty()) {
      if (channel_.closed()) {
        co_await linger();
        break;
      }
      co_await output_ready_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      output_ready_.expires_after(kLongSleep);
      continue;
    }
    // Written where it lies, and at once: while we wait for room the channel may move its output.
    const std::size_t n = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
      if (!error) continue;
    }
    if (error) {
      channel_.on_eof();
      pump();
      break;
    }
    channel_.consume_output(n, now());
    pump();
    if (++writes % kWritesInARow == 0) co_await asio::post(socket_.get_executor(), asio::use_awaitable);
  }
  end();
}

// A close with unread bytes would tear down what was written; meanwhile the reader drops what comes.
// Source: docs/spec/channel.md, 6.
asio::awaitable<void> Session::linger() {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  while (!ended_ && !read_ended_) {
    output_ready_.expires_after(kLongSleep);
    co_await output_ready_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

// A client that takes nothing of what is left, or never ends its side, cannot keep the connection.
asio::awaitable<void> Session::time_last_words() {
  const Millis longest = now() + 2 * Millis{context_.config.channel.stall_ms_max};  // taken byte by byte, too
  std::size_t left = channel_.output().size();
  Millis since = now();
  while (!ended_) {
    if (const std::size_t size = channel_.output().size(); size != left) {
      left = size;
      since = now();
    }
    const Millis until = std::min(longest, since + (left == 0 ? kLingerMs : context_.config.channel.stall_ms_max));
    if (until <= now()) co_return end();
    alarm_.expires_after(std::chrono::milliseconds(until - now()));
    boost::system::error_code woken;
    co_await alarm_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

asio::awaitable<void> Session::time_loop() {
  while (!ended_) {
    const Millis current = now();
    if (!channel_.going_away() && channel_.established() && epoch_ends_at_ <= current) goaway();
    if (const auto deadline = channel_.deadline(); deadline && *deadline <= current) {
      channel_.on_time(current);
      pump();
    }
    if (channel_.closed()) break;
    const Millis epoch_end = channel_.going_away() ? kNever : epoch_ends_at_;
    const Millis due = std::max(std::min(channel_.deadline().value_or(kNever), epoch_end), current + 1);
    alarm_.expires_after(std::min<std::chrono::milliseconds>(std::chrono::milliseconds(due - current), kLongSleep));
    boost::system::error_code woken;
    co_await alarm_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  co_await time_last_words();
}

void Session::pump() {
  if (ended_) return;
  ServerEvent event;
  while (channel_.next_event(event)) service_->on_event(event);
  service_->advance();
  if (!said_established_ && channel_.established()) {
    said_established_ = true;
    callbacks_.established();
  }
  output_ready_.cancel();
  alarm_.cancel();
}

void Session::goaway() {
  channel_.goaway();
  pump();
}

void Session::abort() {
  channel_.on_eof();
  pump();
  end();
}

void Session::end() {
  if (ended_) return;
  ended_ = true;
  service_->end();
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  output_ready_.cancel();
  alarm_.cancel();
  callbacks_.ended(*this);
}

}  // namespace eml

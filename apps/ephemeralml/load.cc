#include "apps/ephemeralml/load.h"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <map>

#include "base/clock.h"
#include "net/http.h"

namespace eml::cli {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kConnectTimeout{10};
constexpr std::chrono::seconds kAnswerTimeout{120};
constexpr int kReopenMax = 64;  // channels that end by GOAWAY are reopened; a server that only leaves is given up

double as_ms(std::chrono::nanoseconds duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

Millis now_ms() {
  return static_cast<Millis>(std::chrono::duration_cast<std::chrono::milliseconds>(system_clock().monotonic()).count());
}

class Channel;

// Shared is what the channels of one load have in common.
struct Shared {
  const LoadPlan& plan;
  const std::function<Status(Answered&)>& on_answer;
  LoadResult& result;
  std::uint64_t to_send;
  std::uint64_t asked = 0;
  std::uint64_t finished = 0;
  std::optional<Steady::time_point> first_sent;
  bool first_channel = true;
  std::vector<Channel*> channels{};  // those that live
  std::size_t turn = 0;              // of them, the one that is asked next; with a rate
  std::uint64_t due_count = 0;       // requests that have become due

  // The time when request `n` is due, from 0.
  Steady::time_point due(std::uint64_t n) const {
    const std::chrono::duration<double> after(static_cast<double>(n) / plan.rate);
    return *first_sent + std::chrono::duration_cast<Steady::duration>(after);
  }
};

// Channel is one connection with its client, until its share is done or it ends.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  Channel(asio::io_context& context, Shared& shared)
      : socket_(context), output_ready_(context, Steady::time_point::max()), watchdog_(context), shared_(shared) {
    shared_.channels.push_back(this);
  }
  ~Channel() { std::erase(shared_.channels, this); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // run returns true if another channel may go on where this one ended (GOAWAY).
  asio::awaitable<bool> run();

  // ask_due asks the request that was due then; false if this channel cannot.
  bool ask_due(Steady::time_point due);
  // wake lets it close if nothing more will come.
  void wake() {
    if (client_ && client_->trusted()) pump();
  }

 private:
  asio::awaitable<Status> connect();
  asio::awaitable<void> write_loop();
  asio::awaitable<void> watch();
  void pump();
  void on_event(AppEvent& event);
  void on_answer(Answer answer);
  void ask_more();
  bool ask(Steady::time_point since);
  void close_if_done();
  void fail(const Error& error);

  tcp::socket socket_;
  asio::steady_timer output_ready_;
  asio::steady_timer watchdog_;
  Shared& shared_;
  std::optional<Client> client_;
  std::map<StreamId, Steady::time_point> asked_;
  Steady::time_point opened_;
  Steady::time_point progress_;
  bool first_ = false;
  bool going_away_ = false;
  bool ended_ = false;  // nothing more will come of it, but perhaps the server's CLOSE
  bool over_ = false;
};

asio::awaitable<Status> Channel::connect() {
  boost::system::error_code error;
  tcp::resolver resolver(socket_.get_executor());
  const auto found = co_await resolver.async_resolve(shared_.plan.server.host, std::to_string(shared_.plan.server.port),
                                                     asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return eml::fail(kConnectFailed, "the server's name does not resolve");
  const auto before = Steady::now();
  co_await asio::async_connect(socket_, found, asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    co_return eml::fail(kConnectFailed, "nobody listens there, or the network is down",
                        static_cast<std::uint64_t>(error.value()));
  }
  opened_ = Steady::now();
  if (first_) shared_.result.connect = opened_ - before;
  socket_.set_option(tcp::no_delay(true), error);
  co_return Status{};
}

asio::awaitable<bool> Channel::run() {
  const auto self = shared_from_this();
  first_ = std::exchange(shared_.first_channel, false);
  progress_ = Steady::now();
  asio::co_spawn(socket_.get_executor(), [self] { return self->watch(); }, asio::detached);
  if (auto status = co_await connect(); !status) {
    fail(status.error());
    over_ = true;
    watchdog_.cancel();
    co_return false;
  }
  client_.emplace(shared_.plan.client, system_random(), system_clock(), now_ms());
  asio::co_spawn(socket_.get_executor(), [self] { return self->write_loop(); }, asio::detached);

  std::vector<std::uint8_t> buffer(256 * 1024);
  while (!client_->closed()) {
    boost::system::error_code error;
    const std::size_t n =
        co_await socket_.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      client_->on_eof();
      pump();
      break;
    }
    progress_ = Steady::now();
    shared_.result.bytes_received += n;
    (void)client_->on_bytes(ByteView(buffer).first(n), now_ms());  // its error comes as the last event
    pump();
  }
  over_ = true;
  shared_.result.sequences_complete &= client_->ledger().complete();
  output_ready_.cancel();
  watchdog_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
  co_return going_away_;
}

asio::awaitable<void> Channel::write_loop() {
  const auto self = shared_from_this();
  boost::system::error_code error;
  socket_.non_blocking(true, error);  // fails if the socket was closed meanwhile, which the first write tells too
  while (!over_) {
    error = {};
    const ByteView bytes = client_->output();
    if (bytes.empty()) {
      if (client_->closed()) co_return;
      co_await output_ready_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    const std::size_t n = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      co_await socket_.async_wait(tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
      if (!error) continue;
    }
    if (error) co_return;  // the reader learns of it too
    shared_.result.bytes_sent += n;
    client_->consume_output(n);
  }
}

// A server that falls silent is given up; the state machine's own timer bounds the handshake.
asio::awaitable<void> Channel::watch() {
  const auto self = shared_from_this();
  while (!over_) {
    watchdog_.expires_after(std::chrono::milliseconds(250));
    boost::system::error_code stopped;
    co_await watchdog_.async_wait(asio::redirect_error(asio::use_awaitable, stopped));
    if (over_) co_return;
    const auto silent = Steady::now() - progress_;
    if (client_) {
      client_->on_time(now_ms());
      pump();
    }
    if (silent > (client_ && !ended_ ? std::chrono::seconds(kAnswerTimeout) : std::chrono::seconds(kConnectTimeout))) {
      fail(Error(kNetTimeout, "the server did not answer in time"));
      boost::system::error_code ignored;
      socket_.close(ignored);
      co_return;
    }
    boost::system::error_code ignored;
    if (client_ && client_->closed() && client_->output().empty()) socket_.cancel(ignored);
  }
}

void Channel::pump() {
  AppEvent event;
  while (client_->next_event(event)) on_event(event);
  if (client_->trusted()) ask_more();  // SETTINGS came, or a stream is free
  output_ready_.cancel();
}

void Channel::on_event(AppEvent& event) {
  using Kind = AppEvent::Kind;
  switch (event.kind) {
    case Kind::kTrusted:
      if (first_) shared_.result.handshake = Steady::now() - opened_;
      if (!shared_.first_sent) shared_.first_sent = Steady::now();
      ask_more();
      break;
    case Kind::kAnswer:
      on_answer(std::move(*event.answer));
      break;
    case Kind::kGoaway:
      going_away_ = true;
      if (client_->open_questions() == 0) client_->close();
      break;
    case Kind::kEnded:
      ended_ = true;
      if (event.error) fail(*event.error);
      break;
  }
}

void Channel::on_answer(Answer answer) {
  const auto asked = asked_.extract(answer.stream);
  if (answer.error && answer.error->code() == kNotTaken) {
    ++shared_.to_send;  // another channel asks it again
    ask_more();
    return;
  }
  const auto finished = Steady::now();
  Answered answered{.number = ++shared_.finished,
                    .latency = asked.empty() ? std::chrono::nanoseconds{0} : finished - asked.mapped(),
                    .client = &*client_,
                    .answer = std::move(answer)};
  const bool failed = answered.answer.error.has_value();
  const bool refused = answered.answer.status == 429 && answered.answer.refusal;
  const Status taken = shared_.on_answer(answered);
  if (failed || !taken) {
    if (refused) shared_.result.refusals_ms.push_back(as_ms(answered.latency));
  } else {
    shared_.result.latencies_ms.push_back(as_ms(answered.latency));
  }
  shared_.result.total = finished - *shared_.first_sent;
  ask_more();
}

bool Channel::ask(Steady::time_point since) {
  const std::string_view texts[] = {shared_.plan.texts[shared_.asked % shared_.plan.texts.size()]};
  const auto stream = client_->ask(
      {.texts = texts, .nonce = shared_.plan.nonce, .format = shared_.plan.format, .keep = shared_.plan.keep});
  if (!stream) {
    fail(stream.error());
    return false;
  }
  --shared_.to_send;
  ++shared_.asked;
  asked_.emplace(*stream, since);
  return true;
}

bool Channel::ask_due(Steady::time_point due) {
  if (over_ || going_away_ || !client_ || !client_->trusted() || !client_->can_ask() || !ask(due)) return false;
  output_ready_.cancel();
  return true;
}

void Channel::ask_more() {
  if (shared_.plan.rate == 0) {
    while (shared_.to_send > 0 && !going_away_ && client_->open_questions() < shared_.plan.in_flight &&
           client_->can_ask()) {
      if (!ask(Steady::now())) break;
    }
  }
  close_if_done();
}

// With a rate a channel without a question may get one later.
void Channel::close_if_done() {
  if (client_->open_questions() == 0 && (shared_.plan.rate == 0 || shared_.to_send == 0)) client_->close();
}

void Channel::fail(const Error& error) {
  if (!shared_.result.error) shared_.result.error = error;
}

asio::awaitable<void> run_channels(asio::io_context& context, Shared& shared) {
  for (int i = 0; i < kReopenMax; ++i) {
    const auto channel = std::make_shared<Channel>(context, shared);
    const bool again = co_await channel->run();
    if (!again || shared.to_send == 0) co_return;
  }
}

// Hands each request, when it is due, to the next channel that can take it. What no channel can take waits, and its
// latency grows. The granularity of the timer is finer than a request takes.
asio::awaitable<void> keep_rate(asio::io_context& context, Shared& shared) {
  constexpr std::chrono::microseconds kTick{500};
  asio::steady_timer timer(context);
  while (shared.to_send > 0 && !shared.channels.empty()) {
    for (; shared.first_sent && shared.to_send > 0 && shared.due(shared.due_count) <= Steady::now();
         ++shared.due_count) {
      bool taken = false;
      for (std::size_t i = 0; i < shared.channels.size() && !taken; ++i) {
        taken = shared.channels[shared.turn++ % shared.channels.size()]->ask_due(shared.due(shared.due_count));
      }
      if (!taken) break;
    }
    timer.expires_after(kTick);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  for (Channel* channel : shared.channels) channel->wake();
}

}  // namespace

LoadResult run_load(const LoadPlan& plan, const std::function<Status(Answered&)>& on_answer) {
  LoadResult result;
  Shared shared{.plan = plan, .on_answer = on_answer, .result = result, .to_send = plan.count, .first_sent = {}};
  asio::io_context context(1);
  for (std::uint32_t i = 0; i < plan.channels; ++i) {
    asio::co_spawn(context, run_channels(context, shared), asio::detached);
  }
  if (plan.rate != 0) asio::co_spawn(context, keep_rate(context, shared), asio::detached);
  context.run();
  // What was never sent, or never ended, did not succeed.
  result.unanswered = plan.count - shared.finished;
  result.failures = plan.count - result.latencies_ms.size();
  return result;
}

double nearest_rank(const std::vector<double>& sorted, double percent) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace eml::cli

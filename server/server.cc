#include "server/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <set>
#include <thread>

#include "base/log.h"
#include "engine/batcher.h"
#include "net/http_server.h"
#include "net/listen.h"
#include "server/epoch_keeper.h"
#include "server/fresh_evidence.h"
#include "server/listener.h"
#include "server/metrics.h"
#include "server/session.h"

namespace eml {

namespace asio = boost::asio;

namespace {

// Of the time to drain: ends the sessions that are left, the pass that the engine is at, and the process.
constexpr std::chrono::milliseconds kStopReserve{500};

using Sessions = std::set<std::shared_ptr<Session>>;

// IoThread is one io_context, its thread and its sessions; only that thread touches them.
struct IoThread {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  Sessions sessions;
  std::thread thread;
};

HttpReply text_reply(std::uint16_t status, std::string_view text) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
          .body = to_bytes(text)};
}

}  // namespace

struct Server::State {
  State(const ServeConfig& config_in, std::unique_ptr<Attester> attester_in, Random& random_in, const Clock& clock_in)
      : config(config_in),
        attester(std::move(attester_in)),
        random(random_in),
        clock(clock_in),
        boot_id(random.array<16>()),
        budget(config.limits.request_bytes_total) {}

  BootResult<ServerReady> listen();
  HttpReply health(const HttpCall& call) const;
  bool may_accept() const;
  void accept(asio::ip::tcp::socket socket);
  void adopt(IoThread& thread, asio::ip::tcp::socket socket);
  void forget(IoThread& thread, const Session& session);
  void start_threads();
  asio::awaitable<void> watch_signals();
  asio::awaitable<void> drain();
  void each_session(void (Session::*action)());
  void stop();

  const ServeConfig& config;
  std::unique_ptr<Attester> attester;
  Random& random;
  const Clock& clock;
  const BootId boot_id;
  Metrics metrics;
  RequestBudget budget;
  ServedModel model;
  std::optional<EpochMaker> maker;
  // The contexts outlive what has timers and sockets of them; and `main`, where an accept may hold a socket that
  // belongs to one of the threads, goes before these.
  std::vector<std::unique_ptr<IoThread>> threads;
  asio::io_context main{1};
  std::optional<EpochKeeper> epochs;
  std::optional<FreshEvidence> fresh;
  std::unique_ptr<Batcher> batcher;
  asio::thread_pool preparing{1};
  std::optional<ServiceContext> service;

  std::unique_ptr<Listener> listener;
  std::unique_ptr<HttpServer> health_server;
  std::unique_ptr<asio::signal_set> signals;
  std::size_t next_thread = 0;
  std::atomic<std::int64_t> handshakes{0};
  std::atomic<bool> draining{false};
  std::unique_ptr<asio::steady_timer> drained;
};

Server::Server(const ServeConfig& config, std::unique_ptr<Attester> attester, Random& random, const Clock& clock)
    : state_(std::make_unique<State>(config, std::move(attester), random, clock)) {}

Server::~Server() = default;

BootResult<ServerReady> Server::boot() {
  State& s = *state_;
  auto model = load_served_model(
      {.config = s.config, .attester = *s.attester, .random = s.random, .clock = s.clock, .boot_id = s.boot_id});
  if (!model) return std::unexpected(model.error());
  s.model = std::move(*model);
  s.maker.emplace(s.config, s.model, s.boot_id, *s.attester, s.random, s.clock, s.metrics);
  auto first = s.maker->make();
  if (!first) return std::unexpected(BootFailure{first.error(), "evidence"});
  s.epochs.emplace(s.main, *s.maker, s.config, s.clock, std::move(*first));
  s.fresh.emplace(*s.maker);
  const unsigned threads = s.config.engine_threads != 0 ? s.config.engine_threads : std::thread::hardware_concurrency();
  s.metrics.weights_bytes.store(s.model.model->encoder().weights_bytes());
  const ServerLimits& limits = s.config.limits;
  auto batcher = Batcher::start(s.model.model, s.clock,
                                {.threads = threads,
                                 .requests_max = limits.queue_requests,
                                 .admission = {.wait_max = std::chrono::milliseconds(limits.queue_ms),
                                               .wait_busy_max = std::chrono::milliseconds(limits.queue_busy_ms)}});
  if (!batcher) return std::unexpected(BootFailure{batcher.error(), "engine"});
  s.batcher = std::move(*batcher);
  s.service.emplace(ServiceContext{s.config, s.model, *s.batcher, *s.fresh, s.preparing, s.random, s.clock, s.metrics});
  return s.listen();
}

BootResult<ServerReady> Server::State::listen() {
  std::vector<asio::io_context*> contexts;
  for (std::uint32_t i = 0; i < config.io_threads; ++i) {
    threads.push_back(std::make_unique<IoThread>());
    contexts.push_back(&threads.back()->context);
  }
  auto acceptor = listen_tcp(main, config.listen);
  if (!acceptor) return std::unexpected(BootFailure{acceptor.error(), config.listen.to_string()});
  listener = std::make_unique<Listener>(
      std::move(*acceptor), contexts, config.limits, metrics, clock, [this] { return may_accept(); },
      [this](asio::ip::tcp::socket socket) { accept(std::move(socket)); });
  auto health_listener =
      HttpServer::listen(main, config.metrics, [this](const HttpCall& call) { return health(call); });
  if (!health_listener) return std::unexpected(BootFailure{health_listener.error(), config.metrics.to_string()});
  health_server = std::move(*health_listener);
  // From here on a signal waits for run(): whoever hears that the server is ready may stop it at once.
  signals = std::make_unique<asio::signal_set>(main, SIGTERM, SIGINT);
  return ServerReady{.server = listener->local_endpoint(),
                     .metrics = health_server->local_endpoint(),
                     .evaluation = epochs->current()->mode == SecurityMode::kEvaluation};
}

HttpReply Server::State::health(const HttpCall& call) const {
  if (call.method != "GET") return text_reply(405, "");
  if (call.target == "/healthz") return text_reply(200, "ok\n");
  if (call.target == "/readyz") {
    const bool ready = !draining.load() && epochs->usable();
    return text_reply(ready ? 200 : 503, ready ? "ready\n" : "not ready\n");
  }
  if (call.target == "/metrics") return text_reply(200, metrics.text());
  return text_reply(404, "");
}

bool Server::State::may_accept() const {
  return !draining.load() && epochs->usable() && handshakes.load() < config.limits.handshakes_max &&
         metrics.connections.load() < config.limits.channels_max + config.limits.handshakes_max &&
         metrics.channels.load() < config.limits.channels_max;
}

void Server::State::accept(asio::ip::tcp::socket socket) {
  IoThread& thread = *threads[next_thread];
  next_thread = (next_thread + 1) % threads.size();
  metrics.connections.fetch_add(1);
  handshakes.fetch_add(1);
  asio::post(thread.context,
             [this, &thread, socket = std::move(socket)]() mutable { adopt(thread, std::move(socket)); });
}

void Server::State::adopt(IoThread& thread, asio::ip::tcp::socket socket) {
  auto session = std::make_shared<Session>(
      std::move(socket), epochs->current(), *service, budget,
      Session::Callbacks{.established =
                             [this] {
                               handshakes.fetch_sub(1);
                               metrics.channels.fetch_add(1);
                               metrics.channels_total.fetch_add(1);
                             },
                         .ended = [this, &thread](const Session& ended) { forget(thread, ended); }});
  thread.sessions.insert(session);
  session->start();
}

void Server::State::forget(IoThread& thread, const Session& session) {
  if (session.established()) {
    metrics.channels.fetch_sub(1);
  } else {
    handshakes.fetch_sub(1);
    metrics.handshakes_failed_total.fetch_add(1);
  }
  metrics.connections.fetch_sub(1);
  // The session is on the stack of its own coroutine: let go of it afterwards.
  asio::post(thread.context, [&thread, &session] {
    std::erase_if(thread.sessions, [&session](const auto& held) { return held.get() == &session; });
  });
}

void Server::State::each_session(void (Session::*action)()) {
  for (const auto& thread : threads) {
    asio::post(thread->context, [&sessions = thread->sessions, action] {
      for (const auto& session : Sessions(sessions)) (*session.*action)();
    });
  }
}

asio::awaitable<void> Server::State::watch_signals() {
  boost::system::error_code error;
  co_await signals->async_wait(asio::redirect_error(asio::use_awaitable, error));
  log(LogLevel::kInfo, "server", "draining");
  asio::co_spawn(main, drain(), asio::detached);
  co_await signals->async_wait(asio::redirect_error(asio::use_awaitable, error));
  log(LogLevel::kWarning, "server", "second signal: stopping at once");
  each_session(&Session::abort);
  drained->cancel();
}

asio::awaitable<void> Server::State::drain() {
  draining.store(true);
  listener->stop();
  each_session(&Session::goaway);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(config.limits.drain_s) - kStopReserve;
  while (metrics.connections.load() > 0 && std::chrono::steady_clock::now() < deadline) {
    drained->expires_after(std::chrono::milliseconds(10));
    boost::system::error_code second_signal;
    co_await drained->async_wait(asio::redirect_error(asio::use_awaitable, second_signal));
    if (second_signal) break;
  }
  each_session(&Session::abort);
  stop();
}

void Server::State::start_threads() {
  for (const auto& thread : threads) {
    thread->thread = std::thread([&context = thread->context] { context.run(); });
  }
}

void Server::State::stop() {
  epochs->stop();
  health_server->stop();
  main.stop();
}

void Server::run() {
  State& s = *state_;
  s.drained = std::make_unique<asio::steady_timer>(s.main);
  // A channel keeps its epoch and learns at its end that it must go; it is the session that knows when.
  s.epochs->start();
  s.start_threads();
  s.listener->start();
  asio::co_spawn(s.main, s.watch_signals(), asio::detached);
  s.main.run();

  s.batcher->stop();
  for (const auto& thread : s.threads) {
    asio::post(thread->context, [&thread = *thread] {
      for (const auto& session : Sessions(thread.sessions)) session->abort();
      thread.work.reset();
    });
  }
  for (const auto& thread : s.threads) thread->thread.join();
  // What these still do ends in contexts that nobody runs, while they exist.
  s.preparing.join();
  s.fresh.reset();
  log(LogLevel::kInfo, "server", "stopped");
}

}  // namespace eml

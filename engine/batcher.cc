#include "engine/batcher.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <system_error>
#include <utility>

namespace eml {
namespace {

constexpr std::size_t kCountMin = 4096;  // a smaller count would tell short texts apart
constexpr std::size_t kIdsMin = kCountMin / sizeof(TokenId);

// No pass has more texts than this, however short: their vectors need room, too.
constexpr std::size_t kTextsPerPass = 256;

// Down, not up: no statement claims more than was wiped.
std::size_t count_of(std::size_t wiped) { return wiped < kCountMin ? 0 : std::bit_floor(wiped); }

}  // namespace

void TokenBatch::add(TokenSpan text) {
  // The buffer grows by whole powers of two; what it leaves is wiped by its allocator.
  const std::size_t needed = ids_.size() + text.size();
  if (needed > ids_.capacity()) ids_.reserve(std::bit_ceil(std::max(kIdsMin, needed)));
  ids_.insert(ids_.end(), text.begin(), text.end());
  ends_.push_back(static_cast<std::uint32_t>(ids_.size()));
}

TokenSpan TokenBatch::text(std::size_t i) const {
  const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
  return TokenSpan(ids_).subspan(begin, ends_[i] - begin);
}

std::size_t TokenBatch::wipe_now() {
  const std::size_t bytes = ids_.capacity() * sizeof(TokenId);
  TokenIds().swap(ids_);  // wiped as it is freed
  ends_.clear();
  return bytes;
}

// Worker is what one thread owns: its workspace and the pass in work. Sized once.
struct Batcher::Worker {
  Workspace workspace;
  std::vector<Item> items;
  std::vector<TokenSpan> texts;
  WipingVector<float> out;
  std::size_t tokens = 0;
  std::size_t tokens_max = 0;  // of this pass
};

Batcher::Batcher(std::shared_ptr<const EmbeddingModel> model, const Clock& clock, const Options& options)
    : model_(std::move(model)),
      clock_(clock),
      options_(options),
      admission_(options.admission, std::max(1U, options.threads)) {}

Result<std::unique_ptr<Batcher>> Batcher::start(std::shared_ptr<const EmbeddingModel> model, const Clock& clock,
                                                const Options& options) {
  std::unique_ptr<Batcher> out(new Batcher(std::move(model), clock, options));
  for (unsigned i = 0; i < std::max(1U, options.threads); ++i) {
    auto worker = std::make_unique<Worker>();
    EML_TRY(worker->workspace, out->model_->encoder().make_workspace());
    worker->items.reserve(kTextsPerPass);
    worker->texts.reserve(kTextsPerPass);
    worker->out.resize(kTextsPerPass * out->model_->dimensions());
    out->workers_.push_back(std::move(worker));
  }
  try {
    for (auto& worker : out->workers_) {
      out->threads_.emplace_back([batcher = out.get(), own = worker.get()] { batcher->run(*own); });
    }
  } catch (const std::system_error&) {
    return fail(kEngineMemory, "the system gives no more threads");
  }
  return out;
}

Batcher::~Batcher() { stop(); }

// What is computed until a request's first text has its turn, after all that `line` has: the connections take turns, so
// of another's line no more than of its own.
std::size_t Batcher::tokens_before(const Line& line, const TokenBatch& texts) const {
  const std::size_t own = line.tokens + texts.text(0).size();
  std::size_t before = line.tokens;
  for (const ConnectionId connection : turns_) {
    const Line& other = lines_.at(connection);
    if (&other != &line) before += std::min(other.tokens, own);
  }
  return before;
}

// One request of any admissible size fits an idle engine. And a connection of which nothing is here is not refused for
// how much waits: else whoever keeps the queue full would starve it after all.
Status Batcher::admit(const Line& line, const TokenBatch& texts) {
  const bool first = line.requests == 0;
  const bool alone = tokens_waiting_ == line.tokens;
  const auto now = clock_.monotonic();
  const bool full = requests_.size() >= options_.requests_max ||
                    (tokens_waiting_ != 0 && tokens_waiting_ + texts.tokens() > options_.tokens_max);
  if (!first && full) {
    admission_.refused(now);
    return fail(kQueueFull, "too many requests wait", options_.requests_max, requests_.size());
  }
  if (!alone && !admission_.admit({.tokens_before = tokens_before(line, texts), .first = first}, now)) {
    return fail(kQueueFull, "the request would wait for too long");
  }
  return {};
}

Result<Batcher::RequestId> Batcher::submit(ConnectionId connection, TokenBatch texts, Completion completion) {
  if (texts.size() == 0) return fail(kBatchEmpty, "a request has no text");
  auto request = std::make_unique<Request>();
  request->embeddings.resize(texts.size() * model_->dimensions());
  const std::lock_guard lock(mutex_);
  if (closed_) return fail(kQueueClosed, "the engine takes no more requests");
  static const Line kNothing;
  const auto at = lines_.find(connection);
  EML_CHECK(admit(at == lines_.end() ? kNothing : std::as_const(at->second), texts));
  const RequestId id = next_id_++;
  request->id = id;
  request->connection = connection;
  request->texts = std::move(texts);
  request->completion = std::move(completion);
  Line& line = lines_[connection];
  if (line.waiting.empty()) turns_.push_back(connection);
  line.waiting.push_back(request.get());
  line.tokens += request->texts.tokens();
  ++line.requests;
  tokens_waiting_ += request->texts.tokens();
  const bool many = request->texts.size() > 1;
  requests_.emplace(id, std::move(request));
  many ? work_.notify_all() : work_.notify_one();
  return id;
}

// Takes what waits of a request out of the queue, and its connection out of the turns if that was all.
void Batcher::drop_waiting(Request& request) {
  if (request.next == request.texts.size()) return;
  Line& line = lines_.at(request.connection);
  for (; request.next < request.texts.size(); ++request.next) {
    const std::size_t size = request.texts.text(request.next).size();
    tokens_waiting_ -= size;
    line.tokens -= size;
  }
  std::erase(line.waiting, &request);
  if (line.waiting.empty()) std::erase(turns_, request.connection);
}

std::unique_ptr<Batcher::Request> Batcher::remove(RequestId id) {
  const auto at = requests_.find(id);
  auto out = std::move(at->second);
  requests_.erase(at);
  const auto line = lines_.find(out->connection);
  if (--line->second.requests == 0) lines_.erase(line);
  if (requests_.empty() && completing_ == 0) all_done_.notify_all();
  return out;
}

bool Batcher::cancel(RequestId id) {
  std::unique_ptr<Request> gone;  // wiped and freed outside the lock
  const std::lock_guard lock(mutex_);
  const auto at = requests_.find(id);
  if (at == requests_.end()) return false;
  Request& request = *at->second;
  // Nobody computes thousands of texts for a client that has gone.
  if (request.next != request.texts.size()) request.status = fail(kRequestCancelled, "the request was taken back");
  drop_waiting(request);
  if (request.running != 0) return false;  // a pass reads its ids
  gone = remove(id);
  return true;
}

void Batcher::drain() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  all_done_.wait(lock, [&] { return requests_.empty() && completing_ == 0; });
}

void Batcher::stop() {
  std::vector<std::unique_ptr<Request>> refused;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    stopping_ = true;
    while (!turns_.empty()) {
      Request& request = *lines_.at(turns_.front()).waiting.front();
      drop_waiting(request);
      request.status = fail(kQueueClosed, "the engine was stopped");
      if (request.running == 0) refused.push_back(remove(request.id));
    }
  }
  work_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  for (auto& request : refused) request->completion(outcome(*request));
}

void Batcher::run(Worker& worker) {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    work_.wait(lock, [&] { return stopping_ || !turns_.empty() || !calls_.empty(); });
    if (!calls_.empty()) {
      const Seat seat = calls_.front();
      calls_.pop_front();
      lock.unlock();
      static_cast<void>(model_->encoder().embed_part(*seat.crew, seat.part, worker.workspace));
      lock.lock();
      continue;
    }
    take(worker);
    --idle_;
    if (worker.items.empty()) return;  // stopping, and nothing waits
    lock.unlock();
    compute(worker);
    lock.lock();
  }
}

// Fills a pass with texts, one a connection in turn. Threads that are idle get their share: two short requests on two
// idle cores are sooner done apart than together.
void Batcher::take(Worker& worker) {
  worker.items.clear();
  worker.texts.clear();
  worker.tokens = 0;
  const std::size_t share = (tokens_waiting_ + idle_ - 1) / idle_;
  worker.tokens_max = std::min(share, Encoder::kTokensPerPass);
  while (!turns_.empty() && worker.items.size() < kTextsPerPass) {
    const ConnectionId connection = turns_.front();
    const Request& request = *lines_.at(connection).waiting.front();
    const std::size_t size = request.texts.text(request.next).size();
    if (!worker.items.empty() && worker.tokens + size > worker.tokens_max) break;
    take_turn(worker, connection);
  }
}

void Batcher::take_turn(Worker& worker, ConnectionId connection) {
  Line& line = lines_.at(connection);
  Request& request = *line.waiting.front();
  const std::size_t index = request.next++;
  ++request.running;
  const TokenSpan text = request.texts.text(index);
  worker.items.push_back({.request = &request, .text = index});
  worker.texts.push_back(text);
  worker.tokens += text.size();
  tokens_waiting_ -= text.size();
  line.tokens -= text.size();
  if (request.next == request.texts.size()) line.waiting.pop_front();
  turns_.pop_front();
  if (!line.waiting.empty()) turns_.push_back(connection);
}

// Idle threads take part in a pass, unless anything waits: then a pass for each thread is the better use of them. They
// are counted as busy from here on, and no thread takes new work while a seat is free.
void Batcher::open_crew(Worker& worker, std::span<float> out, std::optional<Crew>& crew) {
  const std::lock_guard lock(mutex_);
  const Crew::Plan plan = Crew::plan(worker.tokens, turns_.empty() ? idle_ + 1 : 1);
  crew.emplace(worker.workspace, worker.texts, out, plan);
  idle_ -= plan.parts - 1;
  for (std::uint32_t part = 1; part < plan.parts; ++part) calls_.push_back({.crew = &*crew, .part = part});
  if (plan.parts > 1) work_.notify_all();
}

Status Batcher::embed(Worker& worker, std::span<float> out, double& threads) {
  const Encoder& encoder = model_->encoder();
  EML_CHECK(encoder.check(worker.workspace, worker.texts, out));
  std::optional<Crew> crew;
  open_crew(worker, out, crew);
  threads = crew->parts();
  return encoder.embed_part(*crew, 0, worker.workspace);
}

void Batcher::compute(Worker& worker) {
  const std::size_t width = model_->dimensions();
  const std::size_t floats = worker.items.size() * width;
  const auto begin = clock_.monotonic();
  double threads = 1;
  const Status status = embed(worker, {worker.out.data(), floats}, threads);
  const std::chrono::duration<double> spent = clock_.monotonic() - begin;
  if (status) {
    for (std::size_t i = 0; i < worker.items.size(); ++i) {
      const Item& item = worker.items[i];
      std::copy_n(worker.out.data() + i * width, width, item.request->embeddings.data() + item.text * width);
    }
  }
  wipe(worker.out.data(), floats * sizeof(float));
  {
    const std::lock_guard lock(mutex_);
    admission_.measured(worker.tokens, threads * spent);
    ++statistics_.passes;
    statistics_.texts += worker.items.size();
    statistics_.tokens += worker.tokens;
  }
  const auto complete = finish(worker, status);
  for (const auto& request : complete) request->completion(outcome(*request));
  const std::lock_guard lock(mutex_);
  completing_ -= complete.size();
  if (requests_.empty() && completing_ == 0) all_done_.notify_all();
}

// Marks the pass's texts as done and returns the requests that are complete.
std::vector<std::unique_ptr<Batcher::Request>> Batcher::finish(Worker& worker, const Status& status) {
  std::vector<std::unique_ptr<Request>> complete;
  const std::lock_guard lock(mutex_);
  const std::span<const std::size_t> wiped = worker.workspace.wiped();
  for (std::size_t i = 0; i < worker.items.size(); ++i) {
    Request& request = *worker.items[i].request;
    --request.running;
    if (!wiped.empty()) request.wiped_activations += wiped[i];
    if (!status) {
      request.status = status;
      drop_waiting(request);
    }
    if (request.running == 0 && request.next == request.texts.size()) {
      ++completing_;
      complete.push_back(remove(request.id));
    }
  }
  return complete;
}

EmbedOutcome Batcher::outcome(Request& request) {
  EmbedOutcome out;
  out.status = request.status;
  out.tokens = request.texts.tokens();
  out.wiped.activations = count_of(request.wiped_activations);
  out.wiped.token_ids = request.texts.wipe_now();
  if (out.status) out.embeddings = std::move(request.embeddings);
  return out;
}

std::uint32_t Batcher::retry_after_ms() const {
  const std::lock_guard lock(mutex_);
  const double seconds = admission_.wait_of(tokens_waiting_).count();
  return static_cast<std::uint32_t>(std::clamp(seconds * 1000.0, 1.0, 60000.0));
}

Batcher::Statistics Batcher::statistics() const {
  const std::lock_guard lock(mutex_);
  Statistics out = statistics_;
  out.requests_waiting = requests_.size();
  out.tokens_waiting = tokens_waiting_;
  return out;
}

}  // namespace eml

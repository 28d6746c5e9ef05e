#include "engine/batcher.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <system_error>

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
    : model_(std::move(model)), clock_(clock), options_(options) {}

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
    return fail(kEngineMemory, "the system gives no more threads", options.threads, out->threads_.size());
  }
  return out;
}

Batcher::~Batcher() { stop(); }

Result<Batcher::RequestId> Batcher::submit(ConnectionId connection, TokenBatch texts, Completion completion) {
  if (texts.size() == 0) return fail(kBatchEmpty, "a request has no text");
  auto request = std::make_unique<Request>();
  request->embeddings.resize(texts.size() * model_->dimensions());
  const std::lock_guard lock(mutex_);
  if (closed_) return fail(kQueueClosed, "the engine takes no more requests");
  // One request of any admissible size fits an idle engine.
  if (requests_.size() >= options_.requests_max ||
      (tokens_waiting_ != 0 && tokens_waiting_ + texts.tokens() > options_.tokens_max)) {
    return fail(kQueueFull, "too many requests wait", options_.requests_max, requests_.size());
  }
  const RequestId id = next_id_++;
  request->id = id;
  request->connection = connection;
  request->texts = std::move(texts);
  request->completion = std::move(completion);
  tokens_waiting_ += request->texts.tokens();
  auto& queue = waiting_[connection];
  if (queue.empty()) turns_.push_back(connection);
  queue.push_back(request.get());
  const bool many = request->texts.size() > 1;
  requests_.emplace(id, std::move(request));
  many ? work_.notify_all() : work_.notify_one();
  return id;
}

// Takes what waits of a request out of the queue, and its connection out of the turns if that was all.
void Batcher::drop_waiting(Request& request) {
  if (request.next == request.texts.size()) return;
  for (; request.next < request.texts.size(); ++request.next)
    tokens_waiting_ -= request.texts.text(request.next).size();
  const auto at = waiting_.find(request.connection);
  std::erase(at->second, &request);
  if (!at->second.empty()) return;
  waiting_.erase(at);
  std::erase(turns_, request.connection);
}

std::unique_ptr<Batcher::Request> Batcher::remove(RequestId id) {
  const auto at = requests_.find(id);
  auto out = std::move(at->second);
  requests_.erase(at);
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
      Request& request = *waiting_[turns_.front()].front();
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
    work_.wait(lock, [&] { return stopping_ || !turns_.empty(); });
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
    Request& request = *waiting_[connection].front();
    const std::size_t size = request.texts.text(request.next).size();
    if (!worker.items.empty() && worker.tokens + size > worker.tokens_max) break;
    take_turn(worker, connection);
  }
}

void Batcher::take_turn(Worker& worker, ConnectionId connection) {
  auto& queue = waiting_[connection];
  Request& request = *queue.front();
  const std::size_t index = request.next++;
  ++request.running;
  const TokenSpan text = request.texts.text(index);
  worker.items.push_back({.request = &request, .text = index});
  worker.texts.push_back(text);
  worker.tokens += text.size();
  tokens_waiting_ -= text.size();
  if (request.next == request.texts.size()) queue.pop_front();
  turns_.pop_front();
  if (queue.empty()) {
    waiting_.erase(connection);
  } else {
    turns_.push_back(connection);
  }
}

void Batcher::compute(Worker& worker) {
  const std::size_t width = model_->dimensions();
  const std::size_t floats = worker.items.size() * width;
  const auto begin = clock_.monotonic();
  const Status status = model_->encoder().embed(worker.workspace, worker.texts, {worker.out.data(), floats});
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
    const double each = spent.count() / static_cast<double>(worker.tokens);
    token_seconds_ = token_seconds_ == 0 ? each : 0.9 * token_seconds_ + 0.1 * each;
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
  const double seconds = token_seconds_ * static_cast<double>(tokens_waiting_) / static_cast<double>(workers_.size());
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

// Batcher runs requests of many connections on a few threads: a bounded queue, passes packed from whatever waits, and
// turns by connection, so that a client with a thousand texts in flight cannot starve one with one. A pass beside which
// nothing waits is computed by all threads that are idle.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/user_text.h"
#include "engine/admission.h"
#include "engine/embedding_model.h"
#include "engine/token.h"

namespace eml {

inline constexpr ErrorCode kQueueFull{ErrorClass::kLimit, "queue-full"};
inline constexpr ErrorCode kQueueClosed{ErrorClass::kUnavailable, "queue-closed"};
inline constexpr ErrorCode kRequestCancelled{ErrorClass::kUnavailable, "request-cancelled"};
inline constexpr ErrorCode kBatchEmpty{ErrorClass::kMalformed, "batch-empty"};

// TokenBatch holds the token ids of a request's texts in one buffer, whose size is a power of two from 4 KiB: so the
// count of wiped bytes does not tell a length.
class TokenBatch {
 public:
  void add(TokenSpan text);
  std::size_t size() const { return ends_.size(); }
  std::size_t tokens() const { return ids_.size(); }
  TokenSpan text(std::size_t i) const;
  // wipe_now wipes the whole buffer, releases it, and returns its size in bytes.
  std::size_t wipe_now();

 private:
  TokenIds ids_;
  std::vector<std::uint32_t> ends_;
};

// EngineWiped counts what was wiped for one request, for its cleanup statement, in powers of two from 4 KiB: a count
// must not tell a length, and nothing of the other requests of a pass.
struct EngineWiped {
  std::size_t token_ids = 0;
  std::size_t activations = 0;  // of the request's own rows in all its passes, rounded down; 0 if less
};

// EmbedOutcome is how a request ended. If `status` is an error there are no embeddings.
struct EmbedOutcome {
  Status status;
  WipingVector<float> embeddings;  // texts x dimensions
  std::size_t tokens = 0;          // of all texts
  EngineWiped wiped;
};

class Batcher {
 public:
  using ConnectionId = std::uint64_t;
  using RequestId = std::uint64_t;
  // Called once, on a worker thread or by stop(), without a lock held. It must not block or throw; it may call submit
  // and cancel.
  using Completion = std::function<void(EmbedOutcome&&)>;

  struct Options {
    unsigned threads = 1;
    // Requests that wait or run; besides these each connection may have one. 1,024 is one for each channel that the
    // server allows (protocols.md, 2.7).
    std::size_t requests_max = 1024;
    // Tokens that wait: at 5,000 tokens per second and core this is about a minute's work of one core.
    std::size_t tokens_max = std::size_t{1} << 18;
    AdmissionLimits admission;  // for a connection that is not alone: who is, waits for itself
  };

  // start makes the threads and their workspaces; `clock` outlives the batcher. Errors: kEngineMemory.
  static Result<std::unique_ptr<Batcher>> start(std::shared_ptr<const EmbeddingModel> model, const Clock& clock,
                                                const Options& options);

  // The destructor calls stop().
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // submit queues a request. Errors: kQueueFull (answer 429: too many wait, or it would wait for too long),
  // kQueueClosed (after drain or stop), kBatchEmpty; the completion is then never called, and `texts` has been wiped.
  Result<RequestId> submit(ConnectionId connection, TokenBatch texts, Completion completion);

  // cancel takes a request back and returns true: its completion will not be called, and what waited is wiped. False if
  // it has ended, or if a pass reads some of its texts: then the rest is dropped, and the completion comes after that
  // pass, with kRequestCancelled.
  bool cancel(RequestId request);

  // drain refuses new requests and returns when the completions of all accepted ones have returned. Not to be called
  // from a completion.
  void drain();

  // stop refuses new requests, completes the waiting ones with kQueueClosed, and joins the threads.
  void stop();

  // retry_after_ms estimates when a refused request would find room: the work that waits, at the speed measured so far.
  std::uint32_t retry_after_ms() const;

  struct Statistics {
    std::uint64_t passes = 0;
    std::uint64_t texts = 0;
    std::uint64_t tokens = 0;
    std::size_t requests_waiting = 0;  // or running
    std::size_t tokens_waiting = 0;
  };
  Statistics statistics() const;

 private:
  struct Request {
    RequestId id;
    ConnectionId connection;
    TokenBatch texts;
    Completion completion;
    WipingVector<float> embeddings;
    std::size_t next = 0;     // first text that no pass has taken
    std::size_t running = 0;  // texts in passes now
    std::size_t wiped_activations = 0;
    Status status;
  };
  // Item is one text of a pass.
  struct Item {
    Request* request;
    std::size_t text;
  };
  // Seat is a part of a pass of another thread.
  struct Seat {
    Crew* crew;
    std::uint32_t part;
  };
  struct Worker;
  // Line is what a connection has in the engine.
  struct Line {
    std::deque<Request*> waiting;  // with texts that no pass has taken
    std::size_t tokens = 0;        // of those texts
    std::size_t requests = 0;      // waiting or running
  };

  Batcher(std::shared_ptr<const EmbeddingModel> model, const Clock& clock, const Options& options);

  void run(Worker& worker);
  void take(Worker& worker);
  void take_turn(Worker& worker, ConnectionId connection);
  void compute(Worker& worker);
  std::size_t tokens_before(const Line& line, const TokenBatch& texts) const;
  Status admit(const Line& line, const TokenBatch& texts);
  Status embed(Worker& worker, std::span<float> out, double& threads);
  void open_crew(Worker& worker, std::span<float> out, std::optional<Crew>& crew);
  std::vector<std::unique_ptr<Request>> finish(Worker& worker, const Status& status);
  std::unique_ptr<Request> remove(RequestId id);
  void drop_waiting(Request& request);
  static EmbedOutcome outcome(Request& request);

  const std::shared_ptr<const EmbeddingModel> model_;
  const Clock& clock_;
  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable work_;      // something waits, or stopping
  std::condition_variable all_done_;  // no request is left and no completion is being called
  std::unordered_map<RequestId, std::unique_ptr<Request>> requests_;
  std::unordered_map<ConnectionId, Line> lines_;  // of connections that have a request
  std::deque<ConnectionId> turns_;                // of those, the ones of which something waits, next first
  std::size_t tokens_waiting_ = 0;
  std::size_t idle_ = 0;        // threads that wait and have not been called
  std::deque<Seat> calls_;      // parts of passes that idle threads are to compute
  std::size_t completing_ = 0;  // requests whose completion is being called
  RequestId next_id_ = 1;
  bool closed_ = false;
  bool stopping_ = false;
  Statistics statistics_;
  Admission admission_;

  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace eml

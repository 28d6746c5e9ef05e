// Service answers the requests of one channel: from a Binary HTTP message to an answer, its receipt and its cleanup
// statement. It runs on the channel's own thread; only the engine's work is done elsewhere.
// Source: docs/ARCHITECTURE.md, "One request"; docs/spec/receipt.md, "Order".
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "api/embeddings.h"
#include "channel/server_channel.h"
#include "encoding/bhttp.h"
#include "encoding/wiping_resource.h"
#include "engine/batcher.h"
#include "receipt/statement.h"
#include "server/epoch.h"
#include "server/fresh_evidence.h"
#include "server/metrics.h"

namespace eml {

inline constexpr ErrorCode kRequestNotHttp{ErrorClass::kMalformed, "request-not-http"};

// ServiceContext is what all services of a process share. It outlives them.
struct ServiceContext {
  const ServeConfig& config;
  const ServedModel& model;
  Batcher& batcher;
  FreshEvidence& fresh;
  boost::asio::thread_pool& preparing;  // parses and tokenizes requests that are too long for an I/O thread
  Random& random;
  const Clock& clock;
  Metrics& metrics;
};

class Service : public std::enable_shared_from_this<Service> {
 public:
  using Executor = boost::asio::any_io_executor;

  // `changed` is called after an answer arrived from elsewhere: the session then moves events and output.
  Service(ServerChannel& channel, std::shared_ptr<const Epoch> epoch, ServiceContext& context, Executor executor,
          std::function<void()> changed);
  ~Service();

  void on_event(ServerEvent& event);
  // advance takes up requests that waited: for room in this client's output, or in the engine's queue.
  void advance();
  // end forgets the channel: answers that are still on their way are dropped and wiped.
  void end();

 private:
  struct Request;
  using RequestPtr = std::shared_ptr<Request>;

  void on_request(ServerEvent& event);
  void on_refused(const ServerEvent& event);
  void on_answer_sent(const ServerEvent& event);
  Status take_up(const RequestPtr& request);
  Status embed(const RequestPtr& request);
  static Result<TokenBatch> prepare(Request& request, const ServiceContext& context);
  void prepare_elsewhere(const RequestPtr& request);
  void on_prepared(const RequestPtr& request, Result<TokenBatch> tokens);
  Status submit(const RequestPtr& request, TokenBatch tokens);
  Status attest(const RequestPtr& request);
  void on_embedded(const RequestPtr& request, EmbedOutcome outcome);
  bool may_take_up() const;
  void go_on_later();
  void leave_engine(Request& request);
  void cancel(Request& request);
  void forget_requests();
  void on_attested(const RequestPtr& request, Result<Bytes> bundle);
  void answer(const RequestPtr& request, UserText content);
  void refuse(const RequestPtr& request, const Error& error);
  void send(const RequestPtr& request, HttpResponse response, Bytes statement, StatementPosition position);
  Result<Bytes> receipt_of(Request& request, ByteView content);
  Result<Bytes> refusal_of(const Request& request, std::uint16_t status, const Error& error, ByteView content) const;
  void clean_up(const RequestPtr& request);

  ServerChannel* channel_;
  std::shared_ptr<const Epoch> epoch_;
  ServiceContext& context_;
  Executor executor_;
  std::function<void()> changed_;
  std::uint64_t client_;  // this channel's number at the scheduler
  std::deque<RequestPtr> waiting_;
  std::map<StreamId, RequestPtr> open_;
  std::size_t in_engine_ = 0;      // or being prepared for it elsewhere
  std::size_t answers_ahead_ = 0;  // bytes that the answers to those will have, about
  bool goes_on_later_ = false;
  std::uint64_t receipts_ = 0;
  std::chrono::nanoseconds last_attest_{0};
  bool attested_ = false;
};

}  // namespace eml

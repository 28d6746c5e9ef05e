#include "server/service.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <utility>

#include "api/status.h"
#include "base/version.h"
#include "crypto/hash.h"

namespace eml {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kTakenUpMax = 64;  // requests of one channel that are parsed and wait for the engine
// Requests taken up in one go: 256 KiB of text take some milliseconds, then the thread's other channels have a turn.
constexpr std::size_t kTurnBytes = 256U << 10;
// Answers that a channel's requests in the engine may become while nobody knows whether its client reads: a few of the
// largest, or all of the usual ones.
constexpr std::size_t kAnswersAheadMax = 16U << 20;
// Up to here an I/O thread parses and tokenizes itself: 64 KiB take it about 5 ms, and its neighbours wait that long.
constexpr std::size_t kPreparedHereMax = 64 * 1024;
constexpr std::size_t kFreshNonceSize = 32;
constexpr std::uint64_t kMemoryStepMb = 16;  // the peak is public under the receipt: no finer than that
constexpr std::string_view kRetryAfterSeconds = "1";
constexpr std::string_view kEngineName = "ephemeralml/" EML_VERSION;

std::uint64_t next_client() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1);
}

std::uint64_t memory_peak_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);  // ru_maxrss is VmHWM, in KiB
  const auto mb = static_cast<std::uint64_t>(usage.ru_maxrss) / 1024;
  return (mb + kMemoryStepMb) / kMemoryStepMb * kMemoryStepMb;
}

Error refusal_error(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::kBodyTooLarge:
      return Error(kApiBodyTooLarge, "the request is larger than this server takes");
    case RefusalReason::kTooManyStreams:
      return Error(kApiOverloaded, "too many requests at once on this channel");
    case RefusalReason::kChannelBusy:
      return Error(kApiOverloaded, "too many unfinished requests on this channel");
    case RefusalReason::kServerBusy:
      return Error(kApiOverloaded, "the server is busy");
  }
  return Error(kApiOverloaded, "the server is busy");
}

// What encode_embedding_response reserves, about.
std::size_t answer_bytes(const EmbeddingRequest& request, std::size_t dimensions) {
  return request.inputs.size() * dimensions * (request.format == EmbeddingFormat::kBase64 ? 6 : 16);
}

Result<TokenBatch> tokenize(const EmbeddingModel& model, const std::vector<std::string_view>& texts) {
  TokenBatch batch;
  TokenIds ids;
  TokenizerScratch scratch;
  for (const std::string_view text : texts) {
    EML_CHECK(model.tokenize(ids, scratch, text));
    batch.add(ids);
  }
  return batch;
}

HttpResponse error_response(const Error& error) {
  HttpResponse response;
  response.status = http_status(error);
  response.fields.push_back({"content-type", "application/json"});
  if (response.status == 429 || response.status == 503) {
    response.fields.push_back({"retry-after", std::string(kRetryAfterSeconds)});
  }
  response.content = UserText(error_body(error));
  return response;
}

}  // namespace

// Request is all that one stream has in memory here, from its message to the wiping of it.
struct Service::Request {
  StreamId stream = 0;
  std::chrono::nanoseconds read_at{0};
  UserText message;  // the Binary HTTP message, until it was decoded
  HttpRequest http;
  Hash32 request_hash{};
  std::unique_ptr<WipingResource> parsed_memory;
  std::optional<EmbeddingRequest> parsed;  // its texts live in parsed_memory
  std::uint64_t engine_ticket = 0;
  bool in_engine = false;
  std::size_t answer_ahead = 0;
  // What a cleanup statement is made of; set for answers with a receipt.
  std::optional<Hash32> receipt_hash;
  ByteArray<16> receipt_cti{};
  WipedBytes wiped;
};

// Parses and tokenizes; touches nothing but the request, so that it may run on another thread.
Result<TokenBatch> Service::prepare(Request& request, const ServiceContext& context) {
  const EmbeddingModel& model = *context.model.model;
  request.parsed_memory = std::make_unique<WipingResource>();
  EML_TRY(EmbeddingRequest parsed,
          decode_embedding_request(request.http.content.bytes(), request.parsed_memory.get(), model.dimensions(),
                                   context.config.channel.request_bytes_max));
  request.parsed.emplace(std::move(parsed));
  if (request.parsed->model != context.model.identity.id) return fail(kApiUnknownModel, "no such model");
  return tokenize(model, request.parsed->inputs);
}

Service::Service(ServerChannel& channel, std::shared_ptr<const Epoch> epoch, ServiceContext& context, Executor executor,
                 std::function<void()> changed)
    : channel_(&channel),
      epoch_(std::move(epoch)),
      context_(context),
      executor_(std::move(executor)),
      changed_(std::move(changed)),
      client_(next_client()) {}

Service::~Service() = default;

void Service::end() {
  if (channel_ == nullptr) return;
  channel_ = nullptr;
  forget_requests();
  epoch_.reset();
}

void Service::forget_requests() {
  for (const auto& [stream, request] : open_) {
    cancel(*request);
  }
  open_.clear();
  waiting_.clear();
}

void Service::on_event(ServerEvent& event) {
  using Kind = ServerEvent::Kind;
  switch (event.kind) {
    case Kind::kRequest:
      on_request(event);
      break;
    case Kind::kRequestRefused:
      on_refused(event);
      break;
    case Kind::kAnswerSent:
      on_answer_sent(event);
      break;
    case Kind::kReset:
      context_.metrics.resets_total.fetch_add(1);
      if (auto node = open_.extract(event.stream); !node.empty()) {
        cancel(*node.mapped());
        std::erase(waiting_, node.mapped());
      }
      break;
    case Kind::kEnded:
      forget_requests();  // the connection may stand for a while yet: for the last bytes to leave
      break;
    case Kind::kReady:
    case Kind::kClosed:
      break;
  }
}

void Service::cancel(Request& request) {
  // What is being computed ends as usual; what only waited is taken back, and its completion never comes.
  if (!request.in_engine || !context_.batcher.cancel(request.engine_ticket)) return;
  leave_engine(request);
}

void Service::leave_engine(Request& request) {
  request.in_engine = false;
  --in_engine_;
  answers_ahead_ -= request.answer_ahead;
}

void Service::on_request(ServerEvent& event) {
  auto request = std::make_shared<Request>();
  request->stream = event.stream;
  request->read_at = context_.clock.monotonic();
  request->message = std::move(event.body);
  open_.emplace(event.stream, request);
  waiting_.push_back(std::move(request));
}

bool Service::may_take_up() const {
  return !waiting_.empty() && in_engine_ < kTakenUpMax && answers_ahead_ < kAnswersAheadMax && !channel_->wants_pause();
}

void Service::advance() {
  std::size_t taken = 0;
  while (channel_ != nullptr && may_take_up()) {
    if (taken >= kTurnBytes) return go_on_later();
    const RequestPtr request = std::move(waiting_.front());
    waiting_.pop_front();
    taken += request->message.size();
    if (auto status = take_up(request); !status) refuse(request, status.error());
  }
}

void Service::go_on_later() {
  if (std::exchange(goes_on_later_, true)) return;
  asio::post(executor_, [weak = weak_from_this()] {
    const auto service = weak.lock();
    if (!service) return;
    service->goes_on_later_ = false;
    service->changed_();
  });
}

Status Service::take_up(const RequestPtr& request) {
  auto decoded = decode_request(request->message.bytes());
  if (!decoded) {
    request->request_hash = sha256(request->message.bytes());
    return fail(kRequestNotHttp, "the request is not a Binary HTTP message");
  }
  request->http = std::move(*decoded);
  request->wiped.request += wiped_buffer_bytes(request->message.wipe_now());
  request->request_hash = sha256(request->http.content.bytes());
  const bool attest_path = request->http.path == "/eml/v1/attest";
  if (!attest_path && request->http.path != "/v1/embeddings") return fail(kApiUnknownPath, "no such path");
  if (request->http.method != "POST") return fail(kApiWrongMethod, "this path takes POST alone");
  return attest_path ? attest(request) : embed(request);
}

Status Service::embed(const RequestPtr& request) {
  if (request->http.content.size() > kPreparedHereMax) {
    prepare_elsewhere(request);
    return {};
  }
  EML_TRY(TokenBatch tokens, prepare(*request, context_));
  return submit(request, std::move(tokens));
}

// The request belongs to the other thread until it comes back: nothing here looks into it meanwhile.
void Service::prepare_elsewhere(const RequestPtr& request) {
  ++in_engine_;
  asio::post(context_.preparing, [weak = weak_from_this(), request, &context = context_, executor = executor_] {
    auto tokens = prepare(*request, context);
    asio::post(executor, [weak, request, tokens = std::move(tokens)]() mutable {
      if (const auto service = weak.lock()) service->on_prepared(request, std::move(tokens));
    });
  });
}

void Service::on_prepared(const RequestPtr& request, Result<TokenBatch> tokens) {
  --in_engine_;
  if (channel_ == nullptr || !open_.contains(request->stream)) return;
  const Status submitted = tokens ? submit(request, std::move(*tokens)) : std::unexpected(tokens.error());
  if (!submitted) refuse(request, submitted.error());
  changed_();
}

Status Service::submit(const RequestPtr& request, TokenBatch tokens) {
  auto done = [weak = weak_from_this(), request, executor = executor_](EmbedOutcome&& outcome) {
    asio::post(executor, [weak, request, outcome = std::move(outcome)]() mutable {
      if (const auto service = weak.lock()) service->on_embedded(request, std::move(outcome));
    });
  };
  EML_TRY(request->engine_ticket, context_.batcher.submit(client_, std::move(tokens), std::move(done)));
  request->in_engine = true;
  request->answer_ahead = answer_bytes(*request->parsed, context_.model.model->dimensions());
  ++in_engine_;
  answers_ahead_ += request->answer_ahead;
  return {};
}

void Service::on_embedded(const RequestPtr& request, EmbedOutcome outcome) {
  leave_engine(*request);
  if (channel_ == nullptr) return;
  if (!open_.contains(request->stream)) {
    // Reset while it was computed: nobody waits for it.
  } else if (!outcome.status) {
    refuse(request, outcome.status.error());
  } else {
    request->wiped.token_ids += wiped_buffer_bytes(outcome.wiped.token_ids);
    request->wiped.activations += outcome.wiped.activations;
    context_.metrics.tokens_total.fetch_add(outcome.tokens);
    const EmbeddingModel& model = *context_.model.model;
    answer(request, encode_embedding_response(context_.model.identity.id, outcome.embeddings, model.dimensions(),
                                              request->parsed->format, outcome.tokens, context_.random.array<16>(),
                                              {.engine = std::string(kEngineName),
                                               .kernels = std::string(model.kernels()),
                                               .numerics = std::string(model.numerics())}));
  }
  changed_();
}

void Service::answer(const RequestPtr& request, UserText content) {
  auto receipt = receipt_of(*request, content.bytes());
  if (!receipt) {
    (void)channel_->reset(request->stream, ResetCode::kInternal);
    open_.erase(request->stream);
    return;
  }
  request->receipt_hash = sha256(*receipt);
  HttpResponse response;
  response.status = 200;
  response.fields.push_back({"content-type", "application/json"});
  response.content = std::move(content);
  context_.metrics.requests_total.fetch_add(1);
  context_.metrics.observe_request(context_.clock.monotonic() - request->read_at);
  send(request, std::move(response), std::move(*receipt), StatementPosition::kMore);
}

void Service::send(const RequestPtr& request, HttpResponse response, Bytes statement, StatementPosition position) {
  UserText message = encode_response(response);
  request->wiped.response += wiped_buffer_bytes(response.content.wipe_now());
  if (channel_->send_response(request->stream, std::move(message)) &&
      channel_->send_statement(request->stream, statement, position)) {
    return;
  }
  // The stream is gone, which is the client's own doing; or what we say is too large, which is ours: never silence.
  (void)channel_->reset(request->stream, ResetCode::kInternal);
  open_.erase(request->stream);
}

Result<Bytes> Service::receipt_of(Request& request, ByteView content) {
  AirClaims claims;
  claims.issuer = context_.config.issuer;
  claims.issued_at = context_.clock.now();
  claims.cti = context_.random.array<16>();
  claims.nonce = request.parsed->nonce;
  claims.model_id = context_.model.identity.id;
  claims.model_version = context_.model.identity.version;
  claims.model_hash = context_.model.identity.model_hash;
  claims.request_hash = request.request_hash;
  claims.response_hash = sha256(content);
  claims.attestation_doc_hash = epoch_->evidence_hash;
  claims.measurements = epoch_->measurements;
  claims.policy_version = epoch_->policy_version;
  claims.sequence_number = receipts_;
  claims.execution_time_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.monotonic() - request.read_at).count());
  claims.memory_peak_mb = memory_peak_mb();
  claims.mode = epoch_->mode;
  EML_TRY(Bytes receipt, issue_receipt(epoch_->receipt_key, claims));
  ++receipts_;
  request.receipt_cti = claims.cti;
  return receipt;
}

Result<Bytes> Service::refusal_of(const Request& request, std::uint16_t status, const Error& error,
                                  ByteView content) const {
  return issue_refusal(epoch_->receipt_key, {.issuer = context_.config.issuer,
                                             .issued_at = context_.clock.now(),
                                             .cti = context_.random.array<16>(),
                                             .status = status,
                                             .reason = std::string(error.code().name),
                                             .request_hash = request.request_hash,
                                             .response_hash = sha256(content),
                                             .attestation_doc_hash = epoch_->evidence_hash});
}

void Service::refuse(const RequestPtr& request, const Error& error) {
  context_.metrics.refusals_total.fetch_add(1);
  HttpResponse response = error_response(error);
  auto statement = refusal_of(*request, response.status, error, response.content.bytes());
  if (!statement) {
    (void)channel_->reset(request->stream, ResetCode::kInternal);
  } else {
    send(request, std::move(response), std::move(*statement), StatementPosition::kLast);
  }
  open_.erase(request->stream);
}

// A request that was not read whole has no hash, so nothing can be stated about it: an answer without a statement.
void Service::on_refused(const ServerEvent& event) {
  context_.metrics.refusals_total.fetch_add(1);
  (void)channel_->send_response(event.stream, encode_response(error_response(refusal_error(event.reason))),
                                Statements::kNone);
}

void Service::on_answer_sent(const ServerEvent& event) {
  const auto node = open_.extract(event.stream);
  if (node.empty() || !node.mapped()->receipt_hash) return;
  node.mapped()->wiped.response += wiped_buffer_bytes(event.wiped_bytes);
  clean_up(node.mapped());
}

// Everything of the request is wiped first; only then is it stated.
void Service::clean_up(const RequestPtr& request) {
  request->wiped.request += wiped_buffer_bytes(request->http.content.wipe_now());
  request->parsed.reset();
  request->wiped.parsed_text += wiped_buffer_bytes(request->parsed_memory->bytes_wiped());
  auto statement = issue_cleanup(epoch_->receipt_key, {.issuer = context_.config.issuer,
                                                       .issued_at = context_.clock.now(),
                                                       .cti = context_.random.array<16>(),
                                                       .receipt_cti = request->receipt_cti,
                                                       .receipt_hash = *request->receipt_hash,
                                                       .wiped = request->wiped});
  if (statement) {
    (void)channel_->send_statement(request->stream, *statement, StatementPosition::kLast);
  } else {
    (void)channel_->reset(request->stream, ResetCode::kInternal);
  }
}

Status Service::attest(const RequestPtr& request) {
  const ByteView nonce = request->http.content.bytes();
  if (nonce.size() != kFreshNonceSize) return fail(kApiBadRequest, "the body is not a nonce of 32 bytes", nonce.size());
  const auto now = context_.clock.monotonic();
  if (attested_ && now - last_attest_ < kFreshPerChannel) {
    return fail(kFreshTooSoon, "fresh evidence is given once a minute on a channel");
  }
  const Hash32 challenge = sha256_of({label("eml challenge v1"), nonce, channel_->channel_id()});
  EML_CHECK(context_.fresh.ask(epoch_, challenge, executor_, [weak = weak_from_this(), request](Result<Bytes> bundle) {
    if (const auto service = weak.lock()) service->on_attested(request, std::move(bundle));
  }));
  attested_ = true;
  last_attest_ = now;
  return {};
}

void Service::on_attested(const RequestPtr& request, Result<Bytes> bundle) {
  if (channel_ == nullptr || !open_.contains(request->stream)) return;
  if (!bundle) {
    refuse(request, bundle.error());
  } else {
    HttpResponse response;
    response.status = 200;
    response.fields.push_back({"content-type", "application/cbor"});
    response.content = UserText(ByteView(*bundle));
    // No inference, so no receipt: the evidence speaks for itself.
    (void)channel_->send_response(request->stream, encode_response(response), Statements::kNone);
    open_.erase(request->stream);
  }
  changed_();
}

}  // namespace eml

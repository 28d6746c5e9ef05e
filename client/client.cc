#include "client/client.h"

#include <utility>

#include "audit/dossier.h"
#include "crypto/hash.h"
#include "encoding/bhttp.h"

namespace eml {
namespace {

constexpr std::size_t kFreshNonceSize = 32;

ClientChannelOptions channel_options(const ClientOptions& options, const Clock& clock) {
  ClientChannelOptions out;
  out.handshake.expectation = {.purpose = Purpose::kServe,
                               .time = clock.now(),
                               .challenge = std::nullopt,
                               .policy = options.policy,
                               .verify_manifest = options.verify_manifest,
                               .given_root = options.given_root};
  out.handshake.cache = options.cache;
  return out;
}

UserText post(std::string_view path, std::string_view content_type, UserText content) {
  HttpRequest request;
  request.method = "POST";
  request.path = std::string(path);
  request.fields.push_back({"content-type", std::string(content_type)});
  request.content = std::move(content);
  return encode_request(request);
}

bool same_peer(const TrustedPeer& a, const TrustedPeer& b) {
  return a.binding.boot_id == b.binding.boot_id && a.binding.receipt_key == b.binding.receipt_key &&
         a.binding.channel_key == b.binding.channel_key && a.binding.model_hashes == b.binding.model_hashes &&
         a.binding.configuration_hash == b.binding.configuration_hash;
}

const SignedModel* find_model(const TrustedPeer& peer, std::string_view id) {
  if (id.empty()) return peer.models.size() == 1 ? &peer.models.front() : nullptr;
  for (const SignedModel& model : peer.models) {
    if (model.id == id) return &model;
  }
  return nullptr;
}

Error stream_error(const ClientEvent& event) {
  switch (event.failure) {
    case StreamFailure::kReset:
      return Error(kStreamFailed, "the server gave the request up", static_cast<std::uint64_t>(event.reset_code));
    case StreamFailure::kNotAnswered:
      return Error(kNotTaken, "the server is leaving and did not look at the request");
    case StreamFailure::kTooLarge:
      return Error(kStreamFailed, "the answer is larger than its bound");
    case StreamFailure::kClosed:
      return Error(kStreamFailed, "the server closed the channel");
    case StreamFailure::kTruncated:
      return Error(kStreamFailed, "the connection ended before the answer was complete");
  }
  return Error(kStreamFailed, "the request failed");
}

}  // namespace

Client::Client(const ClientOptions& options, Random& random, const Clock& clock, Millis now)
    : options_(options), random_(random), clock_(clock), channel_(channel_options(options, clock), random, now) {}

Status Client::on_bytes(ByteView input, Millis now) {
  auto status = channel_.on_bytes(input, now);
  drain();
  return status;
}

void Client::on_eof() {
  channel_.on_eof();
  drain();
}

bool Client::next_event(AppEvent& event) {
  if (events_.empty()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  return true;
}

void Client::drain() {
  ClientEvent event;
  while (channel_.next_event(event)) on_event(event);
}

void Client::on_event(ClientEvent& event) {
  using Kind = ClientEvent::Kind;
  if (ended_) return;  // what the channel still says after it was given up changes nothing
  switch (event.kind) {
    case Kind::kVerified:
      on_verified();
      break;
    case Kind::kResponse:
      if (event.stream == fresh_stream_) {
        on_fresh_response(event.body.bytes());
      } else {
        on_response(event.stream, event.body.bytes());
      }
      break;
    case Kind::kStatement:
      if (const auto found = open_.find(event.stream); found != open_.end()) {
        found->second.exchange.statements.push_back(std::move(event.statement));
        if (event.last) finish(event.stream);
      }
      break;
    case Kind::kNoStatement:
      finish(event.stream);
      break;
    case Kind::kStreamFailed:
      if (event.stream == fresh_stream_) {
        give_up(Error(kFreshRefused, "the server gave no fresh evidence"));
      } else {
        fail_open(event.stream, stream_error(event));
      }
      break;
    case Kind::kGoaway:
      events_.push_back({.kind = AppEvent::Kind::kGoaway, .answer = {}, .error = {}});
      break;
    case Kind::kEnded:
      end(event.error);
      break;
    case Kind::kReady:
    case Kind::kResponsePart:
    case Kind::kPong:
      break;
  }
}

void Client::on_verified() {
  checks_ = channel_.checks();
  model_ = find_model(channel_.peer(), options_.model);
  if (model_ == nullptr) {
    give_up(Error(kClientModelUnknown, "the server does not offer the model that was asked for"));
    return;
  }
  if (options_.freshness == Freshness::kDemanded || options_.policy->requires_fresh()) {
    if (auto status = ask_fresh(); !status) give_up(status.error());
    return;
  }
  skip(checks_, "fresh-evidence", "fresh evidence at the end of this channel", Voucher::kHardware,
       "neither the policy nor the caller asked for it");
  trust();
}

Status Client::ask_fresh() {
  const auto nonce = random_.array<kFreshNonceSize>();
  fresh_challenge_ = sha256_of({label("eml challenge v1"), nonce, channel_.channel_id()});
  EML_TRY(fresh_stream_,
          channel_.send_request(post("/eml/v1/attest", "application/octet-stream", UserText(ByteView(nonce)))));
  return {};
}

void Client::on_fresh_response(ByteView bhttp) {
  fresh_stream_.reset();  // RESET 2 follows, as after every answer without a statement, and is no failure
  const auto response = decode_response(bhttp);
  if (!response || response->status != 200) {
    give_up(Error(kFreshRefused, "the server gave no fresh evidence", response ? response->status : 0));
    return;
  }
  const BundleExpectation expectation{.purpose = Purpose::kServe,
                                      .time = clock_.now(),
                                      .challenge = fresh_challenge_,
                                      .policy = options_.policy,
                                      .verify_manifest = options_.verify_manifest,
                                      .given_root = options_.given_root};
  const auto peer = check_bundle(response->content.bytes(), expectation);
  if (!peer) {
    give_up(peer.error());
  } else if (!same_peer(*peer, channel_.peer())) {
    give_up(Error(kFreshDiffers, "the fresh evidence is of another process than this channel's"));
  } else {
    pass(checks_, "fresh-evidence", "fresh evidence at the end of this channel", Voucher::kHardware);
    trust();
  }
}

void Client::trust() {
  trusted_ = true;
  events_.push_back({.kind = AppEvent::Kind::kTrusted, .answer = {}, .error = {}});
}

void Client::give_up(const Error& error) {
  trusted_ = false;
  channel_.close();
  end(error);
}

void Client::end(std::optional<Error> error) {
  if (std::exchange(ended_, true)) return;
  while (!open_.empty()) fail_open(open_.begin()->first, error.value_or(Error(kStreamFailed, "the channel is over")));
  events_.push_back({.kind = AppEvent::Kind::kEnded, .answer = {}, .error = error});
}

Result<StreamId> Client::ask(const Question& question) {
  if (!trusted_) return fail(kClientNotReady, "nothing is sent before the server was verified");
  if (!can_ask_now()) return fail(kStreamsExhausted, "the server has not said yet how many streams it takes");
  Open open;
  open.texts = question.texts.size();
  open.keep = question.keep;
  open.exchange.nonce = question.nonce;
  open.exchange.request = encode_embedding_request({.model = model_->id,
                                                    .inputs = question.texts,
                                                    .format = question.format,
                                                    .nonce = question.nonce,
                                                    .salt = random_.array<16>()});
  UserText content(open.exchange.request.bytes());
  EML_TRY(const StreamId stream, channel_.send_request(post("/v1/embeddings", "application/json", std::move(content))));
  open_.emplace(stream, std::move(open));
  return stream;
}

void Client::on_response(StreamId stream, ByteView bhttp) {
  const auto found = open_.find(stream);
  if (found == open_.end()) return;
  auto response = decode_response(bhttp);
  if (!response) {
    fail_open(stream, response.error());
    return;
  }
  found->second.exchange.status = response->status;
  found->second.exchange.response = std::move(response->content);
}

void Client::finish(StreamId stream) {
  auto node = open_.extract(stream);
  if (node.empty()) return;
  events_.push_back({.kind = AppEvent::Kind::kAnswer, .answer = judge(stream, node.mapped()), .error = {}});
}

void Client::fail_open(StreamId stream, const Error& error) {
  const auto node = open_.extract(stream);
  if (node.empty()) return;
  Answer answer;
  answer.stream = stream;
  answer.error = error;
  events_.push_back({.kind = AppEvent::Kind::kAnswer, .answer = std::move(answer), .error = {}});
}

Answer Client::judge(StreamId stream, Open& open) {
  Answer answer;
  answer.stream = stream;
  answer.status = open.exchange.status;
  if (answer.status == 200) {
    if (auto status = judge_success(open, answer); !status) answer.error = status.error();
    return answer;
  }
  answer.error = Error(kAnswerRefused, "the server refused the request", answer.status);
  if (open.exchange.statements.empty()) return answer;  // it was not read whole: there is nothing to sign
  auto refusal = check_refusal(open.exchange, channel_.peer());
  if (refusal) {
    answer.refusal = std::move(*refusal);
  } else {
    answer.error = refusal.error();
  }
  return answer;
}

// A receipt says that the server answered so, not that the answer fits: whoever uses it relies on one vector a text.
Status Client::check_embedding(const Open& open, const EmbeddingAnswer& embedding) const {
  if (embedding.embeddings.size() != open.texts) {
    return fail(kAnswerShape, "the answer has another number of embeddings than the question had texts", open.texts,
                embedding.embeddings.size());
  }
  for (const auto& vector : embedding.embeddings) {
    if (vector.empty() || vector.size() != embedding.embeddings.front().size())
      return fail(kAnswerShape, "the answer's embeddings differ in size, or are empty", vector.size());
  }
  if (embedding.model != model_->id) return fail(kAnswerShape, "the answer names another model");
  return {};
}

Status Client::judge_success(Open& open, Answer& answer) {
  EML_TRY(VerifiedReceipt receipt, check_answer(open.exchange, channel_.peer()));
  EML_CHECK(ledger_.record(receipt.claims()));
  EML_TRY(answer.embedding, decode_embedding_response(open.exchange.response.bytes()));
  EML_CHECK(check_embedding(open, *answer.embedding));
  if (open.keep == Keep::kDossier) {
    EML_TRY(answer.dossier, encode_dossier({.receipt = open.exchange.statements[0],
                                            .request = open.exchange.request.bytes(),
                                            .response = open.exchange.response.bytes(),
                                            .request_hash = std::nullopt,
                                            .response_hash = std::nullopt,
                                            .bundle = channel_.bundle(),
                                            .cleanup = ByteView(open.exchange.statements[1])}));
  }
  answer.receipt.emplace(std::move(receipt));
  return {};
}

}  // namespace eml

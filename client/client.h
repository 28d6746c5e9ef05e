// Client is the whole client side of one connection without I/O: verify the server, ask, check what comes back.
//
//   Client client(options, random, clock, now);
//   write client.output(); client.consume_output(n);  on readable: client.on_bytes(bytes, now) ...
//   while (client.next_event(event)) ...
//
// No user data can leave before the server's evidence passed; with `fresh`, not before fresh evidence did.
// Source: docs/spec/channel.md; 2.6 there for fresh evidence.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "channel/client_channel.h"
#include "client/answer.h"

namespace eml {

inline constexpr ErrorCode kClientNotReady{ErrorClass::kInternal, "client-not-ready"};
inline constexpr ErrorCode kClientModelUnknown{ErrorClass::kRejected, "client-model-unknown"};
inline constexpr ErrorCode kFreshRefused{ErrorClass::kUnavailable, "fresh-evidence-refused"};
inline constexpr ErrorCode kFreshDiffers{ErrorClass::kUnauthentic, "fresh-evidence-differs"};
inline constexpr ErrorCode kStreamFailed{ErrorClass::kUnavailable, "stream-failed"};
// The server left before it looked at the request: asking again on another channel is safe.
inline constexpr ErrorCode kNotTaken{ErrorClass::kUnavailable, "request-not-taken"};

enum class Freshness : std::uint8_t { kAsPolicySays, kDemanded };

struct ClientOptions {
  const Policy* policy = nullptr;  // not owned
  ManifestVerifier verify_manifest = nullptr;
  Freshness freshness = Freshness::kAsPolicySays;
  std::string model;                     // empty: the only model of the server's binding
  VerifiedBundleCache* cache = nullptr;  // optional, not owned
  std::optional<Bytes> given_root;       // as BundleExpectation::given_root
};

// Answer is a finished request. `error` is set if it failed or if any check of it did; then nothing of it counts.
struct Answer {
  StreamId stream = 0;
  std::uint16_t status = 0;
  std::optional<EmbeddingAnswer> embedding;
  std::optional<VerifiedReceipt> receipt;
  std::optional<RefusalStatement> refusal;
  std::optional<Error> error;
  UserText dossier;  // encoded, if ClientEvent asked to keep it (Question::keep_dossier)
};

struct AppEvent {
  enum class Kind : std::uint8_t {
    kTrusted,  // the server passed; questions may be asked
    kAnswer,   // `answer`
    kGoaway,   // this channel takes no more questions
    kEnded,  // the channel is over, or was given up; every open question was answered with an error before. Once, last
  };
  Kind kind = Kind::kEnded;
  std::optional<Answer> answer;
  std::optional<Error> error;
};

enum class Keep : std::uint8_t { kNothing, kDossier };

struct Question {
  std::span<const std::string_view> texts;
  std::optional<Bytes> nonce;
  EmbeddingFormat format = EmbeddingFormat::kBase64;
  Keep keep = Keep::kNothing;
};

class Client {
 public:
  // `random` and `clock` outlive the client.
  Client(const ClientOptions& options, Random& random, const Clock& clock, Millis now);

  Status on_bytes(ByteView input, Millis now);
  void on_eof();
  void on_time(Millis now) {
    channel_.on_time(now);
    drain();
  }
  std::optional<Millis> deadline() const { return channel_.deadline(); }
  ByteView output() { return channel_.output(); }
  void consume_output(std::size_t bytes) { channel_.consume_output(bytes); }

  bool next_event(AppEvent& event);

  // ask sends one request. kClientNotReady before kTrusted; the channel's errors (kStreamsExhausted: wait).
  Result<StreamId> ask(const Question& question);
  bool can_ask() const { return trusted_ && channel_.can_send() && can_ask_now(); }
  void close() { channel_.close(); }
  bool closed() const { return channel_.closed(); }
  bool trusted() const { return trusted_; }
  std::size_t open_questions() const { return open_.size(); }

  // Valid after kTrusted.
  const TrustedPeer& peer() const { return channel_.peer(); }
  const Bytes& bundle() const { return channel_.bundle(); }
  const Checks& checks() const { return checks_; }
  const SignedModel& model() const { return *model_; }
  const ReceiptLedger& ledger() const { return ledger_; }
  // wire_limits of the server.
  Settings settings() const { return channel_.settings(); }

 private:
  struct Open {
    Exchange exchange;
    std::size_t texts = 0;
    Keep keep = Keep::kNothing;
  };

  // A server may take a single stream; before its SETTINGS nobody knows that it takes more.
  bool can_ask_now() const { return channel_.ready() || channel_.open_streams() == 0; }
  void drain();
  void on_event(ClientEvent& event);
  void on_verified();
  Status ask_fresh();
  void on_fresh_response(ByteView bhttp);
  void trust();
  void give_up(const Error& error);
  void end(std::optional<Error> error);
  void on_response(StreamId stream, ByteView bhttp);
  void finish(StreamId stream);
  void fail_open(StreamId stream, const Error& error);
  Answer judge(StreamId stream, Open& open);
  Status judge_success(Open& open, Answer& answer);
  Status check_embedding(const Open& open, const EmbeddingAnswer& embedding) const;

  ClientOptions options_;
  Random& random_;
  const Clock& clock_;
  ClientChannel channel_;
  bool trusted_ = false;
  bool ended_ = false;
  Checks checks_;
  const SignedModel* model_ = nullptr;
  std::optional<StreamId> fresh_stream_;
  Hash32 fresh_challenge_{};
  std::map<StreamId, Open> open_;
  ReceiptLedger ledger_;
  std::deque<AppEvent> events_;
};

}  // namespace eml

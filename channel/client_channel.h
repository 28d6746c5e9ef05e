// ClientChannel is the client's end of one connection as a state machine: bytes in, events out, requests in, bytes out.
// No socket, no clock, no thread of its own; one thread at a time.
//
//   ClientChannel channel(options, random, now);      // output() holds the client_hello
//   on readable:      status = channel.on_bytes(received, now);
//   on end of stream: channel.on_eof();
//   then always:      while (channel.next_event(event)) ...;
//                     write channel.output(); channel.consume_output(written, now);
//
// Nothing of a user can leave before the server was verified: send_request fails until kVerified was given.
// Source: docs/spec/channel.md.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "attestation/bundle.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/user_text.h"
#include "channel/frame.h"
#include "channel/handshake.h"
#include "channel/limits.h"
#include "channel/outbox.h"
#include "channel/records.h"

namespace eml {

struct ClientChannelOptions {
  ClientHandshakeOptions handshake;
  std::size_t response_bytes_max = 64U << 20;  // ours; the smaller of this and the server's holds
  std::uint32_t handshake_ms_max = 10000;      // until SETTINGS; twice the server's, to let it answer first
};

// StreamFailure says why a stream has no (complete) answer.
enum class StreamFailure : std::uint8_t {
  kReset,        // the server reset it, see reset_code
  kNotAnswered,  // above GOAWAY's last stream: it was not looked at, asking elsewhere is safe
  kTooLarge,     // its answer is over our limit
  kClosed,       // the server closed the channel
  kTruncated,    // the connection ended, or a record did not open
};

struct ClientEvent {
  enum class Kind : std::uint8_t {
    kVerified,      // the server passed all steps: peer() and bundle() are valid, requests may be sent
    kReady,         // SETTINGS opened: the server has the same keys, settings() is valid
    kResponsePart,  // `body` is the next piece of `stream` (only for ResponseMode::kParts)
    kResponse,      // END: `body` is the whole Binary HTTP response (kWhole), or empty (kParts)
    kStatement,     // one COSE_Sign1 in `statement`; `last`: the stream is finished and stands
    kNoStatement,   // after kResponse: the stream is finished and has no statement; no receipt will come
    kStreamFailed,  // `failure`; what came before does not stand
    kGoaway,        // no more requests here; `stream` is the last one that is answered
    kPong,          // reply to ping()
    kEnded,         // the channel is over, every open stream failed before. Last event. `error`: none after CLOSE 0
  };
  Kind kind = Kind::kEnded;
  StreamId stream = 0;
  UserText body = {};
  Bytes statement = {};
  bool last = false;
  StreamFailure failure = StreamFailure::kTruncated;
  ResetCode reset_code = ResetCode::kCancelled;
  ByteArray<8> pong{};
  std::optional<Error> error = {};
};

enum class ResponseMode : std::uint8_t { kWhole, kParts };

class ClientChannel {
 public:
  // `random`, and what `options` points to, outlive the channel. output() holds the client_hello at once.
  ClientChannel(ClientChannelOptions options, Random& random, Millis now);
  ~ClientChannel();
  ClientChannel(const ClientChannel&) = delete;
  ClientChannel& operator=(const ClientChannel&) = delete;

  // on_bytes takes all of `input`. An error ends the channel: see ServerChannel::on_bytes.
  Status on_bytes(ByteView input, Millis now);
  void on_eof();
  void on_time(Millis now);
  std::optional<Millis> deadline() const;
  bool next_event(ClientEvent& event);
  ByteView output();
  void consume_output(std::size_t bytes);

  // send_request queues one Binary HTTP message and returns its stream. Errors: kChannelState before kVerified,
  // kStreamsExhausted (wait for one to finish), kRequestTooLarge, kChannelGoingAway, kChannelClosed.
  Result<StreamId> send_request(UserText bhttp, ResponseMode mode = ResponseMode::kWhole);
  // cancel gives a stream up: RESET 1 if it is still open; no more events of it.
  void cancel(StreamId stream);
  Status ping(const ByteArray<8>& payload);
  // close sends CLOSE after what is queued. Answers to streams that were sent whole still come, then the server's
  // CLOSE.
  void close();

  bool verified() const { return peer_.has_value(); }
  bool ready() const { return settings_.has_value(); }
  bool closed() const { return state_ == State::kClosed; }
  std::size_t open_streams() const { return streams_.size(); }
  // can_send: send_request would not fail for want of a stream.
  bool can_send() const;
  // Valid after kVerified.
  const TrustedPeer& peer() const { return *peer_; }
  const Bytes& bundle() const { return bundle_; }
  const Hash32& channel_id() const { return channel_id_; }
  const Checks& checks() const { return checks_; }
  // settings: the defaults until kReady.
  Settings settings() const { return settings_.value_or(Settings{}); }

 private:
  enum class State : std::uint8_t { kServerHello, kOpen, kClosed };
  struct Stream;

  Status on_frame(const Frame& frame);
  Status on_server_hello(const Frame& frame);
  Status on_record(const Frame& frame);
  Status dispatch(const RecordView& record);
  Status on_settings(const RecordView& record);
  Status on_data(const RecordView& record);
  Status on_statement(const RecordView& record);
  Status on_reset(const RecordView& record);
  Status on_goaway(const RecordView& record);
  Status on_ping(const RecordView& record);
  Status on_close(const RecordView& record);
  Result<Stream*> answered_stream(StreamId id);
  void fail_stream(StreamId id, StreamFailure failure, ResetCode code = ResetCode::kCancelled);
  void forget(StreamId id);
  void end(std::optional<Error> error, StreamFailure failure);
  Status die(const Error& error, std::optional<CloseCode> say);
  void pump();

  ClientChannelOptions options_;
  Random& random_;
  State state_ = State::kServerHello;
  bool closing_ = false;
  FrameDecoder decoder_{FrameType::kServerHello};
  ClientHandshake handshake_;
  std::optional<RecordOpener> opener_;
  std::optional<TrustedPeer> peer_;
  Bytes bundle_;
  Checks checks_;
  Hash32 channel_id_{};
  std::optional<Settings> settings_;
  std::optional<StreamId> last_answered_;  // of the server's GOAWAY
  Outbox outbox_;
  UserText scratch_;  // where records are opened; wiped after each on_bytes
  std::size_t scratch_used_ = 0;
  std::map<StreamId, Stream> streams_;
  StreamId newest_ = 0;
  Millis started_at_;
  std::uint32_t pings_ = 0;  // since the last other record
  std::deque<ClientEvent> events_;
};

}  // namespace eml

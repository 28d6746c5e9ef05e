// ServerChannel is the server's end of one connection as a state machine: bytes in, events out, answers in, bytes out.
// No socket, no clock, no thread of its own; one thread at a time.
//
//   on accept:        ServerChannel channel(identity, limits, random, now, &budget);
//   on readable:      status = channel.on_bytes(received, now);
//   on end of stream: channel.on_eof();
//   on timer:         channel.on_time(now);           // at channel.deadline()
//   then always:      while (channel.next_event(event)) ...;
//                     write channel.output(); channel.consume_output(written, now);
//                     if (channel.closed() && channel.output().empty()) shut down sending, read on until the end of the
//                     stream or for a second at most, close: a close with unread bytes would tear down what was
//                     written.
//
// Source: docs/spec/channel.md.
#pragma once

#include <deque>
#include <map>
#include <optional>

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

// RefusalReason says why a request was not taken; the caller owes it an answer (send_response with kNone) or a reset.
enum class RefusalReason : std::uint8_t {
  kBodyTooLarge,    // 413
  kTooManyStreams,  // 429
  kChannelBusy,     // 429: unfinished_bytes_max of this channel
  kServerBusy,      // 429: the RequestBudget of all channels
};

struct ServerEvent {
  enum class Kind : std::uint8_t {
    kReady,           // keys stand; channel_id() is valid
    kRequest,         // `body` is one whole Binary HTTP request of `stream`
    kRequestRefused,  // `stream` has a request that was not taken, see `reason`
    kReset,           // `stream` is gone: by the client, or by us (stalled, too slow); stop work on it
    kAnswerSent,      // the answer of `stream` is sealed whole and its buffers wiped: `wiped_bytes`. Once per stream
    kClosed,          // the client said CLOSE with `close_code`; what it asked before is still answered if kDone
    kEnded,           // the channel is over; every stream that was open is gone. Last event. `error` says why, if any
  };
  Kind kind = Kind::kEnded;
  StreamId stream = 0;
  UserText body = {};
  RefusalReason reason = RefusalReason::kBodyTooLarge;
  ResetCode reset_code = ResetCode::kCancelled;
  CloseCode close_code = CloseCode::kDone;
  std::size_t wiped_bytes = 0;
  std::optional<Error> error = {};
};

// Statements says what follows an answer's END. kFollow: send_statement, the last one with kLast, finishes the stream.
// kNone: RESET 2 follows and the stream is finished; for a request that was not read whole, and for fresh evidence.
enum class Statements : std::uint8_t { kFollow, kNone };
enum class StatementPosition : std::uint8_t { kMore, kLast };
enum class AnswerPart : std::uint8_t { kMore, kEnd };

class ServerChannel {
 public:
  // `random` and `budget` (may be null) outlive the channel.
  ServerChannel(ServeIdentity identity, const ChannelLimits& limits, Random& random, Millis now,
                RequestBudget* budget = nullptr);
  ~ServerChannel();
  ServerChannel(const ServerChannel&) = delete;
  ServerChannel& operator=(const ServerChannel&) = delete;

  // on_bytes takes all of `input`. An error ends the channel (closed() is true, a kEnded event is queued); what
  // output() still holds (a refuse, a CLOSE, or nothing) is flushed and the socket closed. Errors: of frames, hellos,
  // records; kChannelProtocol, kChannelLimit; kChannelClosed if it was over already.
  Status on_bytes(ByteView input, Millis now);
  // on_eof says that no more bytes will come. Without a CLOSE before it, open streams are gone: kEnded with
  // kChannelTruncated.
  void on_eof();
  // on_time looks at the timers: handshake, unfinished frame, slow request, stalled output, idle.
  void on_time(Millis now);
  // deadline is when on_time is due next.
  std::optional<Millis> deadline() const;

  bool next_event(ServerEvent& event);

  // output views the bytes that are ready to be written; consume_output drops what was written.
  ByteView output();
  void consume_output(std::size_t bytes, Millis now);

  // Answers, in any order of streams. The buffers are taken, sealed piece by piece and wiped. kStreamGone if the stream
  // was reset or the channel is over, which may happen at any time and is no mistake; kChannelState for a second END, a
  // statement before END or after the last; kChannelLimit over response_bytes_max or the size of a record.
  Status send_response(StreamId stream, UserText bhttp, Statements statements = Statements::kFollow);
  Status send_response_part(StreamId stream, UserText bytes, AnswerPart part);
  Status send_statement(StreamId stream, ByteView cose_sign1, StatementPosition position);
  Status reset(StreamId stream, ResetCode code);

  // wants_pause: at least queued_output_max bytes wait for this client; a streamed answer waits until it is false.
  bool wants_pause() const;
  std::size_t queued_bytes() const;

  // goaway tells the client that no stream after the newest one is answered; when those before it are, CLOSE follows.
  void goaway();
  // close sends CLOSE after what is queued (kDone) or instead of it (any other code). Open streams are gone.
  void close(CloseCode code);

  bool established() const { return outbox_.started(); }
  bool closed() const { return state_ == State::kClosed; }
  bool going_away() const { return going_away_; }
  std::size_t open_streams() const { return streams_.size(); }
  // channel_id is valid once kReady was given.
  const Hash32& channel_id() const { return channel_id_; }

 private:
  enum class State : std::uint8_t { kHello, kFinish, kOpen, kPeerClosed, kClosed };
  struct Stream;

  Status on_frame(const Frame& frame);
  Status on_client_finish(const Frame& frame);
  Status on_record(const Frame& frame);
  Status dispatch(const RecordView& record);
  Status on_data(const RecordView& record);
  Status open_stream(StreamId id);
  Status take_data(StreamId id, const RecordView& record);
  void refuse_stream(StreamId id, RefusalReason reason);
  Status on_reset(const RecordView& record);
  Status spend_reset();
  Status on_ping(const RecordView& record);
  Status on_close(const RecordView& record);
  Result<Stream*> answerable(StreamId id);
  Status queue_answer(StreamId id, UserText bytes, AnswerPart part, Padding padding);
  void pump();
  void after_pump();
  void drop_stream(StreamId id);
  void local_reset(StreamId id, ResetCode code);
  void check_slow_requests();
  void check_output();
  bool output_waits_for_stream() const;
  Millis slow_at(const Stream& stream) const;
  void end(std::optional<Error> error);
  Status die(const Error& error, std::optional<CloseCode> say);

  ChannelLimits limits_;
  Random& random_;
  RequestBudget* budget_;
  State state_ = State::kHello;
  bool going_away_ = false;
  FrameDecoder decoder_{FrameType::kClientHello};
  ServerHandshake handshake_;
  std::optional<RecordOpener> opener_;
  Hash32 channel_id_{};
  Outbox outbox_;
  UserText scratch_;  // where records are opened; wiped after each on_bytes
  std::size_t scratch_used_ = 0;
  std::map<StreamId, Stream> streams_;
  StreamId newest_ = 0;
  bool goaway_sent_ = false;
  std::size_t unfinished_bytes_ = 0;
  std::uint32_t pings_ = 0;  // since the last other record
  std::int32_t reset_credit_;
  Millis now_;
  Millis started_at_;
  Millis active_at_;                     // last record that was not a PING, last answer taken
  bool answered_ = false;                // something was said since active_at_
  std::optional<Millis> partial_since_;  // an unfinished frame waits since
  std::optional<Millis> waiting_since_;  // output waits and none was taken since
  std::deque<ServerEvent> events_;
};

}  // namespace eml

#include "channel/client_channel.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "channel/control.h"

namespace eml {
namespace {

std::unexpected<Error> protocol(Literal what, std::uint64_t number) { return fail(kChannelProtocol, what, number); }

}  // namespace

struct ClientChannel::Stream {
  ResponseMode mode = ResponseMode::kWhole;
  UserText body;
  std::size_t received = 0;
  bool ended = false;
  bool has_statement = false;
};

ClientChannel::ClientChannel(ClientChannelOptions options, Random& random, Millis now)
    : options_(std::move(options)), random_(random), handshake_(options_.handshake), started_at_(now) {
  const Result<Bytes> hello = handshake_.start(random_);
  if (hello) {
    outbox_.frame(*hello);
  } else {
    end(hello.error(), StreamFailure::kClosed);
  }
}

ClientChannel::~ClientChannel() = default;

Status ClientChannel::on_bytes(ByteView input, Millis) {
  Status status = {};
  if (state_ == State::kClosed) status = fail(kChannelClosed, "the channel is over");
  while (status && !input.empty() && state_ != State::kClosed) {
    const Result<std::optional<Frame>> frame = decoder_.next(input);
    if (!frame) {
      status = die(frame.error(), std::nullopt);
    } else if (*frame) {
      status = on_frame(**frame);
    }
  }
  wipe(scratch_.mutable_bytes().first(scratch_used_));
  scratch_used_ = 0;
  pump();
  return status;
}

Status ClientChannel::on_frame(const Frame& frame) {
  return state_ == State::kServerHello ? on_server_hello(frame) : on_record(frame);
}

Status ClientChannel::on_server_hello(const Frame& frame) {
  Result<ClientHandshake::Finished> done = handshake_.on_server_hello(frame, random_, &checks_);
  if (!done) return die(done.error(), std::nullopt);
  outbox_.frame(done->client_finish);
  outbox_.start(std::move(done->keys.sealer));
  opener_.emplace(std::move(done->keys.opener));
  channel_id_ = done->keys.channel_id;
  peer_.emplace(std::move(done->peer));
  bundle_ = std::move(done->bundle);
  decoder_.expect(FrameType::kRecord);
  state_ = State::kOpen;
  events_.push_back({.kind = ClientEvent::Kind::kVerified});
  return {};
}

Status ClientChannel::on_record(const Frame& frame) {
  const std::size_t size = frame.body.size() - kAeadTagSize;
  if (scratch_.size() < size) scratch_.resize(size);
  scratch_used_ = std::max(scratch_used_, size);
  const Result<RecordView> record = opener_->open(scratch_.mutable_bytes().first(size), frame);
  if (!record) return die(record.error(), close_code_for(record.error()));
  const Status status = dispatch(*record);
  if (!status) return die(status.error(), close_code_for(status.error()));
  return {};
}

Status ClientChannel::dispatch(const RecordView& record) {
  if (!settings_ && record.kind != RecordKind::kSettings) {
    return protocol("the server's first record is not SETTINGS", static_cast<std::uint64_t>(record.kind));
  }
  if (record.kind == RecordKind::kPing) return on_ping(record);
  pings_ = 0;
  switch (record.kind) {
    case RecordKind::kSettings:
      return on_settings(record);
    case RecordKind::kData:
      return on_data(record);
    case RecordKind::kReset:
      return on_reset(record);
    case RecordKind::kStatement:
      return on_statement(record);
    case RecordKind::kGoaway:
      return on_goaway(record);
    default:
      return on_close(record);
  }
}

Status ClientChannel::on_settings(const RecordView& record) {
  if (settings_ || record.stream != 0) return protocol("SETTINGS twice or on a stream", record.stream);
  EML_TRY(const Settings settings, decode_settings(record.payload));
  settings_ = settings;
  options_.response_bytes_max = std::min<std::uint64_t>(options_.response_bytes_max, settings.response_bytes_max);
  events_.push_back({.kind = ClientEvent::Kind::kReady});
  return {};
}

// answered_stream finds the stream that the server speaks of; null if it is over on our side, which a record that was
// on its way may not know.
Result<ClientChannel::Stream*> ClientChannel::answered_stream(StreamId id) {
  if (id == 0 || id > newest_) return protocol("a record of a stream that was not opened", id);
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

Status ClientChannel::on_data(const RecordView& record) {
  const bool end = (record.flags & kFlagEnd) != 0;
  EML_TRY(Stream* const stream, answered_stream(record.stream));
  if (record.payload.empty() && !end) return protocol("an empty DATA without END", record.stream);
  if (stream == nullptr) return {};
  if (stream->ended) return protocol("DATA after END", record.stream);
  if (record.payload.size() > options_.response_bytes_max - stream->received) {
    fail_stream(record.stream, StreamFailure::kTooLarge);
    outbox_.reset_now(record.stream, ResetCode::kLimit);
    return {};
  }
  stream->received += record.payload.size();
  stream->ended = end;
  if (stream->mode == ResponseMode::kWhole) {
    stream->body.append(record.payload);
  } else if (!record.payload.empty()) {
    events_.push_back(
        {.kind = ClientEvent::Kind::kResponsePart, .stream = record.stream, .body = UserText(record.payload)});
  }
  if (end) {
    events_.push_back({.kind = ClientEvent::Kind::kResponse, .stream = record.stream, .body = std::move(stream->body)});
    stream->body = UserText();
  }
  return {};
}

Status ClientChannel::on_statement(const RecordView& record) {
  EML_TRY(Stream* const stream, answered_stream(record.stream));
  if (record.payload.empty()) return protocol("an empty STATEMENT", record.stream);
  if (stream == nullptr) return {};
  if (!stream->ended) return protocol("a STATEMENT before END", record.stream);
  const bool last = (record.flags & kFlagLast) != 0;
  stream->has_statement = true;
  events_.push_back({.kind = ClientEvent::Kind::kStatement,
                     .stream = record.stream,
                     .statement = to_bytes(record.payload),
                     .last = last});
  if (last) forget(record.stream);
  return {};
}

Status ClientChannel::on_reset(const RecordView& record) {
  EML_TRY(const ResetCode code, decode_reset(record));
  EML_TRY(Stream* const stream, answered_stream(record.stream));
  if (stream == nullptr) return {};
  // A request that was not read whole has an answer but no statement: RESET 2 stands in its place.
  if (stream->ended && !stream->has_statement && code == ResetCode::kLimit) {
    events_.push_back({.kind = ClientEvent::Kind::kNoStatement, .stream = record.stream});
    forget(record.stream);
  } else {
    fail_stream(record.stream, StreamFailure::kReset, code);
  }
  return {};
}

Status ClientChannel::on_goaway(const RecordView& record) {
  EML_TRY(const StreamId last, decode_goaway(record));
  if (last > last_answered_.value_or(newest_))
    return protocol("a GOAWAY that promises more than before or than was asked", last);
  last_answered_ = last;
  events_.push_back({.kind = ClientEvent::Kind::kGoaway, .stream = last});
  while (!streams_.empty() && streams_.rbegin()->first > last) {
    const StreamId id = streams_.rbegin()->first;
    outbox_.drop(id);
    fail_stream(id, StreamFailure::kNotAnswered);
  }
  return {};
}

Status ClientChannel::on_ping(const RecordView& record) {
  EML_CHECK(check_ping(record));
  if (++pings_ > kPingsMax) return fail(kChannelLimit, "nothing but PINGs", pings_);
  if ((record.flags & kFlagReply) == 0) {
    outbox_.reply(record.payload);
  } else {
    events_.push_back({.kind = ClientEvent::Kind::kPong, .pong = *to_array<8>(record.payload)});
  }
  return {};
}

Status ClientChannel::on_close(const RecordView& record) {
  EML_TRY(const CloseCode code, decode_close(record));
  outbox_.drop_all();
  outbox_.close(CloseCode::kDone);
  if (code == CloseCode::kDone) {
    end(std::nullopt, StreamFailure::kClosed);
  } else {
    end(Error(kChannelClosed, "the server closed the channel", static_cast<std::uint64_t>(code)),
        StreamFailure::kClosed);
  }
  return {};
}

void ClientChannel::on_eof() {
  if (state_ == State::kClosed) return;
  outbox_.drop_all();
  end(Error(kChannelTruncated, "the connection ended without CLOSE"), StreamFailure::kTruncated);
}

void ClientChannel::on_time(Millis now) {
  if (const std::optional<Millis> at = deadline(); !at || now < *at) return;
  outbox_.drop_all();
  end(Error(kChannelTimeout, "the handshake took too long"), StreamFailure::kTruncated);
}

std::optional<Millis> ClientChannel::deadline() const {
  if (state_ == State::kClosed || settings_) return std::nullopt;
  return started_at_ + options_.handshake_ms_max;
}

bool ClientChannel::next_event(ClientEvent& event) {
  if (events_.empty()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  return true;
}

ByteView ClientChannel::output() {
  pump();
  return outbox_.output();
}

void ClientChannel::consume_output(std::size_t bytes) {
  outbox_.consume(bytes);
  pump();
}

bool ClientChannel::can_send() const {
  return state_ == State::kOpen && !closing_ && !last_answered_ && streams_.size() < settings().streams &&
         newest_ != ~StreamId{0};
}

Result<StreamId> ClientChannel::send_request(UserText bhttp, ResponseMode mode) {
  if (state_ == State::kServerHello) return fail(kChannelState, "the server is not verified yet");
  if (state_ == State::kClosed || closing_) return fail(kChannelClosed, "the channel is over");
  if (last_answered_) return fail(kChannelGoingAway, "the server takes no more requests on this channel");
  if (!can_send()) return fail(kStreamsExhausted, "no stream is free", settings().streams);
  if (bhttp.size() > settings().request_bytes_max) {
    return fail(kRequestTooLarge, "a request is larger than the server takes", settings().request_bytes_max,
                bhttp.size());
  }
  const StreamId id = ++newest_;
  streams_[id].mode = mode;
  outbox_.data(id, std::move(bhttp), true, Padding::kPadme);
  pump();
  return id;
}

void ClientChannel::cancel(StreamId id) {
  if (streams_.erase(id) == 0) return;
  outbox_.reset_now(id, ResetCode::kCancelled);
  pump();
}

Status ClientChannel::ping(const ByteArray<8>& payload) {
  if (state_ != State::kOpen || closing_) return fail(kChannelState, "the channel does not stand");
  outbox_.control(RecordKind::kPing, payload);
  pump();
  return {};
}

void ClientChannel::close() {
  if (state_ == State::kClosed || std::exchange(closing_, true)) return;
  if (state_ == State::kServerHello) {
    outbox_.drop_all();
    end(std::nullopt, StreamFailure::kClosed);
    return;
  }
  outbox_.close(CloseCode::kDone);
  pump();
}

// forget ends a stream that stands; what it had not said yet needs no saying.
void ClientChannel::forget(StreamId id) {
  streams_.erase(id);
  if (outbox_.has_queued(id)) outbox_.reset_now(id, ResetCode::kCancelled);
}

void ClientChannel::fail_stream(StreamId id, StreamFailure failure, ResetCode code) {
  events_.push_back({.kind = ClientEvent::Kind::kStreamFailed, .stream = id, .failure = failure, .reset_code = code});
  forget(id);
}

void ClientChannel::pump() {
  const Status status = outbox_.pump();
  Outbox::Finished done;
  while (outbox_.next_finished(done)) {
  }
  if (status) return;
  outbox_.drop_all();
  end(status.error(), StreamFailure::kClosed);
}

void ClientChannel::end(std::optional<Error> error, StreamFailure failure) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  for (const auto& entry : streams_) {
    events_.push_back({.kind = ClientEvent::Kind::kStreamFailed, .stream = entry.first, .failure = failure});
  }
  streams_.clear();
  events_.push_back({.kind = ClientEvent::Kind::kEnded, .error = error});
}

Status ClientChannel::die(const Error& error, std::optional<CloseCode> say) {
  outbox_.drop_all();
  const bool by_us = !(error.code() == kFrameRefused);
  if (state_ == State::kServerHello && by_us) outbox_.frame(frame_header(FrameType::kRefuse, 0));
  if (state_ == State::kOpen && say) outbox_.close(*say);
  end(error, StreamFailure::kTruncated);
  return std::unexpected(error);
}

}  // namespace eml

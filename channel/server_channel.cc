#include "channel/server_channel.h"

#include <algorithm>
#include <utility>

#include "channel/control.h"
#include "channel/server_stream.h"

namespace eml {
namespace {

// Streams that are still told of a RESET. Twice all that can be open.
constexpr std::size_t kWaitingStreamsMax = 256;

std::unexpected<Error> protocol(Literal what, std::uint64_t number) { return fail(kChannelProtocol, what, number); }

}  // namespace

ServerChannel::ServerChannel(ServeIdentity identity, const ChannelLimits& limits, Random& random, Millis now,
                             RequestBudget* budget)
    : limits_(limits),
      random_(random),
      budget_(budget),
      handshake_(std::move(identity)),
      reset_credit_(kResetCreditMax),
      now_(now),
      started_at_(now),
      active_at_(now) {}

ServerChannel::~ServerChannel() {
  while (!streams_.empty()) drop_stream(streams_.begin()->first);
}

Status ServerChannel::on_bytes(ByteView input, Millis now) {
  now_ = now;
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
  if (decoder_.partial_bytes() == 0) {
    partial_since_.reset();
  } else if (!partial_since_) {
    partial_since_ = now;
  }
  pump();
  return status;
}

Status ServerChannel::on_frame(const Frame& frame) {
  // The next frame, if there is one, waits for its own ten seconds.
  partial_since_.reset();
  switch (state_) {
    case State::kHello: {
      const Result<Bytes> hello = handshake_.on_client_hello(frame, random_);
      if (!hello) return die(hello.error(), std::nullopt);
      outbox_.frame(*hello);
      decoder_.expect(FrameType::kClientFinish);
      state_ = State::kFinish;
      return {};
    }
    case State::kFinish:
      return on_client_finish(frame);
    default:
      return on_record(frame);
  }
}

Status ServerChannel::on_client_finish(const Frame& frame) {
  Result<ChannelKeys> keys = handshake_.on_client_finish(frame);
  if (!keys) return die(keys.error(), std::nullopt);
  channel_id_ = keys->channel_id;
  opener_.emplace(std::move(keys->opener));
  outbox_.start(std::move(keys->sealer));
  outbox_.control(RecordKind::kSettings, encode_settings({.streams = limits_.streams,
                                                          .request_bytes_max = limits_.request_bytes_max,
                                                          .response_bytes_max = limits_.response_bytes_max,
                                                          .idle_ms = limits_.idle_ms}));
  decoder_.expect(FrameType::kRecord);
  state_ = State::kOpen;
  active_at_ = now_;
  events_.push_back({.kind = ServerEvent::Kind::kReady});
  if (going_away_) goaway();
  return {};
}

Status ServerChannel::on_record(const Frame& frame) {
  const std::size_t size = frame.body.size() - kAeadTagSize;
  if (scratch_.size() < size) scratch_.resize(size);
  scratch_used_ = std::max(scratch_used_, size);
  const Result<RecordView> record = opener_->open(scratch_.mutable_bytes().first(size), frame);
  if (!record) return die(record.error(), close_code_for(record.error()));
  const Status status = dispatch(*record);
  if (!status) return die(status.error(), close_code_for(status.error()));
  return {};
}

Status ServerChannel::dispatch(const RecordView& record) {
  if (state_ == State::kPeerClosed)
    return protocol("a record came after CLOSE", static_cast<std::uint64_t>(record.kind));
  if (record.kind == RecordKind::kPing) return on_ping(record);
  pings_ = 0;
  active_at_ = now_;
  switch (record.kind) {
    case RecordKind::kData:
      return on_data(record);
    case RecordKind::kReset:
      return on_reset(record);
    case RecordKind::kClose:
      return on_close(record);
    default:
      return protocol("a record of a kind that only a server sends", static_cast<std::uint64_t>(record.kind));
  }
}

Status ServerChannel::open_stream(StreamId id) {
  if (id != newest_ + 1) return protocol("a stream was opened out of order", id);
  newest_ = id;
  if (going_away_) return {};  // told by GOAWAY that it is not answered
  // A client that knows our SETTINGS is never here; twice the limit bounds one that does not care.
  const bool too_many =
      streams_.size() >= 2 * std::size_t{limits_.streams} || outbox_.waiting_streams() > kWaitingStreamsMax;
  if (too_many) return fail(kChannelLimit, "too many streams", streams_.size());
  const bool over = streams_.size() >= limits_.streams;
  streams_[id].opened_at = now_;
  if (over) refuse_stream(id, RefusalReason::kTooManyStreams);
  return {};
}

Status ServerChannel::on_data(const RecordView& record) {
  const bool end = (record.flags & kFlagEnd) != 0;
  if (record.stream == 0) return protocol("DATA on stream 0", 0);
  if (record.payload.empty() && !end) return protocol("an empty DATA without END", record.stream);
  if (record.stream > newest_) EML_CHECK(open_stream(record.stream));
  const auto found = streams_.find(record.stream);
  if (found == streams_.end()) return {};  // finished or reset on our side while this was on its way
  if (found->second.request_ended) return protocol("DATA after END", record.stream);
  return take_data(record.stream, record);
}

Status ServerChannel::take_data(StreamId id, const RecordView& record) {
  Stream& stream = streams_.at(id);
  const std::size_t size = record.payload.size();
  if (!stream.refused) {
    if (stream.body.size() + size > limits_.request_bytes_max) {
      refuse_stream(id, RefusalReason::kBodyTooLarge);
    } else if (unfinished_bytes_ + size > limits_.unfinished_bytes_max) {
      refuse_stream(id, RefusalReason::kChannelBusy);
    } else if (budget_ != nullptr && !budget_->take(size)) {
      refuse_stream(id, RefusalReason::kServerBusy);
    } else {
      stream.budget_taken += size;
      unfinished_bytes_ += size;
      stream.body.append(record.payload);
    }
  }
  if ((record.flags & kFlagEnd) == 0) return {};
  stream.request_ended = true;
  if (stream.refused) return {};
  unfinished_bytes_ -= stream.body.size();
  events_.push_back({.kind = ServerEvent::Kind::kRequest, .stream = id, .body = std::move(stream.body)});
  stream.body = UserText();
  return {};
}

void ServerChannel::refuse_stream(StreamId id, RefusalReason reason) {
  Stream& stream = streams_.at(id);
  unfinished_bytes_ -= stream.body.size();
  stream.body.wipe_now();
  if (budget_ != nullptr) budget_->give_back(std::exchange(stream.budget_taken, 0));
  stream.refused = true;
  events_.push_back({.kind = ServerEvent::Kind::kRequestRefused, .stream = id, .reason = reason});
}

Status ServerChannel::on_reset(const RecordView& record) {
  EML_TRY(const ResetCode code, decode_reset(record));
  // RESET of the next stream opens and ends it: the client gave up before it had said anything.
  if (record.stream > newest_) {
    if (record.stream != newest_ + 1) return protocol("RESET of a stream that was not opened", record.stream);
    newest_ = record.stream;
    return spend_reset();
  }
  if (!streams_.contains(record.stream)) return {};
  drop_stream(record.stream);
  outbox_.drop(record.stream);
  events_.push_back({.kind = ServerEvent::Kind::kReset, .stream = record.stream, .reset_code = code});
  return spend_reset();
}

Status ServerChannel::spend_reset() {
  if (--reset_credit_ < 0) return fail(kChannelLimit, "streams are opened and cancelled over and over");
  return {};
}

Status ServerChannel::on_ping(const RecordView& record) {
  EML_CHECK(check_ping(record));
  if (++pings_ > kPingsMax) return fail(kChannelLimit, "nothing but PINGs", pings_);
  if ((record.flags & kFlagReply) == 0) outbox_.reply(record.payload);
  return {};
}

Status ServerChannel::on_close(const RecordView& record) {
  EML_TRY(const CloseCode code, decode_close(record));
  events_.push_back({.kind = ServerEvent::Kind::kClosed, .close_code = code});
  if (code != CloseCode::kDone) {
    outbox_.drop_all();
    end(std::nullopt);
    return {};
  }
  state_ = State::kPeerClosed;
  std::vector<StreamId> unfinished;
  for (const auto& [id, stream] : streams_) {
    if (!stream.request_ended) unfinished.push_back(id);
  }
  for (const StreamId id : unfinished) local_reset(id, ResetCode::kCancelled);
  return {};
}

void ServerChannel::on_eof() {
  if (state_ == State::kClosed || state_ == State::kPeerClosed) return;
  outbox_.drop_all();
  end(Error(kChannelTruncated, "the connection ended without CLOSE"));
}

}  // namespace eml

// ServerChannel's other half: answers, timers and the end.
#include <algorithm>
#include <utility>
#include <vector>

#include "channel/control.h"
#include "channel/server_channel.h"
#include "channel/server_stream.h"

namespace eml {
namespace {

// A frame of 64 KiB at the slowest rate that is allowed takes 4 s; hellos are under the handshake's own timer.
constexpr Millis kFrameMsMax = 10000;
constexpr Millis kRequestGraceMs = 5000;

ByteArray<4> big_endian(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

}  // namespace

Result<ServerChannel::Stream*> ServerChannel::answerable(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return fail(kStreamGone, "a stream was reset or its channel is over", id);
  return &found->second;
}

Status ServerChannel::send_response(StreamId id, UserText bhttp, Statements statements) {
  EML_CHECK(queue_answer(id, std::move(bhttp), AnswerPart::kEnd, Padding::kPadme));
  if (statements == Statements::kNone) {
    streams_.at(id).last_queued = true;
    outbox_.reset_after(id, ResetCode::kLimit);
  }
  pump();
  return {};
}

Status ServerChannel::send_response_part(StreamId id, UserText bytes, AnswerPart part) {
  EML_CHECK(queue_answer(id, std::move(bytes), part, Padding::kStreamed));
  pump();
  return {};
}

Status ServerChannel::queue_answer(StreamId id, UserText bytes, AnswerPart part, Padding padding) {
  EML_TRY(Stream* const stream, answerable(id));
  if (stream->answer_ended) return fail(kChannelState, "a stream is answered twice", id);
  if (bytes.size() > limits_.response_bytes_max - stream->response_bytes) {
    return fail(kChannelLimit, "an answer is too large", limits_.response_bytes_max);
  }
  stream->response_bytes += bytes.size();
  stream->answer_ended = part == AnswerPart::kEnd;
  answered_ = true;
  outbox_.data(id, std::move(bytes), stream->answer_ended, padding);
  return {};
}

Status ServerChannel::send_statement(StreamId id, ByteView cose_sign1, StatementPosition position) {
  EML_TRY(Stream* const stream, answerable(id));
  if (!stream->answer_ended || stream->last_queued)
    return fail(kChannelState, "a statement is not where it may be", id);
  if (cose_sign1.empty() || cose_sign1.size() > kRecordPayloadMax) {
    return fail(kChannelLimit, "a statement does not fit into a record", kRecordPayloadMax, cose_sign1.size());
  }
  stream->last_queued = position == StatementPosition::kLast;
  answered_ = true;
  outbox_.statement(id, cose_sign1, stream->last_queued);
  pump();
  return {};
}

Status ServerChannel::reset(StreamId id, ResetCode code) {
  EML_CHECK(answerable(id));
  drop_stream(id);
  outbox_.reset_now(id, code);
  pump();
  return {};
}

void ServerChannel::local_reset(StreamId id, ResetCode code) {
  drop_stream(id);
  outbox_.reset_now(id, code);
  events_.push_back({.kind = ServerEvent::Kind::kReset, .stream = id, .reset_code = code});
}

void ServerChannel::drop_stream(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const Stream& stream = found->second;
  if (!stream.request_ended && !stream.refused) unfinished_bytes_ -= stream.body.size();
  if (budget_ != nullptr) budget_->give_back(stream.budget_taken);
  streams_.erase(found);
}

ByteView ServerChannel::output() {
  pump();
  return outbox_.output();
}

void ServerChannel::consume_output(std::size_t bytes, Millis now) {
  now_ = now;
  outbox_.consume(bytes);
  pump();
  if (bytes == 0) return;
  waiting_since_.reset();
  if (outbox_.queued_bytes() != 0) waiting_since_ = now;
  if (std::exchange(answered_, false)) active_at_ = now;
}

bool ServerChannel::next_event(ServerEvent& event) {
  if (events_.empty()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  return true;
}

bool ServerChannel::wants_pause() const { return outbox_.queued_bytes() >= limits_.queued_output_max; }
std::size_t ServerChannel::queued_bytes() const { return outbox_.queued_bytes(); }

void ServerChannel::pump() {
  const Status status = outbox_.pump();
  after_pump();
  if (!status) {
    outbox_.drop_all();
    end(status.error());
    return;
  }
  const bool ending = going_away_ || state_ == State::kPeerClosed;
  if (ending && established() && state_ != State::kClosed && streams_.empty()) close(CloseCode::kDone);
}

void ServerChannel::after_pump() {
  Outbox::Finished done;
  while (outbox_.next_finished(done)) {
    const auto found = streams_.find(done.stream);
    if (found == streams_.end()) continue;
    Stream& stream = found->second;
    stream.wiped_bytes += done.wiped_bytes;
    if (done.ended) {
      events_.push_back(
          {.kind = ServerEvent::Kind::kAnswerSent, .stream = done.stream, .wiped_bytes = stream.wiped_bytes});
    }
    if (done.last) {
      drop_stream(done.stream);
      reset_credit_ = std::min(reset_credit_ + 1, kResetCreditMax);
    }
  }
}

void ServerChannel::goaway() {
  going_away_ = true;
  if (!established() || state_ == State::kClosed || std::exchange(goaway_sent_, true)) return;
  outbox_.control(RecordKind::kGoaway, big_endian(newest_));
  pump();
}

void ServerChannel::close(CloseCode code) {
  if (state_ == State::kClosed) return;
  if (code != CloseCode::kDone) outbox_.drop_all();
  if (established()) outbox_.close(code);
  end(std::nullopt);
  pump();
}

void ServerChannel::end(std::optional<Error> error) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  while (!streams_.empty()) drop_stream(streams_.begin()->first);
  events_.push_back({.kind = ServerEvent::Kind::kEnded, .error = error});
}

Status ServerChannel::die(const Error& error, std::optional<CloseCode> say) {
  outbox_.drop_all();
  if (!established()) {
    if (!(error.code() == kFrameRefused)) outbox_.frame(frame_header(FrameType::kRefuse, 0));
  } else if (say) {
    outbox_.close(*say);
  }
  end(error);
  return std::unexpected(error);
}

void ServerChannel::on_time(Millis now) {
  now_ = now;
  if (state_ == State::kClosed) return;
  if (!established()) {
    if (now - started_at_ >= limits_.handshake_ms_max) end(Error(kChannelTimeout, "the handshake took too long"));
    return;
  }
  if (partial_since_ && now - *partial_since_ >= kFrameMsMax) {
    static_cast<void>(die(Error(kChannelTimeout, "a frame was not finished in time"), CloseCode::kLimit));
    pump();
    return;
  }
  check_slow_requests();
  check_output();
  if (!streams_.empty()) active_at_ = now;
  if (state_ != State::kClosed && now - active_at_ >= limits_.idle_ms) close(CloseCode::kDone);
  pump();
}

Millis ServerChannel::slow_at(const Stream& stream) const {
  return stream.opened_at + kRequestGraceMs + stream.body.size() * 1000 / limits_.request_bytes_per_s_min;
}

void ServerChannel::check_slow_requests() {
  std::vector<StreamId> slow;
  for (const auto& [id, stream] : streams_) {
    if (!stream.request_ended && !stream.refused && now_ >= slow_at(stream)) slow.push_back(id);
  }
  for (const StreamId id : slow) local_reset(id, ResetCode::kDeadline);
}

bool ServerChannel::output_waits_for_stream() const {
  return std::ranges::any_of(streams_, [&](const auto& entry) { return outbox_.has_queued(entry.first); });
}

void ServerChannel::check_output() {
  if (outbox_.queued_bytes() == 0) {
    waiting_since_.reset();
    return;
  }
  if (!waiting_since_) waiting_since_ = now_;
  const Millis waited = now_ - *waiting_since_;
  if (waited >= std::max(limits_.idle_ms, limits_.stall_ms_max)) {
    outbox_.drop_all();
    end(Error(kChannelTimeout, "the client takes nothing"));
    return;
  }
  if (waited < limits_.stall_ms_max) return;
  std::vector<StreamId> stalled;
  for (const auto& entry : streams_) {
    if (outbox_.has_queued(entry.first)) stalled.push_back(entry.first);
  }
  for (const StreamId id : stalled) local_reset(id, ResetCode::kDeadline);
}

std::optional<Millis> ServerChannel::deadline() const {
  if (state_ == State::kClosed) return std::nullopt;
  if (!established()) return started_at_ + limits_.handshake_ms_max;
  std::optional<Millis> first;
  const auto at = [&](Millis time) { first = std::min(first.value_or(time), time); };
  if (partial_since_) at(*partial_since_ + kFrameMsMax);
  for (const auto& entry : streams_) {
    if (!entry.second.request_ended && !entry.second.refused) at(slow_at(entry.second));
  }
  if (outbox_.queued_bytes() != 0) {
    // Seen for the first time: on_time at once, which starts the clock.
    const Millis since = waiting_since_.value_or(now_);
    const Millis longest = std::max(limits_.idle_ms, limits_.stall_ms_max);
    at(!waiting_since_ ? now_ : since + (output_waits_for_stream() ? limits_.stall_ms_max : longest));
  }
  if (streams_.empty()) at(active_at_ + limits_.idle_ms);
  return first;
}

}  // namespace eml

#include "channel/outbox.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace eml {
namespace {

ByteArray<2> big_endian(std::uint16_t value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

}  // namespace

MutableByteView OutputBuffer::grow(std::size_t n) {
  // What is left is moved to the front only when the end is reached: at most kSealAhead bytes, once per that many.
  if (begin_ != 0 && capacity_ - end_ < n && capacity_ - size() >= n) {
    std::memmove(data_.get(), data_.get() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  if (capacity_ - end_ < n) {
    const std::size_t capacity = std::max(size() + n, capacity_ + capacity_ / 2);
    auto data = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
    if (size() != 0) std::memcpy(data.get(), data_.get() + begin_, size());
    data_ = std::move(data);
    end_ = size();
    begin_ = 0;
    capacity_ = capacity;
  }
  const MutableByteView place(data_.get() + end_, n);
  end_ += n;
  return place;
}

void OutputBuffer::append(ByteView bytes) {
  if (!bytes.empty()) std::memcpy(grow(bytes.size()).data(), bytes.data(), bytes.size());
}

void OutputBuffer::consume(std::size_t n) {
  begin_ += std::min(n, size());
  if (begin_ != end_) return;
  begin_ = end_ = 0;
  // A server_hello may have needed a MiB; records never need more than this.
  if (capacity_ > 2 * Outbox::kSealAhead + kFrameHeaderSize + kRecordBodyMax) {
    data_.reset();
    capacity_ = 0;
  }
}

void Outbox::control(RecordKind kind, ByteView payload) {
  if (!close_) control_.push_back({.kind = kind, .flags = 0, .payload = to_bytes(payload)});
}

void Outbox::reply(ByteView payload) {
  if (close_ || replies_ >= kRepliesMax) return;
  ++replies_;
  control_.push_back({.kind = RecordKind::kPing, .flags = kFlagReply, .payload = to_bytes(payload)});
}

void Outbox::push(StreamId stream, Item item) {
  // A RESET may still follow: a stream that was promised its turn keeps it, so that ids reach the peer without gaps.
  if (close_sealed_ || (close_ && item.kind != RecordKind::kReset)) return;
  unsealed_bytes_ += item.bytes.size();
  const auto [place, is_new] = queues_.try_emplace(stream);
  place->second.push_back(std::move(item));
  if (is_new) turns_.push_back(stream);
}

void Outbox::data(StreamId stream, UserText bytes, bool end, Padding padding) {
  if (bytes.empty() && !end) return;
  push(stream, {.kind = RecordKind::kData, .flag = end, .padding = padding, .bytes = std::move(bytes)});
}

void Outbox::statement(StreamId stream, ByteView cose_sign1, bool last) {
  push(stream,
       {.kind = RecordKind::kStatement, .flag = last, .padding = Padding::kPadme, .bytes = UserText(cose_sign1)});
}

void Outbox::reset_after(StreamId stream, ResetCode code) {
  const ByteArray<2> payload = big_endian(static_cast<std::uint16_t>(code));
  push(stream, {.kind = RecordKind::kReset, .flag = true, .padding = Padding::kPadme, .bytes = UserText(payload)});
}

void Outbox::reset_now(StreamId stream, ResetCode code) {
  if (const auto queue = queues_.find(stream); queue != queues_.end()) {
    for (const Item& item : queue->second) unsealed_bytes_ -= item.bytes.size() - item.offset;
    queue->second.clear();
  }
  reset_after(stream, code);
}

void Outbox::drop(StreamId stream) {
  const auto queue = queues_.find(stream);
  if (queue == queues_.end()) return;
  for (const Item& item : queue->second) unsealed_bytes_ -= item.bytes.size() - item.offset;
  queues_.erase(queue);
  std::erase(turns_, stream);
}

void Outbox::drop_all() {
  queues_.clear();
  turns_.clear();
  control_.clear();
  replies_ = 0;
  unsealed_bytes_ = 0;
}

void Outbox::close(CloseCode code) {
  if (!close_) close_ = code;
}

Status Outbox::seal(const RecordPart& part) {
  // Asked first: a place that was grown and not sealed would leave as it is.
  if (sealer_->sequence() >= kSequenceEnd)
    return fail(kRecordSequenceExhausted, "a channel has sealed all the records that it may");
  return sealer_->seal(buffer_.grow(RecordSealer::frame_size(part.payload.size(), part.padding)), part);
}

Status Outbox::seal_control() {
  const Control& front = control_.front();
  EML_CHECK(seal({.kind = front.kind, .flags = front.flags, .stream = 0, .payload = front.payload}));
  if (front.kind == RecordKind::kPing && front.flags == kFlagReply) --replies_;
  control_.pop_front();
  return {};
}

Status Outbox::seal_turn() {
  const StreamId stream = turns_.front();
  Queue& queue = queues_.at(stream);
  Item& item = queue.front();
  const std::size_t limit = item.kind == RecordKind::kData ? kDataPayloadMax : kRecordPayloadMax;
  const ByteView payload = item.bytes.bytes().subspan(item.offset, std::min(limit, item.bytes.size() - item.offset));
  const bool whole = item.offset + payload.size() == item.bytes.size();
  const std::uint8_t flags = item.kind != RecordKind::kReset && item.flag && whole ? 1 : 0;
  EML_CHECK(seal({.kind = item.kind, .flags = flags, .stream = stream, .payload = payload, .padding = item.padding}));
  item.offset += payload.size();
  unsealed_bytes_ -= payload.size();
  turns_.pop_front();
  if (whole) finish_item(stream, queue);
  if (queue.empty()) {
    queues_.erase(stream);
  } else {
    turns_.push_back(stream);
  }
  return {};
}

void Outbox::finish_item(StreamId stream, Queue& queue) {
  Item& item = queue.front();
  const bool data = item.kind == RecordKind::kData;
  const std::size_t wiped = item.bytes.wipe_now();
  if (data || item.flag) {
    finished_.push_back(
        {.stream = stream, .ended = data && item.flag, .last = !data && item.flag, .wiped_bytes = data ? wiped : 0});
  }
  queue.pop_front();
}

Status Outbox::pump() {
  while (sealer_ && !close_sealed_ && buffer_.size() < kSealAhead) {
    if (!control_.empty()) {
      EML_CHECK(seal_control());
    } else if (!turns_.empty()) {
      EML_CHECK(seal_turn());
    } else if (close_) {
      const ByteArray<2> payload = big_endian(static_cast<std::uint16_t>(*close_));
      EML_CHECK(seal({.kind = RecordKind::kClose, .flags = 0, .stream = 0, .payload = payload}));
      close_sealed_ = true;
    } else {
      break;
    }
  }
  return {};
}

bool Outbox::next_finished(Finished& finished) {
  if (finished_.empty()) return false;
  finished = finished_.front();
  finished_.pop_front();
  return true;
}

}  // namespace eml

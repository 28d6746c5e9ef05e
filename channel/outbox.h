// Outbox holds what one end has to say and seals it in turns: control records first, then one record from each ready
// stream after the other.
// Source: docs/spec/channel.md, 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/user_text.h"
#include "channel/limits.h"
#include "channel/records.h"

namespace eml {

// OutputBuffer is a byte queue whose new bytes are not initialised: sealing writes them. The memory holds ciphertext
// only.
class OutputBuffer {
 public:
  ByteView view() const { return {data_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  // grow appends n bytes for the caller to write.
  MutableByteView grow(std::size_t n);
  void append(ByteView bytes);
  void consume(std::size_t n);

 private:
  std::unique_ptr<std::uint8_t[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class Outbox {
 public:
  // 64 KiB sealed ahead keep a socket busy; what is beyond stays unsealed, so that streams take turns and a RESET
  // overtakes.
  static constexpr std::size_t kSealAhead = 64U << 10;
  static constexpr std::size_t kRepliesMax = 8;  // PING replies that wait; further PINGs go unanswered

  // frame queues a handshake frame, in clear.
  void frame(ByteView whole_frame) { buffer_.append(whole_frame); }
  // start gives the keys; before it nothing is sealed.
  void start(RecordSealer sealer) { sealer_.emplace(std::move(sealer)); }
  bool started() const { return sealer_.has_value(); }

  // control queues a record of the channel itself, ahead of all streams.
  void control(RecordKind kind, ByteView payload);
  // reply queues a PING reply unless kRepliesMax wait.
  void reply(ByteView payload);
  // data and statement queue what `stream` says next; the buffer is wiped as soon as it is sealed.
  void data(StreamId stream, UserText bytes, bool end, Padding padding);
  void statement(StreamId stream, ByteView cose_sign1, bool last);
  // reset_after queues a RESET behind all that the stream has to say; reset_now wipes that and takes its turn, so that
  // streams still open in order.
  void reset_after(StreamId stream, ResetCode code);
  void reset_now(StreamId stream, ResetCode code);
  // drop wipes what `stream` has queued.
  void drop(StreamId stream);
  void drop_all();
  // close queues the last record. Nothing can be queued afterwards.
  void close(CloseCode code);
  bool close_queued() const { return close_.has_value(); }

  // pump seals until kSealAhead bytes wait or nothing is left. kRecordSequenceExhausted is final.
  Status pump();
  // Finished tells what pump completed: a buffer of DATA (`ended`: the one with END) and the bytes wiped of it, or
  // (`last`) the last record of a stream.
  struct Finished {
    StreamId stream;
    bool ended;
    bool last;
    std::size_t wiped_bytes;
  };
  bool next_finished(Finished& finished);

  ByteView output() const { return buffer_.view(); }
  void consume(std::size_t n) { buffer_.consume(n); }
  // queued_bytes is what waits, sealed or not; waiting_streams those that have something to say.
  std::size_t queued_bytes() const { return buffer_.size() + unsealed_bytes_; }
  std::size_t waiting_streams() const { return queues_.size(); }
  bool has_queued(StreamId stream) const { return queues_.contains(stream); }

 private:
  struct Item {
    RecordKind kind;
    bool flag;  // END or last; RESET: also the last of its stream
    Padding padding;
    UserText bytes;
    std::size_t offset = 0;
  };
  using Queue = std::deque<Item>;
  struct Control {
    RecordKind kind;
    std::uint8_t flags;
    Bytes payload;
  };
  void push(StreamId stream, Item item);
  void finish_item(StreamId stream, Queue& queue);
  Status seal(const RecordPart& part);
  Status seal_control();
  Status seal_turn();

  OutputBuffer buffer_;
  std::optional<RecordSealer> sealer_;
  std::deque<Control> control_;
  std::size_t replies_ = 0;
  std::map<StreamId, Queue> queues_;
  std::deque<StreamId> turns_;
  std::optional<CloseCode> close_;
  bool close_sealed_ = false;
  std::size_t unsealed_bytes_ = 0;
  std::deque<Finished> finished_;
};

}  // namespace eml

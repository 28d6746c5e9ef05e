// Frames: `u32 length of body | u8 type | body` on any byte stream.
// Source: docs/spec/channel.md, 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kFrameUnknownType{ErrorClass::kMalformed, "frame-unknown-type"};
inline constexpr ErrorCode kFrameUnexpected{ErrorClass::kMalformed, "frame-unexpected"};
inline constexpr ErrorCode kFrameBadSize{ErrorClass::kLimit, "frame-bad-size"};
// The peer refused: unauthenticated, says nothing of the reason, and never leads to a retry with less.
inline constexpr ErrorCode kFrameRefused{ErrorClass::kUnavailable, "frame-refused"};

enum class FrameType : std::uint8_t { kRefuse = 0, kClientHello = 1, kServerHello = 2, kClientFinish = 3, kRecord = 4 };

inline constexpr std::size_t kFrameHeaderSize = 5;
inline constexpr std::size_t kRecordBodyMin = 272;    // 256 of plaintext and the tag
inline constexpr std::size_t kRecordBodyMax = 65552;  // 65,536 of plaintext and the tag
inline constexpr std::size_t kClientHelloBodyMax = 512;
inline constexpr std::size_t kServerHelloBodyMax = 1U << 20;
inline constexpr std::size_t kClientFinishBodyMax = 1120;  // the largest enc of the KEMs that have a number here

using FrameHeader = ByteArray<kFrameHeaderSize>;

// frame_header gives the 5 bytes before a body of that size; the record's AAD is exactly these.
FrameHeader frame_header(FrameType type, std::size_t body_size);

// Frame views one whole frame: until the next call of the decoder, and no longer than the bytes that were given to it.
struct Frame {
  FrameType type = FrameType::kRefuse;
  ByteView header;  // 5 bytes
  ByteView body;
  ByteView whole;  // header and body
};

// FrameDecoder cuts a byte stream into frames. A frame that lies whole in the input is viewed there, without a copy;
// otherwise at most one frame is kept. Type and size are judged as soon as the header is there, before any of the body
// is kept: what is expected next bounds what can be buffered.
class FrameDecoder {
 public:
  // expect sets the one type (besides refuse) that may come next; it holds for the frames after.
  explicit FrameDecoder(FrameType expected) : expected_(expected) {}
  void expect(FrameType expected) { expected_ = expected; }

  // next takes bytes from the front of `input` and returns a frame, or nothing if `input` is used up. Errors:
  // kFrameUnknownType, kFrameUnexpected (expected, got), kFrameBadSize (size), kFrameRefused. An error is final: the
  // same one is returned ever after.
  Result<std::optional<Frame>> next(ByteView& input);

  // partial_bytes is how much of an unfinished frame is kept; 0 between frames.
  std::size_t partial_bytes() const { return complete_ ? 0 : buffer_.size(); }
  // kept_capacity is the memory that is held for it; between frames at most kKeptMax.
  std::size_t kept_capacity() const { return buffer_.capacity(); }
  static constexpr std::size_t kKeptMax = 2 * (kFrameHeaderSize + kRecordBodyMax);

 private:
  Result<std::size_t> judge(ByteView header);
  Result<std::optional<Frame>> next_buffered(ByteView& input);

  FrameType expected_;
  std::optional<Error> failed_;
  Bytes buffer_;           // the beginning of one frame
  bool complete_ = false;  // the buffered frame was handed out and goes with the next call
};

}  // namespace eml

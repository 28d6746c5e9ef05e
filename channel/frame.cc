#include "channel/frame.h"

#include <algorithm>

namespace eml {
namespace {

struct BodyLimits {
  std::size_t min;
  std::size_t max;
};

// The lower bounds of hellos are the handshake's to judge: it knows the KEM.
std::optional<BodyLimits> body_limits(std::uint8_t type) {
  switch (static_cast<FrameType>(type)) {
    case FrameType::kRefuse:
      return BodyLimits{0, 0};
    case FrameType::kClientHello:
      return BodyLimits{1, kClientHelloBodyMax};
    case FrameType::kServerHello:
      return BodyLimits{1, kServerHelloBodyMax};
    case FrameType::kClientFinish:
      return BodyLimits{1, kClientFinishBodyMax};
    case FrameType::kRecord:
      return BodyLimits{kRecordBodyMin, kRecordBodyMax};
  }
  return std::nullopt;
}

std::size_t body_size(ByteView header) {
  return std::size_t{header[0]} << 24 | std::size_t{header[1]} << 16 | std::size_t{header[2]} << 8 | header[3];
}

Frame frame_of(ByteView whole) {
  return {.type = static_cast<FrameType>(whole[4]),
          .header = whole.first(kFrameHeaderSize),
          .body = whole.subspan(kFrameHeaderSize),
          .whole = whole};
}

}  // namespace

FrameHeader frame_header(FrameType type, std::size_t body_size) {
  return {static_cast<std::uint8_t>(body_size >> 24), static_cast<std::uint8_t>(body_size >> 16),
          static_cast<std::uint8_t>(body_size >> 8), static_cast<std::uint8_t>(body_size),
          static_cast<std::uint8_t>(type)};
}

Result<std::size_t> FrameDecoder::judge(ByteView header) {
  const std::uint8_t type = header[4];
  const std::size_t size = body_size(header);
  const std::optional<BodyLimits> limits = body_limits(type);
  if (!limits) return fail(kFrameUnknownType, "a frame has a type that does not exist", type);
  const bool refuse = static_cast<FrameType>(type) == FrameType::kRefuse;
  if (!refuse && static_cast<FrameType>(type) != expected_) {
    return fail(kFrameUnexpected, "a frame came out of order", static_cast<std::uint8_t>(expected_), type);
  }
  if (size < limits->min || size > limits->max)
    return fail(kFrameBadSize, "a frame has a size that its type forbids", size);
  if (refuse) return fail(kFrameRefused, "the peer refused");
  return kFrameHeaderSize + size;
}

Result<std::optional<Frame>> FrameDecoder::next(ByteView& input) {
  if (failed_) return std::unexpected(*failed_);
  if (complete_) {
    // A hello's buffer may be a MiB; a record's is kept for the next.
    if (buffer_.capacity() > kKeptMax) Bytes().swap(buffer_);
    buffer_.clear();
    complete_ = false;
  }
  Result<std::optional<Frame>> out = std::optional<Frame>();
  if (buffer_.empty() && input.size() >= kFrameHeaderSize) {
    const Result<std::size_t> whole = judge(input);
    if (!whole) {
      out = std::unexpected(whole.error());
    } else if (input.size() >= *whole) {
      out = frame_of(input.first(*whole));
      input = input.subspan(*whole);
    } else {
      out = next_buffered(input);
    }
  } else {
    out = next_buffered(input);
  }
  if (!out) failed_ = out.error();
  return out;
}

Result<std::optional<Frame>> FrameDecoder::next_buffered(ByteView& input) {
  // The vector grows with what has arrived, not with what a header claims.
  const auto take = [&](std::size_t until) {
    const ByteView more = input.first(std::min(input.size(), until - buffer_.size()));
    buffer_.insert(buffer_.end(), more.begin(), more.end());
    input = input.subspan(more.size());
    return buffer_.size() == until;
  };
  if (buffer_.size() < kFrameHeaderSize && !take(kFrameHeaderSize)) return std::optional<Frame>();
  EML_TRY(const std::size_t whole, judge(buffer_));
  if (!take(whole)) return std::optional<Frame>();
  complete_ = true;
  return frame_of(buffer_);
}

}  // namespace eml

// Reader is a cursor over untrusted bytes: every read advances and succeeds, or fails. Nobody indexes. Integers are
// big-endian unless the name says otherwise. A Reader views its bytes and does not own them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kTruncated{ErrorClass::kMalformed, "truncated"};
inline constexpr ErrorCode kTrailingBytes{ErrorClass::kMalformed, "trailing-bytes"};
inline constexpr ErrorCode kReservedNotZero{ErrorClass::kMalformed, "reserved-not-zero"};

// Errors of all members: kTruncated with (offset, bytes wanted), unless said otherwise.
class Reader {
 public:
  explicit Reader(ByteView bytes) : all_(bytes) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return all_.size() - offset_; }

  Result<std::uint8_t> u8();
  Result<std::uint16_t> u16();
  Result<std::uint32_t> u32();
  Result<std::uint64_t> u64();
  Result<std::uint16_t> u16_le();
  Result<std::uint32_t> u32_le();
  Result<std::uint64_t> u64_le();
  // bytes views the next n bytes; the view lives as long as the input.
  Result<ByteView> bytes(std::size_t n);
  template <std::size_t n>
  Result<ByteArray<n>> array() {
    EML_TRY(const ByteView view, bytes(n));
    return *to_array<n>(view);
  }
  // sub_reader is a cursor over the next n bytes, so an inner length can never reach outside its parent.
  Result<Reader> sub_reader(std::size_t n);
  // must_be_zero consumes n bytes; kReservedNotZero with the offset of the first that is not zero.
  Status must_be_zero(std::size_t n);
  // rest views everything that is left.
  ByteView rest();
  // expect_end fails with kTrailingBytes (offset) unless everything was read.
  Status expect_end() const;

 private:
  ByteView all_;
  std::size_t offset_ = 0;
};

// Writer appends big-endian integers and bytes to a buffer that it owns.
class Writer {
 public:
  Writer() = default;
  explicit Writer(std::size_t reserve_bytes) { out_.reserve(reserve_bytes); }
  Writer& u8(std::uint8_t v);
  Writer& u16(std::uint16_t v);
  Writer& u32(std::uint32_t v);
  Writer& u64(std::uint64_t v);
  Writer& bytes(ByteView v);
  Writer& zeros(std::size_t n);
  std::size_t size() const { return out_.size(); }
  ByteView view() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

}  // namespace eml

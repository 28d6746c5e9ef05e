#include "encoding/reader.h"

#include <concepts>

namespace eml {
namespace {

template <std::unsigned_integral T>
Result<T> big_endian(Reader& in) {
  EML_TRY(const ByteView view, in.bytes(sizeof(T)));
  T value = 0;
  for (const std::uint8_t b : view) value = static_cast<T>((std::uint64_t{value} << 8) | b);
  return value;
}

template <std::unsigned_integral T>
Result<T> little_endian(Reader& in) {
  EML_TRY(const ByteView view, in.bytes(sizeof(T)));
  std::uint64_t value = 0;
  for (std::size_t i = view.size(); i > 0; --i) value = (value << 8) | view[i - 1];
  return static_cast<T>(value);
}

}  // namespace

Result<std::uint8_t> Reader::u8() { return big_endian<std::uint8_t>(*this); }
Result<std::uint16_t> Reader::u16() { return big_endian<std::uint16_t>(*this); }
Result<std::uint32_t> Reader::u32() { return big_endian<std::uint32_t>(*this); }
Result<std::uint64_t> Reader::u64() { return big_endian<std::uint64_t>(*this); }
Result<std::uint16_t> Reader::u16_le() { return little_endian<std::uint16_t>(*this); }
Result<std::uint32_t> Reader::u32_le() { return little_endian<std::uint32_t>(*this); }
Result<std::uint64_t> Reader::u64_le() { return little_endian<std::uint64_t>(*this); }

Result<ByteView> Reader::bytes(std::size_t n) {
  if (n > remaining()) return fail(kTruncated, "the input ends too early", offset_, n);
  const ByteView view = all_.subspan(offset_, n);
  offset_ += n;
  return view;
}

Result<Reader> Reader::sub_reader(std::size_t n) {
  EML_TRY(const ByteView view, bytes(n));
  return Reader(view);
}

Status Reader::must_be_zero(std::size_t n) {
  const std::size_t start = offset_;
  EML_TRY(const ByteView view, bytes(n));
  for (std::size_t i = 0; i < n; ++i) {
    if (view[i] != 0) return fail(kReservedNotZero, "a reserved byte is not zero", start + i);
  }
  return {};
}

ByteView Reader::rest() {
  const ByteView view = all_.subspan(offset_);
  offset_ = all_.size();
  return view;
}

Status Reader::expect_end() const {
  if (remaining() != 0) return fail(kTrailingBytes, "bytes follow the end", offset_);
  return {};
}

Writer& Writer::u8(std::uint8_t v) {
  out_.push_back(v);
  return *this;
}

Writer& Writer::u16(std::uint16_t v) { return u8(static_cast<std::uint8_t>(v >> 8)).u8(static_cast<std::uint8_t>(v)); }

Writer& Writer::u32(std::uint32_t v) {
  return u16(static_cast<std::uint16_t>(v >> 16)).u16(static_cast<std::uint16_t>(v));
}

Writer& Writer::u64(std::uint64_t v) {
  return u32(static_cast<std::uint32_t>(v >> 32)).u32(static_cast<std::uint32_t>(v));
}

Writer& Writer::bytes(ByteView v) {
  out_.insert(out_.end(), v.begin(), v.end());
  return *this;
}

Writer& Writer::zeros(std::size_t n) {
  out_.resize(out_.size() + n);
  return *this;
}

}  // namespace eml

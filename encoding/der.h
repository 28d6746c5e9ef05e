// DerReader is a cursor over DER (X.690, 10): definite and minimal lengths, low tag numbers, nothing lax. What BER
// allows and DER does not is kDerMalformed. It views its bytes and does not own them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kDerMalformed{ErrorClass::kMalformed, "der-malformed"};

// Identifier octets. Context-specific tags [n] are der::context(n) (constructed) and der::context_primitive(n).
namespace der {
inline constexpr std::uint8_t kBoolean = 0x01;
inline constexpr std::uint8_t kInteger = 0x02;
inline constexpr std::uint8_t kBitString = 0x03;
inline constexpr std::uint8_t kOctetString = 0x04;
inline constexpr std::uint8_t kNull = 0x05;
inline constexpr std::uint8_t kOid = 0x06;
inline constexpr std::uint8_t kEnumerated = 0x0a;
inline constexpr std::uint8_t kUtf8String = 0x0c;
inline constexpr std::uint8_t kPrintableString = 0x13;
inline constexpr std::uint8_t kT61String = 0x14;
inline constexpr std::uint8_t kIa5String = 0x16;
inline constexpr std::uint8_t kUtcTime = 0x17;
inline constexpr std::uint8_t kGeneralizedTime = 0x18;
inline constexpr std::uint8_t kSequence = 0x30;
inline constexpr std::uint8_t kSet = 0x31;
constexpr std::uint8_t context(unsigned number) { return static_cast<std::uint8_t>(0xa0 | number); }
constexpr std::uint8_t context_primitive(unsigned number) { return static_cast<std::uint8_t>(0x80 | number); }
}  // namespace der

// DerValue is one element: its identifier octet, its contents, and the whole of it with identifier and length.
struct DerValue {
  std::uint8_t tag = 0;
  ByteView contents;
  ByteView whole;
};

// Errors of all members: kDerMalformed with the offset from the outermost reader's start.
class DerReader {
 public:
  explicit DerReader(ByteView bytes) : all_(bytes) {}

  bool at_end() const { return offset_ == all_.size(); }
  // next_is looks at the identifier octet without reading it; false at the end.
  bool next_is(std::uint8_t tag) const { return !at_end() && all_[offset_] == tag; }

  Result<DerValue> any();
  Result<DerValue> expect(std::uint8_t tag);
  // enter reads one constructed element and returns a cursor over its contents.
  Result<DerReader> enter(std::uint8_t tag);
  // enter_if is enter if the next element has that tag, nullopt otherwise (an OPTIONAL one).
  Result<std::optional<DerReader>> enter_if(std::uint8_t tag);

  // oid returns the contents of an OBJECT IDENTIFIER, well formed and minimal; der_oid makes the other side of a
  // comparison.
  Result<ByteView> oid();
  // unsigned_integer returns the magnitude of an INTEGER that is not negative, big-endian, without leading zeros (empty
  // for 0).
  Result<ByteView> unsigned_integer();
  // integer returns an INTEGER (or, with that tag, an ENUMERATED) that fits 64 bits and is not negative.
  Result<std::uint64_t> integer(std::uint8_t tag = der::kInteger);
  Result<bool> boolean();  // 00 or ff
  Result<ByteView> octet_string();
  // bit_string returns the bytes of a BIT STRING without unused bits.
  Result<ByteView> bit_string();
  Status null();
  // time reads a UTCTime (1950 to 2049) or GeneralizedTime as RFC 5280, 4.1.2.5 restricts them: seconds, "Z", no
  // fraction.
  Result<UnixSeconds> time();
  Status expect_end() const;

 private:
  DerReader(ByteView bytes, std::size_t base) : all_(bytes), base_(base) {}
  std::unexpected<Error> malformed(Literal what) const;
  Result<std::size_t> length();
  Result<ByteView> magnitude(std::uint8_t tag);

  ByteView all_;
  std::size_t offset_ = 0;
  std::size_t base_ = 0;  // of all_ in the outermost reader's bytes
};

// der_oid encodes dotted text as the contents of an OBJECT IDENTIFIER. It is for constants of ours: text that is not an
// OID gives empty bytes, which equal no OID.
Bytes der_oid(std::string_view dotted);
// dotted_oid is the reverse, for what DerReader::oid returned; empty for arcs of more than 64 bits.
std::string dotted_oid(ByteView contents);

// der_element writes one element: identifier, minimal length, contents.
Bytes der_element(std::uint8_t tag, ByteView contents);

}  // namespace eml

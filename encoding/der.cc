#include "encoding/der.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace eml {
namespace {

constexpr std::uint8_t kMore = 0x80;  // another octet of the same arc follows

// Base 128, big-endian, the top bit set in all octets but the last.
void append_arc(Bytes& out, std::uint64_t arc) {
  std::uint8_t digits[10];
  std::size_t count = 0;
  do {
    digits[count++] = static_cast<std::uint8_t>(arc & 0x7f);
    arc >>= 7;
  } while (arc != 0);
  while (count > 0) {
    --count;
    out.push_back(count == 0 ? digits[count] : static_cast<std::uint8_t>(digits[count] | kMore));
  }
}

bool all_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// Seconds of "YYYYMMDDHHMMSS", or nothing if there is no such day or time.
std::optional<UnixSeconds> seconds_of(std::string_view digits) {
  using std::chrono::day, std::chrono::month, std::chrono::year;
  const std::chrono::year_month_day date{year(number(digits.substr(0, 4))),
                                         month(static_cast<unsigned>(number(digits.substr(4, 2)))),
                                         day(static_cast<unsigned>(number(digits.substr(6, 2))))};
  const int hours = number(digits.substr(8, 2));
  const int minutes = number(digits.substr(10, 2));
  const int seconds = number(digits.substr(12, 2));
  if (!date.ok() || hours > 23 || minutes > 59 || seconds > 59) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return UnixSeconds{days} * 86400 + hours * 3600 + minutes * 60 + seconds;
}

}  // namespace

std::unexpected<Error> DerReader::malformed(Literal what) const { return fail(kDerMalformed, what, base_ + offset_); }

// The length octets at offset_. Four of them at most: no input of ours reaches 4 GiB.
Result<std::size_t> DerReader::length() {
  if (at_end()) return malformed("an element ends before its length");
  const std::uint8_t first = all_[offset_++];
  if (first < 0x80) return first;
  const std::size_t count = first & 0x7fU;
  if (count == 0) return malformed("a length is indefinite");
  if (count > 4) return malformed("a length has more than four octets");
  if (count > all_.size() - offset_) return malformed("an element ends within its length");
  std::size_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | all_[offset_++];
  if (value < 0x80 || value >> (8 * (count - 1)) == 0) return malformed("a length is not minimal");
  return value;
}

Result<DerValue> DerReader::any() {
  if (at_end()) return malformed("an element is missing");
  const std::size_t start = offset_;
  const std::uint8_t tag = all_[offset_++];
  if ((tag & 0x1f) == 0x1f) return malformed("a tag number is above 30");
  EML_TRY(const std::size_t size, length());
  if (size > all_.size() - offset_) return malformed("an element is longer than what holds it");
  const ByteView contents = all_.subspan(offset_, size);
  offset_ += size;
  return DerValue{tag, contents, all_.subspan(start, offset_ - start)};
}

Result<DerValue> DerReader::expect(std::uint8_t tag) {
  if (!next_is(tag)) return malformed("an element is missing or has another tag");
  return any();
}

Result<DerReader> DerReader::enter(std::uint8_t tag) {
  EML_TRY(const DerValue value, expect(tag));
  return DerReader(value.contents, base_ + offset_ - value.contents.size());
}

Result<std::optional<DerReader>> DerReader::enter_if(std::uint8_t tag) {
  if (!next_is(tag)) return std::nullopt;
  EML_TRY(DerReader inside, enter(tag));
  return inside;
}

Result<ByteView> DerReader::oid() {
  EML_TRY(const DerValue value, expect(der::kOid));
  bool starts_arc = true;
  for (const std::uint8_t octet : value.contents) {
    if (starts_arc && octet == kMore) return malformed("an arc of an object identifier is not minimal");
    starts_arc = (octet & kMore) == 0;
  }
  if (value.contents.empty() || !starts_arc) return malformed("an object identifier ends within an arc");
  return value.contents;
}

// An ENUMERATED has an INTEGER's contents: one reader for both.
Result<ByteView> DerReader::magnitude(std::uint8_t tag) {
  EML_TRY(const DerValue value, expect(tag));
  const ByteView bytes = value.contents;
  if (bytes.empty()) return malformed("an integer is empty");
  if ((bytes[0] & 0x80) != 0) return malformed("an integer is negative");
  if (bytes[0] != 0) return bytes;
  if (bytes.size() > 1 && (bytes[1] & 0x80) == 0) return malformed("an integer is not minimal");
  return bytes.subspan(1);
}

Result<ByteView> DerReader::unsigned_integer() { return magnitude(der::kInteger); }

Result<std::uint64_t> DerReader::integer(std::uint8_t tag) {
  EML_TRY(const ByteView bytes, magnitude(tag));
  if (bytes.size() > 8) return malformed("an integer is larger than 64 bits");
  std::uint64_t out = 0;
  for (const std::uint8_t octet : bytes) out = out << 8 | octet;
  return out;
}

Result<bool> DerReader::boolean() {
  EML_TRY(const DerValue value, expect(der::kBoolean));
  if (value.contents.size() != 1 || (value.contents[0] != 0 && value.contents[0] != 0xff))
    return malformed("a boolean is neither 00 nor ff");
  return value.contents[0] != 0;
}

Result<ByteView> DerReader::octet_string() {
  EML_TRY(const DerValue value, expect(der::kOctetString));
  return value.contents;
}

Result<ByteView> DerReader::bit_string() {
  EML_TRY(const DerValue value, expect(der::kBitString));
  if (value.contents.empty() || value.contents[0] != 0) return malformed("a bit string has unused bits");
  return value.contents.subspan(1);
}

Status DerReader::null() {
  EML_TRY(const DerValue value, expect(der::kNull));
  if (!value.contents.empty()) return malformed("a null has contents");
  return {};
}

Result<UnixSeconds> DerReader::time() {
  EML_TRY(const DerValue value, any());
  const std::string_view text = as_text(value.contents);
  const bool utc = value.tag == der::kUtcTime;
  if (!utc && value.tag != der::kGeneralizedTime) return malformed("a time is missing");
  if (text.size() != (utc ? 13U : 15U) || text.back() != 'Z' || !all_digits(text.substr(0, text.size() - 1)))
    return malformed("a time is not written with seconds and Z");
  const std::string century = utc ? (text[0] >= '5' ? "19" : "20") : "";
  const auto seconds = seconds_of(century + std::string(text.substr(0, text.size() - 1)));
  if (!seconds) return malformed("there is no such time");
  return *seconds;
}

Status DerReader::expect_end() const {
  if (!at_end()) return malformed("there are bytes after the last element");
  return {};
}

Bytes der_oid(std::string_view dotted) {
  Bytes out;
  std::uint64_t first = 0;
  for (std::size_t index = 0; !dotted.empty(); ++index) {
    std::uint64_t arc = 0;
    const auto [end, error] = std::from_chars(dotted.data(), dotted.data() + dotted.size(), arc);
    if (error != std::errc()) return {};
    dotted.remove_prefix(static_cast<std::size_t>(end - dotted.data()));
    if (!dotted.empty() && (dotted[0] != '.' || dotted.size() == 1)) return {};
    if (!dotted.empty()) dotted.remove_prefix(1);
    if (index == 0) {
      first = arc;
    } else {
      append_arc(out, index == 1 ? first * 40 + arc : arc);  // X.690, 8.19.4: the first two share one
    }
  }
  return out;
}

std::string dotted_oid(ByteView contents) {
  std::string out;
  std::uint64_t arc = 0;
  for (const std::uint8_t octet : contents) {
    if (arc >> 57 != 0) return {};
    arc = arc << 7 | (octet & 0x7fU);
    if ((octet & kMore) != 0) continue;
    if (out.empty()) {
      const std::uint64_t top = std::min<std::uint64_t>(arc / 40, 2);
      out = std::to_string(top);
      arc -= top * 40;
    }
    out += '.' + std::to_string(arc);
    arc = 0;
  }
  return out;
}

Bytes der_element(std::uint8_t tag, ByteView contents) {
  Bytes out = {tag};
  const std::size_t size = contents.size();
  if (size < 0x80) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else {
    std::size_t octets = 1;
    while (size >> (8 * octets) != 0) ++octets;
    out.push_back(static_cast<std::uint8_t>(0x80 | octets));
    while (octets > 0) out.push_back(static_cast<std::uint8_t>(size >> (8 * --octets)));
  }
  out.insert(out.end(), contents.begin(), contents.end());
  return out;
}

}  // namespace eml

#include "encoding/cbor.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "encoding/utf8.h"

namespace eml {
namespace {

constexpr std::uint8_t kMajorUnsigned = 0;
constexpr std::uint8_t kMajorNegative = 1;
constexpr std::uint8_t kMajorBytes = 2;
constexpr std::uint8_t kMajorText = 3;
constexpr std::uint8_t kMajorArray = 4;
constexpr std::uint8_t kMajorMap = 5;
constexpr std::uint8_t kMajorTag = 6;
constexpr std::uint8_t kMajorSimple = 7;
constexpr std::uint8_t kIndefinite = 31;  // the additional information of an indefinite length, and of the break
constexpr std::uint64_t kSimpleFalse = 20;
constexpr std::uint64_t kSimpleTrue = 21;
constexpr std::uint64_t kSimpleNull = 22;
constexpr std::uint64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

std::unexpected<Error> truncated(std::size_t offset) {
  return fail(kCborTruncated, "the input ends inside an item", offset);
}

Result<std::uint64_t> read_argument(Reader& in, std::uint8_t info, std::size_t offset) {
  const std::size_t width = std::size_t{1} << (info - 24U);
  if (in.remaining() < width) return truncated(offset);
  EML_TRY(const ByteView view, in.bytes(width));
  std::uint64_t value = 0;
  for (const std::uint8_t b : view) value = (value << 8) | b;
  // Shortest form: the value must not have fitted into half the width (24 is the limit of no extra byte).
  const std::uint64_t least = width == 1 ? 24 : std::uint64_t{1} << (width * 4);
  if (value < least) return fail(kCborNotDeterministic, "a number is not in its shortest form", offset);
  return value;
}

Status check_order(ByteView previous, ByteView key, std::size_t offset) {
  const auto order = std::lexicographical_compare_three_way(previous.begin(), previous.end(), key.begin(), key.end());
  if (order == 0) return fail(kCborDuplicateKey, "a map holds the same key twice", offset);
  if (order > 0) return fail(kCborUnsortedKey, "the keys of a map are not sorted", offset);
  return {};
}

}  // namespace

Result<CborReader::Head> CborReader::head() {
  const std::size_t at = offset();
  if (at_end()) return truncated(at);
  EML_TRY(const std::uint8_t initial, in_.u8());
  Head head{.major = static_cast<std::uint8_t>(initial >> 5), .argument = initial & 31U};
  const auto info = static_cast<std::uint8_t>(initial & 31U);
  if (head.major == kMajorSimple) {
    if (info >= kSimpleFalse && info <= kSimpleNull) return head;
    return fail(kCborUnsupportedType, "a float, undefined or another simple value", at);
  }
  if (info == kIndefinite) return fail(kCborNotDeterministic, "an item of indefinite length", at);
  if (info > 27) return fail(kCborUnsupportedType, "a reserved kind of item", at);
  if (info >= 24) {
    EML_TRY(head.argument, read_argument(in_, info, at));
  }
  return head;
}

Result<CborReader::Head> CborReader::head_of(std::uint8_t major) {
  const std::size_t at = offset();
  EML_TRY(const Head got, head());
  if (got.major != major) return fail(kCborWrongType, "an item has another type", at);
  return got;
}

Result<CborType> CborReader::peek() const {
  CborReader copy(*this);
  EML_TRY(const Head head, copy.head());
  if (head.major != kMajorSimple) return static_cast<CborType>(head.major);
  return head.argument == kSimpleNull ? CborType::kNull : CborType::kBool;
}

Result<std::uint64_t> CborReader::uint() {
  EML_TRY(const Head head, head_of(kMajorUnsigned));
  return head.argument;
}

Result<std::int64_t> CborReader::integer() {
  const std::size_t at = offset();
  EML_TRY(const Head got, head());
  if (got.major != kMajorUnsigned && got.major != kMajorNegative) {
    return fail(kCborWrongType, "an item is not an integer", at);
  }
  if (got.argument > kInt64Max) return fail(kCborOutOfRange, "an integer does not fit into 64 bits", at);
  const auto value = static_cast<std::int64_t>(got.argument);
  return got.major == kMajorUnsigned ? value : -1 - value;
}

Result<ByteView> CborReader::bytes() {
  const std::size_t at = offset();
  EML_TRY(const Head head, head_of(kMajorBytes));
  if (head.argument > in_.remaining()) return truncated(at);
  return in_.bytes(static_cast<std::size_t>(head.argument));
}

Result<std::string_view> CborReader::text() {
  const std::size_t at = offset();
  EML_TRY(const Head head, head_of(kMajorText));
  if (head.argument > in_.remaining()) return truncated(at);
  EML_TRY(const ByteView view, in_.bytes(static_cast<std::size_t>(head.argument)));
  if (!is_utf8(as_text(view))) return fail(kCborBadText, "a text is not UTF-8", at);
  return as_text(view);
}

Result<bool> CborReader::boolean() {
  const std::size_t at = offset();
  EML_TRY(const Head head, head_of(kMajorSimple));
  if (head.argument == kSimpleNull) return fail(kCborWrongType, "an item is not a boolean", at);
  return head.argument == kSimpleTrue;
}

Status CborReader::null() {
  const std::size_t at = offset();
  EML_TRY(const Head head, head_of(kMajorSimple));
  if (head.argument != kSimpleNull) return fail(kCborWrongType, "an item is not null", at);
  return {};
}

Result<std::uint64_t> CborReader::tag() {
  EML_TRY(const Head head, head_of(kMajorTag));
  return head.argument;
}

// A count is believed only if the bytes for it are there: every item takes at least one.
Result<std::size_t> CborReader::array() {
  const std::size_t at = offset();
  EML_TRY(const Head head, head_of(kMajorArray));
  if (head.argument > in_.remaining()) return truncated(at);
  return static_cast<std::size_t>(head.argument);
}

Result<std::size_t> CborReader::map() {
  const std::size_t at = offset();
  EML_TRY(const Head head, head_of(kMajorMap));
  if (head.argument > in_.remaining() / 2) return truncated(at);
  return static_cast<std::size_t>(head.argument);
}

Result<CborReader::CborItems> CborReader::begin(std::uint8_t major, std::size_t count_max) {
  const std::size_t at = offset();
  CborItems items{.count_max = count_max, .left = std::nullopt};
  Reader copy = in_;
  const auto initial = copy.u8();
  if (initial && *initial == ((std::uint32_t{major} << 5) | kIndefinite)) {
    in_ = copy;
    return items;
  }
  EML_TRY(const Head got, head_of(major));
  if (got.argument > count_max) return fail(kCborOutOfRange, "a map or array holds too many items", at, got.argument);
  items.left = got.argument;
  return items;
}

Result<bool> CborReader::next(CborItems& items) {
  if (items.left) {
    if (*items.left == 0) return false;
    --*items.left;
    return true;
  }
  Reader copy = in_;
  const auto initial = copy.u8();
  if (!initial) return truncated(offset());
  if (*initial == ((std::uint32_t{kMajorSimple} << 5) | kIndefinite)) {
    in_ = copy;
    return false;
  }
  if (items.seen == items.count_max) return fail(kCborOutOfRange, "a map or array holds too many items", offset());
  ++items.seen;
  return true;
}

Status CborReader::skip_items(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) EML_CHECK(item());
  return {};
}

Status CborReader::skip_pairs(std::size_t count) {
  ByteView previous;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = offset();
    EML_TRY(const ByteView key, item());
    if (i > 0) EML_CHECK(check_order(previous, key, at));
    previous = key;
    EML_CHECK(item());
  }
  return {};
}

Status CborReader::skip_item() {
  const std::size_t at = offset();
  EML_TRY(const CborType type, peek());
  if (type == CborType::kBytes) {
    EML_CHECK(bytes());
    return {};
  }
  if (type == CborType::kText) {
    EML_CHECK(text());
    return {};
  }
  if (type != CborType::kArray && type != CborType::kMap && type != CborType::kTag) {
    EML_CHECK(head());
    return {};
  }
  if (depth_ == kCborDepthMax) return fail(kCborTooDeep, "items are nested too deeply", at);
  ++depth_;
  if (type == CborType::kArray) {
    EML_TRY(const std::size_t count, array());
    EML_CHECK(skip_items(count));
  } else if (type == CborType::kMap) {
    EML_TRY(const std::size_t count, map());
    EML_CHECK(skip_pairs(count));
  } else {
    EML_CHECK(tag());
    EML_CHECK(skip_item());
  }
  --depth_;
  return {};
}

Result<ByteView> CborReader::item() {
  Reader start = in_;
  EML_CHECK(skip_item());
  return start.bytes(in_.offset() - start.offset());
}

Status CborReader::expect_end() const {
  if (!at_end()) return fail(kCborTrailingBytes, "bytes follow the item", offset());
  return {};
}

Result<CborMap> CborMap::decode(ByteView bytes) {
  CborReader in(bytes);
  EML_TRY(CborMap map, read(in));
  EML_CHECK(in.expect_end());
  return map;
}

Result<CborMap::Entry> CborMap::read_key(CborReader& in) {
  Entry entry{};
  entry.offset = in.offset();
  EML_TRY(const CborType type, in.peek());
  entry.is_text = type == CborType::kText;
  if (entry.is_text) {
    EML_TRY(entry.text, in.text());
  } else {
    EML_TRY(entry.integer, in.integer());
  }
  return entry;
}

Result<CborMap> CborMap::read(CborReader& in) {
  CborMap map;
  map.offset_ = in.offset();
  if (in.depth_ == kCborDepthMax) return fail(kCborTooDeep, "items are nested too deeply", map.offset_);
  map.depth_ = in.depth_ + 1;
  EML_TRY(const std::size_t count, in.map());
  ByteView previous;
  for (std::size_t i = 0; i < count; ++i) {
    Reader start = in.in_;
    EML_TRY(Entry entry, read_key(in));
    EML_TRY(const ByteView key, start.bytes(in.in_.offset() - start.offset()));
    if (i > 0) EML_CHECK(check_order(previous, key, entry.offset));
    previous = key;
    entry.value_offset = in.offset();
    in.depth_ = map.depth_;
    EML_TRY(entry.value, in.item());
    in.depth_ = map.depth_ - 1;
    map.entries_.push_back(entry);
  }
  return map;
}

CborMap::Entry* CborMap::find(std::int64_t key) {
  const auto found = std::ranges::find_if(entries_, [&](const Entry& e) { return !e.is_text && e.integer == key; });
  return found == entries_.end() ? nullptr : &*found;
}

CborMap::Entry* CborMap::find(std::string_view key) {
  const auto found = std::ranges::find_if(entries_, [&](const Entry& e) { return e.is_text && e.text == key; });
  return found == entries_.end() ? nullptr : &*found;
}

std::optional<CborReader> CborMap::take(Entry* entry) const {
  if (entry == nullptr) return std::nullopt;
  entry->seen = true;
  return CborReader(entry->value, entry->value_offset, depth_);
}

std::optional<CborReader> CborMap::optional(std::int64_t key) { return take(find(key)); }
std::optional<CborReader> CborMap::optional(std::string_view key) { return take(find(key)); }

Result<CborReader> CborMap::required(std::int64_t key) {
  if (auto value = take(find(key))) return *value;
  // Only keys of ours are asked for, so the number may be told; a negative one as its magnitude.
  return fail(kCborMissingKey, "a map lacks a required key", offset_, static_cast<std::uint64_t>(key < 0 ? -key : key));
}

Result<CborReader> CborMap::required(std::string_view key) {
  if (auto value = take(find(key))) return *value;
  return fail(kCborMissingKey, "a map lacks a required key", offset_);
}

Status CborMap::done() const {
  for (const Entry& entry : entries_) {
    if (!entry.seen) return fail(kCborUnknownKey, "a map holds an unknown key", entry.offset);
  }
  return {};
}

CborWriter& CborWriter::head(std::uint8_t major, std::uint64_t argument) {
  const auto initial = [&](unsigned info) { return static_cast<std::uint8_t>((unsigned{major} << 5) | info); };
  if (argument < 24) {
    out_.u8(initial(static_cast<unsigned>(argument)));
  } else if (argument <= std::numeric_limits<std::uint8_t>::max()) {
    out_.u8(initial(24)).u8(static_cast<std::uint8_t>(argument));
  } else if (argument <= std::numeric_limits<std::uint16_t>::max()) {
    out_.u8(initial(25)).u16(static_cast<std::uint16_t>(argument));
  } else if (argument <= std::numeric_limits<std::uint32_t>::max()) {
    out_.u8(initial(26)).u32(static_cast<std::uint32_t>(argument));
  } else {
    out_.u8(initial(27)).u64(argument);
  }
  return *this;
}

CborWriter& CborWriter::uint(std::uint64_t v) { return head(kMajorUnsigned, v); }

CborWriter& CborWriter::integer(std::int64_t v) {
  return v >= 0 ? head(kMajorUnsigned, static_cast<std::uint64_t>(v))
                : head(kMajorNegative, static_cast<std::uint64_t>(-1 - v));
}

CborWriter& CborWriter::bytes(ByteView v) {
  head(kMajorBytes, v.size());
  out_.bytes(v);
  return *this;
}

CborWriter& CborWriter::text(std::string_view v) {
  head(kMajorText, v.size());
  out_.bytes(as_bytes(v));
  return *this;
}

CborWriter& CborWriter::boolean(bool v) { return head(kMajorSimple, v ? kSimpleTrue : kSimpleFalse); }
CborWriter& CborWriter::null() { return head(kMajorSimple, kSimpleNull); }
CborWriter& CborWriter::tag(std::uint64_t v) { return head(kMajorTag, v); }
CborWriter& CborWriter::array(std::size_t items) { return head(kMajorArray, items); }
CborWriter& CborWriter::map(std::size_t pairs) { return head(kMajorMap, pairs); }

CborWriter& CborWriter::raw(ByteView item) {
  out_.bytes(item);
  return *this;
}

Bytes CborWriter::take() {
#ifndef NDEBUG
  // A writer may hold a fragment, which ends too early; what it holds must be in order all the same.
  CborReader written(out_.view());
  while (!written.at_end()) {
    const auto item = written.item();
    if (item) continue;
    const ErrorCode code = item.error().code();
    if (code == kCborUnsortedKey || code == kCborDuplicateKey || code == kCborBadText) std::abort();
    break;
  }
#endif
  return out_.take();
}

}  // namespace eml

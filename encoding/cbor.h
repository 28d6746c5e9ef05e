// Deterministic CBOR (RFC 8949, 4.2.1), strict: what is not the one encoding of its value is an error.
//
// Rejected: integers and lengths not in shortest form, indefinite lengths, floats, simple values but false, true
// and null, unsorted or duplicate map keys, text that is not UTF-8, nesting deeper than kCborDepthMax, lengths that
// the remaining bytes cannot hold, trailing bytes (CborReader::expect_end).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "encoding/reader.h"

namespace eml {

inline constexpr ErrorCode kCborTruncated{ErrorClass::kMalformed, "cbor-truncated"};
inline constexpr ErrorCode kCborNotDeterministic{ErrorClass::kMalformed, "cbor-not-deterministic"};
inline constexpr ErrorCode kCborUnsupportedType{ErrorClass::kMalformed, "cbor-unsupported-type"};
inline constexpr ErrorCode kCborWrongType{ErrorClass::kMalformed, "cbor-wrong-type"};
inline constexpr ErrorCode kCborDuplicateKey{ErrorClass::kMalformed, "cbor-duplicate-key"};
inline constexpr ErrorCode kCborUnsortedKey{ErrorClass::kMalformed, "cbor-unsorted-key"};
inline constexpr ErrorCode kCborUnknownKey{ErrorClass::kMalformed, "cbor-unknown-key"};
inline constexpr ErrorCode kCborMissingKey{ErrorClass::kMalformed, "cbor-missing-key"};
inline constexpr ErrorCode kCborBadText{ErrorClass::kMalformed, "cbor-bad-text"};
inline constexpr ErrorCode kCborTooDeep{ErrorClass::kLimit, "cbor-too-deep"};
inline constexpr ErrorCode kCborOutOfRange{ErrorClass::kMalformed, "cbor-out-of-range"};
inline constexpr ErrorCode kCborTrailingBytes{ErrorClass::kMalformed, "cbor-trailing-bytes"};

inline constexpr int kCborDepthMax = 16;  // ours need 5; foreign evidence up to 8

enum class CborType : std::uint8_t { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kBool, kNull };

// CborReader pulls items in order. Views live as long as the input. Errors carry the offset in the whole input.
//
//   CborReader in(bytes);
//   EML_TRY(CborMap map, in.map());                 // checks order and duplicates as keys are read
//   EML_TRY(auto version, map.required(1).uint());  // see CborMap
class CborReader {
 public:
  explicit CborReader(ByteView bytes) : CborReader(bytes, 0, 0) {}

  bool at_end() const { return in_.remaining() == 0; }
  std::size_t offset() const { return base_ + in_.offset(); }
  // peek tells the type of the next item without consuming it.
  Result<CborType> peek() const;

  Result<std::uint64_t> uint();
  Result<std::int64_t> integer();  // kCborOutOfRange outside int64
  Result<ByteView> bytes();
  Result<std::string_view> text();
  Result<bool> boolean();
  Status null();
  Result<std::uint64_t> tag();  // the tagged item follows
  Result<std::size_t> array();  // number of items that follow
  Result<std::size_t> map();    // number of pairs that follow; the caller reads keys and values in order
  // begin_map and begin_array open a map or array that may also be of indefinite length (RFC 8949, 3.2.2), for foreign
  // evidence whose genuine producers write that (docs/spec/evidence/nitro.md); all else stays strict. At most
  // `count_max` pairs or items: kCborOutOfRange. `next` says whether another pair or item follows and consumes the
  // break; the caller judges the order of the keys, and duplicates.
  //
  //   EML_TRY(CborItems items, in.begin_map(16));
  //   for (;;) {
  //     EML_TRY(const bool more, in.next(items));
  //     if (!more) break;
  //     EML_TRY(const std::string_view key, in.text());
  struct CborItems {
    std::size_t count_max;
    std::optional<std::uint64_t> left;  // nullopt: indefinite
    std::size_t seen = 0;
  };
  Result<CborItems> begin_map(std::size_t count_max) { return begin(5, count_max); }
  Result<CborItems> begin_array(std::size_t count_max) { return begin(4, count_max); }
  Result<bool> next(CborItems& items);
  // item consumes one whole well-formed item (of any type, all checks, sorted maps) and views its encoding.
  Result<ByteView> item();
  // bytes_of_size is bytes() with an exact size: kCborOutOfRange (got, wanted) otherwise.
  template <std::size_t n>
  Result<ByteArray<n>> byte_array() {
    const std::size_t at = offset();
    EML_TRY(const ByteView view, bytes());
    if (view.size() != n) return fail(kCborOutOfRange, "a byte string has another size", at, view.size());
    return *to_array<n>(view);
  }
  Status expect_end() const;

 private:
  CborReader(ByteView bytes, std::size_t base, int depth) : in_(bytes), base_(base), depth_(depth) {}
  struct Head {
    std::uint8_t major;
    std::uint64_t argument;
  };
  Result<Head> head();
  Result<Head> head_of(std::uint8_t major);
  Result<CborItems> begin(std::uint8_t major, std::size_t count_max);
  Status skip_item();
  Status skip_items(std::size_t count);
  Status skip_pairs(std::size_t count);

  friend class CborMap;
  Reader in_;
  std::size_t base_;
  int depth_;
};

// CborMap is one decoded closed map: its keys are integers or text, in deterministic order. Look up each known key
// once; `done` fails with kCborUnknownKey if any key was not looked up.
//
//   EML_TRY(CborMap map, CborMap::decode(bytes));           // whole input is one map
//   EML_TRY(CborReader v, map.required(1));
//   EML_TRY(const std::uint64_t version, v.uint());         // a value is exactly one item
//   EML_TRY(std::optional<CborReader> nonce, map.optional("nonce"));
//   EML_CHECK(map.done());
class CborMap {
 public:
  // decode reads a map that is all of `bytes`; read takes the next item of `in`.
  static Result<CborMap> decode(ByteView bytes);
  static Result<CborMap> read(CborReader& in);

  Result<CborReader> required(std::int64_t key);
  Result<CborReader> required(std::string_view key);
  std::optional<CborReader> optional(std::int64_t key);
  std::optional<CborReader> optional(std::string_view key);
  std::size_t size() const { return entries_.size(); }
  Status done() const;

 private:
  struct Entry {
    bool is_text;
    bool seen;
    std::int64_t integer;
    std::string_view text;
    ByteView value;  // the encoding of the value
    std::size_t offset;
    std::size_t value_offset;
  };
  static Result<Entry> read_key(CborReader& in);
  std::optional<CborReader> take(Entry* entry) const;
  Entry* find(std::int64_t key);
  Entry* find(std::string_view key);
  std::vector<Entry> entries_;
  int depth_ = 0;
  std::size_t offset_ = 0;
};

// CborWriter appends deterministic CBOR. The caller writes map keys in deterministic order: bytewise by their
// encodings, so 0, 1, .. 24, .. before -1, -2, .. before texts, and shorter texts before longer ones. `take` checks it
// in debug builds, in nested maps too, and ends the process: a wrong order is our own mistake. Texts must be UTF-8.
class CborWriter {
 public:
  CborWriter& uint(std::uint64_t v);
  CborWriter& integer(std::int64_t v);
  CborWriter& bytes(ByteView v);
  CborWriter& text(std::string_view v);
  CborWriter& boolean(bool v);
  CborWriter& null();
  CborWriter& tag(std::uint64_t v);
  CborWriter& array(std::size_t items);
  CborWriter& map(std::size_t pairs);
  // raw appends an item that is encoded already.
  CborWriter& raw(ByteView item);
  Bytes take();
  ByteView view() const { return out_.view(); }

 private:
  CborWriter& head(std::uint8_t major, std::uint64_t argument);
  Writer out_;
};

}  // namespace eml

// Property: what the reader accepts, written again item by item, is the same bytes; and a map that CborMap accepts is
// one that the reader accepts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "encoding/cbor.h"

namespace {

using eml::CborReader;
using eml::CborType;
using eml::CborWriter;

void require(bool holds) {
  if (!holds) std::abort();
}

void copy_item(CborReader& in, CborWriter& out);

void copy_items(CborReader& in, CborWriter& out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) copy_item(in, out);
}

void copy_integer(CborReader& in, CborWriter& out, CborType type) {
  CborReader ahead(in);
  if (type == CborType::kUnsigned) {
    out.uint(in.uint().value());
  } else if (const auto value = ahead.integer()) {
    out.integer(*value);
    in = ahead;
  } else {
    out.raw(in.item().value());  // below int64: the reader has no type for it
  }
}

void copy_container(CborReader& in, CborWriter& out, CborType type) {
  if (type == CborType::kTag) {
    out.tag(in.tag().value());
    copy_item(in, out);
  } else if (type == CborType::kArray) {
    const std::size_t count = in.array().value();
    out.array(count);
    copy_items(in, out, count);
  } else {
    const std::size_t count = in.map().value();
    out.map(count);
    copy_items(in, out, 2 * count);
  }
}

void copy_item(CborReader& in, CborWriter& out) {
  const CborType type = in.peek().value();
  switch (type) {
    case CborType::kUnsigned:
    case CborType::kNegative:
      return copy_integer(in, out, type);
    case CborType::kBytes:
      out.bytes(in.bytes().value());
      return;
    case CborType::kText:
      out.text(in.text().value());
      return;
    case CborType::kBool:
      out.boolean(in.boolean().value());
      return;
    case CborType::kNull:
      require(in.null().has_value());
      out.null();
      return;
    default:
      return copy_container(in, out, type);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  CborReader in(bytes);
  const auto item = in.item();
  const bool whole = item && in.at_end();
  if (item) {
    CborReader again(*item);
    CborWriter out;
    copy_item(again, out);
    require(again.at_end());
    require(eml::equal(out.take(), *item));
  }
  if (const auto map = eml::CborMap::decode(bytes)) require(whole);
  return 0;
}

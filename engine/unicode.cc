#include "engine/unicode.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <vector>

namespace eml {
namespace {

// A run of code points: first and how many follow.
struct UnicodeRange {
  std::uint32_t first;
  std::uint32_t more;
  CharKind kind;
};

// code point | isolated << 24 | (elements - 1) << 25; then the element itself, or the place of the first of several.
struct UnicodeMapping {
  std::uint32_t key;
  std::uint32_t value;
  std::uint32_t code_point() const { return key & 0x1fffffU; }
};

#include "engine/unicode_tables.inc"

}  // namespace

const UnicodeTable& UnicodeTable::instance() {
  static const UnicodeTable table;
  return table;
}

UnicodeTable::UnicodeTable() {
  std::vector<std::uint16_t> flat(std::size_t{kPages} * 256);
  for (const UnicodeRange& range : kUnicodeRanges) {
    std::fill_n(flat.begin() + range.first, range.more + 1, static_cast<std::uint16_t>(range.kind));
  }
  std::fill_n(flat.begin() + 0xac00, 11172, static_cast<std::uint16_t>(CharKind::kHangul));
  std::uint16_t next = kFirstMapping;
  for (const UnicodeMapping& mapping : kUnicodeMappings) flat[mapping.code_point()] = next++;

  std::uint32_t stored = 0;
  for (std::uint32_t page = 0; page < kPages; ++page) {
    const auto from = flat.begin() + page * 256;
    std::uint32_t same = 0;
    while (same < stored && !std::equal(from, from + 256, values_ + same * 256)) ++same;
    if (same == stored) {
      if (stored == kPagesStored) std::abort();  // the generated table outgrew kPagesStored: a build error
      std::copy(from, from + 256, values_ + stored++ * 256);
    }
    page_[page] = static_cast<std::uint8_t>(same);
  }
}

UnicodeMappingView UnicodeTable::mapping(std::uint32_t code_point) const {
  const UnicodeMapping& found = kUnicodeMappings[look_up(code_point) - kFirstMapping];
  const std::size_t count = (found.key >> 25) + 1;
  const std::uint32_t* first = count == 1 ? &found.value : kUnicodeElements + found.value;
  static_assert(sizeof(UnicodeElement) == sizeof(std::uint32_t));
  return {.elements = {reinterpret_cast<const UnicodeElement*>(first), count},
          .is_isolated = ((found.key >> 24) & 1U) != 0};
}

}  // namespace eml

// What the official tokenizer's BertNormalizer and BertPreTokenizer do to a code point, as one table.
#pragma once

#include <cstdint>
#include <span>

namespace eml {

// CharKind is the fate of a code point after cleaning, NFD, stripping of accents and lower-casing.
enum class CharKind : std::uint8_t {
  kKeep,          // part of a word, as it is
  kRemoved,       // control characters and the like: as if it were not there
  kSpace,         // ends a word
  kPunct,         // a word of its own
  kIdeograph,     // a word of its own
  kMark,          // an accent that is stripped; marks around it are still put into canonical order across it
  kBoundaryMark,  // stripped, but ends a run of marks (combining class 0)
  kHangul,        // a syllable: two or three letters by arithmetic
  kMapped,        // becomes other code points: elements()
};

// UnicodeElement is one code point of a mapping.
struct UnicodeElement {
  std::uint32_t packed;
  std::uint32_t code_point() const { return packed & 0x1fffffU; }  // 0: stripped
  std::uint8_t combining_class() const { return static_cast<std::uint8_t>(packed >> 21); }
  bool is_punctuation() const { return ((packed >> 29) & 1U) != 0; }
};

struct UnicodeMappingView {
  std::span<const UnicodeElement> elements;  // never empty
  bool is_isolated;                          // a word of its own
};

// UnicodeTable looks code points up in two steps: 256 of them a page, equal pages shared.
class UnicodeTable {
 public:
  static const UnicodeTable& instance();

  CharKind kind(std::uint32_t code_point) const {
    const std::uint16_t value = look_up(code_point);
    return value >= kFirstMapping ? CharKind::kMapped : static_cast<CharKind>(value);
  }
  // mapping is only for code points of kind kMapped.
  UnicodeMappingView mapping(std::uint32_t code_point) const;

 private:
  static constexpr std::uint16_t kFirstMapping = 16;  // above every CharKind
  static constexpr std::uint32_t kPages = 0x110000 / 256;
  static constexpr std::uint32_t kPagesStored = 256;  // distinct ones; checked while building

  UnicodeTable();
  std::uint16_t look_up(std::uint32_t code_point) const {
    return values_[page_[code_point >> 8] * 256U + (code_point & 255U)];
  }

  std::uint8_t page_[kPages] = {};
  std::uint16_t values_[kPagesStored * 256] = {};
};

}  // namespace eml

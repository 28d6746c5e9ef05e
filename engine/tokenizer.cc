// Encoding. Reading tokenizer.json is in tokenizer_read.cc.
#include "engine/tokenizer.h"

#include <algorithm>

#include "base/secret.h"
#include "encoding/utf8.h"
#include "engine/unicode.h"

namespace eml {
namespace {

struct Decoded {
  std::uint32_t code_point;
  std::size_t bytes;
};

// The text is known to be valid UTF-8.
Decoded decode_utf8(const std::uint8_t* p) {
  const std::uint32_t b = p[0];
  if (b < 0x80) return {b, 1};
  if (b < 0xe0) return {((b & 0x1fU) << 6) | (p[1] & 0x3fU), 2};
  if (b < 0xf0) return {((b & 0x0fU) << 12) | ((p[1] & 0x3fU) << 6) | (p[2] & 0x3fU), 3};
  return {((b & 0x07U) << 18) | ((p[1] & 0x3fU) << 12) | ((p[2] & 0x3fU) << 6) | (p[3] & 0x3fU), 4};
}

std::size_t encode_utf8(std::uint8_t* to, std::uint32_t c) {
  const auto tail = [&](unsigned shift) { return static_cast<std::uint8_t>(0x80U | ((c >> shift) & 0x3fU)); };
  if (c < 0x80) {
    to[0] = static_cast<std::uint8_t>(c);
    return 1;
  }
  if (c < 0x800) {
    to[0] = static_cast<std::uint8_t>(0xc0U | (c >> 6));
    to[1] = tail(0);
    return 2;
  }
  if (c < 0x10000) {
    to[0] = static_cast<std::uint8_t>(0xe0U | (c >> 12));
    to[1] = tail(6);
    to[2] = tail(0);
    return 3;
  }
  to[0] = static_cast<std::uint8_t>(0xf0U | (c >> 18));
  to[1] = tail(12);
  to[2] = tail(6);
  to[3] = tail(0);
  return 4;
}

// The fate of an ASCII byte: the same as in the table, lower-casing included, without its two steps.
struct AsciiTable {
  std::array<CharKind, 128> kind{};
  AsciiTable() {
    for (std::uint32_t c = 0; c < 128; ++c) {
      const CharKind k = UnicodeTable::instance().kind(c);
      kind[c] = k == CharKind::kMapped ? CharKind::kKeep : k;  // A to Z
    }
  }
};

std::uint8_t ascii_lower(std::uint8_t c) { return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c + 32) : c; }

}  // namespace

std::size_t TokenizerScratch::wipe() {
  return eml::wipe(word_.data(), sizeof word_) + eml::wipe(marks_.data(), sizeof marks_);
}

// TokenizerRun is one encoding: a word in work, and the run of surviving marks that canonical order may still change.
class TokenizerRun {
 public:
  TokenizerRun(const Tokenizer& tokenizer, TokenizerScratch& scratch, TokenIds& ids, std::size_t ids_max)
      : tokenizer_(tokenizer), scratch_(scratch), ids_(ids), ids_max_(ids_max) {}

  // Goes through `text` until its end or until there are ids_max ids.
  void run(std::string_view text) {
    static const AsciiTable ascii;
    const ByteView bytes = as_bytes(text);
    std::size_t at = 0;
    while (at < bytes.size() && ids_.size() < ids_max_) {
      const std::uint8_t byte = bytes[at];
      if (tokenizer_.starts_special_[byte]) {
        if (const std::size_t length = special(text.substr(at))) {
          at += length;
          continue;
        }
      }
      if (byte < 0x80) {
        put_ascii(byte, ascii.kind[byte]);
        ++at;
      } else {
        const Decoded decoded = decode_utf8(bytes.data() + at);
        put(decoded.code_point);
        at += decoded.bytes;
      }
    }
    end_word();
    if (ids_.size() > ids_max_) ids_.resize(ids_max_);
  }

 private:
  std::size_t special(std::string_view rest) {
    for (const auto& candidate : tokenizer_.specials_) {
      if (rest.starts_with(candidate.content)) {
        end_word();
        ids_.push_back(candidate.id);
        return candidate.content.size();
      }
    }
    return 0;
  }

  void put_ascii(std::uint8_t byte, CharKind kind) {
    if (kind == CharKind::kKeep) {
      flush_marks();
      append_byte(ascii_lower(byte));
    } else if (kind == CharKind::kSpace) {
      end_word();
    } else if (kind == CharKind::kPunct) {
      append_alone(byte);
    }
  }

  void put(std::uint32_t c) {
    switch (UnicodeTable::instance().kind(c)) {
      case CharKind::kKeep:
        flush_marks();
        return append(c);
      case CharKind::kRemoved:
      case CharKind::kMark:
        return;
      case CharKind::kSpace:
        return end_word();
      case CharKind::kPunct:
      case CharKind::kIdeograph:
        return append_alone(c);
      case CharKind::kBoundaryMark:
        return flush_marks();
      case CharKind::kHangul:
        return put_hangul(c);
      case CharKind::kMapped:
        return put_mapped(UnicodeTable::instance().mapping(c));
    }
  }

  // Unicode 3.12, arithmetic decomposition.
  void put_hangul(std::uint32_t c) {
    flush_marks();
    const std::uint32_t index = c - 0xac00;
    append(0x1100 + index / 588);
    append(0x1161 + index % 588 / 28);
    if (index % 28 != 0) append(0x11a7 + index % 28);
  }

  void put_mapped(const UnicodeMappingView& mapping) {
    if (mapping.is_isolated) return append_alone(mapping.elements[0].code_point());
    for (const UnicodeElement& element : mapping.elements) {
      if (element.combining_class() != 0) {
        if (element.code_point() != 0) keep_mark(element);
      } else if (element.code_point() == 0) {
        flush_marks();
      } else if (element.is_punctuation()) {
        append_alone(element.code_point());
      } else {
        flush_marks();
        append(element.code_point());
      }
    }
  }

  // Marks sort by their class, those of one class stay in order (Unicode 3.11, D109).
  void keep_mark(const UnicodeElement& mark) {
    if (marks_ == scratch_.marks_.size()) {
      marks_overflow_ = true;  // a word of so many characters is unknown whatever their order
      return;
    }
    std::size_t at = marks_++;
    for (; at > 0 && UnicodeElement{scratch_.marks_[at - 1]}.combining_class() > mark.combining_class(); --at) {
      scratch_.marks_[at] = scratch_.marks_[at - 1];
    }
    scratch_.marks_[at] = mark.packed;
  }

  void flush_marks() {
    if (marks_ == 0) return;
    for (std::size_t i = 0; i < marks_; ++i) append(UnicodeElement{scratch_.marks_[i]}.code_point());
    if (marks_overflow_) chars_ = TokenizerScratch::kCharsMax;
    marks_ = 0;
    marks_overflow_ = false;
  }

  bool has_room() {
    if (chars_ == TokenizerScratch::kCharsMax) return false;
    ++chars_;
    return true;
  }

  void append_byte(std::uint8_t byte) {
    if (has_room()) scratch_.word_[bytes_++] = byte;
  }

  void append(std::uint32_t c) {
    if (has_room()) bytes_ += encode_utf8(scratch_.word_.data() + bytes_, c);
  }

  void append_alone(std::uint32_t c) {
    end_word();
    append(c);
    end_word();
  }

  // WordPiece: the longest entry, then the longest that goes on, or the whole word is unknown.
  void end_word() {
    flush_marks();
    if (chars_ == 0) return;
    const std::size_t ids_before = ids_.size();
    bool known = chars_ <= tokenizer_.word_chars_max_;
    const WordTrie* trie = &tokenizer_.words_;
    for (ByteView rest(scratch_.word_.data(), bytes_); known && !rest.empty();) {
      const WordTrie::Match match = trie->longest(rest);
      known = match.bytes != 0;
      if (known) ids_.push_back(match.value);
      rest = rest.subspan(match.bytes);
      trie = &tokenizer_.pieces_;
    }
    if (!known) {
      ids_.resize(ids_before);
      ids_.push_back(tokenizer_.unknown_);
    }
    chars_ = 0;
    bytes_ = 0;
  }

  const Tokenizer& tokenizer_;
  TokenizerScratch& scratch_;
  TokenIds& ids_;
  std::size_t ids_max_;
  std::size_t chars_ = 0;
  std::size_t bytes_ = 0;
  std::size_t marks_ = 0;
  bool marks_overflow_ = false;
};

Status Tokenizer::encode(TokenIds& ids, TokenizerScratch& scratch, std::string_view text,
                         std::size_t tokens_max) const {
  const std::size_t valid = utf8_valid_prefix(text);
  if (valid != text.size()) return fail(kTextNotUtf8, "a text is not valid UTF-8", valid);
  ids.clear();
  // One word may add kCharsMax pieces before the cut.
  ids.reserve(tokens_max + TokenizerScratch::kCharsMax);
  ids.push_back(cls_);
  TokenizerRun(*this, scratch, ids, tokens_max - 1).run(text);
  ids.push_back(sep_);
  return {};
}

}  // namespace eml

#include "encoding/json_source.h"

#include <cstddef>

#include "encoding/json.h"

namespace eml {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t offset() const { return at_; }

  bool consume(char c) {
    skip_space();
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    while (!at_end() && is_space(text_[at_])) ++at_;
  }

  // string returns what stands between two quotation marks, escapes as they are written.
  std::string_view string() {
    if (!consume('"')) return {};
    const std::size_t start = at_;
    while (!at_end() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_end()) {
      at_ = text_.size();
      return {};
    }
    return text_.substr(start, at_++ - start);
  }

  // value skips one value and returns it: brackets are counted outside of strings, all else ends before , ] or }.
  std::string_view value() {
    skip_space();
    const std::size_t start = at_;
    std::size_t depth = 0;
    while (!at_end()) {
      const char c = text_[at_];
      if (c == '"') {
        string();
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (depth != 0 && (c == '}' || c == ']')) {
        --depth;
        ++at_;
      } else if (depth == 0 && (c == ',' || c == '}' || c == ']' || is_space(c))) {
        break;
      } else {
        ++at_;
        continue;
      }
      if (depth == 0) break;
    }
    return text_.substr(start, at_ - start);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<ByteView> json_member_source(ByteView document, std::string_view name) {
  Scanner in(as_text(document));
  if (!in.consume('{')) return fail(kJsonWrongType, "not an object");
  while (!in.at_end()) {
    const std::string_view member = in.string();
    if (!in.consume(':')) break;
    const std::string_view value = in.value();
    if (member == name) return as_bytes(value);
    if (!in.consume(',')) break;
  }
  return fail(kJsonMissingMember, "an object lacks a required member");
}

}  // namespace eml

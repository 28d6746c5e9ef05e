// A recursive-descent parser of RFC 8259 rather than Boost.JSON's own: that one reads doubles up to one unit in the
// last place wrong, keeps the last of two members with one name, and copies text through buffers that nobody wipes.
#include "encoding/json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <exception>
#include <new>

#include "encoding/numbers.h"
#include "encoding/utf8.h"

namespace eml {
namespace {

constexpr std::uint64_t kIntegerMax = (std::uint64_t{1} << 53) - 1;

// A capacity with which Boost.JSON keeps a string in its storage and not inside the value, from where moves would leave
// copies on the stack: whoever chose a storage wants all text in it.
constexpr std::size_t kBeyondInline = 32;

std::uint32_t hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A') + 10;
  return 16;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(boost::json::string& out, std::uint32_t point) {
  const auto add = [&](std::uint32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  const auto tail = [&](unsigned shift) { add(0x80U | ((point >> shift) & 0x3fU)); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xc0U | (point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    add(0xe0U | (point >> 12));
    tail(6);
    tail(0);
  } else {
    add(0xf0U | (point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

class Parser {
 public:
  Parser(std::string_view text, std::size_t depth_max, boost::json::storage_ptr storage)
      : text_(text), depth_max_(depth_max), storage_(std::move(storage)) {}

  Result<Json> document() {
    EML_TRY(Json out, value(0));
    skip_space();
    if (at_ != text_.size()) return syntax("bytes follow the document");
    return out;
  }

 private:
  std::unexpected<Error> syntax(Literal what) const { return fail(kJsonSyntax, what, at_); }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool consume(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  Result<Json> value(std::size_t depth) {
    skip_space();
    switch (peek()) {
      case '{':
        return object(depth + 1);
      case '[':
        return array(depth + 1);
      case '"': {
        boost::json::string out(storage_);
        if (!plain_storage_) out.reserve(kBeyondInline);
        EML_CHECK(string(out));
        return Json(std::move(out));
      }
      case 't':
        return word("true", Json(true, storage_));
      case 'f':
        return word("false", Json(false, storage_));
      case 'n':
        return word("null", Json(nullptr, storage_));
      default:
        return number();
    }
  }

  Result<Json> word(std::string_view expected, Json meaning) {
    if (!text_.substr(at_).starts_with(expected)) return syntax("not a JSON value");
    at_ += expected.size();
    return meaning;
  }

  Result<Json> object(std::size_t depth) {
    if (depth > depth_max_) return fail(kJsonTooDeep, "nested too deeply", at_);
    ++at_;
    JsonObject out(storage_);
    skip_space();
    if (consume('}')) return Json(std::move(out));
    boost::json::string name(storage_);
    while (true) {
      skip_space();
      const std::size_t name_at = at_;
      EML_CHECK(string(name));
      skip_space();
      if (!consume(':')) return syntax("a colon is missing");
      EML_TRY(Json member, value(depth));
      const bool fresh = out.emplace(std::string_view(name), std::move(member)).second;
      if (!fresh) return fail(kJsonDuplicateName, "an object holds the same name twice", name_at);
      skip_space();
      if (consume('}')) return Json(std::move(out));
      if (!consume(',')) return syntax("a comma or brace is missing");
    }
  }

  Result<Json> array(std::size_t depth) {
    if (depth > depth_max_) return fail(kJsonTooDeep, "nested too deeply", at_);
    ++at_;
    JsonArray out(storage_);
    skip_space();
    if (consume(']')) return Json(std::move(out));
    while (true) {
      EML_TRY(Json element, value(depth));
      out.push_back(std::move(element));
      skip_space();
      if (consume(']')) return Json(std::move(out));
      if (!consume(',')) return syntax("a comma or bracket is missing");
    }
  }

  Status string(boost::json::string& out) {
    out.clear();
    if (!consume('"')) return syntax("not a JSON value or name");
    while (true) {
      const std::size_t start = at_;
      while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) >= 0x20 && text_[at_] != '"' &&
             text_[at_] != '\\') {
        ++at_;
      }
      out.append(text_.substr(start, at_ - start));
      if (consume('"')) return {};
      if (!consume('\\')) return syntax("a string is not closed or holds a control character");
      EML_CHECK(escape(out));
    }
  }

  Status escape(boost::json::string& out) {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (consume('u')) return unicode_escape(out);
    const std::size_t found = at_ == text_.size() ? std::string_view::npos : kEscapes.find(text_[at_]);
    if (found == std::string_view::npos) return syntax("an unknown escape");
    ++at_;
    out.push_back(kMeanings[found]);
    return {};
  }

  Status unicode_escape(boost::json::string& out) {
    EML_TRY(std::uint32_t point, four_hex());
    if (point >= 0xdc00 && point <= 0xdfff) return syntax("a lone surrogate");
    if (point >= 0xd800 && point <= 0xdbff) {
      if (!consume('\\') || !consume('u')) return syntax("a lone surrogate");
      EML_TRY(const std::uint32_t low, four_hex());
      if (low < 0xdc00 || low > 0xdfff) return syntax("a lone surrogate");
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, point);
    return {};
  }

  Result<std::uint32_t> four_hex() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t digit = hex_value(peek());
      if (digit > 15) return syntax("an escape without four hexadecimal digits");
      value = value * 16 + digit;
      ++at_;
    }
    return value;
  }

  bool digits() {
    const std::size_t start = at_;
    while (is_digit(peek())) ++at_;
    return at_ != start;
  }

  Result<Json> number() {
    const std::size_t start = at_;
    consume('-');
    if (!consume('0') && !digits()) return syntax("not a JSON value");
    bool integral = true;
    if (consume('.')) {
      integral = false;
      if (!digits()) return syntax("a number without digits after its point");
    }
    if (peek() == 'e' || peek() == 'E') {
      integral = false;
      ++at_;
      if (!consume('+')) consume('-');
      if (!digits()) return syntax("a number without digits in its exponent");
    }
    const std::string_view text = text_.substr(start, at_ - start);
    if (integral && text != "-0") {
      if (auto exact = integer(text)) return *std::move(exact);
    }
    return real(text, start);
  }

  // nullopt if 64 bits do not hold it: then it is a double, as for everyone else.
  std::optional<Json> integer(std::string_view text) const {
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    if (text.front() == '-') {
      std::int64_t value = 0;
      if (std::from_chars(begin, end, value).ec != std::errc{}) return std::nullopt;
      return Json(value, storage_);
    }
    std::uint64_t value = 0;
    if (std::from_chars(begin, end, value).ec != std::errc{}) return std::nullopt;
    if (value <= static_cast<std::uint64_t>(INT64_MAX)) return Json(static_cast<std::int64_t>(value), storage_);
    return Json(value, storage_);
  }

  Result<Json> real(std::string_view text, std::size_t start) const {
    const auto value = nearest_double(text);
    if (!value) return fail(kJsonOutOfRange, "a number that no double can hold", start);
    return Json(*value, storage_);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_max_;
  boost::json::storage_ptr storage_;
  bool plain_storage_ = storage_.get() == boost::json::storage_ptr().get();
};

std::unexpected<Error> missing() { return fail(kJsonMissingMember, "an object lacks a required member"); }
std::unexpected<Error> wrong_type() { return fail(kJsonWrongType, "a member has another type"); }

}  // namespace

Result<Json> parse_json(ByteView bytes, const JsonLimits& limits, boost::json::storage_ptr storage) {
  if (bytes.size() > limits.bytes_max) return fail(kJsonTooLarge, "the document is too large", bytes.size());
  const std::string_view text = as_text(bytes);
  if (text.starts_with("\xef\xbb\xbf")) return fail(kJsonSyntax, "a byte order mark", 0);
  // Once for all: every slice of the text between two ASCII characters is then valid too.
  if (const std::size_t valid = utf8_valid_prefix(text); valid != text.size()) {
    return fail(kJsonSyntax, "not UTF-8", valid);
  }
#ifdef __cpp_exceptions
  try {
    return Parser(text, limits.depth_max, std::move(storage)).document();
  } catch (const std::bad_alloc&) {
    return fail(kJsonTooLarge, "no memory for the document", bytes.size());
  } catch (const std::exception&) {
    return fail(kJsonTooLarge, "a string or container is too large", bytes.size());
  }
#else  // WebAssembly: exhausted memory is a trap
  return Parser(text, limits.depth_max, std::move(storage)).document();
#endif
}

Result<std::string_view> json_text(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr) return missing();
  if (!value->is_string()) return wrong_type();
  return std::string_view(value->get_string());
}

Result<std::uint64_t> json_uint(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr) return missing();
  if (value->is_double()) return wrong_type();
  if (!value->is_int64() && !value->is_uint64()) return wrong_type();
  const bool negative = value->is_int64() && value->get_int64() < 0;
  const std::uint64_t number = value->is_int64() ? static_cast<std::uint64_t>(value->get_int64()) : value->get_uint64();
  if (negative || number > kIntegerMax) return fail(kJsonOutOfRange, "a number is not an integer from 0 to 2^53 - 1");
  return number;
}

Result<bool> json_bool(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr) return missing();
  if (!value->is_bool()) return wrong_type();
  return value->get_bool();
}

Result<const JsonObject*> json_object(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr) return missing();
  if (!value->is_object()) return wrong_type();
  return &value->get_object();
}

Result<const JsonArray*> json_array(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr) return missing();
  if (!value->is_array()) return wrong_type();
  return &value->get_array();
}

Status expect_members(const JsonObject& object, std::initializer_list<std::string_view> known) {
  for (const auto& member : object) {
    bool found = false;
    for (const std::string_view name : known) found = found || name == std::string_view(member.key());
    if (!found) return fail(kJsonUnknownMember, "an object holds an unknown member");
  }
  return {};
}

}  // namespace eml

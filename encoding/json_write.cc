#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <cmath>
#include <vector>

#include "encoding/json.h"
#include "encoding/numbers.h"

namespace eml {
namespace {

enum class Form : std::uint8_t { kCompact, kCanonical };

// Above this, ECMAScript has no integers of their own: they are doubles and print as such.
constexpr std::int64_t kExactMax = std::int64_t{1} << 53;

// UTF-16 order differs from the order of UTF-8 bytes in one place: U+E000..U+FFFF sort after what needs surrogates.
// Valid UTF-8 in, so the first byte that differs belongs to characters of which the lead bytes decide.
bool utf16_less(std::string_view a, std::string_view b) {
  const auto [x, y] = std::ranges::mismatch(a, b);
  if (x == a.end() || y == b.end()) return x == a.end() && y != b.end();
  const auto p = static_cast<unsigned char>(*x);
  const auto q = static_cast<unsigned char>(*y);
  const auto rank = [](unsigned char c) {
    if (c >= 0xf0) return 1;                // a pair of surrogates, D800..DFFF
    return c == 0xee || c == 0xef ? 2 : 0;  // E000..FFFF
  };
  return rank(p) != rank(q) ? rank(p) < rank(q) : p < q;
}

// Output is std::string or a WipingVector<std::uint8_t> behind the same three calls.
template <typename Sink>
class Printer {
 public:
  Printer(Sink& out, Form form) : out_(out), form_(form) {}

  void value(const Json& json) {
    switch (json.kind()) {
      case boost::json::kind::null:
        return put("null");
      case boost::json::kind::bool_:
        return put(json.get_bool() ? "true" : "false");
      case boost::json::kind::int64:
        return integer(json.get_int64());
      case boost::json::kind::uint64:
        return integer(json.get_uint64());
      case boost::json::kind::double_:
        return real(json.get_double());
      case boost::json::kind::string:
        return string(json.get_string());
      case boost::json::kind::array:
        return array(json.get_array());
      case boost::json::kind::object:
        return object(json.get_object());
    }
  }

 private:
  void put(std::string_view text) { out_.append(text); }

  template <typename T>
  void integer(T number) {
    if (form_ == Form::kCanonical && !exact(number)) return real(static_cast<double>(number));
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number);
    put({buffer, static_cast<std::size_t>(end.ptr - buffer)});
  }

  static bool exact(std::int64_t number) { return number >= -kExactMax && number <= kExactMax; }
  static bool exact(std::uint64_t number) { return number <= static_cast<std::uint64_t>(kExactMax); }

  void real(double number) {
    // JSON has no infinities; a value of ours that holds one is a mistake, and null is what ECMAScript makes of it.
    if (!std::isfinite(number)) return put("null");
    // The compact form reads back to the same bits, so it keeps the sign of zero.
    if (form_ == Form::kCompact && number == 0 && std::signbit(number)) return put("-0.0");
    put(ShortestNumber(number).view());
  }

  void string(std::string_view text) {
    put("\"");
    std::size_t start = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c >= 0x20 && c != '"' && c != '\\') continue;
      put(text.substr(start, i - start));
      escape(c);
      start = i + 1;
    }
    put(text.substr(start));
    put("\"");
  }

  void escape(unsigned char c) {
    static constexpr char kDigits[] = "0123456789abcdef";
    switch (c) {
      case '"':
        return put("\\\"");
      case '\\':
        return put("\\\\");
      case '\b':
        return put("\\b");
      case '\f':
        return put("\\f");
      case '\n':
        return put("\\n");
      case '\r':
        return put("\\r");
      case '\t':
        return put("\\t");
      default: {
        const char text[] = {'\\', 'u', '0', '0', kDigits[c >> 4], kDigits[c & 15]};
        return put({text, sizeof text});
      }
    }
  }

  void array(const JsonArray& elements) {
    put("[");
    bool first = true;
    for (const Json& element : elements) {
      if (!std::exchange(first, false)) put(",");
      value(element);
    }
    put("]");
  }

  void object(const JsonObject& members) {
    std::vector<const boost::json::key_value_pair*> order;
    order.reserve(members.size());
    for (const auto& member : members) order.push_back(&member);
    if (form_ == Form::kCanonical) {
      std::ranges::sort(order, [](const auto* a, const auto* b) { return utf16_less(a->key(), b->key()); });
    }
    put("{");
    bool first = true;
    for (const auto* member : order) {
      if (!std::exchange(first, false)) put(",");
      string(member->key());
      put(":");
      value(member->value());
    }
    put("}");
  }

  Sink& out_;
  Form form_;
};

struct UserSink {
  UserText& out;
  void append(std::string_view text) { out.append(as_bytes(text)); }
};

}  // namespace

std::string canonical_json(const Json& value) {
  std::string out;
  Printer(out, Form::kCanonical).value(value);
  return out;
}

std::string compact_json(const Json& value) {
  std::string out;
  Printer(out, Form::kCompact).value(value);
  return out;
}

UserText compact_json_of_user(const Json& value) {
  UserText out;
  UserSink sink{out};
  Printer(sink, Form::kCompact).value(value);
  return out;
}

}  // namespace eml

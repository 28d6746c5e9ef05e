// Small grammars of the documents in this folder: names, printable text, fixed-size hex.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace eml {

// is_name: [a-z0-9._-], 1 to 64 characters. Such a name may stand in a log line as it is.
inline bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

// is_printable: 1 to `size_max` characters of ASCII 0x20 to 0x7e, so nothing that moves a terminal's cursor.
inline bool is_printable(std::string_view text, std::size_t size_max) {
  return !text.empty() && text.size() <= size_max &&
         std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// hex_array reads exactly n bytes of lower-case hex: one text for each value.
template <std::size_t n>
std::optional<ByteArray<n>> hex_array(std::string_view text) {
  const auto bytes = from_hex(text);
  if (!bytes || hex(*bytes) != text) return std::nullopt;
  return to_array<n>(*bytes);
}

}  // namespace eml

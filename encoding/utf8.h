// UTF-8 (RFC 3629), strict: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace eml {

// utf8_valid_prefix returns how many bytes at the start of `text` are whole, valid characters.
std::size_t utf8_valid_prefix(std::string_view text);

inline bool is_utf8(std::string_view text) { return utf8_valid_prefix(text) == text.size(); }

}  // namespace eml

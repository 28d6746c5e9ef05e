// Base64 (RFC 4648), strict: one encoding for each value. Rejected: white space, wrong or missing padding, non-zero
// leftover bits, characters of the other alphabet.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace eml {

std::string base64(ByteView bytes);     // section 4, padded
std::string base64url(ByteView bytes);  // section 5, not padded
std::optional<Bytes> from_base64(std::string_view text);
std::optional<Bytes> from_base64url(std::string_view text);

}  // namespace eml

// Strict JSON (RFC 8259) and canonical JSON (RFC 8785), over Boost.JSON values.
//
// Rejected: duplicate member names, nesting deeper than the limit, numbers that are not finite, invalid UTF-8 and
// lone surrogates, a byte order mark, comments, trailing bytes, inputs over the limit.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/user_text.h"

namespace eml {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

// The integer in an error of parse_json is the offset, for kJsonTooLarge the size.
inline constexpr ErrorCode kJsonSyntax{ErrorClass::kMalformed, "json-syntax"};
inline constexpr ErrorCode kJsonDuplicateName{ErrorClass::kMalformed, "json-duplicate-name"};
inline constexpr ErrorCode kJsonTooDeep{ErrorClass::kLimit, "json-too-deep"};
inline constexpr ErrorCode kJsonTooLarge{ErrorClass::kLimit, "json-too-large"};
inline constexpr ErrorCode kJsonWrongType{ErrorClass::kMalformed, "json-wrong-type"};
inline constexpr ErrorCode kJsonMissingMember{ErrorClass::kMalformed, "json-missing-member"};
inline constexpr ErrorCode kJsonUnknownMember{ErrorClass::kMalformed, "json-unknown-member"};
inline constexpr ErrorCode kJsonOutOfRange{ErrorClass::kMalformed, "json-out-of-range"};

struct JsonLimits {
  std::size_t bytes_max = 1U << 20;
  std::size_t depth_max = 32;
};

// parse_json parses one whole document. `storage` receives every allocation of the value: pass a wiping resource
// (encoding/wiping_resource.h) for user text. Integers that 64 bits hold are int64 or uint64, all other numbers the
// nearest double; "-0" is the double, a number too small is zero, one too large kJsonOutOfRange. Depth counts objects
// and arrays: "[[]]" is 2.
Result<Json> parse_json(ByteView bytes, const JsonLimits& limits = {}, boost::json::storage_ptr storage = {});

// canonical_json is JCS: members sorted by UTF-16 code units, shortest ECMAScript numbers, no white space.
std::string canonical_json(const Json& value);

// compact_json writes members in their order, without white space; for bodies and command output.
// Doubles are shortest and read back to the same bits. compact_json_of_user is the same into wiped memory.
std::string compact_json(const Json& value);
UserText compact_json_of_user(const Json& value);

// Members of a closed object. The `what` of an error names nothing of the input; `member` is a literal of ours and
// belongs into the caller's own message.
Result<std::string_view> json_text(const JsonObject& object, std::string_view member);
Result<std::uint64_t> json_uint(const JsonObject& object, std::string_view member);  // integer below 2^53
Result<bool> json_bool(const JsonObject& object, std::string_view member);
Result<const JsonObject*> json_object(const JsonObject& object, std::string_view member);
Result<const JsonArray*> json_array(const JsonObject& object, std::string_view member);
// expect_members fails with kJsonUnknownMember if `object` has a member outside `known`.
Status expect_members(const JsonObject& object, std::initializer_list<std::string_view> known);

}  // namespace eml

// Binary HTTP (RFC 9292): the messages inside a channel's streams.
//
// Decoded: known-length and indeterminate-length forms. Rejected: informational responses, padding, truncation,
// trailing bytes, more than 64 fields or 16 KiB of them (control data included), field names that are not lower-case
// tokens, values with control characters or outer space, methods that are not tokens, paths without a leading slash,
// `content-encoding`, pseudo-fields outside the control data, non-empty trailers. Encoded: known-length form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/user_text.h"

namespace eml {

inline constexpr ErrorCode kBhttpMalformed{ErrorClass::kMalformed, "bhttp-malformed"};
inline constexpr ErrorCode kBhttpUnsupported{ErrorClass::kUnsupported, "bhttp-unsupported"};
inline constexpr ErrorCode kBhttpLimit{ErrorClass::kLimit, "bhttp-limit"};

// The embeddings API uses six fields and under 400 bytes of them; the limits leave room for proxies' additions.
inline constexpr std::size_t kBhttpFieldsMax = 64;
inline constexpr std::size_t kBhttpFieldBytesMax = 16 * 1024;

struct HttpField {
  std::string name;  // lower case
  std::string value;
};

struct HttpRequest {
  std::string method;
  std::string scheme = "https";
  std::string authority;
  std::string path;
  std::vector<HttpField> fields;
  UserText content;
};

struct HttpResponse {
  std::uint16_t status = 0;  // 200..599
  std::vector<HttpField> fields;
  UserText content;
};

// field returns the value of the only field with that name, or empty.
std::string_view field(const std::vector<HttpField>& fields, std::string_view name);

// The content is in memory that is wiped; control data and fields carry no user text in this system and are not.
// encode_* expect what decode_* accept: the decoder of the other side is the check. Errors of decode_* carry the offset
// (inside a known-length field section: from its start).
UserText encode_request(const HttpRequest& request);
UserText encode_response(const HttpResponse& response);
Result<HttpRequest> decode_request(ByteView bytes);
Result<HttpResponse> decode_response(ByteView bytes);

}  // namespace eml

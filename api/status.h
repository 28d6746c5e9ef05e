// The one table from an error's class to an HTTP status, and the OpenAI-style error body that goes with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kApiBadRequest{ErrorClass::kMalformed, "api-bad-request"};
inline constexpr ErrorCode kApiUnknownModel{ErrorClass::kUnsupported, "api-unknown-model"};
inline constexpr ErrorCode kApiUnknownPath{ErrorClass::kUnsupported, "api-unknown-path"};
inline constexpr ErrorCode kApiWrongMethod{ErrorClass::kUnsupported, "api-wrong-method"};
inline constexpr ErrorCode kApiTooManyInputs{ErrorClass::kLimit, "api-too-many-inputs"};
inline constexpr ErrorCode kApiBodyTooLarge{ErrorClass::kLimit, "api-body-too-large"};
inline constexpr ErrorCode kApiOverloaded{ErrorClass::kLimit, "api-overloaded"};

// http_status maps an error to the status of its answer: the table is in status.cc. Codes above that need a status
// of their own (404, 405, 413) have it; every other is decided by its class.
std::uint16_t http_status(const Error& error);

// error_body is {"error":{"message","type","param":null,"code"}}: the code's name and our own literal, never a word
// of the request.
std::string error_body(const Error& error);

}  // namespace eml

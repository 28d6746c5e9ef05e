#include "api/status.h"

#include "encoding/json.h"

namespace eml {
namespace {

struct CodeStatus {
  ErrorCode code;
  std::uint16_t status;
};

constexpr CodeStatus kByCode[] = {
    {kApiUnknownModel, 404}, {kApiUnknownPath, 404},
    {kApiWrongMethod, 405},  {kApiTooManyInputs, 400},  // the request can never succeed, so it is not a 429
    {kApiBodyTooLarge, 413}, {kJsonTooDeep, 400},       // neither can this one
    {kJsonTooLarge, 413},
};

std::uint16_t status_of_class(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::kMalformed:
    case ErrorClass::kUnsupported:
      return 400;
    case ErrorClass::kUnauthentic:
      return 401;
    case ErrorClass::kRejected:
      return 403;
    case ErrorClass::kLimit:
      return 429;
    case ErrorClass::kUnavailable:
      return 503;
    case ErrorClass::kInternal:
      return 500;
  }
  return 500;
}

std::string_view type_of_status(std::uint16_t status) {
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

}  // namespace

std::uint16_t http_status(const Error& error) {
  for (const CodeStatus& row : kByCode) {
    if (row.code == error.code()) return row.status;
  }
  return status_of_class(error.error_class());
}

std::string error_body(const Error& error) {
  JsonObject inner;
  inner["message"] = error.what();
  inner["type"] = type_of_status(http_status(error));
  inner["param"] = nullptr;
  inner["code"] = error.code().name;
  JsonObject outer;
  outer["error"] = std::move(inner);
  return compact_json(Json(std::move(outer)));
}

}  // namespace eml

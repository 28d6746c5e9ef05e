#include "base/result.h"

namespace eml {

std::string_view to_string(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::kMalformed:
      return "malformed";
    case ErrorClass::kUnsupported:
      return "unsupported";
    case ErrorClass::kUnauthentic:
      return "unauthentic";
    case ErrorClass::kRejected:
      return "rejected";
    case ErrorClass::kLimit:
      return "limit";
    case ErrorClass::kUnavailable:
      return "unavailable";
    case ErrorClass::kInternal:
      return "internal";
  }
  return "internal";
}

int exit_code(ErrorClass error_class) {
  return error_class == ErrorClass::kUnauthentic || error_class == ErrorClass::kRejected ? 1 : 2;
}

std::string Error::to_string() const {
  std::string line(code_.name);
  line += ": ";
  line += what_.view();
  if (has_first()) {
    line += " (";
    line += std::to_string(a_);
    if (has_second()) line += ", " + std::to_string(b_);
    line += ")";
  }
  return line;
}

}  // namespace eml

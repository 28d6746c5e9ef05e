#include "base/check.h"

#include <utility>

namespace eml {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kNotChecked:
      return "not checked";
  }
  return "not checked";
}

std::string_view to_string(Voucher voucher) {
  switch (voucher) {
    case Voucher::kVerifiedHere:
      return "verified here";
    case Voucher::kHardware:
      return "hardware";
    case Voucher::kVendorService:
      return "vendor service";
    case Voucher::kWorkload:
      return "workload";
    case Voucher::kOperator:
      return "operator";
    case Voucher::kNobody:
      return "nobody";
  }
  return "nobody";
}

void pass(Checks& checks, std::string_view id, Literal title, Voucher voucher, std::string detail) {
  checks.push_back({id, title, Outcome::kPassed, voucher, std::nullopt, std::move(detail)});
}

void fail_check(Checks& checks, std::string_view id, Literal title, Voucher voucher, const Error& error,
                std::string detail) {
  checks.push_back({id, title, Outcome::kFailed, voucher, error, std::move(detail)});
}

void skip(Checks& checks, std::string_view id, Literal title, Voucher voucher, Literal reason) {
  checks.push_back({id, title, Outcome::kNotChecked, voucher, std::nullopt, std::string(reason.view())});
}

std::optional<Error> first_failure(const Checks& checks) {
  for (const Check& check : checks) {
    if (check.outcome == Outcome::kFailed) return check.error;
  }
  return std::nullopt;
}

}  // namespace eml

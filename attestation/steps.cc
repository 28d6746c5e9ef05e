#include "attestation/steps.h"

#include <algorithm>

namespace eml {
namespace {

bool has(const Step& step, const Error& error) {
  return std::ranges::find(step.errors, error.code()) != step.errors.end();
}

}  // namespace

void Steps::add(const Step& step, const std::optional<Error>& error) {
  if (!error) return pass(checks_, step.id, step.title, step.voucher);
  if (!error_) error_ = error;
  fail_check(checks_, step.id, step.title, step.voucher, *error);
}

void Steps::leave_out(const Step& step, Literal reason) { skip(checks_, step.id, step.title, step.voucher, reason); }

void Steps::finish() {
  for (const Step& step : table_.subspan(std::min(checks_.size(), table_.size()))) leave_out(step, kAfterFailure);
}

void Steps::conclude(const std::optional<Error>& error, std::span<const SkippedStep> skipped) {
  const auto end = !error ? table_.end() : std::ranges::find_if(table_, [&](const Step& s) { return has(s, *error); });
  bool over = error && end == table_.end();
  for (const Step& step : table_) {
    const auto skip_of = std::ranges::find(skipped, step.id, &SkippedStep::id);
    if (skip_of != skipped.end()) {
      leave_out(step, skip_of->reason);
    } else if (over) {
      leave_out(step, kAfterFailure);
    } else {
      over = error && has(step, *error);
      add(step, over ? error : std::nullopt);
    }
  }
}

}  // namespace eml

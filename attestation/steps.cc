#include "attestation/steps.h"

#include <algorithm>

namespace eml {
namespace {

// end_of is the index of the step that failed: steps.size() if none did, 0 if the error is no step's.
std::size_t end_of(std::span<const Step> steps, const std::optional<Error>& error) {
  if (!error) return steps.size();
  const auto found = std::ranges::find_if(
      steps, [&](const Step& step) { return std::ranges::find(step.errors, error->code()) != step.errors.end(); });
  return found == steps.end() ? 0 : static_cast<std::size_t>(found - steps.begin());
}

}  // namespace

void record_steps(Checks& checks, std::span<const Step> steps, const std::optional<Error>& error,
                  std::span<const SkippedStep> skipped) {
  const std::size_t end = end_of(steps, error);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    const auto skip_of = std::ranges::find(skipped, step.id, &SkippedStep::id);
    if (skip_of != skipped.end()) {
      skip(checks, step.id, step.title, step.voucher, skip_of->reason);
    } else if (i < end) {
      pass(checks, step.id, step.title, step.voucher);
    } else if (i == end && std::ranges::find(step.errors, error->code()) != step.errors.end()) {
      fail_check(checks, step.id, step.title, step.voucher, *error);
    } else {
      skip(checks, step.id, step.title, step.voucher, "an earlier step failed");
    }
  }
}

}  // namespace eml

// Step is one line of a numbered procedure (docs/spec/evidence/KIND.md): what was checked, on whose word it rests, and
// the errors that are its own. An error names its step, so the lines of a verdict follow from it.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "base/check.h"
#include "base/result.h"

namespace eml {

struct Step {
  std::string_view id;  // kebab-case, a literal: "nitro-signature"
  Literal title;
  Voucher voucher = Voucher::kVerifiedHere;
  std::array<ErrorCode, 4> errors{};  // those of this step; unused places are empty
};

// SkippedStep is a step that this input did not ask for.
struct SkippedStep {
  std::string_view id;
  Literal reason;
};

// record_steps appends a line for each of `steps`, which are in their order: passed up to the step of `error`, then
// failed, then not checked; all passed without an error. Those in `skipped` are not checked, with their reason. An
// error that belongs to no step (bad requirements) leaves all of them unchecked.
void record_steps(Checks& checks, std::span<const Step> steps, const std::optional<Error>& error,
                  std::span<const SkippedStep> skipped = {});

}  // namespace eml

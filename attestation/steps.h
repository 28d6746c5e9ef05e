// Step is one line of a numbered procedure (docs/spec/evidence/KIND.md): what is checked and on whose word it rests.
// Steps writes the lines of one judgement, in order: passed up to the first failure, which is the verdict's error, and
// those after it not checked.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/result.h"

namespace eml {

struct Step {
  std::string_view id;  // kebab-case, a literal: "nitro-signature"
  Literal title;
  Voucher voucher = Voucher::kVerifiedHere;
  // The errors that are this step's own, where the lines follow from one error (conclude); unused places are empty.
  std::array<ErrorCode, 4> errors{};
};

// SkippedStep is a step that this input did not ask for.
struct SkippedStep {
  std::string_view id;
  Literal reason;
};

class Steps {
 public:
  // `table` is the procedure's steps in their order, for a procedure whose lines finish or conclude.
  explicit Steps(Checks& checks, std::span<const Step> table = {}) : checks_(checks), table_(table) {}

  bool failed() const { return error_.has_value(); }
  const std::optional<Error>& error() const { return error_; }  // the first failure

  // note adds the line of `step`, by whether `result` is good, and hands `result` on.
  template <typename T>
  Result<T> note(const Step& step, Result<T> result) {
    add(step, result ? std::nullopt : std::optional<Error>(result.error()));
    return result;
  }

  // run calls `check` (a callable that returns a Status) unless an earlier step failed.
  template <typename Check>
  void run(const Step& step, Check&& check) {
    if (failed()) return leave_out(step, kAfterFailure);
    (void)note(step, Status(std::forward<Check>(check)()));
  }

  // leave_out adds the line of a step that is not judged, with the reason.
  void leave_out(const Step& step, Literal reason);

  // finish adds the steps of the table that were not reached, for whatever `error` ended the procedure.
  void finish();

  // conclude writes the whole table from the one error that ended the procedure: passed up to the step that has it,
  // then not checked; all passed without an error. Those in `skipped` are not checked, with their reason. An error that
  // belongs to no step (bad requirements) leaves all of them unchecked.
  void conclude(const std::optional<Error>& error, std::span<const SkippedStep> skipped = {});

 private:
  static constexpr Literal kAfterFailure = "an earlier step failed";
  void add(const Step& step, const std::optional<Error>& error);

  Checks& checks_;
  std::span<const Step> table_;
  std::optional<Error> error_;
};

}  // namespace eml

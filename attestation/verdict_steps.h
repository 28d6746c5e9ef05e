// VerdictSteps runs the steps of one judgement in their order and writes a line for each into the verdict: the first
// that fails is the verdict's error, and those after it are not checked.
#pragma once

#include <string_view>
#include <utility>

#include "attestation/judge.h"

namespace eml {

class VerdictSteps {
 public:
  explicit VerdictSteps(EvidenceVerdict& verdict) : verdict_(verdict) {}

  bool failed() const { return verdict_.error.has_value(); }

  // run calls `step` (a callable that returns a Status) unless an earlier step failed.
  template <typename Step>
  void run(std::string_view id, Literal title, Voucher voucher, Step&& step) {
    if (failed()) return skip(verdict_.checks, id, title, voucher, "an earlier step failed");
    const Status status = std::forward<Step>(step)();
    if (status) return pass(verdict_.checks, id, title, voucher);
    verdict_.error = status.error();
    fail_check(verdict_.checks, id, title, voucher, status.error());
  }

  // leave_out notes a step that was not asked for, with the reason.
  void leave_out(std::string_view id, Literal title, Voucher voucher, Literal reason) {
    skip(verdict_.checks, id, title, voucher, reason);
  }

 private:
  EvidenceVerdict& verdict_;
};

}  // namespace eml

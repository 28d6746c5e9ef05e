// Steps keeps one line for each step of the procedure: passed, failed, or not reached.
// Source: docs/spec/evidence/tdx.md, section 5.
#pragma once

#include <cstdint>
#include <optional>

#include "base/check.h"
#include "base/result.h"

namespace eml::tdx {

enum class Step : std::uint8_t {
  kForm,
  kPckChain,
  kRootCrl,
  kPckCrl,
  kTcbSigner,
  kTcbInfo,
  kQeIdentity,
  kTogether,
  kQeReport,
  kQeHolds,
  kQuoteSignature,
  kModule,
  kTcbStatus,
  kEventLog,
  kRequirements,
};

class Steps {
 public:
  // note adds the line of `step`, by whether `result` is good, and hands `result` on.
  template <typename T>
  Result<T> note(Step step, Result<T> result) {
    add(step, result ? std::nullopt : std::optional<Error>(result.error()));
    return result;
  }

  // leave_out adds the line of a step that is not judged, with the reason.
  void leave_out(Step step, Literal reason);

  // take returns the lines, those that were not reached as not checked.
  Checks take();

 private:
  void add(Step step, const std::optional<Error>& error);
  Checks checks_;
};

}  // namespace eml::tdx

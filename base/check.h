// Check is one line of a verdict: what was checked, how it ended, and who vouches for it. Every verifier (bundle,
// receipt, dossier) gives a list of them; a verdict is green only if each required one passed. A check that was
// skipped is kNotChecked with its reason, never kPassed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace eml {

enum class Outcome : std::uint8_t { kPassed, kFailed, kNotChecked };

// Voucher says on whose word a line rests.
enum class Voucher : std::uint8_t {
  kVerifiedHere,   // computed by this program from the bytes
  kHardware,       // signed by the TEE's hardware, up to a pinned vendor root
  kVendorService,  // signed by a vendor's service (TCB info, tokens)
  kWorkload,       // stated by the attested code
  kOperator,       // stated by whoever runs the machine
  kNobody,         // software evidence: evaluation only
};

std::string_view to_string(Outcome outcome);  // "passed", "failed", "not checked"
std::string_view to_string(
    Voucher voucher);  // "verified here", "hardware", "vendor service", "workload", "operator", "nobody"

struct Check {
  std::string_view id;  // stable kebab-case literal: "bundle-genuine", "receipt-signature"
  Literal title;        // for a person: "evidence is genuine up to a pinned root"
  Outcome outcome = Outcome::kNotChecked;
  Voucher voucher = Voucher::kVerifiedHere;
  std::optional<Error> error;  // set when failed
  std::string detail;          // public: a hash, a rule's name, the reason of a skip; may be empty
};

using Checks = std::vector<Check>;

// pass, fail_check and skip append a line.
void pass(Checks& checks, std::string_view id, Literal title, Voucher voucher, std::string detail = {});
void fail_check(Checks& checks, std::string_view id, Literal title, Voucher voucher, const Error& error,
                std::string detail = {});
void skip(Checks& checks, std::string_view id, Literal title, Voucher voucher, Literal reason);

// first_failure returns the first failed line's error.
std::optional<Error> first_failure(const Checks& checks);

}  // namespace eml

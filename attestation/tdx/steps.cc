#include "attestation/tdx/steps.h"

#include <array>
#include <utility>

namespace eml::tdx {
namespace {

struct Line {
  std::string_view id;
  Literal title;
  Voucher voucher;
};

constexpr std::array kLines{
    Line{"tdx-quote-form", "the quote is well formed", Voucher::kVerifiedHere},
    Line{"tdx-pck-chain", "the machine's certificate chains to the root", Voucher::kHardware},
    Line{"tdx-root-crl", "the root's revocation list is in date and does not list the CA", Voucher::kVendorService},
    Line{"tdx-pck-crl", "the CA's revocation list is in date and does not list the machine", Voucher::kVendorService},
    Line{"tdx-tcb-signer", "the signer of the TCB documents chains to the root", Voucher::kVendorService},
    Line{"tdx-tcb-info", "the TCB info is signed and in date", Voucher::kVendorService},
    Line{"tdx-qe-identity", "the quoting enclave's identity is signed and in date", Voucher::kVendorService},
    Line{"tdx-collateral-match", "the documents are about this kind of machine", Voucher::kVendorService},
    Line{"tdx-qe-report", "the machine vouches for the quoting enclave and its key", Voucher::kHardware},
    Line{"tdx-qe-genuine", "the quoting enclave is Intel's", Voucher::kVendorService},
    Line{"tdx-quote-signature", "the quoting enclave signed the quote", Voucher::kHardware},
    Line{"tdx-module", "the TDX module is Intel's", Voucher::kVendorService},
    Line{"tdx-tcb-status", "the platform's TCB is known and not revoked", Voucher::kVendorService},
    Line{"tdx-event-log", "the event log leads to the domain's registers", Voucher::kHardware},
    Line{"tdx-requirements", "the quote is as required", Voucher::kVerifiedHere},
};

}  // namespace

void Steps::add(Step step, const std::optional<Error>& error) {
  const Line& line = kLines.at(static_cast<std::size_t>(step));
  if (error) {
    fail_check(checks_, line.id, line.title, line.voucher, *error);
  } else {
    pass(checks_, line.id, line.title, line.voucher);
  }
}

void Steps::leave_out(Step step, Literal reason) {
  const Line& line = kLines.at(static_cast<std::size_t>(step));
  skip(checks_, line.id, line.title, line.voucher, reason);
}

Checks Steps::take() {
  for (std::size_t i = checks_.size(); i < kLines.size(); ++i) {
    skip(checks_, kLines[i].id, kLines[i].title, kLines[i].voucher, "an earlier step failed");
  }
  return std::move(checks_);
}

}  // namespace eml::tdx

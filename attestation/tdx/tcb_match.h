// evaluate_tcb finds the TCB levels of a platform, its TDX module and its quoting enclave, and combines their statuses
// as Intel's quote verification library does. Source: docs/spec/evidence/tdx.md, section 6.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attestation/tdx/collateral.h"
#include "attestation/tdx/pck.h"
#include "attestation/tdx/quote.h"

namespace eml::tdx {

struct TcbVerdict {
  TcbStatus status = TcbStatus::kTcbNotSupported;
  std::optional<TcbStatus> platform;  // nothing if no level matches
  std::optional<TcbStatus> module;    // nothing for SGX, without a module version, or if no level matches
  TcbStatus qe = TcbStatus::kTcbNotSupported;
  std::optional<UnixSeconds> date;      // of the platform's level
  std::vector<std::string> advisories;  // ascending, none twice
};

// evaluate_tcb: kTdxModuleMismatch if the module that runs now has no identity (step 8 of the section). That the quote,
// the PCK and the documents belong together was found out before.
Result<TcbVerdict> evaluate_tcb(const UnverifiedQuote& quote, const PckExtension& pck, const TcbInfo& info,
                                const QeIdentity& qe);

}  // namespace eml::tdx

// The steps of the procedure for TDX and SGX quotes.
// Source: docs/spec/evidence/tdx.md, section 5.
#pragma once

#include <array>

#include "attestation/steps.h"

namespace eml::tdx::step {

inline constexpr Step kForm{"tdx-quote-form", "the quote is well formed", Voucher::kVerifiedHere};
inline constexpr Step kPckChain{"tdx-pck-chain", "the machine's certificate chains to the root", Voucher::kHardware};
inline constexpr Step kRootCrl{"tdx-root-crl", "the root's revocation list is in date and does not list the CA",
                               Voucher::kVendorService};
inline constexpr Step kPckCrl{"tdx-pck-crl", "the CA's revocation list is in date and does not list the machine",
                              Voucher::kVendorService};
inline constexpr Step kTcbSigner{"tdx-tcb-signer", "the signer of the TCB documents chains to the root",
                                 Voucher::kVendorService};
inline constexpr Step kTcbInfo{"tdx-tcb-info", "the TCB info is signed and in date", Voucher::kVendorService};
inline constexpr Step kQeIdentity{"tdx-qe-identity", "the quoting enclave's identity is signed and in date",
                                  Voucher::kVendorService};
inline constexpr Step kTogether{"tdx-collateral-match", "the documents are about this kind of machine",
                                Voucher::kVendorService};
inline constexpr Step kQeReport{"tdx-qe-report", "the machine vouches for the quoting enclave and its key",
                                Voucher::kHardware};
inline constexpr Step kQeHolds{"tdx-qe-genuine", "the quoting enclave is Intel's", Voucher::kVendorService};
inline constexpr Step kQuoteSignature{"tdx-quote-signature", "the quoting enclave signed the quote",
                                      Voucher::kHardware};
inline constexpr Step kModule{"tdx-module", "the TDX module is Intel's", Voucher::kVendorService};
inline constexpr Step kTcbStatus{"tdx-tcb-status", "the platform's TCB is known and not revoked",
                                 Voucher::kVendorService};
inline constexpr Step kEventLog{"tdx-event-log", "the event log leads to the domain's registers", Voucher::kHardware};
inline constexpr Step kRequirements{"tdx-requirements", "the quote is as required", Voucher::kVerifiedHere};

// kAll are the steps in their order.
inline constexpr std::array kAll{kForm,           kPckChain,   kRootCrl,   kPckCrl,   kTcbSigner,
                                 kTcbInfo,        kQeIdentity, kTogether,  kQeReport, kQeHolds,
                                 kQuoteSignature, kModule,     kTcbStatus, kEventLog, kRequirements};

}  // namespace eml::tdx::step

#include "attestation/tpm/td_quote.h"

#include "attestation/tdx/quote.h"
#include "attestation/tpm/hcl_report.h"

namespace eml {

Status expect_td_quote_binding(ByteView quote, ByteView runtime_data) {
  const auto decoded = tdx::decode_quote(quote);
  if (!decoded || decoded->td() == nullptr) return fail(kTpmTdQuoteParse, "the TD quote is not one");
  return expect_runtime_data(decoded->report_data(), runtime_data);
}

Result<TdQuoteTrust> verify_td_quote(ByteView quote, const EvidenceInput& input) {
  const EvidenceVerdict verdict = judge_tdx({.evidence = quote,
                                             .collateral = input.collateral,
                                             .time = input.time,
                                             .requirements = nullptr,
                                             .root = input.root});
  if (verdict.error) return std::unexpected(*verdict.error);
  return TdQuoteTrust{.root = verdict.evidence.root,
                      .measurement = verdict.evidence.measurements.at("mrtd"),
                      .debug = verdict.evidence.debug};
}

}  // namespace eml

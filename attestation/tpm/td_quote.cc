#include "attestation/tpm/td_quote.h"

namespace eml {

inline constexpr ErrorCode kTpmTdQuoteUnsupported{ErrorClass::kUnsupported, "tpm-td-quote-unsupported"};

Status expect_td_quote_binding(ByteView, ByteView) {
  return fail(kTpmTdQuoteUnsupported, "this program does not read TD quotes yet");
}

Result<TdQuoteTrust> verify_td_quote(ByteView, const EvidenceInput&) {
  return fail(kTpmTdQuoteUnsupported, "this program does not read TD quotes yet");
}

}  // namespace eml

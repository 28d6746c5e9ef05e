// The TD quote beside Azure's HCL report of a TD: whether it is over the runtime data, and whether it is genuine.
// Source: docs/spec/evidence/tpm.md, step 7.7; docs/spec/evidence/tdx.md.
#pragma once

#include <string>

#include "attestation/judge.h"

namespace eml {

inline constexpr ErrorCode kTpmTdQuoteParse{ErrorClass::kMalformed, "tpm-td-quote-parse"};

// expect_td_quote_binding: the quote's REPORTDATA is SHA-256(runtime data) and zeros. kTpmTdQuoteParse;
// kTpmRuntimeDataBinding.
Status expect_td_quote_binding(ByteView quote, ByteView runtime_data);

struct TdQuoteTrust {
  std::string root;
  Bytes measurement;  // MRTD
  bool debug = false;
};

// verify_td_quote judges the quote by tdx.md, with `input`'s collateral and time, under Intel's pinned root.
Result<TdQuoteTrust> verify_td_quote(ByteView quote, const EvidenceInput& input);

}  // namespace eml

// Kind `tdx`: Intel TDX and SGX quotes, judged from bytes to verdict. judge_tdx of attestation/judge.h is this without
// a cache. Source: docs/spec/evidence/tdx.md.
#pragma once

#include "attestation/judge.h"
#include "attestation/tdx/quote.h"
#include "attestation/tdx/verify.h"
#include "encoding/json.h"

namespace eml {

// judge_tdx with a cache gives the same verdict as without (docs/spec/evidence/tdx.md, section 9), in less time.
EvidenceVerdict judge_tdx(const EvidenceInput& input, tdx::VerifierCache& cache);

namespace tdx {

// quote_fields is what a quote says, by the names of the page (section 8), with `pck` if its certificate can be read.
// Nothing of it was verified.
Json quote_fields(const UnverifiedQuote& quote);

}  // namespace tdx
}  // namespace eml

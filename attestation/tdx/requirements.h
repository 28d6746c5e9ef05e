// Requirements: what a verifier asks of a genuine quote, as a closed JSON object.
// Source: docs/spec/evidence/tdx.md, section 7 and steps 13 and 15.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "attestation/tdx/tcb_status.h"
#include "attestation/tdx/verify.h"
#include "base/bytes.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml::tdx {

// Requirements: what is not set is not judged. The names are those of the page.
struct Requirements {
  std::optional<ByteArray<64>> report_data;
  std::optional<Hash48> mrtd;
  std::array<std::optional<Hash48>, 4> rtmr;
  bool allow_debug = true;
  bool require_sept_ve_disable = false;
  bool allow_service_td = true;
  std::optional<std::uint64_t> min_tcb_evaluation_data_number;
  std::optional<std::vector<TcbStatus>> accept_tcb_status;
};

// decode_requirements: null gives those that ask for nothing. kRequirements for an unknown member or another type.
Result<Requirements> decode_requirements(const Json* json);

// refuse_status is step 13: kTcbStatus for Revoked and TcbNotSupported, whatever is required.
Status refuse_status(const TcbVerdict& tcb);

// appraise_quote is step 15, in the order of the page's table.
Status appraise_quote(const VerifiedQuote& quote, const Requirements& requirements);

}  // namespace eml::tdx

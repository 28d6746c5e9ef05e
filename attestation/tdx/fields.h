// What a quote says as JSON, for people and for the corpus.
// Source: docs/spec/evidence/tdx.md, section 8.
#pragma once

#include <string_view>

#include "attestation/tdx/pck.h"
#include "attestation/tdx/quote.h"
#include "attestation/tdx/verify.h"
#include "encoding/json.h"

namespace eml::tdx {

// report_fields is `fields` without `pck`; pck_fields is that member.
JsonObject report_fields(const UnverifiedQuote& quote);
JsonObject pck_fields(const PckExtension& extension, std::string_view ca);

// verdict_details is `details` of a genuine quote.
JsonObject verdict_details(const VerifiedQuote& verified);

}  // namespace eml::tdx

// Properties: what decodes is cut from its own bytes, decodes again under zero padding and under no other; and nothing
// is valid or crashes without collateral.
#include <algorithm>
#include <cstdlib>

#include "attestation/tdx/errors.h"
#include "attestation/tdx/tdx.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

bool inside(eml::ByteView part, eml::ByteView whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void must_be_cut_from(const eml::tdx::UnverifiedQuote& quote, eml::ByteView bytes) {
  for (const eml::ByteView part :
       {quote.signed_bytes, quote.signature, quote.attestation_key, quote.key_certification, quote.qe_report_bytes,
        quote.qe_report_signature, quote.qe_auth_data, quote.cert_data}) {
    must(inside(part, bytes));
  }
  must(quote.signed_bytes.data() == bytes.data());
  must(quote.signature.size() == 64 && quote.attestation_key.size() == 64 && quote.qe_report_bytes.size() == 384);
}

void must_tolerate_zeros_only(eml::ByteView bytes) {
  if (bytes.size() == eml::tdx::kQuoteBytesMax) return;
  eml::Bytes padded = eml::to_bytes(bytes);
  padded.push_back(0);
  must(eml::tdx::decode_quote(padded).has_value());
  padded.back() = 1;
  const auto refused = eml::tdx::decode_quote(padded);
  must(!refused && refused.error().code() == eml::tdx::kTrailingData);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  const auto verdict = eml::judge_tdx({.evidence = bytes});
  must(verdict.error.has_value());
  const auto quote = eml::tdx::decode_quote(bytes);
  if (!quote) return 0;
  must(verdict.fields.is_object());
  must_be_cut_from(*quote, bytes);
  must_tolerate_zeros_only(bytes);
  return 0;
}

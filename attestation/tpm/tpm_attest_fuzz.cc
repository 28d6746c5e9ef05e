// Properties: what decodes without trailing bytes is cut short by no byte; the selection is written in the bytes that
// were signed; the list of values never gives a digest of another selection.
#include <boost/json/object.hpp>
#include <cstdlib>

#include "attestation/tpm/tpm.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  if (const auto bank = eml::decode_pcr_bank(bytes)) {
    for (const auto& [index, value] : bank->pcrs) must(index < 32 && value.size() == eml::tpm_hash_size(bank->hash));
  }
  const auto quote = eml::decode_tpm_quote(bytes);
  if (!quote) return 0;
  must(quote->trailing_bytes < size);
  const eml::ByteView whole = bytes.first(size - quote->trailing_bytes);
  const auto again = eml::decode_tpm_quote(whole);
  must(again && again->trailing_bytes == 0);
  must(eml::tpm_quote_fields(*quote) == eml::tpm_quote_fields(*again));
  must(!eml::decode_tpm_quote(whole.first(whole.size() - 1)));
  std::size_t selected = 0;
  for (const eml::PcrSelection& each : quote->pcr_select) selected += each.pcrs.size();
  must(quote->pcr_select_bytes.size() <= 4 + 7 * quote->pcr_select.size());
  must(selected != 0 || !eml::expect_pcrs(*quote, eml::kTpmSha256, {.hash = eml::kTpmSha256, .pcrs = {}}));
  return 0;
}

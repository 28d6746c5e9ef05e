// Property: there are at most three endorsements, none empty or much larger than the table; the list is bytes of it,
// and the chain is PEM to its end.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "attester/snp_certificates.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using eml::SnpSigningKey;
  const eml::ByteView table(data, size);
  for (const auto key : {SnpSigningKey::kVcek, SnpSigningKey::kVlek}) {
    const auto endorsements = eml::snp_endorsements(table, key, 0);
    if (!endorsements) continue;
    require(endorsements->size() <= 3);
    for (const auto& item : *endorsements) {
      const std::string_view bytes = eml::as_text(item.bytes);
      require(!bytes.empty() && bytes.size() <= 3 * size + 256);
      require(item.name != "crl" || eml::as_text(table).find(bytes) != std::string_view::npos);
      require(item.name != "ca_chain" || bytes.ends_with("-----END CERTIFICATE-----\n"));
    }
  }
  (void)eml::snp_signing_key(table);
  return 0;
}

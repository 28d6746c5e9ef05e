// Properties: a TPM public that decodes has a key that decodes again, a name over exactly its bytes, and is the same in
// its TPM2B; one byte more or less is no TPM public.
#include <cstdlib>

#include "attestation/tpm/structures.h"
#include "crypto/tpm_hash.h"
#include "encoding/reader.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  static_cast<void>(eml::decode_tpm2b_public(bytes));
  const auto decoded = eml::decode_tpmt_public(bytes);
  if (!decoded) return 0;
  must(eml::PublicKey::decode_spki(decoded->key.spki()).has_value());
  must(eml::equal(eml::ByteView(decoded->name).subspan(2), eml::tpm_hash(decoded->name_algorithm, {bytes})));
  eml::Writer wrapped;
  wrapped.u16(static_cast<std::uint16_t>(size)).bytes(bytes);
  const auto again = eml::decode_tpm2b_public(wrapped.view());
  must(again && again->name == decoded->name);
  must(!eml::decode_tpmt_public(bytes.first(size - 1)));
  must(!eml::decode_tpmt_public(eml::concat(bytes, eml::Bytes(1))));
  return 0;
}

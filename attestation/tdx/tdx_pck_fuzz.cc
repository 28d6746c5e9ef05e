// Properties: the SGX extension decodes or not, and never both with a byte more.
#include <cstdlib>

#include "attestation/tdx/errors.h"
#include "attestation/tdx/pck.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto extension = eml::tdx::decode_pck_extension({data, size});
  if (!extension) {
    if (extension.error().code() != eml::tdx::kPckExtension) std::abort();
    return 0;
  }
  eml::Bytes longer(data, data + size);
  longer.push_back(0);
  if (eml::tdx::decode_pck_extension(longer)) std::abort();
  return 0;
}

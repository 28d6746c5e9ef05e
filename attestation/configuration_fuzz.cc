// Property: a configuration that decodes encodes to the same bytes.
#include <cstdlib>

#include "attestation/configuration.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  const auto configuration = eml::decode_configuration(bytes);
  if (configuration && !eml::equal(eml::encode_configuration(*configuration), bytes)) std::abort();
  return 0;
}

// Property: a text that decodes is the one encoding of its bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "encoding/base64.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = eml::as_text({data, size});
  if (const auto bytes = eml::from_base64(text); bytes && eml::base64(*bytes) != text) std::abort();
  if (const auto bytes = eml::from_base64url(text); bytes && eml::base64url(*bytes) != text) std::abort();
  if (eml::from_base64(eml::base64({data, size})) != eml::to_bytes(text)) std::abort();
  if (eml::from_base64url(eml::base64url({data, size})) != eml::to_bytes(text)) std::abort();
  return 0;
}

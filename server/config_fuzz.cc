// A configuration that is read is written back to one that reads the same; anything else is one failure with a line.
#include <cstdlib>

#include "server/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = eml::read_serve_config(eml::as_text({data, size}));
  if (!config) {
    if (config.error().to_string().empty()) std::abort();
    return 0;
  }
  const std::string text = eml::to_toml(*config);
  const auto again = eml::read_serve_config(text);
  if (!again || eml::to_toml(*again) != text) std::abort();
  return 0;
}

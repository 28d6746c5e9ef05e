// A manifest that decodes encodes to canonical bytes that decode to the same manifest and the same model hash; the old
// system's manifest takes the same road.
#include <cstdint>
#include <cstdlib>

#include "package/import.h"
#include "package/manifest.h"

// libFuzzer fixes this name.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView input(data, size);
  if (const auto manifest = eml::decode_manifest(input)) {
    const eml::Bytes encoded = eml::encode_manifest(*manifest);
    const auto again = eml::decode_manifest(encoded);
    if (!again || eml::encode_manifest(*again) != encoded) std::abort();
    if (eml::model_hash(*again) != eml::model_hash(*manifest)) std::abort();
    if (eml::check_members(*manifest, manifest->package_names()).has_value() == false) std::abort();
  }
  static_cast<void>(eml::verify_manifest(input));
  static_cast<void>(eml::decode_old_manifest(input));
  return 0;
}

// Properties: what decodes signs what it says (its Sig_structure holds the payload's bytes as they arrived), every
// length keeps its bound, and no input is valid under the built-in root at time 0, before any certificate's date.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "attestation/judge.h"
#include "attestation/nitro/document.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  require(eml::judge_nitro({.evidence = bytes, .time = 0}).error.has_value());
  const auto decoded = eml::UnverifiedNitroDocument::decode(bytes);
  if (!decoded) return 0;
  const eml::NitroDocument& document = decoded->document();
  require(!document.module_id.empty() && document.timestamp_ms > 0);
  require(!document.pcrs.empty() && document.pcrs.size() <= eml::kNitroPcrCountMax);
  require(!document.cabundle.empty() && document.cabundle.size() <= eml::kNitroBundleMax);
  require(decoded->signed_bytes().size() <= size + 32);
  return 0;
}

// Properties: a report that decodes is split without a gap into what is signed and the signature, its fields lie in it,
// and nothing is valid without a chain.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "attestation/judge.h"
#include "attestation/nvidia/spdm.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  require(eml::judge_nvidia({.evidence = bytes, .time = 0}).error.has_value());
  const auto report = eml::UnverifiedGpuReport::decode(bytes);
  if (!report) return 0;
  require(report->signed_bytes().size() + report->signature().size() == size);
  require(report->signature().size() == 96 && !report->measurements().empty());
  require(report->vbios_version().size() <= size);
  return 0;
}

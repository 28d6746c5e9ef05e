// Properties: a pair of tokens that decodes keeps its bounds, and none is valid without a key set or with an empty one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "attestation/judge.h"
#include "attestation/nvidia/nras.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  const eml::Collateral collateral{{"jwks", eml::to_bytes(eml::as_bytes("{\"keys\":[]}"))}};
  require(eml::judge_nvidia({.evidence = bytes, .time = 0}).error.has_value());
  require(eml::judge_nvidia({.evidence = bytes, .collateral = &collateral, .time = 0}).error.has_value());
  const auto tokens = eml::UnverifiedNrasTokens::decode(bytes);
  if (!tokens) return 0;
  require(tokens->devices.size() <= eml::kNrasDevicesMax && tokens->overall.size() <= size);
  return 0;
}

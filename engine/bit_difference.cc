#include "engine/bit_difference.h"

#include <bit>

namespace eml {
namespace {

// Floats in their order as integers: neighbours are neighbours, also through zero.
std::int64_t place(float value) {
  constexpr std::uint32_t kSign = 0x80000000U;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits & kSign) != 0 ? -std::int64_t{bits & ~kSign} - 1 : std::int64_t{bits};
}

std::uint32_t ulps_between(float a, float b) {
  const std::int64_t difference = place(a) - place(b);
  return static_cast<std::uint32_t>(difference < 0 ? -difference : difference);
}

}  // namespace

std::optional<BitDifference> compare_bits(std::span<const float> wanted, std::span<const float> got) {
  std::optional<BitDifference> out;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (std::bit_cast<std::uint32_t>(wanted[i]) == std::bit_cast<std::uint32_t>(got[i])) continue;
    if (!out) out = {.first = i, .wanted = wanted[i], .got = got[i], .ulps = ulps_between(wanted[i], got[i])};
    ++out->count;
  }
  return out;
}

}  // namespace eml

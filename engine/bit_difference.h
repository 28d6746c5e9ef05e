// Comparing two runs of an inference: by the bits of their numbers, as replay demands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace eml {

// BitDifference says where two runs of numbers differ first, and by how much there.
struct BitDifference {
  std::size_t first = 0;  // index of the first element whose bits differ
  std::size_t count = 0;  // elements that differ
  float wanted = 0;       // the two values at `first`
  float got = 0;
  std::uint32_t ulps = 0;  // steps from one to the other through all floats between them; -0 and 0 are one apart
};

// compare_bits returns nothing if all bits are equal. Precondition: the same size.
std::optional<BitDifference> compare_bits(std::span<const float> wanted, std::span<const float> got);

}  // namespace eml

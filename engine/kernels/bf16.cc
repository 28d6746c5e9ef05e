#include "engine/kernels/bf16.h"

namespace eml::kernels::bf16 {

bool pack(const KernelTable& /*rows*/, const PackArgs& args) {
  auto* words = static_cast<std::uint32_t*>(args.packed);
  const std::size_t depth = args.shape.depth;
  std::uint32_t worst = 0;
  for (std::size_t n = 0; n < args.columns; ++n) {
    const float* from = args.weight + n * depth;
    std::uint32_t* to = words + word_index(depth, args.column_begin + n, 0);
    for (std::size_t k = 0; k < depth; k += 2) {
      const std::uint32_t even = round_bits(from[k]);
      const std::uint32_t odd = round_bits(from[k + 1]);
      to[k / 2 * kPanelColumns] = even >> 16 | odd;
      const std::uint32_t larger = (even & 0x7fffffffU) > (odd & 0x7fffffffU) ? even : odd;
      worst = (larger & 0x7fffffffU) > worst ? larger & 0x7fffffffU : worst;
    }
  }
  return worst < 0x7f800000U;
}

}  // namespace eml::kernels::bf16

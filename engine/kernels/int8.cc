#include "engine/kernels/int8.h"

#include <cmath>

namespace eml::kernels::int8 {

bool pack(const KernelTable& /*rows*/, const PackArgs& args) {
  const Matrix to = matrix_at(args.packed, args.shape);
  for (std::size_t i = 0; i < args.columns; ++i) {
    const float* from = args.weight + i * args.shape.depth;
    const std::size_t n = args.column_begin + i;
    float largest = 0;
    for (std::size_t k = 0; k < args.shape.depth; ++k)
      largest = std::fabs(from[k]) > largest ? std::fabs(from[k]) : largest;
    const Column column = column_scale(largest);
    to.scales[n] = column.scale;
    for (std::size_t k = 0; k < args.shape.depth; ++k) {
      const std::int32_t q = clamp(nearest(from[k] * column.inverse), -64, 64);
      to.bytes[to.index(n, k)] = static_cast<std::int8_t>(q);
      to.sums[k / kDepthRange * to.columns + n] += q;  // zero before: packed memory is
    }
  }
  return true;
}

}  // namespace eml::kernels::int8

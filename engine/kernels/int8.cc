#include "engine/kernels/int8.h"

#include <cmath>
#include <vector>

namespace eml::kernels::int8 {
namespace {

// A rotation's inverse is itself divided by its order, which is a power of two: the weights take the division.
void rotate_weights(std::vector<float>& w) {
  for (std::size_t k = 0; k < w.size();) {
    const std::size_t n = rotation_at(k, w.size());
    rotate(w.data() + k, n);
    for (std::size_t i = 0; i < n; ++i) w[k + i] = w[k + i] * (1.0F / static_cast<float>(n));
    k += n;
  }
}

}  // namespace

bool pack(const KernelTable& /*rows*/, const PackArgs& args) {
  const Matrix to = matrix_at(args.packed, args.shape);
  bool finite = true;
  for (std::size_t i = 0; i < args.columns; ++i) {
    const float* from = args.weight + i * args.shape.depth;
    const std::size_t n = args.column_begin + i;
    std::vector<float> w(from, from + args.shape.depth);
    rotate_weights(w);
    float largest = 0;
    for (const float x : w) {
      largest = std::fabs(x) > largest ? std::fabs(x) : largest;
      finite = finite && std::isfinite(x);
    }
    if (!finite) return false;
    const Column column = column_scale(largest);
    to.scales[n] = column.scale;
    for (std::size_t k = 0; k < args.shape.depth; ++k) {
      const std::int32_t q = clamp(nearest(w[k] * column.inverse), -kWeightLimit, kWeightLimit);
      to.bytes[to.index(n, k)] = static_cast<std::int8_t>(q);
      to.sums[k / kDepthRange * to.columns + n] += q;  // zero before: packed memory is
    }
  }
  return true;
}

}  // namespace eml::kernels::int8

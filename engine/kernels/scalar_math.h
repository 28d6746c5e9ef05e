// The functions of docs/spec/numerics.md, 1 and 2, one value at a time: for the scalar kernels of every profile.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "engine/kernels/constants.h"

namespace eml::kernels::scalar_math {

// One rounding for product and sum, on every machine: in hardware where it is, else in the C library.
inline float fma(float a, float b, float c) { return std::fma(a, b, c); }

// b if either is a NaN.
inline float max(float a, float b) { return a > b ? a : b; }
inline float min(float a, float b) { return a < b ? a : b; }

template <std::size_t n>
float polynomial(const std::array<float, n>& ascending, float x) {
  float p = ascending[n - 1];
  for (std::size_t i = n - 1; i-- > 0;) p = fma(p, x, ascending[i]);
  return p;
}

// 2^t for t <= 0.
inline float exp2(float t) {
  t = max(kExp2Min, t);
  const float shifted = t + kRound;
  const float fraction = t - (shifted - kRound);
  const float p = polynomial(kExp2Poly, fraction);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) + (std::bit_cast<std::uint32_t>(shifted) << 23));
}

// x Phi(x) = max(x, 0) - u Phi(-u) with u = |x|, and Phi(-u) = 2^-poly(u).
inline float gelu(float x) {
  const float u = min(std::fabs(x), kGeluMax);
  return fma(-u, exp2(-polynomial(kGeluPoly, u)), max(0.0F, x));
}

// Lanes are added in halves: l and l + 8, then l and l + 4, l + 2, l + 1.
inline float sum_lanes(std::array<float, kLanes> lanes) {
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lanes[l] = lanes[l] + lanes[l + half];
  }
  return lanes[0];
}

// The largest of `n` scores becomes 2^0; returns 1 / the sum of what they become.
inline float softmax(float* scores, std::size_t n, float scale_log2) {
  float highest = scores[0];
  for (std::size_t j = 1; j < n; ++j) highest = max(highest, scores[j]);
  std::array<float, kLanes> lanes{};
  for (std::size_t j = 0; j < n; ++j) {
    scores[j] = exp2((scores[j] - highest) * scale_log2);
    lanes[j % kLanes] = lanes[j % kLanes] + scores[j];
  }
  return 1.0F / sum_lanes(lanes);
}

}  // namespace eml::kernels::scalar_math

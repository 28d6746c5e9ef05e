// The constants of numerics profile fp32, used by every table. Source: docs/spec/numerics.md.
#pragma once

#include <array>
#include <cstddef>

namespace eml::kernels {

// Reductions run in this many lanes: lane l takes the elements i with i mod kLanes = l, in ascending order.
inline constexpr std::size_t kLanes = 16;

// 1.5 * 2^23: adding it to a |t| < 2^22 rounds t to an integer, nearest even, which then stands in the low bits.
inline constexpr float kRound = 12582912.0F;

// exp2 takes no argument below this: 2^-100 vanishes beside a sum that is at least 1, and its products with
// activations stay clear of denormals, which are slow.
inline constexpr float kExp2Min = -100.0F;

// 2^f on [-1/2, 1/2]: minimax in relative error, 1.9e-9 before rounding; ascending powers.
inline constexpr std::array<float, 7> kExp2Poly = {0x1p+0F,        0x1.62e43p-1F,   0x1.ebfbdap-3F, 0x1.c6aed4p-5F,
                                                   0x1.3b2dbcp-7F, 0x1.5f456ap-10F, 0x1.41d334p-13F};

// -log2(Phi(-u)) on [0, 6], Phi the normal distribution: minimax, weighted so that u * Phi(-u) has an absolute error
// of 6e-8 before rounding; ascending powers.
inline constexpr float kGeluMax = 6.0F;
inline constexpr std::array<float, 8> kGeluPoly = {0x1.fffffap-1F,  0x1.26af78p+0F,  0x1.d623a2p-2F,  0x1.b06986p-5F,
                                                   -0x1.ec1016p-8F, 0x1.035edcp-11F, 0x1.1072b6p-15F, -0x1.9aa796p-18F};

}  // namespace eml::kernels

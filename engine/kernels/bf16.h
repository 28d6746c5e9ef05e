// What all kernels of profile bf16 share: the rounding, and how weights lie in memory. Source:
// docs/spec/numerics.md, 4.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/kernels/profile.h"

namespace eml::kernels::bf16 {

// Products are summed in blocks of this many k: a tile of TDPBF16PS.
inline constexpr std::size_t kBlock = 32;
// Two k, even in the low half, share a word; a panel is 16 columns of words, one row after the other: a tile's rows.
inline constexpr std::size_t kPairsPerBlock = kBlock / 2;
inline constexpr std::size_t kPanelColumns = 16;

// Below 2^-56 a factor becomes zero. The last place of any other is at least 2^-63, so that of a product at least
// 2^-126: no product and no sum is ever denormal, and it does not matter that TDPBF16PS flushes denormals, or when.
inline constexpr std::uint32_t kLeastBits = (127U - 56U) << 23;

// round_to_bf16 gives the nearest bfloat16, ties to even, as the upper half of the result.
inline std::uint32_t round_bits(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7fffffffU) < kLeastBits) return 0;
  return (bits + 0x7fffU + ((bits >> 16) & 1U)) & 0xffff0000U;
}
inline float round(float x) { return std::bit_cast<float>(round_bits(x)); }

// word_index is where the pair (k, k + 1) of a column is, in words, for even k.
inline std::size_t word_index(std::size_t depth, std::size_t column, std::size_t k) {
  return column / kPanelColumns * kPanelColumns * (depth / 2) + k / 2 * kPanelColumns + column % kPanelColumns;
}

inline std::size_t packed_bytes(const KernelTable& /*rows*/, const MatrixShape& shape) {
  return shape.columns * shape.depth * sizeof(std::uint16_t);
}

bool pack(const KernelTable& rows, const PackArgs& args);

// Tiles read whole blocks of rows, so the buffer has room for them.
inline constexpr std::size_t kRowStep = 32;

// Activations as floats that are bfloat16 values; an odd number of cache lines a row.
inline std::size_t operand_stride(std::size_t depth) { return (depth * sizeof(float) / 64 | 1U) * 64; }

inline std::size_t operand_bytes(std::size_t rows, std::size_t depth) {
  return (rows + kRowStep - 1) / kRowStep * kRowStep * operand_stride(depth);
}

// Attention's scratch memory for one head: keys and values packed, the operands of a block of queries, its scores.
struct Scratch {
  std::uint32_t* keys;
  std::uint32_t* values;
  std::byte* queries;
  std::byte* probabilities;
  float* scores;
};

inline std::size_t whole_keys(std::size_t tokens) { return (tokens + kKeyStep - 1) / kKeyStep * kKeyStep; }

inline std::size_t attention_scratch(std::size_t tokens, std::size_t head_size) {
  const std::size_t keys = whole_keys(tokens);
  return keys * head_size + (operand_bytes(kRowStep, head_size) + operand_bytes(kRowStep, keys)) / sizeof(float) +
         kRowStep * keys;
}

inline Scratch divide(float* scratch, std::size_t tokens, std::size_t head_size) {
  const std::size_t keys = whole_keys(tokens);
  auto* bytes = reinterpret_cast<std::byte*>(scratch);
  Scratch out{};
  out.keys = reinterpret_cast<std::uint32_t*>(scratch);
  out.values = out.keys + keys * head_size / 2;
  out.queries = bytes + keys * head_size * sizeof(float);
  out.probabilities = out.queries + operand_bytes(kRowStep, head_size);
  out.scores = reinterpret_cast<float*>(out.probabilities + operand_bytes(kRowStep, keys));
  return out;
}

}  // namespace eml::kernels::bf16

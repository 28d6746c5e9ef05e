// What all kernels of profile int8 share: the quantisation of weights, and how both factors lie in memory.
// Source: docs/spec/numerics.md, 5.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/kernels/constants.h"
#include "engine/kernels/profile.h"

namespace eml::kernels::int8 {

// Activations are 0 ... 255, weights -127 ... 127. AVX2 multiplies them as 16-bit integers: as bytes (VPMADDUBSW) it
// adds two products in 16 bits, which would saturate there and nowhere else.
inline constexpr float kActivationMax = 255.0F;
inline constexpr float kWeightMax = 127.0F;
inline constexpr std::int32_t kWeightLimit = 127;

// Both factors of a linear layer are rotated in blocks of this many k, what is left of a depth in blocks of the
// smaller.
inline constexpr std::size_t kRotation = 128;
inline constexpr std::size_t kRotationRest = 32;

// The size of the block that begins at k, of a depth (or a range of k) of `depth`.
inline std::size_t rotation_at(std::size_t k, std::size_t depth) {
  return k + kRotation <= depth ? kRotation : kRotationRest;
}

// rotate multiplies n values (a power of two) by the Hadamard matrix of that order, in place.
inline void rotate(float* x, std::size_t n) {
  for (std::size_t half = n / 2; half > 0; half /= 2) {
    for (std::size_t block = 0; block < n; block += 2 * half) {
      for (std::size_t i = block; i < block + half; ++i) {
        const float a = x[i];
        const float b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
    }
  }
}

// Ranges narrower than this are taken for zero: their reciprocal would overflow.
inline constexpr float kRangeMin = 0x1p-100F;

// Four k share a word; a panel is 16 columns of words. Depths are padded with zeros to what a tile takes at once.
inline constexpr std::size_t kPanelColumns = 16;
inline constexpr std::size_t kDepthStep = 64;
inline constexpr std::size_t kRowStep = 32;

inline std::size_t whole_depth(std::size_t depth) { return (depth + kDepthStep - 1) / kDepthStep * kDepthStep; }
inline std::size_t groups(std::size_t depth) { return (depth + kDepthRange - 1) / kDepthRange; }

// Matrix is a packed weight: bytes, then one scale a column, then for each group of k one sum of bytes a column.
struct Matrix {
  std::int8_t* bytes;
  float* scales;
  std::int32_t* sums;  // groups x columns
  std::size_t columns;
  std::size_t depth;  // whole

  std::size_t index(std::size_t column, std::size_t k) const {
    return column / kPanelColumns * kPanelColumns * depth + k / 4 * 4 * kPanelColumns + column % kPanelColumns * 4 +
           k % 4;
  }
};

inline std::size_t matrix_bytes(const MatrixShape& shape) {
  return shape.columns * (whole_depth(shape.depth) + sizeof(float) + groups(shape.depth) * sizeof(std::int32_t));
}

inline Matrix matrix_at(void* packed, const MatrixShape& shape) {
  Matrix out{};
  out.columns = shape.columns;
  out.depth = whole_depth(shape.depth);
  out.bytes = static_cast<std::int8_t*>(packed);
  void* scales = out.bytes + out.columns * out.depth;
  out.scales = static_cast<float*>(scales);
  void* sums = out.scales + out.columns;
  out.sums = static_cast<std::int32_t*>(sums);
  return out;
}

inline std::size_t packed_bytes(const KernelTable& /*rows*/, const MatrixShape& shape) { return matrix_bytes(shape); }

bool pack(const KernelTable& rows, const PackArgs& args);

// Group is the scale of one row's group of activations: x is about scale * (byte - zero). Zero is an integer, as a
// float because vector units multiply that faster.
struct Group {
  float scale;
  float zero;
};

// An operand's row: whole_depth(depth) elements, of one byte or (AVX2) two, then its groups; an odd number of cache
// lines.
template <class Element>
std::size_t operand_stride(std::size_t depth) {
  const std::size_t bytes = whole_depth(depth) * sizeof(Element) + groups(depth) * sizeof(Group);
  return ((bytes + 63) / 64 | 1U) * 64;
}

template <class Element>
std::size_t operand_bytes(std::size_t rows, std::size_t depth) {
  return (rows + kRowStep - 1) / kRowStep * kRowStep * operand_stride<Element>(depth);
}

// Row is one of an operand's.
template <class Element>
struct Row {
  Element* elements;
  Group* groups;
};

template <class Element>
Row<Element> row_at(void* buffer, std::size_t stride, std::size_t depth, std::size_t r) {
  void* at = static_cast<std::byte*>(buffer) + r * stride;
  auto* elements = static_cast<Element*>(at);
  void* groups = elements + whole_depth(depth);
  return {.elements = elements, .groups = static_cast<Group*>(groups)};
}

// Attention's scratch memory for one head: keys and values packed, the operands of a block of queries, its scores.
struct Scratch {
  Matrix keys;
  Matrix values;
  float* value_scales;  // one a key
  void* queries;
  void* probabilities;
  float* scores;
};

inline std::size_t whole_keys(std::size_t tokens) { return (tokens + kKeyStep - 1) / kKeyStep * kKeyStep; }

inline std::size_t lines(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

template <class Element>
std::size_t attention_scratch(std::size_t tokens, std::size_t head_size) {
  const std::size_t keys = whole_keys(tokens);
  const std::size_t bytes = lines(matrix_bytes({.columns = keys, .depth = head_size})) +
                            lines(matrix_bytes({.columns = head_size, .depth = keys})) + lines(keys * sizeof(float)) +
                            operand_bytes<Element>(kRowStep, head_size) + operand_bytes<Element>(kRowStep, keys);
  return bytes / sizeof(float) + kRowStep * keys;
}

template <class Element>
Scratch divide(float* scratch, std::size_t tokens, std::size_t head_size) {
  const MatrixShape keys{.columns = whole_keys(tokens), .depth = head_size};
  const MatrixShape values{.columns = head_size, .depth = keys.columns};
  void* memory = scratch;
  auto* at = static_cast<std::byte*>(memory);
  const auto take = [&](std::size_t bytes) {
    void* out = at;
    at += bytes;
    return out;
  };
  Scratch out{};
  out.keys = matrix_at(take(lines(matrix_bytes(keys))), keys);
  out.values = matrix_at(take(lines(matrix_bytes(values))), values);
  out.value_scales = static_cast<float*>(take(lines(keys.columns * sizeof(float))));
  out.queries = take(operand_bytes<Element>(kRowStep, head_size));
  out.probabilities = take(operand_bytes<Element>(kRowStep, keys.columns));
  out.scores = static_cast<float*>(take(0));
  return out;
}

// nearest rounds |x| < 2^22 to an integer, ties to even.
inline std::int32_t nearest(float x) {
  return std::bit_cast<std::int32_t>(x + kRound) - std::bit_cast<std::int32_t>(kRound);
}

inline std::int32_t clamp(std::int32_t x, std::int32_t least, std::int32_t most) {
  return x < least ? least : x > most ? most : x;
}

// Column is how a matrix's column is quantised, from its largest magnitude.
struct Column {
  float scale;
  float inverse;
};
inline Column column_scale(float largest) {
  if (largest < kRangeMin) return {.scale = 0, .inverse = 0};
  return {.scale = largest / kWeightMax, .inverse = kWeightMax / largest};
}

// Range is how a group of activations is quantised, from its least and largest value and zero.
struct Range {
  float scale;
  float inverse;
  std::int32_t zero;

  Group group() const { return {.scale = scale, .zero = static_cast<float>(zero)}; }
};
inline Range range_scale(float least, float largest) {
  const float width = largest - least;
  if (width < kRangeMin) return {.scale = 0, .inverse = 0, .zero = 0};
  const float inverse = kActivationMax / width;
  return {.scale = width / kActivationMax, .inverse = inverse, .zero = nearest(-least * inverse)};
}

// A group with an infinity or a NaN has this scale, and no other content: whatever is computed from it is a NaN.
inline constexpr float kNotFinite = std::bit_cast<float>(0x7fc00000U);
inline constexpr std::int32_t kInfinityBits = 0x7f800000;

}  // namespace eml::kernels::int8

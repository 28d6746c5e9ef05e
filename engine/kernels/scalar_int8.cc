// docs/spec/numerics.md, profile int8, in C++ and nothing else: readable, unoptimised, the judge of the others.
#include <algorithm>
#include <array>
#include <cmath>

#include "engine/kernels/int8.h"
#include "engine/kernels/profiles_of.h"
#include "engine/kernels/scalar_math.h"

namespace eml::kernels {
namespace {

using namespace scalar_math;
using Row = int8::Row<std::uint8_t>;

// One group of one row.
int8::Group quantise(std::uint8_t* to, const float* x, std::size_t n) {
  float least = 0;
  float largest = 0;
  bool finite = true;
  for (std::size_t k = 0; k < n; ++k) {
    least = min(least, x[k]);
    largest = max(largest, x[k]);
    finite = finite && std::isfinite(x[k]);
  }
  if (!finite) {
    std::fill_n(to, n, std::uint8_t{0});
    return {.scale = int8::kNotFinite, .zero = 0};
  }
  const int8::Range range = int8::range_scale(least, largest);
  for (std::size_t k = 0; k < n; ++k) {
    const std::int32_t q = int8::nearest(x[k] * range.inverse) + range.zero;
    to[k] = static_cast<std::uint8_t>(int8::clamp(q, 0, 255));
  }
  return range.group();
}

void quantise_row(const Row& to, const float* x, std::size_t depth) {
  for (std::size_t k = 0; k < depth; k += kDepthRange) {
    to.groups[k / kDepthRange] = quantise(to.elements + k, x + k, std::min(kDepthRange, depth - k));
  }
  std::fill(to.elements + depth, to.elements + int8::whole_depth(depth), std::uint8_t{0});
}

// A linear layer's activations are rotated before; attention's are not.
Operand prepare(const PrepareArgs& args) {
  const std::size_t stride = int8::operand_stride<std::uint8_t>(args.depth);
  for (std::size_t r = 0; r < args.rows; ++r) {
    const Row to = int8::row_at<std::uint8_t>(args.buffer, stride, args.depth, r);
    for (std::size_t k = 0; k < args.depth; k += kDepthRange) {
      const std::size_t n = std::min(kDepthRange, args.depth - k);
      std::array<float, kDepthRange> x{};
      std::copy_n(args.a + r * args.lda + k, n, x.begin());
      for (std::size_t i = 0; i < n; i += int8::rotation_at(i, n)) int8::rotate(&x[i], int8::rotation_at(i, n));
      to.groups[k / kDepthRange] = quantise(to.elements + k, x.data(), n);
    }
    std::fill(to.elements + args.depth, to.elements + int8::whole_depth(args.depth), std::uint8_t{0});
  }
  return {.data = args.buffer, .stride = stride};
}

// Of the k from `begin` to `end` of one column. `a` has its first group at `begin`.
float sum_groups(float sum, const Row& a, const int8::Matrix& w, std::size_t n, std::size_t begin, std::size_t end) {
  for (std::size_t k0 = begin; k0 < end; k0 += kDepthRange) {
    std::int32_t dot = 0;
    for (std::size_t k = k0; k < std::min(end, k0 + kDepthRange); ++k)
      dot += a.elements[k - begin] * w.bytes[w.index(n, k)];
    const int8::Group& group = a.groups[(k0 - begin) / kDepthRange];
    dot -= static_cast<std::int32_t>(group.zero) * w.sums[k0 / kDepthRange * w.columns + n];
    sum = fma(static_cast<float>(dot) * group.scale, w.scales[n], sum);
  }
  return sum;
}

void linear(const KernelTable& /*rows*/, const MatrixArgs& args) {
  // Read only; matrices are written by pack and, in attention, by their owner.
  const int8::Matrix w = int8::matrix_at(const_cast<void*>(args.packed), args.shape);
  void* operand = const_cast<void*>(args.a.data);
  for (std::size_t r = 0; r < args.rows; ++r) {
    const Row a = int8::row_at<std::uint8_t>(operand, args.a.stride, args.depth_end - args.depth_begin, r);
    float* out = args.out + r * args.ldo;
    for (std::size_t n = args.column_begin; n < args.column_end; ++n) {
      const std::size_t column = n - args.column_begin;
      float sum = sum_groups(args.resume ? out[column] : args.bias[n], a, w, n, args.depth_begin, args.depth_end);
      if (args.epilogue == Epilogue::kGelu) sum = gelu(sum);
      if (args.epilogue == Epilogue::kResidual) sum = sum + args.residual[r * args.ldr + column];
      out[column] = sum;
    }
  }
}

// How n elements with one scale are quantised; NaN and infinite ones make it a NaN.
int8::Column scale_of(const float* x, std::size_t n) {
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (!std::isfinite(x[i])) return {.scale = int8::kNotFinite, .inverse = 0};
    largest = max(largest, std::fabs(x[i]));
  }
  return int8::column_scale(largest);
}

void put(const int8::Matrix& to, std::size_t n, std::size_t k, float x, const int8::Column& column) {
  const bool finite = !std::isnan(column.scale);
  const std::int32_t q = finite ? int8::nearest(x * column.inverse) : 0;
  to.bytes[to.index(n, k)] = static_cast<std::int8_t>(int8::clamp(q, -int8::kWeightLimit, int8::kWeightLimit));
  to.sums[k / kDepthRange * to.columns + n] += to.bytes[to.index(n, k)];
}

void clear(const int8::Matrix& to) {
  std::fill_n(to.bytes, to.columns * to.depth, std::int8_t{0});
  std::fill_n(to.sums, int8::groups(to.depth) * to.columns, 0);
}

// A key is a column of depth head_size. An element of the value is a column whose depth is the keys, but what has a
// scale is a key's whole value: it goes to that key's probability.
void pack_head(const AttentionArgs& args, const int8::Scratch& scratch, std::size_t head) {
  const float* k = args.qkv + (args.heads + head) * args.head_size;
  const float* v = k + args.heads * args.head_size;
  clear(scratch.keys);
  clear(scratch.values);
  std::fill_n(scratch.values.scales, args.head_size, 1.0F);
  for (std::size_t j = 0; j < args.tokens; ++j) {
    const int8::Column key = scale_of(k + j * args.ld, args.head_size);
    const int8::Column value = scale_of(v + j * args.ld, args.head_size);
    scratch.keys.scales[j] = key.scale;
    scratch.value_scales[j] = value.scale;
    for (std::size_t d = 0; d < args.head_size; ++d) {
      put(scratch.keys, j, d, k[j * args.ld + d], key);
      put(scratch.values, d, j, v[j * args.ld + d], value);
    }
  }
}

void attend(const AttentionArgs& args, const int8::Scratch& scratch, std::size_t head, std::size_t row) {
  const std::size_t keys = int8::whole_keys(args.tokens);
  const Row query = int8::row_at<std::uint8_t>(scratch.queries, 0, args.head_size, 0);
  quantise_row(query, args.qkv + row * args.ld + head * args.head_size, args.head_size);
  float* e = scratch.scores;
  for (std::size_t j = 0; j < args.tokens; ++j) e[j] = sum_groups(0, query, scratch.keys, j, 0, args.head_size);
  const float inverse = softmax(e, args.tokens, args.scale_log2);
  for (std::size_t j = 0; j < keys; ++j) e[j] = j < args.tokens ? e[j] * scratch.value_scales[j] : 0.0F;
  const Row p = int8::row_at<std::uint8_t>(scratch.probabilities, 0, keys, 0);
  quantise_row(p, e, keys);
  float* out = args.out + row * args.ldo + head * args.head_size;
  for (std::size_t d = 0; d < args.head_size; ++d) out[d] = sum_groups(0, p, scratch.values, d, 0, keys) * inverse;
}

void attention(const KernelTable& /*rows*/, const AttentionArgs& args) {
  const int8::Scratch scratch = int8::divide<std::uint8_t>(args.scratch, args.tokens, args.head_size);
  for (std::size_t head = 0; head < args.heads_here(); ++head) {
    pack_head(args, scratch, head);
    for (std::size_t row = 0; row < args.tokens; ++row) attend(args, scratch, head, row);
  }
}

}  // namespace

Profile int8_scalar() {
  return {.numerics = "int8",
          .kernels = "scalar",
          .rows = &scalar(),
          .packed_bytes = int8::packed_bytes,
          .pack = int8::pack,
          .operand_bytes = int8::operand_bytes<std::uint8_t>,
          .prepare = prepare,
          .linear = linear,
          .attention_scratch = int8::attention_scratch<std::uint8_t>,
          .attention = attention,
          .peak = {}};
}

}  // namespace eml::kernels

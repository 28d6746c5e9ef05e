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
  return {.scale = range.scale, .zero = range.zero};
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
    dot -= group.zero * w.sums[k0 / kDepthRange * w.columns + n];
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

// A column of `depth` elements that are `step` floats apart; NaN and infinite elements make its scale a NaN.
void quantise_column(const int8::Matrix& to, std::size_t n, const float* x, std::size_t depth, std::size_t step) {
  float largest = 0;
  bool finite = true;
  for (std::size_t k = 0; k < depth; ++k) {
    largest = max(largest, std::fabs(x[k * step]));
    finite = finite && std::isfinite(x[k * step]);
  }
  const int8::Column column =
      finite ? int8::column_scale(largest) : int8::Column{.scale = int8::kNotFinite, .inverse = 0};
  to.scales[n] = column.scale;
  for (std::size_t g = 0; g < int8::groups(to.depth); ++g) to.sums[g * to.columns + n] = 0;
  for (std::size_t k = 0; k < to.depth; ++k) {
    const bool there = k < depth && finite;
    const std::int32_t q =
        there ? int8::clamp(int8::nearest(x[k * step] * column.inverse), -int8::kWeightLimit, int8::kWeightLimit) : 0;
    to.bytes[to.index(n, k)] = static_cast<std::int8_t>(q);
    to.sums[k / kDepthRange * to.columns + n] += q;
  }
}

// A key is a column of depth head_size; an element of the value is a column whose depth is the keys.
void pack_head(const AttentionArgs& args, const int8::Scratch& scratch, std::size_t head) {
  const float* k = args.qkv + (args.heads + head) * args.head_size;
  const float* v = k + args.heads * args.head_size;
  for (std::size_t j = 0; j < args.tokens; ++j) quantise_column(scratch.keys, j, k + j * args.ld, args.head_size, 1);
  for (std::size_t d = 0; d < args.head_size; ++d) quantise_column(scratch.values, d, v + d, args.tokens, args.ld);
}

void attend(const AttentionArgs& args, const int8::Scratch& scratch, std::size_t head, std::size_t row) {
  const std::size_t keys = int8::whole_keys(args.tokens);
  const Row query = int8::row_at<std::uint8_t>(scratch.queries, 0, args.head_size, 0);
  quantise_row(query, args.qkv + row * args.ld + head * args.head_size, args.head_size);
  float* e = scratch.scores;
  for (std::size_t j = 0; j < args.tokens; ++j) e[j] = sum_groups(0, query, scratch.keys, j, 0, args.head_size);
  const float inverse = softmax(e, args.tokens, args.scale_log2);
  std::fill(e + args.tokens, e + keys, 0.0F);
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
          .attention = attention};
}

}  // namespace eml::kernels

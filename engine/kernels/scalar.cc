// docs/spec/numerics.md, profile fp32, in C++ and nothing else: readable, unoptimised, the judge of all other tables.
#include <array>
#include <cmath>
#include <cstring>

#include "engine/kernels/kernel_table.h"
#include "engine/kernels/scalar_math.h"

namespace eml::kernels {
namespace {

using namespace scalar_math;

void linear(const LinearArgs& args) {
  for (std::size_t r = 0; r < args.rows; ++r) {
    const float* a = args.a + r * args.lda;
    float* out = args.out + r * args.ldo;
    for (std::size_t n = args.column_begin; n < args.column_end; ++n) {
      const std::size_t column = n - args.column_begin;
      const float* w = args.packed + n * args.depth + args.depth_begin;  // a panel of one column
      float chain = args.resume ? out[column] : args.bias[n];
      for (std::size_t k = 0; k < args.depth_end - args.depth_begin; ++k) chain = fma(a[k], w[k], chain);
      if (args.epilogue == Epilogue::kGelu) chain = gelu(chain);
      if (args.epilogue == Epilogue::kResidual) chain = chain + args.residual[r * args.ldr + column];
      out[column] = chain;
    }
  }
}

// One query of one head; e receives the unnormalised probabilities.
void attend(const AttentionArgs& args, std::size_t head, std::size_t row, float* e) {
  const std::size_t width = args.heads * args.head_size;
  const float* q = args.qkv + row * args.ld + head * args.head_size;
  const float* k = args.qkv + width + head * args.head_size;
  const float* v = k + width;
  for (std::size_t j = 0; j < args.tokens; ++j) {
    float score = 0;
    for (std::size_t d = 0; d < args.head_size; ++d) score = fma(q[d], k[j * args.ld + d], score);
    e[j] = score;
  }
  const float inverse = softmax(e, args.tokens, args.scale_log2);
  float* out = args.out + row * args.ldo + head * args.head_size;
  for (std::size_t d = 0; d < args.head_size; ++d) {
    float chain = 0;
    for (std::size_t j = 0; j < args.tokens; ++j) chain = fma(e[j], v[j * args.ld + d], chain);
    out[d] = chain * inverse;
  }
}

void attention(const AttentionArgs& args) {
  for (std::size_t head = 0; head < args.heads_here(); ++head) {
    for (std::size_t row = 0; row < args.tokens; ++row) attend(args, head, row, args.scratch);
  }
}

void layer_norm_row(const LayerNormArgs& args, const float* in, float* out) {
  const float inverse_width = static_cast<float>(1.0 / static_cast<double>(args.width));
  std::array<float, kLanes> sums{};
  for (std::size_t i = 0; i < args.width; ++i) sums[i % kLanes] = sums[i % kLanes] + in[i];
  const float mean = sum_lanes(sums) * inverse_width;
  std::array<float, kLanes> squares{};
  for (std::size_t i = 0; i < args.width; ++i) {
    const float centred = in[i] - mean;
    squares[i % kLanes] = fma(centred, centred, squares[i % kLanes]);
  }
  const float variance = sum_lanes(squares) * inverse_width;
  const float scale = 1.0F / std::sqrt(variance + args.epsilon);
  for (std::size_t i = 0; i < args.width; ++i) {
    out[i] = fma((in[i] - mean) * scale, args.weight[i], args.bias[i]);
  }
}

void layer_norm(const LayerNormArgs& args) {
  for (std::size_t r = 0; r < args.rows; ++r) layer_norm_row(args, args.in + r * args.ldi, args.out + r * args.ldo);
}

void add(float* out, const float* a, const float* b, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    float x = 0;
    std::memcpy(&x, reinterpret_cast<const char*>(a) + i * sizeof x, sizeof x);
    out[i] = x + b[i];
  }
}

void sum_rows(float* out, const float* in, std::size_t ld, std::size_t rows, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    float sum = in[i];
    for (std::size_t r = 1; r < rows; ++r) sum = sum + in[r * ld + i];
    out[i] = sum;
  }
}

float normalize(float* v, std::size_t n) {
  std::array<float, kLanes> lanes{};
  for (std::size_t i = 0; i < n; ++i) lanes[i % kLanes] = fma(v[i], v[i], lanes[i % kLanes]);
  const float squares = sum_lanes(lanes);
  const float scale = squares > 0 ? 1.0F / std::sqrt(squares) : 0.0F;
  for (std::size_t i = 0; i < n; ++i) v[i] = v[i] * scale;
  return squares;
}

constexpr KernelTable kTable{.name = "scalar",
                             .panel_columns = 1,
                             .linear = linear,
                             .attention = attention,
                             .layer_norm = layer_norm,
                             .add = add,
                             .sum_rows = sum_rows,
                             .normalize = normalize,
                             .peak = {}};

}  // namespace

const KernelTable& scalar() { return kTable; }

}  // namespace eml::kernels

// docs/spec/numerics.md, profile bf16, in C++ and nothing else: readable, unoptimised, the judge of the others.
#include "engine/kernels/bf16.h"
#include "engine/kernels/profiles_of.h"
#include "engine/kernels/scalar_math.h"

namespace eml::kernels {
namespace {

using namespace scalar_math;

float even_of(std::uint32_t pair) { return std::bit_cast<float>(pair << 16); }
float odd_of(std::uint32_t pair) { return std::bit_cast<float>(pair & 0xffff0000U); }

// One tile's share of one element: two chains over 32 k, then their sum.
float block(const float* a, const std::uint32_t* words) {
  float even = 0;
  float odd = 0;
  for (std::size_t p = 0; p < bf16::kPairsPerBlock; ++p) {
    const std::uint32_t pair = words[p * bf16::kPanelColumns];
    even = fma(a[2 * p], even_of(pair), even);
    odd = fma(a[2 * p + 1], odd_of(pair), odd);
  }
  return even + odd;
}

// The sum over `depth` k of a column whose first pair is `words`.
float sum_blocks(float sum, const float* a, const std::uint32_t* words, std::size_t depth) {
  for (std::size_t k = 0; k < depth; k += bf16::kBlock) {
    sum = sum + block(a + k, words + k / 2 * bf16::kPanelColumns);
  }
  return sum;
}

Operand prepare(const PrepareArgs& args) {
  const std::size_t stride = bf16::operand_stride(args.depth);
  for (std::size_t r = 0; r < args.rows; ++r) {
    auto* to = reinterpret_cast<float*>(static_cast<std::byte*>(args.buffer) + r * stride);
    for (std::size_t k = 0; k < args.depth; ++k) to[k] = bf16::round(args.a[r * args.lda + k]);
  }
  return {.data = args.buffer, .stride = stride};
}

void linear(const KernelTable& /*rows*/, const MatrixArgs& args) {
  const auto* words = static_cast<const std::uint32_t*>(args.packed);
  for (std::size_t r = 0; r < args.rows; ++r) {
    const auto* a = reinterpret_cast<const float*>(static_cast<const std::byte*>(args.a.data) + r * args.a.stride);
    float* out = args.out + r * args.ldo;
    for (std::size_t n = args.column_begin; n < args.column_end; ++n) {
      const std::size_t column = n - args.column_begin;
      const std::uint32_t* from = words + bf16::word_index(args.shape.depth, n, args.depth_begin);
      float sum = sum_blocks(args.resume ? out[column] : 0.0F, a, from, args.depth_end - args.depth_begin);
      if (args.depth_end == args.shape.depth) sum = sum + args.bias[n];
      if (args.epilogue == Epilogue::kGelu) sum = gelu(sum);
      if (args.epilogue == Epilogue::kResidual) sum = sum + args.residual[r * args.ldr + column];
      out[column] = sum;
    }
  }
}

// One query of one head. Keys and values lie as weights do: a key is a column of depth head_size, an element of the
// value a column whose depth is the keys, padded with zeros.
void attend(const AttentionArgs& args, const bf16::Scratch& scratch, std::size_t head, std::size_t row) {
  const std::size_t keys = bf16::whole_keys(args.tokens);
  const float* q = args.qkv + row * args.ld + head * args.head_size;
  auto* query = reinterpret_cast<float*>(scratch.queries);
  for (std::size_t d = 0; d < args.head_size; ++d) query[d] = bf16::round(q[d]);
  float* e = scratch.scores;
  for (std::size_t j = 0; j < args.tokens; ++j) {
    e[j] = sum_blocks(0, query, scratch.keys + bf16::word_index(args.head_size, j, 0), args.head_size);
  }
  const float inverse = softmax(e, args.tokens, args.scale_log2);
  for (std::size_t j = 0; j < keys; ++j) e[j] = j < args.tokens ? bf16::round(e[j]) : 0.0F;
  float* out = args.out + row * args.ldo + head * args.head_size;
  for (std::size_t d = 0; d < args.head_size; ++d) {
    out[d] = sum_blocks(0, e, scratch.values + bf16::word_index(keys, d, 0), keys) * inverse;
  }
}

void pack_head(const AttentionArgs& args, const bf16::Scratch& scratch, std::size_t head) {
  const std::size_t keys = bf16::whole_keys(args.tokens);
  const float* k = args.qkv + (args.heads + head) * args.head_size;
  const float* v = k + args.heads * args.head_size;
  const auto at = [&](const float* from, std::size_t j, std::size_t d) {
    return j < args.tokens ? bf16::round_bits(from[j * args.ld + d]) : 0U;
  };
  for (std::size_t j = 0; j < keys; ++j) {
    for (std::size_t d = 0; d < args.head_size; d += 2) {
      scratch.keys[bf16::word_index(args.head_size, j, d)] = at(k, j, d) >> 16 | at(k, j, d + 1);
    }
  }
  for (std::size_t d = 0; d < args.head_size; ++d) {
    for (std::size_t j = 0; j < keys; j += 2) {
      scratch.values[bf16::word_index(keys, d, j)] = at(v, j, d) >> 16 | at(v, j + 1, d);
    }
  }
}

void attention(const KernelTable& /*rows*/, const AttentionArgs& args) {
  const bf16::Scratch scratch = bf16::divide(args.scratch, args.tokens, args.head_size);
  for (std::size_t head = 0; head < args.heads_here(); ++head) {
    pack_head(args, scratch, head);
    for (std::size_t row = 0; row < args.tokens; ++row) attend(args, scratch, head, row);
  }
}

}  // namespace

Profile bf16_scalar() {
  return {.numerics = "bf16",
          .kernels = "scalar",
          .rows = &scalar(),
          .packed_bytes = bf16::packed_bytes,
          .pack = bf16::pack,
          .operand_bytes = bf16::operand_bytes,
          .prepare = prepare,
          .linear = linear,
          .attention_scratch = bf16::attention_scratch,
          .attention = attention,
          .peak = {}};
}

}  // namespace eml::kernels

#include "engine/kernels/self_check.h"

#include <array>
#include <cstring>

#include "engine/kernels/profile_check.h"

namespace eml::kernels {
namespace {

// Numbers uses a linear congruential generator (Knuth's MMIX constants): the same on every machine.
class Numbers {
 public:
  float next(float scale) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    const auto top = static_cast<std::int32_t>(static_cast<std::uint32_t>(state_ >> 32));
    return static_cast<float>(top) * 0x1p-31F * scale;
  }
  std::vector<float> vector(std::size_t n, float scale = 1.0F) {
    std::vector<float> out(n);
    for (float& x : out) x = next(scale);
    return out;
  }

 private:
  std::uint64_t state_ = 1;
};

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

struct LinearCase {
  std::size_t rows, depth, columns;
  Epilogue epilogue;
};

std::vector<float> run_linear(const KernelTable& table, const LinearCase& c) {
  Numbers numbers;
  const auto a = numbers.vector(c.rows * c.depth, 2.0F);
  const auto w = numbers.vector(c.columns * c.depth, 0.5F);
  const auto bias = numbers.vector(c.columns);
  const auto residual = numbers.vector(c.rows * c.columns);
  std::vector<float> packed(w.size());
  pack_panels(packed.data(), w.data(), c.columns, c.depth, table.panel_columns);
  std::vector<float> out(c.rows * c.columns);
  LinearArgs args{.a = a.data(),
                  .lda = c.depth,
                  .rows = c.rows,
                  .packed = packed.data(),
                  .depth = c.depth,
                  .depth_end = c.depth / 2,
                  .column_end = c.columns,
                  .bias = bias.data(),
                  .out = out.data(),
                  .ldo = c.columns};
  table.linear(args);
  args.a = a.data() + c.depth / 2;
  args.depth_begin = c.depth / 2;
  args.depth_end = c.depth;
  args.resume = true;
  args.epilogue = c.epilogue;
  args.residual = residual.data();
  args.ldr = c.columns;
  table.linear(args);
  return out;
}

std::vector<float> run_attention(const KernelTable& table, std::size_t tokens) {
  constexpr std::size_t heads = 2;
  constexpr std::size_t head_size = 32;
  constexpr std::size_t ld = 3 * heads * head_size;
  Numbers numbers;
  const auto qkv = numbers.vector(tokens * ld, 4.0F);
  std::vector<float> scratch(attention_scratch_floats(tokens, head_size));
  std::vector<float> out(tokens * heads * head_size);
  table.attention({.qkv = qkv.data(),
                   .ld = ld,
                   .tokens = tokens,
                   .heads = heads,
                   .head_size = head_size,
                   .scale_log2 = 0.25F,
                   .out = out.data(),
                   .ldo = heads * head_size,
                   .scratch = scratch.data()});
  return out;
}

std::vector<float> run_rows(const KernelTable& table) {
  constexpr std::size_t rows = 3;
  constexpr std::size_t width = 96;
  Numbers numbers;
  auto in = numbers.vector(rows * width, 8.0F);
  const auto weight = numbers.vector(width);
  const auto bias = numbers.vector(width);
  table.add(in.data(), in.data(), bias.data(), width);
  table.layer_norm({.in = in.data(),
                    .ldi = width,
                    .rows = rows,
                    .width = width,
                    .weight = weight.data(),
                    .bias = bias.data(),
                    .epsilon = 1e-12F,
                    .out = in.data(),
                    .ldo = width});
  std::vector<float> out(width);
  table.sum_rows(out.data(), in.data(), width, rows, width);
  out.push_back(table.normalize(out.data(), width));
  return out;
}

}  // namespace

bool self_check(const KernelTable& table) {
  const std::array<LinearCase, 3> cases = {
      {{7, 40, 64, Epilogue::kStore}, {17, 24, 32, Epilogue::kGelu}, {5, 33, 32, Epilogue::kResidual}}};
  for (const LinearCase& c : cases) {
    if (!same(run_linear(table, c), run_linear(scalar(), c))) return false;
  }
  for (const std::size_t tokens : {1U, 17U, 33U}) {
    if (!same(run_attention(table, tokens), run_attention(scalar(), tokens))) return false;
  }
  return same(run_rows(table), run_rows(scalar()));
}

namespace {

bool same_product(const Profile& profile, const Profile& definition, const ProductShape& shape) {
  Numbers numbers;
  const auto a = numbers.vector(shape.rows * shape.depth, 2.0F);
  const auto weight = numbers.vector(shape.columns * shape.depth, 0.5F);
  const auto bias = numbers.vector(shape.columns);
  const auto residual = numbers.vector(shape.rows * shape.columns);
  const ProductInputs in{.a = a, .weight = weight, .bias = bias, .residual = residual};
  const auto want = run_product(definition, shape, in, false);
  return same(want, run_product(profile, shape, in, false)) && same(want, run_product(profile, shape, in, true));
}

}  // namespace

bool self_check(const Profile& profile) {
  if (!self_check(*profile.rows)) return false;
  if (profile.numerics == "fp32") return true;
  const auto definition = find_profile(profile.numerics, "scalar");
  if (!definition) return false;
  const std::array<ProductShape, 3> shapes = {
      {{7, 160, 64, Epilogue::kStore}, {33, 32, 32, Epilogue::kGelu}, {2, 416, 32, Epilogue::kResidual}}};
  for (const ProductShape& shape : shapes) {
    if (!same_product(profile, *definition, shape)) return false;
  }
  for (const std::size_t tokens : {1U, 35U}) {
    const HeadsShape heads{.tokens = tokens, .heads = 2, .size = 32};
    Numbers numbers;
    const auto qkv = numbers.vector(tokens * 3 * heads.heads * heads.size, 4.0F);
    if (!same(run_heads(*definition, heads, qkv), run_heads(profile, heads, qkv))) return false;
  }
  return true;
}

}  // namespace eml::kernels

#include <gtest/gtest.h>

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <random>

#include "base/cpu.h"
#include "engine/kernels/constants.h"
#include "engine/kernels/kernel_table.h"
#include "engine/kernels/self_check.h"

namespace eml::kernels {
namespace {

using Floats = std::vector<float>;

// The seed is fixed: a failure must come back.
class Kernels : public testing::TestWithParam<const KernelTable*> {
 protected:
  const KernelTable& table() const { return *GetParam(); }

  Floats random(std::size_t n, float scale = 1.0F) {
    std::normal_distribution<float> normal(0.0F, scale);
    Floats out(n);
    for (float& x : out) x = normal(engine_);
    return out;
  }
  std::size_t pick(std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(engine_);
  }

  std::mt19937 engine_{20261125};
};

void expect_same_bits(const Floats& want, const Floats& got, const char* what) {
  ASSERT_EQ(want.size(), got.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(want[i]), std::bit_cast<std::uint32_t>(got[i]))
        << what << " differs at " << i << ": " << want[i] << " and " << got[i];
  }
}

struct Shape {
  std::size_t rows, depth, columns;
  Epilogue epilogue;
  std::size_t cut;  // where the chain is cut into two calls; 0: one call
};

struct LinearInputs {
  Floats a, weight, bias, residual;
};

Floats run_linear(const KernelTable& table, const Shape& shape, const LinearInputs& in) {
  Floats packed(in.weight.size());
  pack_panels(packed.data(), in.weight.data(), shape.columns, shape.depth, table.panel_columns);
  // A wider row than needed: what lies beside the result must stay.
  const std::size_t ld = shape.columns + 3;
  Floats out(shape.rows * ld, 7.0F);
  LinearArgs args{.a = in.a.data(),
                  .lda = shape.depth,
                  .rows = shape.rows,
                  .packed = packed.data(),
                  .depth = shape.depth,
                  .depth_end = shape.depth,
                  .column_end = shape.columns,
                  .bias = in.bias.data(),
                  .epilogue = shape.epilogue,
                  .residual = in.residual.data(),
                  .ldr = shape.columns,
                  .out = out.data(),
                  .ldo = ld};
  if (shape.cut != 0) {
    LinearArgs first = args;
    first.depth_end = shape.cut;
    first.epilogue = Epilogue::kStore;
    table.linear(first);
    args.depth_begin = shape.cut;
    args.a = in.a.data() + shape.cut;
    args.resume = true;
  }
  table.linear(args);
  return out;
}

TEST_P(Kernels, PassTheirSelfTest) { EXPECT_TRUE(self_check(table())); }

TEST_P(Kernels, LinearHasTheBitsOfTheDefinitionForRandomShapes) {
  for (int i = 0; i < 150; ++i) {
    Shape shape{.rows = pick(1, 40),
                .depth = pick(1, 130),
                .columns = kWidthStep * pick(1, 3),
                .epilogue = static_cast<Epilogue>(pick(0, 2)),
                .cut = 0};
    if (i % 3 == 0 && shape.depth > 1) shape.cut = pick(1, shape.depth - 1);
    const LinearInputs in{random(shape.rows * shape.depth), random(shape.columns * shape.depth), random(shape.columns),
                          random(shape.rows * shape.columns)};
    expect_same_bits(run_linear(scalar(), shape, in), run_linear(table(), shape, in), "linear");
  }
}

TEST_P(Kernels, AChainThatIsCutHasTheBitsOfOneThatIsNot) {
  Shape shape{.rows = 9, .depth = 70, .columns = 64, .epilogue = Epilogue::kGelu, .cut = 0};
  const LinearInputs in{random(9 * 70), random(64 * 70), random(64), random(9 * 64)};
  const Floats whole = run_linear(table(), shape, in);
  for (const std::size_t cut : {1U, 32U, 69U}) {
    shape.cut = cut;
    expect_same_bits(whole, run_linear(table(), shape, in), "cut chain");
  }
}

TEST_P(Kernels, LinearKeepsDenormalsAndLargeValues) {
  const Shape shape{.rows = 3, .depth = 8, .columns = 32, .epilogue = Epilogue::kStore, .cut = 0};
  LinearInputs in{Floats(24, 1e-30F), Floats(256, 1e-12F), Floats(32, 1e-41F), Floats(96)};
  in.a[9] = 1e30F;
  expect_same_bits(run_linear(scalar(), shape, in), run_linear(table(), shape, in), "denormals");
  EXPECT_EQ(run_linear(table(), shape, in)[0], std::fma(8.0F, 1e-42F, 1e-41F) - 0.0F);
}

TEST_P(Kernels, AColumnRangeIsAPartOfTheWhole) {
  const Shape shape{.rows = 5, .depth = 16, .columns = 96, .epilogue = Epilogue::kStore, .cut = 0};
  const LinearInputs in{random(5 * 16), random(96 * 16), random(96), random(5 * 96)};
  const Floats whole = run_linear(table(), shape, in);
  Floats packed(in.weight.size());
  pack_panels(packed.data(), in.weight.data(), 96, 16, table().panel_columns);
  Floats part(5 * 32);
  table().linear({.a = in.a.data(),
                  .lda = 16,
                  .rows = 5,
                  .packed = packed.data(),
                  .depth = 16,
                  .depth_end = 16,
                  .column_begin = 32,
                  .column_end = 64,
                  .bias = in.bias.data(),
                  .out = part.data(),
                  .ldo = 32});
  for (std::size_t r = 0; r < 5; ++r) {
    const auto row = part.begin() + static_cast<std::ptrdiff_t>(r * 32);
    const auto want = whole.begin() + static_cast<std::ptrdiff_t>(r * 99 + 32);
    expect_same_bits(Floats(want, want + 32), Floats(row, row + 32), "column range");
  }
}

Floats gelu_of(const KernelTable& table, const Floats& x) {
  // One row, depth 1, weight 0: the bias passes through the epilogue.
  const Floats zero(x.size());
  const float one = 1.0F;
  Floats out(x.size());
  table.linear({.a = &one,
                .lda = 1,
                .rows = 1,
                .packed = zero.data(),
                .depth = 1,
                .depth_end = 1,
                .column_end = x.size(),
                .bias = x.data(),
                .epilogue = Epilogue::kGelu,
                .out = out.data(),
                .ldo = x.size()});
  return out;
}

TEST_P(Kernels, GeluIsWithinItsStatedError) {
  Floats x;
  for (int i = -40000; i < 40000; ++i) x.push_back(static_cast<float>(i) * 0.00025F);
  const Floats got = gelu_of(table(), x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double want = 0.5 * static_cast<double>(x[i]) * std::erfc(-static_cast<double>(x[i]) / std::sqrt(2.0));
    ASSERT_NEAR(got[i], want, 1.3e-7 * std::max(1.0, std::abs(want))) << x[i];
  }
}

TEST_P(Kernels, GeluOfExtremesIsItsLimit) {
  Floats x(32, 0.0F);
  x[1] = -0.0F;
  x[2] = 3e38F;
  x[3] = -3e38F;
  x[4] = FLT_MIN;
  x[5] = 1e-45F;
  const Floats got = gelu_of(table(), x);
  expect_same_bits(gelu_of(scalar(), x), got, "gelu");
  EXPECT_EQ(got[0], 0.0F);
  EXPECT_EQ(got[2], 3e38F);
  EXPECT_NEAR(got[3], 0.0F, 1e-7F);
}

struct Heads {
  std::size_t tokens, heads, size;
};

Floats run_attention(const KernelTable& table, const Heads& h, const Floats& qkv, bool in_place) {
  const std::size_t width = h.heads * h.size;
  Floats scratch(attention_scratch_floats(h.tokens, h.size), std::nanf(""));
  Floats input = qkv;
  Floats out(h.tokens * width);
  table.attention({.qkv = input.data(),
                   .ld = 3 * width,
                   .tokens = h.tokens,
                   .heads = h.heads,
                   .head_size = h.size,
                   .scale_log2 = 0.2550348F,
                   .out = in_place ? input.data() : out.data(),
                   .ldo = in_place ? 3 * width : width,
                   .scratch = scratch.data()});
  if (in_place) {
    for (std::size_t r = 0; r < h.tokens; ++r) std::copy_n(&input[r * 3 * width], width, &out[r * width]);
  }
  return out;
}

TEST_P(Kernels, AttentionHasTheBitsOfTheDefinitionForRandomShapes) {
  for (int i = 0; i < 60; ++i) {
    const Heads h{.tokens = i < 40 ? static_cast<std::size_t>(i) + 1 : pick(1, 200),
                  .heads = pick(1, 3),
                  .size = 32 * pick(1, 2)};
    const Floats qkv = random(h.tokens * 3 * h.heads * h.size, 3.0F);
    const Floats want = run_attention(scalar(), h, qkv, false);
    expect_same_bits(want, run_attention(table(), h, qkv, false), "attention");
    expect_same_bits(want, run_attention(table(), h, qkv, true), "attention in place");
  }
}

TEST_P(Kernels, AttentionOverOneTokenIsItsValue) {
  const Heads h{.tokens = 1, .heads = 1, .size = 32};
  const Floats qkv = random(96);
  expect_same_bits(Floats(qkv.begin() + 64, qkv.end()), run_attention(table(), h, qkv, false), "value");
}

TEST_P(Kernels, AttentionWithOneScoreFarAboveTheOthersStaysFinite) {
  const Heads h{.tokens = 20, .heads = 1, .size = 32};
  Floats qkv = random(20 * 96, 100.0F);
  const Floats got = run_attention(table(), h, qkv, false);
  expect_same_bits(run_attention(scalar(), h, qkv, false), got, "peaked attention");
  for (const float x : got) EXPECT_TRUE(std::isfinite(x));
}

TEST_P(Kernels, RowOperationsHaveTheBitsOfTheDefinition) {
  for (std::size_t width = 32; width <= 800; width += 32) {
    const std::size_t rows = pick(1, 7);
    const Floats in = random(rows * width, 5.0F);
    const Floats weight = random(width);
    const Floats bias = random(width);
    const auto run = [&](const KernelTable& t) {
      Floats x = in;
      t.add(x.data(), x.data(), bias.data(), width);
      t.layer_norm({.in = x.data(),
                    .ldi = width,
                    .rows = rows,
                    .width = width,
                    .weight = weight.data(),
                    .bias = bias.data(),
                    .epsilon = 1e-12F,
                    .out = x.data(),
                    .ldo = width});
      Floats sum(width);
      t.sum_rows(sum.data(), x.data(), width, rows, width);
      sum.push_back(t.normalize(sum.data(), width));
      x.insert(x.end(), sum.begin(), sum.end());
      return x;
    };
    expect_same_bits(run(scalar()), run(table()), "rows");
  }
}

TEST_P(Kernels, ANullVectorStaysNull) {
  Floats v(32, 0.0F);
  EXPECT_EQ(table().normalize(v.data(), v.size()), 0.0F);
  EXPECT_EQ(v, Floats(32, 0.0F));
}

TEST_P(Kernels, AddTakesAnUnalignedOperand) {
  std::vector<char> raw(33 * sizeof(float));
  const Floats x = random(32);
  std::memcpy(raw.data() + 1, x.data(), 32 * sizeof(float));
  const Floats b = random(32);
  Floats want(32);
  Floats got(32);
  scalar().add(want.data(), x.data(), b.data(), 32);
  const void* unaligned = raw.data() + 1;
  table().add(got.data(), static_cast<const float*>(unaligned), b.data(), 32);
  expect_same_bits(want, got, "add");
}

INSTANTIATE_TEST_SUITE_P(All, Kernels, testing::ValuesIn(available()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(KernelTables, ScalarIsAlwaysThereAndLast) {
  ASSERT_FALSE(available().empty());
  EXPECT_EQ(available().back(), &scalar());
}

TEST(KernelTables, OneThatTheProcessorLacksIsNotFound) {
  EXPECT_EQ(find("amx512"), nullptr);
  EXPECT_EQ(find(""), nullptr);
  EXPECT_EQ(find("avx512") != nullptr, cpu_features().avx512);
  EXPECT_EQ(find("avx2") != nullptr, cpu_features().avx2);
}

TEST(KernelTables, ASelfTestOfWrongKernelsFails) {
  KernelTable wrong = scalar();
  wrong.normalize = [](float* v, std::size_t n) {
    const float squares = scalar().normalize(v, n);
    v[0] = std::nextafterf(v[0], 2.0F);
    return squares;
  };
  EXPECT_FALSE(self_check(wrong));
}

TEST(PackPanels, PutsEveryElementWhereItsPanelIs) {
  Floats weight(64 * 70);
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i);
  Floats packed(weight.size());
  pack_panels(packed.data(), weight.data(), 64, 70, 16);
  for (std::size_t n = 0; n < 64; ++n) {
    for (std::size_t k = 0; k < 70; ++k) ASSERT_EQ(packed[n / 16 * 16 * 70 + k * 16 + n % 16], weight[n * 70 + k]);
  }
}

}  // namespace
}  // namespace eml::kernels

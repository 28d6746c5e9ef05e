#include "engine/kernels/profile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <random>

#include "engine/kernels/profile_check.h"
#include "engine/kernels/self_check.h"

namespace eml::kernels {
namespace {

using Floats = std::vector<float>;

#if defined(EML_SANITIZED)
constexpr int kShapes = 120;  // checked code is ten times slower
#else
constexpr int kShapes = 2000;
#endif

// Values that kernels treat badly: denormals, both zeros, ties of the roundings, the largest.
constexpr std::array<float, 16> kAwkward = {0.0F,      -0.0F,  1e-45F,         -1e-40F,       FLT_MIN,    0x1p-56F,
                                            0x1p-57F,  1e-30F, 0x1.01p+0F,     -0x1.03p+0F,   0x1.fep+5F, 1e15F,
                                            -0x1p+60F, 127.5F, 0x1.000002p+0F, 0x1.fffffep-1F};

class Numbers {
 public:
  explicit Numbers(unsigned seed) : engine_(seed) {}
  std::size_t pick(std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(engine_);
  }
  Floats random(std::size_t n, float scale, bool awkward = false) {
    std::normal_distribution<float> normal(0.0F, scale);
    Floats out(n);
    for (float& x : out) x = awkward && pick(0, 9) == 0 ? kAwkward[pick(0, kAwkward.size() - 1)] : normal(engine_);
    return out;
  }

 private:
  std::mt19937 engine_;
};

// The bits of a NaN are nobody's business; that it is one is.
void expect_same_bits(const Floats& want, const Floats& got, const char* what) {
  ASSERT_EQ(want.size(), got.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (std::isnan(want[i]) && std::isnan(got[i])) continue;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(want[i]), std::bit_cast<std::uint32_t>(got[i]))
        << what << " differs at " << i << ": " << want[i] << " and " << got[i];
  }
}

std::vector<Profile> all_profiles() {
  std::vector<Profile> out;
  for (const std::string_view name : numerics_profiles()) {
    for (const Profile& profile : profiles(name)) out.push_back(profile);
  }
  return out;
}

class Profiles : public testing::TestWithParam<Profile> {
 protected:
  const Profile& profile() const { return GetParam(); }
  Profile definition() const { return *find_profile(profile().numerics, "scalar"); }
};

TEST_P(Profiles, PassTheirSelfTest) { EXPECT_TRUE(self_check(profile())); }

TEST_P(Profiles, AProductHasTheBitsOfTheDefinitionForRandomShapes) {
  Numbers numbers(20261125);
  for (int i = 0; i < kShapes; ++i) {
    const ProductShape shape{.rows = numbers.pick(1, i % 10 == 0 ? 70 : 18),
                             .depth = kWidthStep * (i % 10 == 0 ? numbers.pick(10, 28) : numbers.pick(1, 5)),
                             .columns = kWidthStep * numbers.pick(1, 3),
                             .epilogue = static_cast<Epilogue>(numbers.pick(0, 2))};
    const bool awkward = i % 3 == 0;
    const Floats a = numbers.random(shape.rows * shape.depth, 2.0F, awkward);
    const Floats weight = numbers.random(shape.columns * shape.depth, 0.5F, awkward);
    const Floats bias = numbers.random(shape.columns, 1.0F, awkward);
    const Floats residual = numbers.random(shape.rows * shape.columns, 1.0F, awkward);
    const ProductInputs in{.a = a, .weight = weight, .bias = bias, .residual = residual};
    const Floats want = run_product(definition(), shape, in, false);
    expect_same_bits(want, run_product(profile(), shape, in, false), "product");
    expect_same_bits(want, run_product(profile(), shape, in, true), "product in ranges");
  }
}

TEST_P(Profiles, AttentionHasTheBitsOfTheDefinitionForRandomShapes) {
  Numbers numbers(7);
  for (int i = 0; i < kShapes / 10; ++i) {
    const HeadsShape shape{.tokens = i < 70 ? static_cast<std::size_t>(i) + 1 : numbers.pick(1, i % 20 == 0 ? 500 : 90),
                           .heads = numbers.pick(1, 3),
                           .size = 32 * numbers.pick(1, 3)};
    const Floats qkv = numbers.random(shape.tokens * 3 * shape.heads * shape.size, 1.5F, i % 4 == 3);
    expect_same_bits(run_heads(definition(), shape, qkv), run_heads(profile(), shape, qkv), "attention");
  }
}

TEST_P(Profiles, WhatIsNotFiniteIsNotHidden) {
  Numbers numbers(11);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kGelu, Epilogue::kResidual}) {
      const ProductShape shape{.rows = 3, .depth = 64, .columns = 32, .epilogue = epilogue};
      Floats a = numbers.random(shape.rows * shape.depth, 1.0F);
      a[shape.depth + 5] = bad;
      const Floats weight = numbers.random(shape.columns * shape.depth, 0.5F);
      const Floats bias = numbers.random(shape.columns, 1.0F);
      const Floats residual = numbers.random(shape.rows * shape.columns, 1.0F);
      const ProductInputs in{.a = a, .weight = weight, .bias = bias, .residual = residual};
      const Floats got = run_product(profile(), shape, in, false);
      expect_same_bits(run_product(definition(), shape, in, false), got, "product");
      // gelu(-inf) is a limit, and the others' columns are not of this row.
      if (std::isnan(bad)) {
        for (std::size_t n = 0; n < shape.columns; ++n) EXPECT_TRUE(std::isnan(got[shape.columns + n])) << n;
      }
      for (std::size_t n = 0; n < shape.columns; ++n) EXPECT_TRUE(std::isfinite(got[n])) << n;
    }
  }
}

TEST_P(Profiles, AttentionHidesNoNan) {
  Numbers numbers(12);
  const HeadsShape shape{.tokens = 21, .heads = 1, .size = 32};
  for (const std::size_t part : {0U, 1U, 2U}) {  // query, key, value
    for (const std::size_t token : {0U, 7U, 15U, 16U, 20U}) {
      Floats qkv = numbers.random(shape.tokens * 96, 1.5F);
      qkv[token * 96 + part * 32 + 3] = NAN;
      const Floats got = run_heads(profile(), shape, qkv);
      expect_same_bits(run_heads(definition(), shape, qkv), got, "attention");
      for (std::size_t row = 0; row < shape.tokens; ++row) {
        if (part == 0 && row != token) continue;
        EXPECT_TRUE(std::isnan(got[row * 32 + 3])) << part << " " << token << " " << row;
      }
    }
  }
}

TEST_P(Profiles, AProductIsNearTheExactOne) {
  Numbers numbers(3);
  const ProductShape shape{.rows = 5, .depth = 448, .columns = 64};
  const Floats a = numbers.random(shape.rows * shape.depth, 1.0F);
  const Floats weight = numbers.random(shape.columns * shape.depth, 1.0F);
  const Floats bias = numbers.random(shape.columns, 1.0F);
  const Floats residual(shape.rows * shape.columns);
  const Floats got =
      run_product(profile(), shape, {.a = a, .weight = weight, .bias = bias, .residual = residual}, false);
  // Errors of the operands' roundings add up like a random walk over 448 products of size 1.
  const double tolerance = profile().numerics == "fp32" ? 1e-4 : profile().numerics == "bf16" ? 0.25 : 2.5;
  for (std::size_t r = 0; r < shape.rows; ++r) {
    for (std::size_t n = 0; n < shape.columns; ++n) {
      double want = static_cast<double>(bias[n]);
      for (std::size_t k = 0; k < shape.depth; ++k) {
        want += static_cast<double>(a[r * shape.depth + k]) * static_cast<double>(weight[n * shape.depth + k]);
      }
      ASSERT_NEAR(got[r * shape.columns + n], want, tolerance);
    }
  }
}

TEST_P(Profiles, AttentionOverOneTokenIsItsValueAlmost) {
  Numbers numbers(4);
  const HeadsShape shape{.tokens = 1, .heads = 1, .size = 32};
  const Floats qkv = numbers.random(96, 1.0F);
  const Floats got = run_heads(profile(), shape, qkv);
  for (std::size_t d = 0; d < 32; ++d) EXPECT_NEAR(got[d], qkv[64 + d], 0.03F);
}

INSTANTIATE_TEST_SUITE_P(All, Profiles, testing::ValuesIn(all_profiles()), [](const auto& info) {
  return std::string(info.param.numerics) + "_" + std::string(info.param.kernels);
});

TEST(ProfileTables, ScalarIsAlwaysThereAndLast) {
  for (const std::string_view name : numerics_profiles()) {
    ASSERT_FALSE(profiles(name).empty()) << name;
    EXPECT_EQ(profiles(name).back().kernels, "scalar");
    for (const Profile& profile : profiles(name)) EXPECT_EQ(profile.numerics, name);
  }
}

TEST(ProfileTables, AnUnknownNameHasNone) {
  EXPECT_TRUE(profiles("fp16").empty());
  EXPECT_FALSE(find_profile("fp32", "neon"));
  EXPECT_FALSE(find_profile("", ""));
}

}  // namespace
}  // namespace eml::kernels

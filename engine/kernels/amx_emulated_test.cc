// The AMX kernels' own source over software tiles, on processors that have AVX-512 but not AMX. What it cannot show is
// that the hardware follows its documentation: docs/LIMITS.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "base/cpu.h"
#include "engine/kernels/profile_check.h"
#include "engine/kernels/profiles_of.h"

#define EML_EMULATED_TILES
#define bf16_amx bf16_amx_emulated
#define int8_amx int8_amx_emulated

namespace eml::kernels {
std::optional<Profile> bf16_amx();
std::optional<Profile> int8_amx();
}  // namespace eml::kernels

#include "engine/kernels/amx_bf16.cc"  // NOLINT(bugprone-suspicious-include)
#include "engine/kernels/amx_int8.cc"  // NOLINT(bugprone-suspicious-include)

namespace eml::kernels {
namespace {

using Floats = std::vector<float>;

#if defined(EML_SANITIZED)
constexpr int kShapes = 12;  // software tiles are slow
#else
constexpr int kShapes = 300;
#endif

class EmulatedAmx : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    profile_ = GetParam() == "bf16" ? bf16_amx_emulated() : int8_amx_emulated();
    if (!cpu_features().avx512 || !profile_) GTEST_SKIP() << "the processor has no AVX-512";
  }
  Floats random(std::size_t n, float scale) {
    std::normal_distribution<float> normal(0.0F, scale);
    Floats out(n);
    for (float& x : out) x = engine_() % 50 == 0 ? 1e-20F : normal(engine_);
    return out;
  }
  std::size_t pick(std::size_t least, std::size_t most) { return least + engine_() % (most - least + 1); }
  Profile definition() const { return *find_profile(GetParam(), "scalar"); }

  std::optional<Profile> profile_;
  std::mt19937 engine_{18};
};

TEST_P(EmulatedAmx, AProductHasTheBitsOfTheDefinition) {
  for (int i = 0; i < kShapes; ++i) {
    const ProductShape shape{.rows = pick(1, 50),
                             .depth = kWidthStep * (i % 8 == 0 ? pick(10, 26) : pick(1, 6)),
                             .columns = kWidthStep * pick(1, 3),
                             .epilogue = static_cast<Epilogue>(pick(0, 2))};
    const Floats a = random(shape.rows * shape.depth, 2.0F);
    const Floats weight = random(shape.columns * shape.depth, 0.5F);
    const Floats bias = random(shape.columns, 1.0F);
    const Floats residual = random(shape.rows * shape.columns, 1.0F);
    const ProductInputs in{.a = a, .weight = weight, .bias = bias, .residual = residual};
    const Floats want = run_product(definition(), shape, in, false);
    ASSERT_EQ(want, run_product(*profile_, shape, in, false)) << shape.rows << " x " << shape.depth;
    ASSERT_EQ(want, run_product(*profile_, shape, in, true)) << shape.rows << " x " << shape.depth << " in ranges";
  }
}

TEST_P(EmulatedAmx, AttentionHasTheBitsOfTheDefinition) {
  for (int i = 0; i < kShapes; ++i) {
    const HeadsShape shape{.tokens = pick(1, i % 8 == 0 ? 100 : 40), .heads = pick(1, 2), .size = 32 * pick(1, 2)};
    const Floats qkv = random(shape.tokens * 3 * shape.heads * shape.size, 1.5F);
    ASSERT_EQ(run_heads(definition(), shape, qkv), run_heads(*profile_, shape, qkv)) << shape.tokens;
  }
}

TEST_P(EmulatedAmx, NothingIsEverDenormalInATile) {
  std::size_t& flushed = bf16_on_amx::flushed;
  flushed = 0;
  const ProductShape shape{.rows = 32, .depth = 96, .columns = 32};
  Floats a = random(shape.rows * shape.depth, 1e-17F);
  Floats weight = random(shape.columns * shape.depth, 1e-17F);
  const Floats zero(shape.rows * shape.columns);
  const Floats got = run_product(*profile_, shape, {.a = a, .weight = weight, .bias = zero, .residual = zero}, false);
  EXPECT_EQ(got, run_product(definition(), shape, {.a = a, .weight = weight, .bias = zero, .residual = zero}, false));
  EXPECT_EQ(flushed, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, EmulatedAmx, testing::Values("bf16", "int8"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace eml::kernels

// Profile fp32 on AVX2 with FMA: 8 lanes, tiles of 6 rows by 16 columns (12 accumulators, 2 weights, 1 activation of 16
// registers).
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "engine/kernels/constants.h"
#include "engine/kernels/kernel_table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "engine/kernels/target.h"

EML_TARGET_BEGIN("avx2,fma")

namespace eml::kernels {
namespace {
namespace isa_avx2 {

struct Vec {
  using F = __m256;
  static constexpr std::size_t kWidth = 8;

  EML_KERNEL static F set(float x) { return _mm256_set1_ps(x); }
  EML_KERNEL static F load(const float* p) { return _mm256_loadu_ps(p); }
  EML_KERNEL static void store(float* p, F x) { _mm256_storeu_ps(p, x); }
  EML_KERNEL static F add(F a, F b) { return _mm256_add_ps(a, b); }
  EML_KERNEL static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  EML_KERNEL static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  EML_KERNEL static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  EML_KERNEL static F max(F a, F b) { return _mm256_max_ps(a, b); }
  EML_KERNEL static F min(F a, F b) { return _mm256_min_ps(a, b); }
  EML_KERNEL static F negate(F a) { return _mm256_xor_ps(a, set(-0.0F)); }
  EML_KERNEL static F abs(F a) { return _mm256_andnot_ps(set(-0.0F), a); }

  // p times 2 to the integer in the low bits of `shifted`.
  EML_KERNEL static F scale(F p, F shifted) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
  }

  // A mask of the first n lanes, n <= 8.
  EML_KERNEL static F first(std::size_t n) {
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), index));
  }
  EML_KERNEL static F select(F mask, F yes, F no) { return _mm256_blendv_ps(no, yes, mask); }

  EML_KERNEL static float sum(F x) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
  }
  EML_KERNEL static float maximum(F x) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
  }
  EML_KERNEL static float square_root(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }
};

constexpr std::size_t kPanelVectors = 2;
constexpr std::size_t kRowsMax = 6;

#include "engine/kernels/vector_body.inc"

constexpr KernelTable kTable{.name = "avx2",
                             .panel_columns = kPanel,
                             .linear = linear,
                             .attention = attention,
                             .layer_norm = layer_norm,
                             .add = add,
                             .sum_rows = sum_rows,
                             .normalize = normalize,
                             .peak = kPeakLoop};

}  // namespace isa_avx2
}  // namespace
}  // namespace eml::kernels

EML_TARGET_END

namespace eml::kernels {
const KernelTable* avx2() { return &isa_avx2::kTable; }
}  // namespace eml::kernels

#else

namespace eml::kernels {
const KernelTable* avx2() { return nullptr; }
}  // namespace eml::kernels

#endif

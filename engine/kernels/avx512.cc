// Profile fp32 on AVX-512: 16 lanes, tiles of 14 rows by 32 columns (28 accumulators, 2 weights, 1 activation of 32
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

EML_TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")

namespace eml::kernels {
namespace {
namespace isa_avx512 {

struct Vec {
  using F = __m512;
  static constexpr std::size_t kWidth = 16;

  EML_KERNEL static F set(float x) { return _mm512_set1_ps(x); }
  EML_KERNEL static F load(const float* p) { return _mm512_loadu_ps(p); }
  EML_KERNEL static void store(float* p, F x) { _mm512_storeu_ps(p, x); }
  EML_KERNEL static F add(F a, F b) { return _mm512_add_ps(a, b); }
  EML_KERNEL static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  EML_KERNEL static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  EML_KERNEL static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  EML_KERNEL static F max(F a, F b) { return _mm512_max_ps(a, b); }
  EML_KERNEL static F min(F a, F b) { return _mm512_min_ps(a, b); }
  EML_KERNEL static F negate(F a) { return _mm512_xor_ps(a, set(-0.0F)); }
  EML_KERNEL static F abs(F a) { return _mm512_andnot_ps(set(-0.0F), a); }

  // p times 2 to the integer in the low bits of `shifted`.
  EML_KERNEL static F scale(F p, F shifted) {
    const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), exponent));
  }

  // A mask of the first n lanes, n <= 16.
  EML_KERNEL static __mmask16 first(std::size_t n) { return static_cast<__mmask16>((1U << n) - 1U); }
  EML_KERNEL static F select(__mmask16 mask, F yes, F no) { return _mm512_mask_blend_ps(mask, no, yes); }

  EML_KERNEL static float sum(F x) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
  }
  EML_KERNEL static float maximum(F x) { return _mm512_reduce_max_ps(x); }
  EML_KERNEL static float square_root(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }
};

constexpr std::size_t kPanelVectors = 2;
constexpr std::size_t kRowsMax = 14;

#include "engine/kernels/vector_body.inc"

constexpr KernelTable kTable{.name = "avx512",
                             .panel_columns = kPanel,
                             .linear = linear,
                             .attention = attention,
                             .layer_norm = layer_norm,
                             .add = add,
                             .sum_rows = sum_rows,
                             .normalize = normalize,
                             .peak = kPeakLoop};

}  // namespace isa_avx512
}  // namespace
}  // namespace eml::kernels

EML_TARGET_END

namespace eml::kernels {
const KernelTable* avx512() { return &isa_avx512::kTable; }
}  // namespace eml::kernels

#else

namespace eml::kernels {
const KernelTable* avx512() { return nullptr; }
}  // namespace eml::kernels

#endif

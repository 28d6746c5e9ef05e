// Profile fp32 on AVX-512: 16 lanes, tiles of 14 rows by 32 columns (28 accumulators, 2 weights, 1 activation of 32
// registers).
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "engine/kernels/bf16.h"
#include "engine/kernels/constants.h"
#include "engine/kernels/kernel_table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "engine/kernels/target.h"

EML_TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")

namespace eml::kernels {
namespace {
namespace isa_avx512 {

#include "engine/kernels/vec_avx512.inc"

constexpr std::size_t kPanelVectors = 2;
constexpr std::size_t kRowsMax = 14;
constexpr bool kWholeBlocks = false;

// clang-format off: each uses what the one before defines
#include "engine/kernels/vector_functions.inc"
#include "engine/kernels/vector_body.inc"
// clang-format on

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

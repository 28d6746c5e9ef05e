// Profile bf16 on AVX2 with FMA: tiles of 6 rows by 16 columns.
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/kernels/bf16.h"
#include "engine/kernels/constants.h"
#include "engine/kernels/profiles_of.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "engine/kernels/target.h"

EML_TARGET_BEGIN("avx2,fma")

namespace eml::kernels {
namespace {
namespace bf16_on_avx2 {

#include "engine/kernels/vec_avx2.inc"

constexpr std::size_t kPanelVectors = 2;
constexpr std::size_t kRowsMax = 6;
constexpr bool kWholeBlocks = false;

// clang-format off: each uses what the one before defines
#include "engine/kernels/vector_functions.inc"
#include "engine/kernels/bf16_vector.inc"
#include "engine/kernels/bf16_body.inc"
// clang-format on

}  // namespace bf16_on_avx2
}  // namespace
}  // namespace eml::kernels

EML_TARGET_END

namespace eml::kernels {
std::optional<Profile> bf16_avx2() {
  return Profile{.numerics = "bf16",
                 .kernels = "avx2",
                 .rows = avx2(),
                 .packed_bytes = bf16::packed_bytes,
                 .pack = bf16::pack,
                 .operand_bytes = bf16::operand_bytes,
                 .prepare = bf16_on_avx2::prepare,
                 .linear = bf16_on_avx2::linear,
                 .attention_scratch = bf16::attention_scratch,
                 .attention = bf16_on_avx2::attention,
                 .peak = avx2()->peak};
}
}  // namespace eml::kernels

#else

namespace eml::kernels {
std::optional<Profile> bf16_avx2() { return std::nullopt; }
}  // namespace eml::kernels

#endif

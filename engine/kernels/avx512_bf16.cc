// Profile bf16 on AVX-512: tiles of 14 rows by 32 columns. Not VDPBF16PS: it adds in another order.
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

EML_TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")

namespace eml::kernels {
namespace {
namespace bf16_on_avx512 {

#include "engine/kernels/vec_avx512.inc"

constexpr std::size_t kPanelVectors = 2;
constexpr std::size_t kRowsMax = 14;
constexpr bool kWholeBlocks = false;

// clang-format off: each uses what the one before defines
#include "engine/kernels/vector_functions.inc"
#include "engine/kernels/bf16_vector.inc"
#include "engine/kernels/bf16_body.inc"
// clang-format on

}  // namespace bf16_on_avx512
}  // namespace
}  // namespace eml::kernels

EML_TARGET_END

namespace eml::kernels {
std::optional<Profile> bf16_avx512() {
  return Profile{.numerics = "bf16",
                 .kernels = "avx512",
                 .rows = avx512(),
                 .packed_bytes = bf16::packed_bytes,
                 .pack = bf16::pack,
                 .operand_bytes = bf16::operand_bytes,
                 .prepare = bf16_on_avx512::prepare,
                 .linear = bf16_on_avx512::linear,
                 .attention_scratch = bf16::attention_scratch,
                 .attention = bf16_on_avx512::attention,
                 .peak = avx512()->peak};
}
}  // namespace eml::kernels

#else

namespace eml::kernels {
std::optional<Profile> bf16_avx512() { return std::nullopt; }
}  // namespace eml::kernels

#endif

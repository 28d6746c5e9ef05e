// Profile int8 on AVX-512 with VNNI: tiles of 14 rows by 32 columns.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "engine/kernels/bf16.h"
#include "engine/kernels/constants.h"
#include "engine/kernels/int8.h"
#include "engine/kernels/profiles_of.h"

#if defined(__x86_64__)
#define EML_VNNI
#include <immintrin.h>

#include "engine/kernels/target.h"

EML_TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

namespace eml::kernels {
namespace {
namespace int8_on_avx512 {

#include "engine/kernels/vec_avx512.inc"

constexpr std::size_t kPanelVectors = 2;
constexpr std::size_t kRowsMax = 14;
constexpr bool kWholeBlocks = false;

// clang-format off: each uses what the one before defines
#include "engine/kernels/vector_functions.inc"
#include "engine/kernels/int8_chain.inc"
#include "engine/kernels/int8_vnni.inc"
#include "engine/kernels/int8_peak.inc"
#include "engine/kernels/int8_body.inc"
// clang-format on

}  // namespace int8_on_avx512
}  // namespace
}  // namespace eml::kernels

EML_TARGET_END

namespace eml::kernels {
std::optional<Profile> int8_avx512() {
  return Profile{.numerics = "int8",
                 .kernels = "avx512",
                 .rows = avx512(),
                 .packed_bytes = int8::packed_bytes,
                 .pack = int8::pack,
                 .operand_bytes = int8::operand_bytes<std::uint8_t>,
                 .prepare = int8_on_avx512::prepare,
                 .linear = int8_on_avx512::linear,
                 .attention_scratch = int8::attention_scratch<std::uint8_t>,
                 .attention = int8_on_avx512::attention,
                 .peak = int8_on_avx512::kPeakLoop};
}
}  // namespace eml::kernels

#else

namespace eml::kernels {
std::optional<Profile> int8_avx512() { return std::nullopt; }
}  // namespace eml::kernels

#endif

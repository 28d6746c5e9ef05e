// Profile int8 on AVX2: products of 16-bit integers (VPMADDWD), tiles of 6 rows by 16 columns.
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
#include <immintrin.h>

#include "engine/kernels/target.h"

EML_TARGET_BEGIN("avx2,fma")

namespace eml::kernels {
namespace {
namespace int8_on_avx2 {

#include "engine/kernels/vec_avx2.inc"

constexpr std::size_t kPanelVectors = 2;
constexpr std::size_t kRowsMax = 6;
constexpr bool kWholeBlocks = false;

// clang-format off: each uses what the one before defines
#include "engine/kernels/vector_functions.inc"
#include "engine/kernels/int8_chain.inc"
#include "engine/kernels/int8_words.inc"
#include "engine/kernels/int8_peak.inc"
#include "engine/kernels/int8_body.inc"
// clang-format on

}  // namespace int8_on_avx2
}  // namespace
}  // namespace eml::kernels

EML_TARGET_END

namespace eml::kernels {
std::optional<Profile> int8_avx2() {
  return Profile{.numerics = "int8",
                 .kernels = "avx2",
                 .rows = avx2(),
                 .packed_bytes = int8::packed_bytes,
                 .pack = int8::pack,
                 .operand_bytes = int8::operand_bytes<std::int16_t>,
                 .prepare = int8_on_avx2::prepare,
                 .linear = int8_on_avx2::linear,
                 .attention_scratch = int8::attention_scratch<std::int16_t>,
                 .attention = int8_on_avx2::attention,
                 .peak = int8_on_avx2::kPeakLoop};
}
}  // namespace eml::kernels

#else

namespace eml::kernels {
std::optional<Profile> int8_avx2() { return std::nullopt; }
}  // namespace eml::kernels

#endif

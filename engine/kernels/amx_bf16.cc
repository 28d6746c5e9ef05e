// Profile bf16 on AMX, with AVX-512 for what is not a product: tiles of 32 rows by 32 columns.
//
// Tests compile this file a second time with EML_EMULATED_TILES, where tiles are software.
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

EML_TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-bf16,amx-int8")

namespace eml::kernels {
namespace {
namespace bf16_on_amx {

#include "engine/kernels/vec_avx512.inc"

constexpr std::size_t kPanelVectors = 2;
constexpr std::size_t kRowsMax = 32;
constexpr bool kWholeBlocks = true;

#if defined(EML_EMULATED_TILES)
#include "engine/kernels/tile_emulated.inc"
#else
#include "engine/kernels/tile_hardware.inc"
#endif
// clang-format off: each uses what the one before defines
#include "engine/kernels/vector_functions.inc"
#include "engine/kernels/bf16_tiles.inc"
#include "engine/kernels/bf16_body.inc"
// clang-format on

}  // namespace bf16_on_amx
}  // namespace
}  // namespace eml::kernels

EML_TARGET_END

namespace eml::kernels {
std::optional<Profile> bf16_amx() {
  return Profile{.numerics = "bf16",
                 .kernels = "amx",
                 .rows = avx512(),
                 .packed_bytes = bf16::packed_bytes,
                 .pack = bf16::pack,
                 .operand_bytes = bf16::operand_bytes,
                 .prepare = bf16_on_amx::prepare,
                 .linear = bf16_on_amx::linear,
                 .attention_scratch = bf16::attention_scratch,
                 .attention = bf16_on_amx::attention,
                 .peak = bf16_on_amx::kPeakLoop};
}
}  // namespace eml::kernels

#else

namespace eml::kernels {
std::optional<Profile> bf16_amx() { return std::nullopt; }
}  // namespace eml::kernels

#endif

// Profile int8 on AMX, with AVX-512 for what is not a product: tiles of 32 rows by 32 columns.
//
// Tests compile this file a second time with EML_EMULATED_TILES, where tiles are software.
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

EML_TARGET_BEGIN("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-bf16,amx-int8")

namespace eml::kernels {
namespace {
namespace int8_on_amx {

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
#include "engine/kernels/int8_chain.inc"
#include "engine/kernels/int8_tiles.inc"
#include "engine/kernels/int8_body.inc"
// clang-format on

}  // namespace int8_on_amx
}  // namespace
}  // namespace eml::kernels

EML_TARGET_END

namespace eml::kernels {
std::optional<Profile> int8_amx() {
  return Profile{.numerics = "int8",
                 .kernels = "amx",
                 .rows = avx512(),
                 .packed_bytes = int8::packed_bytes,
                 .pack = int8::pack,
                 .operand_bytes = int8::operand_bytes<std::uint8_t>,
                 .prepare = int8_on_amx::prepare,
                 .linear = int8_on_amx::linear,
                 .attention_scratch = int8::attention_scratch<std::uint8_t>,
                 .attention = int8_on_amx::attention,
                 .peak = int8_on_amx::kPeakLoop};
}
}  // namespace eml::kernels

#else

namespace eml::kernels {
std::optional<Profile> int8_amx() { return std::nullopt; }
}  // namespace eml::kernels

#endif

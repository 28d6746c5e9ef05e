// The profiles by instruction set, for profile.cc and tests: whether the processor has the instructions is not asked
// here.
#pragma once

#include <optional>

#include "engine/kernels/profile.h"

namespace eml::kernels {

// Empty where the build does not have them (another processor family).
Profile bf16_scalar();
std::optional<Profile> bf16_avx2();
std::optional<Profile> bf16_avx512();
std::optional<Profile> bf16_amx();

Profile int8_scalar();
std::optional<Profile> int8_avx2();
std::optional<Profile> int8_avx512();  // needs VNNI
std::optional<Profile> int8_amx();

}  // namespace eml::kernels

#include "engine/kernel_survey.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/cpu.h"
#include "engine/kernels/profile.h"

namespace eml {
namespace {

constexpr std::string_view kKernels[] = {"amx", "avx512", "avx2", "scalar"};  // the best first

bool can_run(std::string_view numerics, std::string_view kernels) {
  return kernels::find_profile(numerics, kernels).has_value();
}

struct InstructionSet {
  std::string_view name;
  bool CpuFeatures::* feature;
  std::string_view kernels;  // that cannot do without it
  bool tiles;
};
constexpr InstructionSet kSets[] = {
    {"avx2", &CpuFeatures::avx2, "avx2", false},           {"avx512", &CpuFeatures::avx512, "avx512", false},
    {"avx512_vnni", &CpuFeatures::avx512_vnni, "", false}, {"avx512_bf16", &CpuFeatures::avx512_bf16, "", false},
    {"amx_bf16", &CpuFeatures::amx_bf16, "amx", true},     {"amx_int8", &CpuFeatures::amx_int8, "amx", true},
};

std::string why_not(const InstructionSet& set) {
  if (!(cpu_hardware().*set.feature)) return "the processor does not have it";
  if (!(cpu_features().*set.feature)) return "the operating system does not save its registers";
  const int refused = set.tiles ? request_amx() : 0;
  return refused == 0 ? "" : std::string("the system refuses the use of tiles: ") + std::strerror(refused);
}

// Why a profile cannot run these kernels here: the instruction set that they need, or else that nobody wrote them.
std::string why_not_run(std::string_view numerics, std::string_view kernels) {
  if (can_run(numerics, kernels)) return "";
  for (const InstructionSet& set : kSets) {
    if (set.kernels != kernels) continue;
    if (std::string why = why_not(set); !why.empty()) return why;
  }
  return "this build has none for this profile";
}

}  // namespace

std::string_view ProfileSurvey::best() const { return std::ranges::find_if(kernels, &Capability::usable)->name; }

std::string ProfileSurvey::usable_kernels() const {
  std::string out;
  for (const Capability& capability : kernels) {
    if (!capability.usable()) continue;
    if (!out.empty()) out += ", ";
    out += capability.name;
  }
  return out;
}

std::vector<Capability> survey_instruction_sets() {
  std::vector<Capability> out;
  for (const InstructionSet& set : kSets) out.push_back({set.name, why_not(set)});
  return out;
}

std::vector<ProfileSurvey> survey_kernels() {
  std::vector<ProfileSurvey> out;
  for (const std::string_view numerics : kernels::numerics_profiles()) {
    ProfileSurvey& profile = out.emplace_back();
    profile.numerics = numerics;
    for (const std::string_view kernels : kKernels)
      profile.kernels.push_back({kernels, why_not_run(numerics, kernels)});
  }
  return out;
}

bool kernels_usable(std::string_view name) {
  return std::ranges::any_of(kernels::numerics_profiles(),
                             [name](std::string_view numerics) { return can_run(numerics, name); });
}

}  // namespace eml

// What this machine can run, for a person: which kernels each numerics profile would use, and why not better ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace eml {

// Capability is an instruction set, or the kernels for one. An empty `why_not` says that it can be used.
struct Capability {
  std::string_view name;
  std::string why_not;
  bool usable() const { return why_not.empty(); }
};

// ProfileSurvey has the kernels of one numerics profile, the best first; the first usable one is what a server takes
// that is not told otherwise. The last, scalar, is always usable.
struct ProfileSurvey {
  std::string_view numerics;
  std::vector<Capability> kernels;

  std::string_view best() const;
  // usable_kernels lists the names that can be asked for: "avx2, scalar".
  std::string usable_kernels() const;
};

// survey_instruction_sets tells of each set of base/cpu.h, with the kernel's permission where one is needed.
std::vector<Capability> survey_instruction_sets();

// survey_kernels has one entry for each numerics profile of this build.
std::vector<ProfileSurvey> survey_kernels();

// kernels_usable: some profile has kernels of that name, and this machine runs them.
bool kernels_usable(std::string_view name);

}  // namespace eml

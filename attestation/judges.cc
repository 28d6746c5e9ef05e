#include "attestation/judges.h"

#include <algorithm>
#include <array>

namespace eml {
namespace {

constexpr std::array kJudges = {
    KindJudge{"confidential_space", judge_confidential_space, "nonce"},
};

}  // namespace

std::span<const KindJudge> kind_judges() { return kJudges; }

const KindJudge* find_judge(std::string_view kind) {
  const auto* const found = std::ranges::find(kJudges, kind, &KindJudge::kind);
  return found == kJudges.end() ? nullptr : found;
}

std::string error_class_of(std::string_view kind, const Error& error) {
  std::string prefix = std::string(kind) + '-';
  std::ranges::replace(prefix, '_', '-');
  std::string name(error.code().name);
  if (name.starts_with(prefix)) name.erase(0, prefix.size());
  std::ranges::replace(name, '-', '_');
  return name;
}

}  // namespace eml

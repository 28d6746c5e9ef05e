#include "engine/kernel_survey.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/cpu.h"
#include "engine/kernels/kernel_table.h"

namespace eml {
namespace {

TEST(KernelSurvey, NamesEachInstructionSetAndWhyNot) {
  const auto sets = survey_instruction_sets();
  const auto of = [&](std::string_view name) { return *std::ranges::find(sets, name, &Capability::name); };
  EXPECT_EQ(sets.size(), 6U);
  EXPECT_EQ(of("avx2").usable(), cpu_features().avx2);
  EXPECT_EQ(of("avx512").usable(), cpu_features().avx512);
  EXPECT_EQ(of("amx_bf16").usable(), cpu_features().amx_bf16 && request_amx() == 0);
  if (!cpu_hardware().amx_bf16) EXPECT_EQ(of("amx_bf16").why_not, "the processor does not have it");
}

TEST(KernelSurvey, TheBestIsWhatTheEngineTakes) {
  const auto profiles = survey_kernels();
  ASSERT_FALSE(profiles.empty());
  EXPECT_EQ(profiles[0].numerics, "fp32");
  EXPECT_EQ(profiles[0].best(), kernels::available().front()->name);
  for (const ProfileSurvey& profile : profiles) {
    EXPECT_EQ(profile.kernels.back().name, "scalar");
    EXPECT_TRUE(profile.kernels.back().usable());
    EXPECT_TRUE(profile.usable_kernels().ends_with("scalar"));
  }
}

TEST(KernelSurvey, WhatIsUsableIsWhatCanBeForced) {
  for (const ProfileSurvey& profile : survey_kernels()) {
    for (const Capability& kernels : profile.kernels) {
      if (kernels.usable()) EXPECT_TRUE(kernels_usable(kernels.name));
    }
  }
  EXPECT_FALSE(kernels_usable("none"));
  EXPECT_FALSE(kernels_usable(""));
}

}  // namespace
}  // namespace eml

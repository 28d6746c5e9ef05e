#include "base/cpu.h"

#include <gtest/gtest.h>

namespace eml {
namespace {

TEST(Cpu, EveryWiderSetImpliesTheNarrowerOne) {
  const CpuFeatures& f = cpu_features();
  EXPECT_TRUE(!f.avx512 || f.avx2);
  EXPECT_TRUE(!f.avx512_vnni || f.avx512);
  EXPECT_TRUE(!f.avx512_bf16 || f.avx512);
}

TEST(Cpu, WhatCanBeUsedIsThere) {
  const CpuFeatures& usable = cpu_features();
  const CpuFeatures& there = cpu_hardware();
  EXPECT_TRUE(!usable.avx2 || there.avx2);
  EXPECT_TRUE(!usable.avx512 || there.avx512);
  EXPECT_TRUE(!usable.avx512_vnni || there.avx512_vnni);
  EXPECT_TRUE(!usable.avx512_bf16 || there.avx512_bf16);
  EXPECT_TRUE(!usable.amx_bf16 || there.amx_bf16);
  EXPECT_TRUE(!usable.amx_int8 || there.amx_int8);
}

TEST(Cpu, PermissionForTilesNeedsTiles) {
  const int first = request_amx();
  EXPECT_EQ(first, request_amx());
  if (!cpu_hardware().amx_bf16 && !cpu_hardware().amx_int8) EXPECT_NE(first, 0);
}

TEST(Cpu, TheModelHasAName) { EXPECT_FALSE(cpu_model().empty()); }

}  // namespace
}  // namespace eml

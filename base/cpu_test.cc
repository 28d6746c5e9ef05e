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

TEST(Cpu, TheModelHasAName) { EXPECT_FALSE(cpu_model().empty()); }

}  // namespace
}  // namespace eml

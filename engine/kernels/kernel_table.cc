#include "engine/kernels/kernel_table.h"

#include <algorithm>

#include "base/cpu.h"

namespace eml::kernels {

void pack_panels(float* out, const float* weight, std::size_t columns, std::size_t depth, std::size_t panel) {
  // Blocks of k keep the panel's source rows and its destination in the first-level cache.
  constexpr std::size_t kDepthBlock = 64;
  for (std::size_t n0 = 0; n0 < columns; n0 += panel) {
    for (std::size_t k0 = 0; k0 < depth; k0 += kDepthBlock) {
      const std::size_t k1 = std::min(k0 + kDepthBlock, depth);
      for (std::size_t n = 0; n < panel; ++n) {
        const float* from = weight + (n0 + n) * depth;
        float* to = out + n0 * depth + n;
        for (std::size_t k = k0; k < k1; ++k) to[k * panel] = from[k];
      }
    }
  }
}

std::vector<const KernelTable*> available() {
  std::vector<const KernelTable*> out;
  if (cpu_features().avx512 && avx512() != nullptr) out.push_back(avx512());
  if (cpu_features().avx2 && avx2() != nullptr) out.push_back(avx2());
  out.push_back(&scalar());
  return out;
}

const KernelTable* find(std::string_view name) {
  for (const KernelTable* table : available()) {
    if (table->name == name) return table;
  }
  return nullptr;
}

}  // namespace eml::kernels

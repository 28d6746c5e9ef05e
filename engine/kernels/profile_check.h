// Runs of one operation of a profile on given inputs, for the self-test at load, the tests and the fuzz target.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/kernels/profile.h"

namespace eml::kernels {

struct ProductShape {
  std::size_t rows = 0;
  std::size_t depth = 0;    // a multiple of kWidthStep
  std::size_t columns = 0;  // the same
  Epilogue epilogue = Epilogue::kStore;
};

struct ProductInputs {
  const std::vector<float>& a;         // rows x depth
  const std::vector<float>& weight;    // columns x depth
  const std::vector<float>& bias;      // columns
  const std::vector<float>& residual;  // rows x columns
};

// run_product packs, prepares and multiplies, whole or in ranges of kDepthRange; rows x columns come back.
std::vector<float> run_product(const Profile& profile, const ProductShape& shape, const ProductInputs& in,
                               bool in_ranges);

struct HeadsShape {
  std::size_t tokens = 0;
  std::size_t heads = 0;
  std::size_t size = 0;
};

// run_heads is attention over `qkv` (tokens x 3 heads * size); tokens x heads * size come back.
std::vector<float> run_heads(const Profile& profile, const HeadsShape& shape, const std::vector<float>& qkv);

}  // namespace eml::kernels

// Padme (Nikitin et al., PETS 2019): the next size that leaks O(log log n) bits about n.
#pragma once

#include <cstddef>

namespace eml {

// padme returns (n + m) & ~m with E = floor(log2 n), m = 2^(E - floor(log2 E) - 1) - 1. At most 12 % above n.
// For n < 2 it returns n. Source: docs/spec/channel.md, 4.2.
std::size_t padme(std::size_t n);

}  // namespace eml

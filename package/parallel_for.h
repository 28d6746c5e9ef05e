// ParallelFor is how this module, which has no threads of its own, uses all cores.
#pragma once

#include <cstddef>
#include <functional>

namespace eml {

// ParallelFor calls body(i) once for each i in [0, count), on any threads, several at a time, roughly in ascending
// order, and returns when all are done. `body` never throws.
using ParallelFor = std::function<void(std::size_t count, const std::function<void(std::size_t)>& body)>;

// serial_for is the ParallelFor of one core.
inline void serial_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  for (std::size_t i = 0; i < count; ++i) body(i);
}

}  // namespace eml

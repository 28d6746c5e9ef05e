#include "encoding/padme.h"

#include <bit>

namespace eml {

std::size_t padme(std::size_t n) {
  if (n < 2) return n;
  const auto e = static_cast<unsigned>(std::bit_width(n)) - 1;
  const auto s = static_cast<unsigned>(std::bit_width(e));  // floor(log2 E) + 1
  const std::size_t mask = (std::size_t{1} << (e - s)) - 1;
  return (n + mask) & ~mask;
}

}  // namespace eml

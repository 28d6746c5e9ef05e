// Mutator alters bytes as an attacker or a broken pipe would: flips, overwrites with telling values, removals,
// repetitions, insertions, truncations and swaps of pieces. Same seed, same mutations.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>

#include "base/bytes.h"

namespace eml::test {

// mutation_count is how many mutations a test tries: the environment variable EML_MUTATIONS, else `by_default`.
inline std::size_t mutation_count(std::size_t by_default) {
  const char* const text = std::getenv("EML_MUTATIONS");  // NOLINT(concurrency-mt-unsafe): tests have one thread
  return text == nullptr ? by_default : static_cast<std::size_t>(std::strtoull(text, nullptr, 10));
}

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  // next returns `bytes` with one to three alterations; it may by chance equal `bytes`.
  Bytes next(Bytes bytes) {
    for (std::size_t n = 1 + below(3); n > 0; --n) alter(bytes);
    return bytes;
  }

  std::size_t below(std::size_t n) {
    return n == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }

 private:
  void alter(Bytes& bytes) {
    if (bytes.empty()) return;
    const std::size_t at = below(bytes.size());
    const std::size_t size = 1 + below(std::min<std::size_t>(bytes.size() - at, 64));
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = begin + static_cast<std::ptrdiff_t>(size);
    static constexpr std::uint8_t kTelling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x9f, 0xbf, 0x1f, 0x30, '<', '&', '"'};
    switch (below(7)) {
      case 0:
        bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << below(8)));
        break;
      case 1:
        bytes[at] = kTelling[below(std::size(kTelling))];
        break;
      case 2:
        bytes.erase(begin, end);
        break;
      case 3: {
        const Bytes piece(begin, end);
        bytes.insert(begin, piece.begin(), piece.end());
        break;
      }
      case 4:
        bytes.insert(begin, kTelling[below(std::size(kTelling))]);
        break;
      case 5:
        bytes.resize(at);
        break;
      default:
        std::swap(bytes[at], bytes[below(bytes.size())]);
        break;
    }
  }

  std::mt19937 random_;
};

}  // namespace eml::test

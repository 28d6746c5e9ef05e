#include "engine/crew.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace eml {
namespace {

// About 50 us: the parts of a pass end within a few us of each other unless somebody else took a core.
constexpr int kSpins = 2000;

constexpr std::size_t kRowsPerPart = 16;

void pause_briefly() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

void Barrier::arrive_and_wait() {
  const std::uint32_t round = round_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    round_.notify_all();
    return;
  }
  for (int i = 0; i < kSpins; ++i) {
    if (round_.load(std::memory_order_acquire) != round) return;
    pause_briefly();
  }
  round_.wait(round, std::memory_order_acquire);
}

std::uint32_t Crew::useful_parts(std::size_t tokens, std::size_t parts_max) {
  return static_cast<std::uint32_t>(
      std::clamp<std::size_t>(tokens / kRowsPerPart, 1, std::max<std::size_t>(parts_max, 1)));
}

}  // namespace eml

#include "engine/crew.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace eml {
namespace {

// About 50 us: the parts of a pass end within a few us of each other unless somebody else took a core.
constexpr int kSpins = 2000;

// Fewer rows a part, and its time is that of reading all weights: better each part reads some of them.
constexpr std::size_t kRowsPerPart = 16;

// Of columns more parts would wait for each other longer than they compute: there are some forty barriers in a pass of
// a few hundred microseconds.
constexpr std::size_t kColumnPartsMax = 4;

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

Crew::Plan Crew::plan(std::size_t tokens, std::size_t parts_max) {
  parts_max = std::max<std::size_t>(parts_max, 1);
  const bool few = tokens < 2 * kRowsPerPart;
  const std::size_t parts = std::min(parts_max, few ? kColumnPartsMax : tokens / kRowsPerPart);
  return {.parts = static_cast<std::uint32_t>(parts), .cut = few && parts > 1 ? Cut::kColumns : Cut::kRows};
}

}  // namespace eml

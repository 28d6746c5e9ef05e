// Crew is one pass that several threads compute together. Each takes some of the heads of attention, and either some of
// the rows of every matrix product and norm, or some of the columns of every product: a pass of few rows takes the time
// of reading the weights, and so each thread reads only its share of them. Every element is computed as by one thread,
// so its bits are the same.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "engine/token.h"

namespace eml {

class Workspace;

// Barrier holds threads until all of a number have come. It waits awake for about as long as one part of a pass may be
// late, then asleep: a thread that spins on a core which another needs would hold up the very thread that it waits for.
class Barrier {
 public:
  explicit Barrier(std::uint32_t threads) : threads_(threads) {}
  void arrive_and_wait();

 private:
  const std::uint32_t threads_;
  std::atomic<std::uint32_t> arrived_{0};
  std::atomic<std::uint32_t> round_{0};
};

class Crew {
 public:
  enum class Cut : std::uint8_t { kRows, kColumns };
  struct Plan {
    std::uint32_t parts = 1;  // at least 1
    Cut cut = Cut::kRows;
  };

  // plan is how a pass of `tokens` tokens is best cut, into at most `parts_max` parts.
  static Plan plan(std::size_t tokens, std::size_t parts_max);

  // `shared` holds the rows of all parts; `texts` and `out` are as for Encoder::embed.
  Crew(Workspace& shared, std::span<const TokenSpan> texts, std::span<float> out, const Plan& plan)
      : shared_(shared), texts_(texts), out_(out), parts_(plan.parts), cut_(plan.cut), barrier_(plan.parts) {}

  std::uint32_t parts() const { return parts_; }

 private:
  friend class Encoder;
  Workspace& shared_;
  std::span<const TokenSpan> texts_;
  std::span<float> out_;
  std::uint32_t parts_;
  Cut cut_;
  Barrier barrier_;
  std::atomic<std::uint32_t> left_{0};  // parts other than 0 that touch the crew no more
};

}  // namespace eml

// Crew is one pass that several threads compute together: each takes some of the rows of every matrix product and norm,
// and some of the heads of attention. Every element is computed as by one thread, so its bits are the same.
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
  // `shared` holds the rows of all parts; `texts` and `out` are as for Encoder::embed. `parts` is at least 1.
  Crew(Workspace& shared, std::span<const TokenSpan> texts, std::span<float> out, std::uint32_t parts)
      : shared_(shared), texts_(texts), out_(out), parts_(parts), barrier_(parts) {}

  std::uint32_t parts() const { return parts_; }

  // useful_parts is how many parts a pass of `tokens` tokens is worth cutting into, at most `parts_max`: fewer rows
  // than these a part, and its time is that of reading the weights.
  static std::uint32_t useful_parts(std::size_t tokens, std::size_t parts_max);

 private:
  friend class Encoder;
  Workspace& shared_;
  std::span<const TokenSpan> texts_;
  std::span<float> out_;
  std::uint32_t parts_;
  Barrier barrier_;
  std::atomic<std::uint32_t> left_{0};  // parts other than 0 that touch the crew no more
};

}  // namespace eml

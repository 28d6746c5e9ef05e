// SeededRandom gives the same bytes for the same seed: SHA-256 of the seed and a counter. FixedClock stands still until
// a test moves it. Test-only; header-only; the test links eml_crypto.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "crypto/hash.h"

namespace eml::test {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::string_view seed) : seed_(seed) {}

  void fill(MutableByteView out) override {
    while (!out.empty()) {
      const Hash32 block = sha256(as_bytes(seed_ + "#" + std::to_string(counter_++)));
      const std::size_t n = std::min(out.size(), block.size());
      std::copy_n(block.begin(), n, out.begin());
      out = out.subspan(n);
    }
  }

 private:
  std::string seed_;
  std::uint64_t counter_ = 0;
};

class FixedClock final : public Clock {
 public:
  explicit FixedClock(UnixSeconds now) : now_(now) {}
  UnixSeconds now() const override { return now_; }
  std::chrono::nanoseconds monotonic() const override { return monotonic_; }
  void advance(std::chrono::seconds by) {
    now_ += by.count();
    monotonic_ += by;
  }

 private:
  UnixSeconds now_;
  std::chrono::nanoseconds monotonic_{0};
};

}  // namespace eml::test

// The system's own clock and generator, apart from clock.cc, which is arithmetic and goes where there is no system.
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "base/clock.h"

namespace eml {
namespace {

class SystemClock final : public Clock {
 public:
  UnixSeconds now() const override { return read(CLOCK_REALTIME).tv_sec; }
  std::chrono::nanoseconds monotonic() const override {
    const timespec t = read(CLOCK_MONOTONIC);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
  }

 private:
  static timespec read(clockid_t id) {
    timespec t{};
    ::clock_gettime(id, &t);
    return t;
  }
};

class SystemRandom final : public Random {
 public:
  void fill(MutableByteView out) override {
    while (!out.empty()) {
      const ssize_t n = ::getrandom(out.data(), out.size(), 0);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) std::abort();
      out = out.subspan(static_cast<std::size_t>(n));
    }
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace eml

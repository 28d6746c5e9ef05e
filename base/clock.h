// Clock and Random are parameters: nothing below `server` and `apps` reads the system's own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kTimeMalformed{ErrorClass::kMalformed, "time-malformed"};

// UnixSeconds is a point in time in whole seconds since 1970-01-01T00:00:00Z.
using UnixSeconds = std::int64_t;

// Clock gives the time of day, which a host may move, and a monotonic time for timers and durations.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixSeconds now() const = 0;
  virtual std::chrono::nanoseconds monotonic() const = 0;
};

// system_clock is the machine's own clock.
const Clock& system_clock();

// Random fills buffers with unpredictable bytes. Implementations for production never fail: they end the process
// rather than return weak bytes.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableByteView out) = 0;

  template <std::size_t n>
  ByteArray<n> array() {
    ByteArray<n> out;
    fill(out);
    return out;
  }
};

// system_random reads the kernel's generator (getrandom).
Random& system_random();

// kUnixSecondsMin and kUnixSecondsMax are 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z, all that RFC 3339 can write.
inline constexpr UnixSeconds kUnixSecondsMin = -62167219200;
inline constexpr UnixSeconds kUnixSecondsMax = 253402300799;

// rfc3339 formats UTC seconds as "2026-11-25T13:08:00Z"; times outside the years 0 to 9999 become the nearest limit.
// parse_rfc3339 accepts that form (with "Z" or a numeric offset, without fractions, leap seconds or lower case) and
// nothing else: kTimeMalformed.
std::string rfc3339(UnixSeconds time);
Result<UnixSeconds> parse_rfc3339(std::string_view text);

}  // namespace eml

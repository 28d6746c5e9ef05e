// NonceStore gives a broker's challenges: one use, 60 seconds, a bounded number.
// Source: docs/spec/key_release.md, 3 and 4 (step 1).
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kReleaseNonceUnknown{ErrorClass::kRejected, "release-nonce-unknown"};
inline constexpr ErrorCode kReleaseNonceExpired{ErrorClass::kRejected, "release-nonce-expired"};
inline constexpr ErrorCode kReleaseNonceLimit{ErrorClass::kLimit, "release-nonce-limit"};

using Nonce = ByteArray<32>;

// Time is monotonic: a host that moves the clock of day neither prolongs nor ends a nonce. Not thread-safe.
class NonceStore {
 public:
  // 60 s is ten times what a server takes to get evidence; 1,024 open nonces are 50 KiB.
  static constexpr std::chrono::seconds kLifetime{60};
  static constexpr std::size_t kOpenMax = 1024;

  // issue makes a nonce; kReleaseNonceLimit while kOpenMax are open and in time.
  Result<Nonce> issue(Random& random, std::chrono::nanoseconds now);
  // use takes a nonce out for good. kReleaseNonceUnknown: never given, used, or long gone. kReleaseNonceExpired.
  Status use(const Nonce& nonce, std::chrono::nanoseconds now);
  std::size_t open() const { return open_.size(); }

 private:
  struct Open {
    Nonce nonce;
    std::chrono::nanoseconds issued_at;
  };
  std::deque<Open> open_;  // in the order of their issue
};

}  // namespace eml

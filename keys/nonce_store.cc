#include "keys/nonce_store.h"

#include <algorithm>

namespace eml {

Result<Nonce> NonceStore::issue(Random& random, std::chrono::nanoseconds now) {
  // The old ones are kept until room is needed, so that a late request hears that it is late.
  if (open_.size() >= kOpenMax && now - open_.front().issued_at > kLifetime) open_.pop_front();
  if (open_.size() >= kOpenMax) return fail(kReleaseNonceLimit, "too many challenges are open", kOpenMax);
  open_.push_back({.nonce = random.array<32>(), .issued_at = now});
  return open_.back().nonce;
}

Status NonceStore::use(const Nonce& nonce, std::chrono::nanoseconds now) {
  const auto found = std::ranges::find(open_, nonce, &Open::nonce);
  if (found == open_.end()) return fail(kReleaseNonceUnknown, "not a challenge of this broker, or used already");
  const bool expired = now - found->issued_at > kLifetime;
  open_.erase(found);
  if (expired) return fail(kReleaseNonceExpired, "the challenge is older than it may be (seconds)", 60);
  return {};
}

}  // namespace eml

#include "channel/bundle_cache.h"

#include <algorithm>

namespace eml {

bool VerifiedBundleCache::same(const Entry& entry, const Hash32& bundle_hash, const BundleExpectation& expectation) {
  return entry.peer.bundle_hash == bundle_hash && entry.purpose == expectation.purpose &&
         entry.challenge == expectation.challenge && entry.verify_manifest == expectation.verify_manifest &&
         entry.given_root == expectation.given_root && expectation.policy != nullptr &&
         entry.policy_hash == expectation.policy->hash();
}

std::optional<TrustedPeer> VerifiedBundleCache::find(const Hash32& bundle_hash,
                                                     const BundleExpectation& expectation) const {
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (!same(entry, bundle_hash, expectation)) continue;
    const UnixSeconds until = std::min(entry.peer.binding.not_after, entry.verified_at + kSecondsMax);
    if (expectation.time >= entry.verified_at && expectation.time <= until) return entry.peer;
  }
  return std::nullopt;
}

void VerifiedBundleCache::remember(const TrustedPeer& peer, const BundleExpectation& expectation) {
  if (entries_max_ == 0 || expectation.policy == nullptr) return;
  const std::lock_guard lock(mutex_);
  entries_.remove_if([&](const Entry& entry) { return same(entry, peer.bundle_hash, expectation); });
  entries_.push_front({.peer = peer,
                       .purpose = expectation.purpose,
                       .challenge = expectation.challenge,
                       .policy_hash = expectation.policy->hash(),
                       .verify_manifest = expectation.verify_manifest,
                       .given_root = expectation.given_root,
                       .verified_at = expectation.time});
  if (entries_.size() > entries_max_) entries_.pop_back();
}

std::size_t VerifiedBundleCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace eml

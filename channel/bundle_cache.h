// VerifiedBundleCache remembers bundles that passed all six checks, so that a client that opens many channels verifies
// each epoch once. Nothing of it shows on the wire, and the hello's signature is verified every time.
// Source: docs/spec/channel.md, 2.5.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>

#include "attestation/bundle.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace eml {

// Thread-safe. An entry is found only with the same bundle bytes, policy bytes, purpose, challenge and manifest
// verifier; not before it was verified, not after the binding's not_after, and not longer than kSecondsMax, since
// endorsements and policy entries have dates of their own.
class VerifiedBundleCache {
 public:
  static constexpr UnixSeconds kSecondsMax = 300;

  // 16: servers times epochs that one client meets within five minutes. The oldest goes first.
  explicit VerifiedBundleCache(std::size_t entries_max = 16) : entries_max_(entries_max) {}

  std::optional<TrustedPeer> find(const Hash32& bundle_hash, const BundleExpectation& expectation) const;
  void remember(const TrustedPeer& peer, const BundleExpectation& expectation);
  std::size_t size() const;

 private:
  struct Entry {
    TrustedPeer peer;
    Purpose purpose;
    std::optional<Hash32> challenge;
    Hash32 policy_hash;
    ManifestVerifier verify_manifest;
    std::optional<Bytes> given_root;
    UnixSeconds verified_at;
  };
  static bool same(const Entry& entry, const Hash32& bundle_hash, const BundleExpectation& expectation);

  std::size_t entries_max_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // newest first
};

}  // namespace eml

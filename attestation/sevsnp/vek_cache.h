// SnpVekCache remembers chains that verified, so that the second report of a machine costs one signature.
//
// It never changes a verdict: what it holds is found again by every byte that led to it (key, chain, revocation list,
// roots), and only for a time at which each certificate and the list are in date. At any other time the whole procedure
// runs. Bound: kSnpVekCacheMax chains, of which the oldest goes first. Not for several threads at once.
#pragma once

#include <deque>
#include <span>

#include "attestation/judge.h"
#include "attestation/sevsnp/endorsements.h"

namespace eml {

// A client sees a few machines, a broker some dozens; an entry is below 20 KiB.
inline constexpr std::size_t kSnpVekCacheMax = 64;

// SnpVekBytes is all that a chain's verification depends on, but the time.
struct SnpVekBytes {
  ByteView vek;
  ByteView ca_chain;
  ByteView crl;
  std::span<const Hash32> roots;
};

class SnpVekCache {
 public:
  // find returns the key that these bytes led to, if it is good at `time`.
  const VerifiedVek* find(const SnpVekBytes& bytes, UnixSeconds time) const;
  // put remembers what verify_snp_endorsements and verify_snp_revocation accepted.
  void put(const SnpVekBytes& bytes, const VerifiedVek& vek);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Hash32 key{};
    UnixSeconds not_before = 0;
    UnixSeconds not_after = 0;
    VerifiedVek vek;
  };
  std::deque<Entry> entries_;
};

// judge_sevsnp with a cache gives the verdict that it gives without.
EvidenceVerdict judge_sevsnp(const EvidenceInput& input, SnpVekCache& cache);

}  // namespace eml

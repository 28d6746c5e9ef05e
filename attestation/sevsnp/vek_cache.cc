#include "attestation/sevsnp/vek_cache.h"

#include <algorithm>

#include "crypto/hash.h"
#include "encoding/reader.h"

namespace eml {
namespace {

// Sizes are hashed before their bytes, so that no two inputs join to the same.
Hash32 key_of(const SnpVekBytes& bytes) {
  Writer sizes;
  sizes.u64(bytes.vek.size()).u64(bytes.ca_chain.size()).u64(bytes.crl.size());
  Bytes roots;
  for (const Hash32& root : bytes.roots) roots.insert(roots.end(), root.begin(), root.end());
  return sha256_of({sizes.view(), bytes.vek, bytes.ca_chain, bytes.crl, roots});
}

}  // namespace

const VerifiedVek* SnpVekCache::find(const SnpVekBytes& bytes, UnixSeconds time) const {
  if (entries_.empty()) return nullptr;
  const Hash32 key = key_of(bytes);
  const auto found = std::ranges::find(entries_, key, &Entry::key);
  if (found == entries_.end() || time < found->not_before || time > found->not_after) return nullptr;
  return &found->vek;
}

void SnpVekCache::put(const SnpVekBytes& bytes, const VerifiedVek& vek) {
  const auto crl = RevocationList::decode_der(bytes.crl);
  if (!crl || !crl->next_update()) return;
  Entry entry{.key = key_of(bytes), .not_before = crl->this_update(), .not_after = *crl->next_update(), .vek = vek};
  for (const Certificate* const each : {&vek.certificate, &vek.ask, &vek.ark}) {
    entry.not_before = std::max(entry.not_before, each->not_before());
    entry.not_after = std::min(entry.not_after, each->not_after());
  }
  std::erase_if(entries_, [&](const Entry& other) { return other.key == entry.key; });
  if (entries_.size() == kSnpVekCacheMax) entries_.pop_front();
  entries_.push_back(std::move(entry));
}

}  // namespace eml

// Memo remembers what was made of exact bytes, up to a fixed number of them. It is for functions of bytes alone: what
// depends on a time must not be remembered.
// Source: docs/spec/evidence/tdx.md, section 9.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace eml::tdx {

inline constexpr std::size_t kMemoEntriesMax = 16;
inline constexpr std::size_t kMemoKeyBytesMax = std::size_t{64} * 1024;  // ten times the largest genuine file

template <typename T>
class Memo {
 public:
  // find returns what was kept for this context (whose signature it is) and exactly these bytes, or null.
  std::shared_ptr<const T> find(const Hash32& context, ByteView key) {
    for (Entry& entry : entries_) {
      if (entry.context != context || !equal(entry.key, key)) continue;
      entry.last_use = ++uses_;
      return entry.value;
    }
    return nullptr;
  }

  // keep remembers `value`, in place of what was used longest ago if there is no room. A key over the bound is not
  // kept.
  void keep(const Hash32& context, ByteView key, std::shared_ptr<const T> value) {
    if (key.size() > kMemoKeyBytesMax) return;
    Entry entry{.context = context, .key = to_bytes(key), .value = std::move(value), .last_use = ++uses_};
    if (entries_.size() < kMemoEntriesMax) {
      entries_.push_back(std::move(entry));
    } else {
      *std::ranges::min_element(entries_, {}, &Entry::last_use) = std::move(entry);
    }
  }

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Hash32 context;
    Bytes key;
    std::shared_ptr<const T> value;
    std::uint64_t last_use = 0;
  };
  std::vector<Entry> entries_;
  std::uint64_t uses_ = 0;
};

// remembered returns what `memo` has for these bytes, or makes it, and keeps it if that succeeded. Without a memo it
// only makes: the same call either way, so that a memo cannot change an answer.
template <typename T, typename Make>
Result<std::shared_ptr<const T>> remembered(Memo<T>* memo, const Hash32& context, ByteView key, Make make) {
  if (memo != nullptr) {
    if (auto found = memo->find(context, key)) return found;
  }
  EML_TRY(T made, make());
  auto out = std::make_shared<const T>(std::move(made));
  if (memo != nullptr) memo->keep(context, key, out);
  return out;
}

}  // namespace eml::tdx

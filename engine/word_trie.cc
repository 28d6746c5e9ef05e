#include "engine/word_trie.h"

#include <algorithm>
#include <numeric>

namespace eml {

WordTrie::WordTrie(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end());
  grow(1024);
  nodes_[0].parent = kNone - 1;  // the root is taken, and nobody's child
  std::span<const Entry> all(entries);
  while (!all.empty() && all.front().first.empty()) all = all.subspan(1);
  insert(0, all, 0);
  // Every base + byte must stay inside, also for nodes without children.
  nodes_.resize(nodes_.size() + 256);
  jump_ = {};
}

// All `entries` share their first `depth` bytes, which lead to `node`, and are longer.
void WordTrie::insert(std::uint32_t node, std::span<const Entry> entries, std::size_t depth) {
  if (entries.empty()) return;
  const auto byte_at = [&](const Entry& e) { return static_cast<std::uint8_t>(e.first[depth]); };
  std::vector<std::uint8_t> bytes;
  for (const Entry& entry : entries) {
    if (bytes.empty() || bytes.back() != byte_at(entry)) bytes.push_back(byte_at(entry));
  }
  const std::uint32_t base = place(bytes);
  nodes_[node].base = base;
  for (const std::uint8_t byte : bytes) nodes_[base + byte].parent = node;

  for (std::size_t begin = 0; begin < entries.size();) {
    const std::uint8_t byte = byte_at(entries[begin]);
    std::size_t end = begin;
    while (end < entries.size() && byte_at(entries[end]) == byte) ++end;
    const std::uint32_t child = base + byte;
    std::size_t longer = begin;
    while (longer < end && entries[longer].first.size() == depth + 1) {
      if (nodes_[child].value == kNone) nodes_[child].value = entries[longer].second;
      ++longer;
    }
    insert(child, entries.subspan(longer, end - longer), depth + 1);
    begin = end;
  }
}

// The first base at which every byte's node is free. The search starts where the last crowded one gave up: a crowded
// region costs time and gains few nodes, so its last holes stay empty.
std::uint32_t WordTrie::place(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kTriesMax = 32;
  std::uint32_t at = std::max(first_free_, std::uint32_t{bytes.front()} + 1U);
  for (std::size_t tries = 0;; ++tries) {
    at = next_free(at);
    const std::uint32_t base = at - bytes.front();
    const bool fits =
        std::all_of(bytes.begin(), bytes.end(), [&](std::uint8_t b) { return nodes_[base + b].parent == kNone; });
    if (fits) {
      if (tries >= kTriesMax) first_free_ = at;
      return base;
    }
    ++at;
  }
}

// Chains of taken nodes are halved on the way, so that a long run is walked once.
std::uint32_t WordTrie::next_free(std::uint32_t at) {
  while (true) {
    if (at + 512U > nodes_.size()) grow(nodes_.size() * 2);
    if (nodes_[at].parent == kNone) return at;
    if (jump_[at] == at) jump_[at] = at + 1;
    if (jump_[jump_[at]] != jump_[at]) jump_[at] = jump_[jump_[at]];
    at = jump_[at];
  }
}

void WordTrie::grow(std::size_t nodes) {
  nodes_.resize(nodes);
  const std::size_t known = jump_.size();
  jump_.resize(nodes);
  std::iota(jump_.begin() + static_cast<std::ptrdiff_t>(known), jump_.end(), static_cast<std::uint32_t>(known));
}

}  // namespace eml

// WordTrie finds the longest vocabulary entry at the start of a text, byte by byte: a double-array trie (Aoe 1989).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace eml {

class WordTrie {
 public:
  struct Match {
    std::size_t bytes = 0;  // 0: no entry
    std::uint32_t value = 0;
  };

  // Entries may come in any order; an empty or repeated one is ignored.
  explicit WordTrie(std::vector<std::pair<std::string_view, std::uint32_t>> entries);

  Match longest(ByteView text) const {
    Match out;
    std::uint32_t node = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::uint32_t next = nodes_[node].base + text[i];
      if (nodes_[next].parent != node) break;
      node = next;
      if (nodes_[node].value != kNone) out = {.bytes = i + 1, .value = nodes_[node].value};
    }
    return out;
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;
  struct Node {
    std::uint32_t base = 0;  // child for byte b is node base + b, if that node's parent is this one
    std::uint32_t parent = kNone;
    std::uint32_t value = kNone;
  };
  using Entry = std::pair<std::string_view, std::uint32_t>;

  void insert(std::uint32_t node, std::span<const Entry> entries, std::size_t depth);
  std::uint32_t place(std::span<const std::uint8_t> bytes);
  std::uint32_t next_free(std::uint32_t at);
  void grow(std::size_t nodes);

  std::vector<Node> nodes_;
  // Only while building: where to look on from a node that is taken (itself, if free), and where the search starts.
  std::vector<std::uint32_t> jump_;
  std::uint32_t first_free_ = 1;
};

}  // namespace eml

#include "engine/word_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace eml {
namespace {

TEST(WordTrie, FindsTheLongestEntry) {
  const WordTrie trie({{"a", 1}, {"abc", 2}, {"abd", 3}, {"b", 4}});
  const auto match = trie.longest(as_bytes("abcd"));
  EXPECT_EQ(match.bytes, 3U);
  EXPECT_EQ(match.value, 2U);
  EXPECT_EQ(trie.longest(as_bytes("abx")).bytes, 1U);
  EXPECT_EQ(trie.longest(as_bytes("x")).bytes, 0U);
  EXPECT_EQ(trie.longest(as_bytes("")).bytes, 0U);
}

TEST(WordTrie, MayBeEmptyAndIgnoresEmptyEntries) {
  EXPECT_EQ(WordTrie({}).longest(as_bytes("a")).bytes, 0U);
  const WordTrie trie({{"", 1}, {"a", 2}});
  EXPECT_EQ(trie.longest(as_bytes("a")).value, 2U);
  EXPECT_EQ(trie.longest(as_bytes("b")).bytes, 0U);
}

TEST(WordTrie, AgreesWithAMapOnRandomBytes) {
  std::mt19937 engine(3);
  const auto text = [&](std::size_t longest, unsigned alphabet) {
    std::string out(1 + engine() % longest, ' ');
    for (char& c : out) c = static_cast<char>(static_cast<unsigned char>(engine() % alphabet));
    return out;
  };
  for (const unsigned alphabet : {2U, 5U, 256U}) {
    std::map<std::string, std::uint32_t> words;
    for (std::uint32_t i = 0; i < 3000; ++i) words.emplace(text(8, alphabet), i);
    std::vector<std::pair<std::string_view, std::uint32_t>> entries(words.begin(), words.end());
    std::shuffle(entries.begin(), entries.end(), engine);
    const WordTrie trie(entries);
    for (int i = 0; i < 5000; ++i) {
      const std::string probe = text(12, alphabet);
      std::size_t want = probe.size();
      while (want > 0 && !words.contains(probe.substr(0, want))) --want;
      const auto match = trie.longest(as_bytes(probe));
      ASSERT_EQ(match.bytes, want);
      if (want != 0) ASSERT_EQ(match.value, words[probe.substr(0, want)]);
    }
  }
}

}  // namespace
}  // namespace eml

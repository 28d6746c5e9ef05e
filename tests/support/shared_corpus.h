// Whether the shared evidence corpus is there. A test that needs it is skipped only if its folder is not; a corpus that
// is there and cannot be read, or gives no case, fails the test.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/shared.h"

namespace eml::test {

inline std::filesystem::path shared_corpus_dir() { return shared_dir() / "corpus" / "open"; }
inline bool has_shared_corpus() { return std::filesystem::is_directory(shared_corpus_dir()); }
inline std::string no_shared_corpus() {
  return "the shared evidence corpus is not there: " + shared_corpus_dir().string();
}

}  // namespace eml::test

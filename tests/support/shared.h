// Where the test vectors lie and how tests read files. Failing to read is reported as an empty optional, so that a test
// can say with GTEST_SKIP that it was not run; a vector that exists but is not readable still fails the test that reads
// it.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace eml::test {

// source_dir is the root of the source tree that this test was built from.
std::filesystem::path source_dir();

// shared_dir is the folder of shared test vectors: the environment variable EML_SHARED if set and not empty, else
// `shared` beside the source tree. Nothing says that it exists.
std::filesystem::path shared_dir();

// read_file returns the bytes of `path`, or nothing if it is not a readable regular file.
std::optional<std::string> read_file(const std::filesystem::path& path);

// read_bytes is read_file as a vector of bytes.
std::optional<std::vector<unsigned char>> read_bytes(const std::filesystem::path& path);

// TempDir is a fresh directory, removed with all that is in it at the end of its scope.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // write puts `content` into the file `name` in this directory and returns its path. It throws if that fails.
  std::filesystem::path write(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path path_;
};

}  // namespace eml::test

// EML_SHARED_FILE_OR_SKIP declares `name`, the content (std::string) of a file below shared_dir(), or skips the test
// when the file is not there. Only for the body of a test.
// NOLINTBEGIN(bugprone-macro-parentheses): `name` is declared here.
#define EML_SHARED_FILE_OR_SKIP(name, relative)                                             \
  const auto name##_maybe = ::eml::test::read_file(::eml::test::shared_dir() / (relative)); \
  if (!name##_maybe) GTEST_SKIP() << "no shared vectors: " << (relative);                   \
  const std::string& name = *name##_maybe
// NOLINTEND(bugprone-macro-parentheses)

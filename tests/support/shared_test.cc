#include "tests/support/shared.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace eml::test {
namespace {

TEST(Shared, TheSourceTreeIsWhereThisFileIs) {
  EXPECT_TRUE(std::filesystem::exists(source_dir() / "tests" / "support" / "shared_test.cc"));
}

TEST(Shared, TheEnvironmentNamesAnotherFolder) {
  const char* before = std::getenv("EML_SHARED");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("EML_SHARED", "/somewhere/else", 1);
  EXPECT_EQ(shared_dir(), "/somewhere/else");
  ::setenv("EML_SHARED", "", 1);
  EXPECT_EQ(shared_dir(), source_dir().parent_path() / "shared");
  ::setenv("EML_SHARED", saved.c_str(), 1);
}

TEST(Shared, AFileIsReadWithAllItsBytes) {
  const TempDir dir;
  const std::string content("a\0b\xff\n", 5);
  EXPECT_EQ(read_file(dir.write("x", content)), content);
}

TEST(Shared, WhatIsNotAFileIsNothing) {
  const TempDir dir;
  EXPECT_FALSE(read_file(dir.path()));
  EXPECT_FALSE(read_file(dir.path() / "absent"));
}

TEST(Shared, ATemporaryDirectoryIsRemoved) {
  std::filesystem::path path;
  {
    const TempDir dir;
    path = dir.path();
    dir.write("x", "y");
    EXPECT_TRUE(std::filesystem::exists(path / "x"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace eml::test

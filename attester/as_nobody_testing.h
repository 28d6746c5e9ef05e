// AsNobody lets a test that runs as root meet files that it may not use. Test-only, and for one thread.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace eml::test {

class AsNobody {
 public:
  // Another user than root is nobody enough, if `directory`, which is its own, is read-only.
  explicit AsNobody(const std::string& directory) : directory_(directory), was_root_(::geteuid() == 0) {
    if (was_root_) {
      EXPECT_EQ(::seteuid(65534), 0);
    } else {
      EXPECT_EQ(::chmod(directory.c_str(), 0500), 0);
    }
  }
  ~AsNobody() {
    if (was_root_) {
      EXPECT_EQ(::seteuid(0), 0);
    } else {
      EXPECT_EQ(::chmod(directory_.c_str(), 0700), 0);
    }
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  std::string directory_;
  bool was_root_;
};

}  // namespace eml::test

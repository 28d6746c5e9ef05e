// TsmDirectory is the kernel's /sys/kernel/config/tsm/report, operation by operation; what fails says errno and no
// more. Source: Linux, Documentation/ABI/testing/configfs-tsm-report; fs/configfs/file.c for what a binary attribute
// does.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace eml {

template <typename T>
using OrErrno = std::expected<T, int>;

class TsmDirectory {
 public:
  virtual ~TsmDirectory() = default;
  // make creates the directory of one request; the kernel fills it with attributes. ENXIO: this guest has no provider.
  virtual OrErrno<void> make(const std::string& entry) = 0;
  virtual OrErrno<void> remove(const std::string& entry) = 0;
  // read gives a whole attribute, at most `bytes_max` bytes: EFBIG for more, as the kernel says it of its own bound.
  virtual OrErrno<Bytes> read(const std::string& entry, std::string_view attribute, std::size_t bytes_max) = 0;
  // write is one write(2) and a close. configfs hands a binary attribute to the provider at the close and drops the
  // answer: a failure of that kind shows only in `generation`.
  virtual OrErrno<void> write(const std::string& entry, std::string_view attribute, ByteView bytes) = 0;
};

// posix_tsm_directory works below `root`. Thread-safe.
std::unique_ptr<TsmDirectory> posix_tsm_directory(std::string root);

}  // namespace eml

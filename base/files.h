// Files read whole with a bound, written whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kFileNotFound{ErrorClass::kUnavailable, "file-not-found"};
inline constexpr ErrorCode kFileUnreadable{ErrorClass::kUnavailable, "file-unreadable"};
inline constexpr ErrorCode kFileNotRegular{ErrorClass::kMalformed, "file-not-regular"};
inline constexpr ErrorCode kFileTooLarge{ErrorClass::kLimit, "file-too-large"};
inline constexpr ErrorCode kFileUnwritable{ErrorClass::kUnavailable, "file-unwritable"};
inline constexpr ErrorCode kFileExists{ErrorClass::kRejected, "file-exists"};
inline constexpr ErrorCode kDiskFull{ErrorClass::kUnavailable, "disk-full"};

// read_file reads a regular file of at most `max_bytes`. A directory, device, FIFO or link loop is an error, never
// a hang. The integer in the error, if any, is errno (or the size, for kFileTooLarge).
Result<Bytes> read_file(const std::string& path, std::size_t max_bytes);

// WriteMode: kPublic is 0644, kPrivate 0600; kNew* refuse to replace a file that is there.
enum class WriteMode : std::uint8_t { kPublic, kPrivate, kNewPublic, kNewPrivate };

// write_file writes a temporary file in the same directory, fsyncs it, renames it over `path` and fsyncs the
// directory. On any failure nothing is left behind and `path` is as it was.
Status write_file(const std::string& path, ByteView content, WriteMode mode = WriteMode::kPublic);

// MappedFile is a read-only private mapping of a regular file; moves, never copies. The mapping is unlocked and
// page-cache backed: for public weights and packages, not for secrets.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path, std::uint64_t max_bytes);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();
  ByteView bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// make_directory creates `path` (one level, 0755, or 0700 if `is_private`) and is content if it is a directory already.
enum class DirectoryMode : std::uint8_t { kPublic, kPrivate };
Status make_directory(const std::string& path, DirectoryMode mode = DirectoryMode::kPublic);

// cache_directory is `$XDG_CACHE_HOME/ephemeralml` or `$HOME/.cache/ephemeralml`; not created here.
std::string cache_directory();

}  // namespace eml

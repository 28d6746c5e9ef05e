// Files and directories of the `model` commands: written under a temporary name, renamed when whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "package/package.h"

namespace eml::cli {

// reason_of gives what an error says, with the system's own words for an errno, without its code.
std::string reason_of(const Error& error);

// os_error makes an Error of errno: kDiskFull, kFileNotFound, kFileExists, or kFileUnwritable.
Error os_error(int error);

// without_slashes cuts the slashes at the end, so that a path has a parent and a last part; "/" stays.
std::string without_slashes(std::string path);
std::string parent_of(const std::string& path);

// File owns a file descriptor.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { close(); }
  int fd() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

// write_bytes writes all of it. sync_directory makes the names in a directory last. Errors: os_error.
Status write_bytes(const File& file, ByteView bytes);
Status sync_directory(const std::string& path);

struct FileFingerprint {
  std::uint64_t size = 0;
  Hash32 sha256{};
};

// fingerprint_file reads a regular file in pieces. It stops after `size_max` bytes: kFileTooLarge (its size).
Result<FileFingerprint> fingerprint_file(const std::string& path, std::uint64_t size_max);

// TemporaryDirectory makes PARENT/.eml-HEX.tmp, for this user only, and removes it with all that is in it.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> make(const std::string& parent);
  // remove_left removes what killed processes left in `parent`. Only while no other process works there.
  static void remove_left(const std::string& parent);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  const std::string& path() const { return path_; }
  // renamed_to moves the directory to `target`, which must not exist (kFileExists), readable for all.
  Status renamed_to(const std::string& target);

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// DirectorySink writes a package's members into a temporary directory beside `target`. Nothing is on disk before the
// first member; commit gives the whole its name; without it nothing is left.
class DirectorySink final : public PackageSink {
 public:
  // Errors: kFileExists if there is anything at `target`; kFileNotFound if its parent is no directory.
  static Result<std::unique_ptr<DirectorySink>> at(const std::string& target);
  Status begin(std::string_view name, std::uint64_t size) override;
  Status write(ByteView bytes) override;
  Status end() override;
  Status commit();

 private:
  explicit DirectorySink(std::string target) : target_(std::move(target)) {}
  std::string target_;
  std::unique_ptr<TemporaryDirectory> directory_;
  File file_;
};

}  // namespace eml::cli

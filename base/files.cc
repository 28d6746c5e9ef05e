#include "base/files.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/clock.h"

namespace eml {
namespace {

std::uint64_t last_errno() { return static_cast<std::uint64_t>(errno); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

// O_NONBLOCK: a FIFO without a writer must not hang us before fstat tells what it is.
int open_for_reading(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

Result<std::uint64_t> regular_file_size(const Descriptor& file, std::uint64_t max_bytes) {
  if (!file.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return fail(kFileNotFound, "no such file", last_errno());
    return fail(kFileUnreadable, "the file cannot be opened", last_errno());
  }
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return fail(kFileUnreadable, "the file cannot be examined", last_errno());
  if (!S_ISREG(info.st_mode)) return fail(kFileNotRegular, "not a regular file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > max_bytes) return fail(kFileTooLarge, "the file is larger than allowed", size);
  return size;
}

Status read_until_end(const Descriptor& file, Bytes& out, std::size_t size_hint, std::size_t max_bytes) {
  constexpr std::size_t kStep = 64 * 1024;
  out.resize(std::min(size_hint, max_bytes));
  std::size_t used = 0;
  // The file may grow while we read, and files of /proc say size 0: what counts is what arrives.
  while (true) {
    if (used == out.size()) out.resize(used + (used == size_hint ? 1 : kStep));
    const ssize_t n = ::read(file.get(), out.data() + used, out.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(kFileUnreadable, "the file cannot be read", last_errno());
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
    if (used > max_bytes) return fail(kFileTooLarge, "the file is larger than allowed", used);
  }
  out.resize(used);
  return {};
}

std::unexpected<Error> write_error(int error) {
  const auto number = static_cast<std::uint64_t>(error);
  if (error == ENOSPC || error == EDQUOT) return fail(kDiskFull, "the disk is full", number);
  if (error == EEXIST) return fail(kFileExists, "the file exists already", number);
  return fail(kFileUnwritable, "the file cannot be written", number);
}

bool write_all(int fd, ByteView content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    content = content.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool rename_to_new(const std::string& from, const std::string& to) {
  if (::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  // A file system without RENAME_NOREPLACE: a second name, then the first one goes.
  return ::link(from.c_str(), to.c_str()) == 0 && ::unlink(from.c_str()) == 0;
}

// The file that a write to `path` replaces: through a symbolic link, and never a device, pipe or directory, which a
// rename would otherwise quietly turn into a file.
Result<std::string> write_target(const std::string& path, bool must_be_new) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return path;
    return write_error(errno);
  }
  if (must_be_new) return write_error(EEXIST);
  std::string target = path;
  if (S_ISLNK(info.st_mode)) {
    char resolved[PATH_MAX];
    if (::realpath(path.c_str(), resolved) == nullptr) return write_error(errno);
    target = resolved;
    if (::lstat(resolved, &info) != 0) return write_error(errno);
  }
  if (!S_ISREG(info.st_mode)) return fail(kFileNotRegular, "not a regular file");
  return target;
}

int sync_directory(const std::string& directory) {
  const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errno;
  // Some file systems cannot sync a directory and say EINVAL; there is nothing more to do there.
  return ::fsync(fd.get()) == 0 || errno == EINVAL ? 0 : errno;
}

// Fills the temporary file; errno of the first failure, or 0.
int fill_temporary(const std::string& path, ByteView content, mode_t permissions) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, permissions));
  if (!file.valid()) return errno;
  if (!write_all(file.get(), content) || ::fsync(file.get()) != 0 || !file.close()) {
    const int error = errno;
    ::unlink(path.c_str());
    return error;
  }
  return 0;
}

}  // namespace

Result<Bytes> read_file(const std::string& path, std::size_t max_bytes) {
  const Descriptor file(open_for_reading(path));
  EML_TRY(const std::uint64_t size, regular_file_size(file, max_bytes));
  Bytes out;
  EML_CHECK(read_until_end(file, out, static_cast<std::size_t>(size), max_bytes));
  return out;
}

Status write_file(const std::string& path, ByteView content, WriteMode mode) {
  const bool is_private = mode == WriteMode::kPrivate || mode == WriteMode::kNewPrivate;
  const bool must_be_new = mode == WriteMode::kNewPublic || mode == WriteMode::kNewPrivate;
  EML_TRY(const std::string target, write_target(path, must_be_new));
  const std::string directory = directory_of(target);
  const std::string temporary = directory + "/.eml-" + hex(system_random().array<8>()) + ".tmp";
  if (const int error = fill_temporary(temporary, content, is_private ? 0600 : 0644); error != 0) {
    return write_error(error);
  }
  const bool renamed =
      must_be_new ? rename_to_new(temporary, target) : ::rename(temporary.c_str(), target.c_str()) == 0;
  if (!renamed) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return write_error(error);
  }
  if (const int error = sync_directory(directory); error != 0) return write_error(error);
  return {};
}

Result<MappedFile> MappedFile::open(const std::string& path, std::uint64_t max_bytes) {
  const Descriptor file(open_for_reading(path));
  EML_TRY(const std::uint64_t size, regular_file_size(file, max_bytes));
  if (size == 0) return MappedFile(nullptr, 0);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) return fail(kFileUnreadable, "the file cannot be mapped", last_errno());
  return MappedFile(static_cast<const std::uint8_t*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

Status make_directory(const std::string& path, DirectoryMode mode) {
  if (::mkdir(path.c_str(), mode == DirectoryMode::kPrivate ? 0700 : 0755) == 0) return {};
  const int error = errno;
  struct stat info{};
  if (error == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  return write_error(error);
}

std::string cache_directory() {
  // XDG: a relative path is invalid and ignored.
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && xdg[0] == '/') {
    return std::string(xdg) + "/ephemeralml";
  }
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr || *home == '\0' ? "/" : home) + "/.cache/ephemeralml";
}

}  // namespace eml

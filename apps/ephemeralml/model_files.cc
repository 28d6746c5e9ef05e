#include "apps/ephemeralml/model_files.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/clock.h"
#include "base/files.h"
#include "crypto/hash.h"

namespace eml::cli {
namespace {

constexpr std::string_view kTemporaryPrefix = ".eml-";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::size_t kPiece = 1U << 20;

Result<File> open_regular(const std::string& path) {
  // O_NONBLOCK: a FIFO must not hang us before fstat tells what it is.
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) {
    if (errno == ENOENT) return fail(kFileNotFound, "no such file", ENOENT);
    return fail(kFileUnreadable, "the file cannot be opened", static_cast<std::uint64_t>(errno));
  }
  struct stat info = {};
  if (::fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode)) return fail(kFileNotRegular, "not a regular file");
  return file;
}

}  // namespace

std::string reason_of(const Error& error) {
  std::string out(error.what());
  if (!error.has_first()) return out;
  const bool is_errno = error.error_class() == ErrorClass::kUnavailable && error.first() < 200;
  if (is_errno) return error.first() == 0 ? out : out + ": " + std::strerror(static_cast<int>(error.first()));
  out += " (" + std::to_string(error.first());
  if (error.has_second()) out += ", " + std::to_string(error.second());
  return out + ")";
}

Error os_error(int error) {
  const auto number = static_cast<std::uint64_t>(error);
  if (error == ENOSPC || error == EDQUOT) return Error(kDiskFull, "the disk is full", number);
  if (error == EEXIST || error == ENOTEMPTY) return Error(kFileExists, "it exists already");
  if (error == ENOENT) return Error(kFileNotFound, "no such file or directory", number);
  return Error(kFileUnwritable, "cannot be written", number);
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

void File::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Status write_bytes(const File& file, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.fd(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(os_error(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Status sync_directory(const std::string& path) {
  const File directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a directory and say EINVAL; there is nothing more to do there.
  if (!directory.valid() || (::fsync(directory.fd()) != 0 && errno != EINVAL)) return std::unexpected(os_error(errno));
  return {};
}

Result<FileFingerprint> fingerprint_file(const std::string& path, std::uint64_t size_max) {
  EML_TRY(const File file, open_regular(path));
  FileFingerprint out;
  Sha256 hash;
  Bytes piece(kPiece);
  while (true) {
    const ssize_t n = ::read(file.fd(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(kFileUnreadable, "the file cannot be read", static_cast<std::uint64_t>(errno));
    if (n == 0) break;
    out.size += static_cast<std::uint64_t>(n);
    if (out.size > size_max) return fail(kFileTooLarge, "the file is larger than allowed", out.size, size_max);
    hash.update(ByteView(piece).first(static_cast<std::size_t>(n)));
  }
  out.sha256 = hash.finish();
  return out;
}

Result<TemporaryDirectory> TemporaryDirectory::make(const std::string& parent) {
  std::string path = parent + "/";
  path += kTemporaryPrefix;
  path += hex(system_random().array<8>());
  path += kTemporarySuffix;
  if (::mkdir(path.c_str(), 0700) != 0) return std::unexpected(os_error(errno));
  return TemporaryDirectory(std::move(path));
}

void TemporaryDirectory::remove_left(const std::string& parent) {
  std::error_code ignored;
  std::filesystem::directory_iterator at(parent, ignored);
  for (const std::filesystem::directory_iterator end; !ignored && at != end; at.increment(ignored)) {
    const std::string name = at->path().filename();
    // Sixteen hex digits between prefix and suffix: nobody else's name.
    if (name.size() != kTemporaryPrefix.size() + 16 + kTemporarySuffix.size()) continue;
    if (!name.starts_with(kTemporaryPrefix) || !name.ends_with(kTemporarySuffix)) continue;
    std::error_code not_removed;
    std::filesystem::remove_all(at->path(), not_removed);
  }
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Status TemporaryDirectory::renamed_to(const std::string& target) {
  if (::chmod(path_.c_str(), 0755) != 0) return std::unexpected(os_error(errno));
  EML_CHECK(sync_directory(path_));
  int failed =
      static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE));
  // A file system without RENAME_NOREPLACE: a plain rename replaces an empty directory at most.
  if (failed != 0 && (errno == EINVAL || errno == ENOSYS)) failed = ::rename(path_.c_str(), target.c_str());
  if (failed != 0) return std::unexpected(os_error(errno));
  path_.clear();
  return sync_directory(parent_of(target));
}

Result<std::unique_ptr<DirectorySink>> DirectorySink::at(const std::string& target) {
  struct stat info = {};
  if (::lstat(target.c_str(), &info) == 0) return std::unexpected(os_error(EEXIST));
  if (errno != ENOENT) return std::unexpected(os_error(errno));
  if (::stat(parent_of(target).c_str(), &info) != 0) {
    return fail(kFileNotFound, "the directory above it does not exist", static_cast<std::uint64_t>(errno));
  }
  return std::unique_ptr<DirectorySink>(new DirectorySink(target));
}

Status DirectorySink::begin(std::string_view name, std::uint64_t) {
  if (!directory_) {
    EML_TRY(TemporaryDirectory made, TemporaryDirectory::make(parent_of(target_)));
    directory_ = std::make_unique<TemporaryDirectory>(std::move(made));
  }
  std::string path = directory_->path() + "/";
  path += name;
  file_ = File(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file_.valid()) return std::unexpected(os_error(errno));
  return {};
}

Status DirectorySink::write(ByteView bytes) { return write_bytes(file_, bytes); }

Status DirectorySink::end() {
  if (::fsync(file_.fd()) != 0) return std::unexpected(os_error(errno));
  file_.close();
  return {};
}

Status DirectorySink::commit() {
  if (!directory_) return fail(kInternalError, "a package without members");
  return directory_->renamed_to(target_);
}

}  // namespace eml::cli

#include "attester/tsm_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace eml {
namespace {

constexpr mode_t kEntryMode = 0700;
constexpr std::size_t kPiece = 16 * 1024;  // a quote and its certificates are 5 to 16 KiB

class OpenFile {
 public:
  OpenFile(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~OpenFile() { close(); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

OrErrno<void> done(bool good) {
  if (!good) return std::unexpected(errno);
  return {};
}

class PosixTsmDirectory final : public TsmDirectory {
 public:
  explicit PosixTsmDirectory(std::string root) : root_(std::move(root)) {}

  OrErrno<void> make(const std::string& entry) override {
    return done(::mkdir(path_of(entry).c_str(), kEntryMode) == 0);
  }
  OrErrno<void> remove(const std::string& entry) override { return done(::rmdir(path_of(entry).c_str()) == 0); }
  OrErrno<Bytes> read(const std::string& entry, std::string_view attribute, std::size_t bytes_max) override;
  OrErrno<void> write(const std::string& entry, std::string_view attribute, ByteView bytes) override;

 private:
  std::string path_of(const std::string& entry) const { return root_ + "/" + entry; }
  std::string path_of(const std::string& entry, std::string_view attribute) const {
    return path_of(entry) + "/" + std::string(attribute);
  }

  std::string root_;
};

OrErrno<Bytes> PosixTsmDirectory::read(const std::string& entry, std::string_view attribute, std::size_t bytes_max) {
  const OpenFile file(path_of(entry, attribute), O_RDONLY);
  if (!file.is_open()) return std::unexpected(errno);
  Bytes out;
  while (true) {
    const std::size_t have = out.size();
    out.resize(have + std::min(kPiece, bytes_max + 1 - have));
    const ssize_t n = ::read(file.fd(), out.data() + have, out.size() - have);
    if (n < 0) return std::unexpected(errno);
    out.resize(have + static_cast<std::size_t>(n));
    if (n == 0) return out;
    if (out.size() > bytes_max) return std::unexpected(EFBIG);
  }
}

OrErrno<void> PosixTsmDirectory::write(const std::string& entry, std::string_view attribute, ByteView bytes) {
  OpenFile file(path_of(entry, attribute), O_WRONLY);
  if (!file.is_open()) return std::unexpected(errno);
  const ssize_t n = ::write(file.fd(), bytes.data(), bytes.size());
  if (n < 0) return std::unexpected(errno);
  // A second write would be a second value, not the rest of this one.
  if (static_cast<std::size_t>(n) != bytes.size()) return std::unexpected(EIO);
  return done(file.close());
}

}  // namespace

std::unique_ptr<TsmDirectory> posix_tsm_directory(std::string root) {
  return std::make_unique<PosixTsmDirectory>(std::move(root));
}

}  // namespace eml

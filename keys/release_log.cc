#include "keys/release_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/files.h"
#include "crypto/hash.h"

namespace eml {

namespace {

std::uint64_t last_errno() { return static_cast<std::uint64_t>(errno); }

// Descriptor closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Status sync_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) {
    return fail(kReleaseLogUnwritable, "the log's directory cannot be synced (errno)", last_errno());
  }
  return {};
}

// A lock is on a file, not on its name: after a `torn` record has replaced the file, the old one's lock means nothing.
bool is_still_at(int fd, const std::string& path) {
  struct stat held{};
  struct stat named{};
  return ::fstat(fd, &held) == 0 && ::lstat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

Result<Descriptor> open_locked(const std::string& path) {
  // O_NONBLOCK: a FIFO in the log's place is refused below instead of waited for.
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (fd.get() < 0) return fail(kReleaseLogUnwritable, "the log cannot be opened (errno)", last_errno());
  struct stat about{};
  if (::fstat(fd.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
    return fail(kReleaseLogUnwritable, "the log is not a regular file");
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || !is_still_at(fd.get(), path)) {
    return fail(kReleaseLogBusy, "another process holds the log");
  }
  return fd;
}

Result<LogReport> read_report(const std::string& path) {
  EML_TRY(const MappedFile file, MappedFile::open(path, kReleaseLogBytesMax));
  return verify_log(file.bytes());
}

// The chain's own members are put before the caller's; JCS sorts them anyway.
Result<std::string> make_line(const LogReport& report, std::string_view kind, UnixSeconds now, JsonObject members) {
  members["kind"] = kind;
  members["prev"] = hex(report.last ? report.last->hash : Hash32{});
  members["seq"] = report.records;
  members["time"] = rfc3339(now);
  members["version"] = 1;
  std::string line = canonical_json(members);
  const std::size_t size_max = kind == "torn" ? kReleaseLogTornLineMax : kReleaseLogLineMax;
  if (line.size() > size_max) return fail(kReleaseLogRecord, "a log record is too long", size_max, line.size());
  return line;
}

// The whole log with its tail inside a record, in one rename: no moment at which a byte is missing.
Status keep_torn_tail(const std::string& path, const LogReport& report, UnixSeconds now) {
  EML_TRY(const MappedFile file, MappedFile::open(path, kReleaseLogBytesMax));
  const ByteView whole = file.bytes().first(static_cast<std::size_t>(report.whole_bytes));
  const ByteView tail = file.bytes().subspan(whole.size());
  EML_TRY(const std::string line,
          make_line(report, "torn", now, {{"bytes", hex(tail)}, {"sha256", hex(sha256(tail))}}));
  return write_file(path, concat(whole, as_bytes(line + "\n")), WriteMode::kPrivate);
}

Status write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(kReleaseLogUnwritable, "the log cannot be written (errno)", last_errno());
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return fail(kReleaseLogUnwritable, "the log cannot be synced (errno)", last_errno());
  return {};
}

}  // namespace

Result<ReleaseLog> ReleaseLog::open(const std::string& path, OnTorn on_torn, UnixSeconds now) {
  EML_TRY(Descriptor fd, open_locked(path));
  EML_CHECK(sync_directory_of(path));
  EML_TRY(const LogReport report, read_report(path));
  if (report.torn_bytes == 0) return ReleaseLog(fd.release(), report);
  if (on_torn == OnTorn::kRefuse) {
    return fail(kReleaseLogTorn, "the log's last record was cut off (offset, bytes)", report.whole_bytes,
                report.torn_bytes);
  }
  EML_CHECK(keep_torn_tail(path, report, now));
  EML_TRY(Descriptor replaced, open_locked(path));
  EML_TRY(const LogReport repaired, read_report(path));
  return ReleaseLog(replaced.release(), repaired);
}

ReleaseLog::ReleaseLog(ReleaseLog&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), failed_(other.failed_), report_(other.report_) {}

ReleaseLog& ReleaseLog::operator=(ReleaseLog&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(failed_, other.failed_);
  std::swap(report_, other.report_);
  return *this;
}

ReleaseLog::~ReleaseLog() {
  if (fd_ >= 0) ::close(fd_);
}

Result<LogPosition> ReleaseLog::append(std::string_view kind, UnixSeconds now, JsonObject members) {
  if (failed_) return fail(kReleaseLogUnwritable, "an earlier record could not be written");
  EML_TRY(const std::string line, make_line(report_, kind, now, std::move(members)));
  if (auto status = write_all(fd_, line + "\n"); !status) {
    failed_ = true;
    return std::unexpected(status.error());
  }
  report_.last = LogPosition{.seq = report_.records, .hash = sha256(as_bytes(line))};
  report_.records += 1;
  report_.whole_bytes += line.size() + 1;
  return *report_.last;
}

}  // namespace eml

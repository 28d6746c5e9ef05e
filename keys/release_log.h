// ReleaseLog is the broker's hash-chained, append-only log: JSON lines, on disk before anything is answered.
// Source: docs/spec/key_release.md, 6.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

inline constexpr ErrorCode kReleaseLogTorn{ErrorClass::kUnauthentic, "release-log-torn"};
inline constexpr ErrorCode kReleaseLogBroken{ErrorClass::kUnauthentic, "release-log-broken"};
inline constexpr ErrorCode kReleaseLogBusy{ErrorClass::kUnavailable, "release-log-busy"};
inline constexpr ErrorCode kReleaseLogUnwritable{ErrorClass::kUnavailable, "release-log-unwritable"};
inline constexpr ErrorCode kReleaseLogRecord{ErrorClass::kInternal, "release-log-record"};

// A record fits into 8 KiB; a `torn` one holds the hex of a cut record.
inline constexpr std::size_t kReleaseLogLineMax = 8192;
inline constexpr std::size_t kReleaseLogTornLineMax = 3 * kReleaseLogLineMax;
// Ten years of a record a minute fit; what is larger is read by other means.
inline constexpr std::uint64_t kReleaseLogBytesMax = std::uint64_t{4} << 30;

// LogPosition names a record: its number, and H of its line without the line feed.
struct LogPosition {
  std::uint64_t seq = 0;
  Hash32 hash{};
};

// LogReport is what a check of a log found.
struct LogReport {
  std::uint64_t records = 0;
  std::optional<LogPosition> last;                  // absent in an empty log
  std::optional<std::uint64_t> last_policy_serial;  // of the last `start`
  std::uint64_t whole_bytes = 0;                    // up to and with the last line feed
  std::uint64_t torn_bytes = 0;                     // behind it
};

// verify_log checks every line and the chain. kReleaseLogBroken with the number of the first bad line (from 1). A torn
// tail is no error here: the report says it, and the caller says it on.
Result<LogReport> verify_log(ByteView log);

// OnTorn says what to do with a torn tail. kContinue needs a person's word (`--accept-torn-log`).
enum class OnTorn : std::uint8_t { kRefuse, kContinue };

// ReleaseLog holds the file, locked against other processes. Moves, never copies. Not thread-safe.
class ReleaseLog {
 public:
  // open checks the whole log, creating an empty one if there is none. kReleaseLogTorn (offset, size) if its tail is
  // torn and `on_torn` is kRefuse; with kContinue the tail goes into a `torn` record and nothing is lost.
  // kReleaseLogBroken; kReleaseLogBusy if another process holds it; kReleaseLogUnwritable (errno); those of
  // MappedFile::open.
  static Result<ReleaseLog> open(const std::string& path, OnTorn on_torn, UnixSeconds now);
  ReleaseLog(ReleaseLog&& other) noexcept;
  ReleaseLog& operator=(ReleaseLog&& other) noexcept;
  ReleaseLog(const ReleaseLog&) = delete;
  ReleaseLog& operator=(const ReleaseLog&) = delete;
  ~ReleaseLog();

  // append writes one record and returns when it is on disk. seq, prev, kind, time and version are added here. After a
  // failure every further append fails too (kReleaseLogUnwritable): what is on disk is then not known.
  // kReleaseLogRecord: our own record breaks a rule of the log.
  Result<LogPosition> append(std::string_view kind, UnixSeconds now, JsonObject members);

  const LogReport& report() const { return report_; }

 private:
  ReleaseLog(int fd, LogReport report) : fd_(fd), report_(report) {}
  int fd_ = -1;
  bool failed_ = false;
  LogReport report_;
};

}  // namespace eml

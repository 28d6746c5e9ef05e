#include "keys/release_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "crypto/hash.h"
#include "tests/support/seeded_random.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

constexpr UnixSeconds kNow = 1'764'072'000;

JsonObject start_members(std::uint64_t serial = 1) {
  return {{"broker_key", std::string(64, 'a')},
          {"policy", std::string(64, 'b')},
          {"policy_name", "p"},
          {"policy_serial", serial}};
}

JsonObject decision_members(std::string_view rule = "demo") {
  return {{"decision", "refused"},
          {"detail", ""},
          {"nonce", std::string(64, 'c')},
          {"policy", std::string(64, 'b')},
          {"rule", rule}};
}

// A log in a fresh directory.
struct LogFile {
  test::TempDir dir;
  std::string path = (dir.path() / "release.log").string();

  Result<ReleaseLog> open(OnTorn on_torn = OnTorn::kRefuse) const { return ReleaseLog::open(path, on_torn, kNow); }
  std::string text() const { return test::read_file(path).value_or(""); }
  void set_text(const std::string& text) const { std::ofstream(path, std::ios::trunc | std::ios::binary) << text; }
  // three records: start and two decisions.
  void fill() const {
    auto log = open();
    ASSERT_TRUE(log) << log.error().to_string();
    ASSERT_TRUE(log->append("start", kNow, start_members()));
    ASSERT_TRUE(log->append("decision", kNow, decision_members()));
    ASSERT_TRUE(log->append("decision", kNow + 1, decision_members("other")));
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

std::string verify_error(const std::string& text) {
  const auto report = verify_log(as_bytes(text));
  return report ? "whole" : std::string(report.error().code().name);
}

TEST(ReleaseLog, IsMadeWhenThereIsNone) {
  const LogFile file;
  const auto log = file.open();
  ASSERT_TRUE(log) << log.error().to_string();
  EXPECT_EQ(log->report().records, 0U);
  EXPECT_FALSE(log->report().last);
  struct stat about{};
  ASSERT_EQ(::stat(file.path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST(ReleaseLog, ChainsItsRecords) {
  const LogFile file;
  file.fill();
  const std::vector<std::string> lines = lines_of(file.text());
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_NE(lines[0].find("\"prev\":\"" + std::string(64, '0')), std::string::npos);
  EXPECT_NE(lines[1].find("\"prev\":\"" + hex(sha256(as_bytes(lines[0])))), std::string::npos);
  EXPECT_NE(lines[2].find("\"prev\":\"" + hex(sha256(as_bytes(lines[1])))), std::string::npos);
  const auto report = verify_log(as_bytes(file.text()));
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->records, 3U);
  EXPECT_EQ(report->last->seq, 2U);
  EXPECT_EQ(report->last->hash, sha256(as_bytes(lines[2])));
  EXPECT_EQ(report->last_policy_serial, 1U);
  EXPECT_EQ(report->torn_bytes, 0U);
}

TEST(ReleaseLog, GoesOnWhereItEnded) {
  const LogFile file;
  file.fill();
  {
    auto log = file.open();
    ASSERT_TRUE(log) << log.error().to_string();
    const auto position = log->append("start", kNow + 2, start_members(7));
    ASSERT_TRUE(position);
    EXPECT_EQ(position->seq, 3U);
  }
  const auto report = verify_log(as_bytes(file.text()));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->records, 4U);
  EXPECT_EQ(report->last_policy_serial, 7U);
}

TEST(ReleaseLog, IsHeldByOneAtATime) {
  const LogFile file;
  auto first = file.open();
  ASSERT_TRUE(first);
  const auto second = file.open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), kReleaseLogBusy);
  first = fail(kReleaseLogBusy, "given back");
  EXPECT_TRUE(file.open());
}

TEST(ReleaseLog, IsNotADirectoryALinkOrAFifo) {
  const test::TempDir dir;
  const auto error = [](const std::filesystem::path& path) {
    const auto log = ReleaseLog::open(path.string(), OnTorn::kRefuse, kNow);
    return log ? std::string_view("opened") : log.error().code().name;
  };
  EXPECT_EQ(error(dir.path()), "release-log-unwritable");
  std::filesystem::create_symlink("loop", dir.path() / "loop");
  EXPECT_EQ(error(dir.path() / "loop"), "release-log-unwritable");
  ASSERT_EQ(::mkfifo((dir.path() / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(error(dir.path() / "fifo"), "release-log-unwritable");
  EXPECT_EQ(error(dir.path() / "nowhere" / "log"), "release-log-unwritable");
  EXPECT_EQ(error("/dev/full"), "release-log-unwritable");
}

// The whole last record gone is a shorter log (the page says what a log does not prove); anything between is a torn
// tail.
TEST(ReleaseLog, CutInItsLastRecordIsTornAndSaid) {
  const LogFile file;
  file.fill();
  const std::string whole = file.text();
  const std::size_t begin = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t n = begin + 1; n < whole.size(); ++n) {
    file.set_text(whole.substr(0, n));
    const auto log = file.open();
    ASSERT_FALSE(log) << n;
    EXPECT_EQ(log.error().code(), kReleaseLogTorn);
    EXPECT_EQ(log.error().first(), begin);
    EXPECT_EQ(log.error().second(), n - begin);
    EXPECT_EQ(file.text(), whole.substr(0, n)) << "repaired in silence";
  }
  file.set_text(whole.substr(0, begin));
  EXPECT_TRUE(file.open());
}

TEST(ReleaseLog, WithATornTailGoesOnOnlyByAPersonsWordAndKeepsTheTail) {
  const LogFile file;
  file.fill();
  const std::string whole = file.text();
  const std::size_t begin = whole.rfind('\n', whole.size() - 2) + 1;
  for (const std::size_t n : {begin + 1, begin + 50, whole.size() - 1}) {
    file.set_text(whole.substr(0, n));
    {
      auto log = file.open(OnTorn::kContinue);
      ASSERT_TRUE(log) << log.error().to_string();
      EXPECT_EQ(log->report().records, 3U);
      EXPECT_TRUE(log->append("decision", kNow, decision_members()));
    }
    const std::string repaired = file.text();
    EXPECT_EQ(repaired.substr(0, begin), whole.substr(0, begin)) << "the whole records changed";
    const std::vector<std::string> lines = lines_of(repaired);
    EXPECT_NE(lines[2].find("\"kind\":\"torn\""), std::string::npos);
    EXPECT_NE(lines[2].find("\"bytes\":\"" + hex(as_bytes(whole.substr(begin, n - begin))) + "\""), std::string::npos);
    EXPECT_EQ(verify_error(repaired), "whole");
  }
}

TEST(ReleaseLog, WithATornTornRecordIsTornAgain) {
  const LogFile file;
  file.fill();
  file.set_text(file.text() + "{\"half");
  ASSERT_TRUE(file.open(OnTorn::kContinue));
  const std::string repaired = file.text();
  file.set_text(repaired.substr(0, repaired.size() - 1));
  EXPECT_EQ(file.open().error().code(), kReleaseLogTorn);
  ASSERT_TRUE(file.open(OnTorn::kContinue));
  EXPECT_EQ(verify_error(file.text()), "whole");
}

TEST(ReleaseLog, HoldsItsLockAfterATornRecordReplacedTheFile) {
  const LogFile file;
  file.fill();
  file.set_text(file.text() + "x");
  const auto log = file.open(OnTorn::kContinue);
  ASSERT_TRUE(log);
  EXPECT_EQ(file.open().error().code(), kReleaseLogBusy);
}

TEST(ReleaseLog, WithAnyFlippedByteIsBroken) {
  const LogFile file;
  file.fill();
  const std::string whole = file.text();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto report = verify_log(as_bytes(changed));
    // The last record alone has no successor that holds its hash: a change that keeps its form is only seen by whoever
    // has the hash from a statement.
    const bool in_last = i >= whole.rfind('\n', whole.size() - 2) + 1;
    if (!in_last) EXPECT_EQ(report ? "whole" : report.error().code().name, kReleaseLogBroken.name) << i;
    if (in_last && report && report->torn_bytes == 0)
      EXPECT_NE(report->last->hash, verify_log(as_bytes(whole))->last->hash);
  }
}

TEST(ReleaseLog, WithAMissingSwappedOrRepeatedRecordIsBroken) {
  const LogFile file;
  file.fill();
  const std::vector<std::string> l = lines_of(file.text());
  EXPECT_EQ(verify_error(l[1] + "\n" + l[2] + "\n"), "release-log-broken");
  EXPECT_EQ(verify_error(l[0] + "\n" + l[2] + "\n"), "release-log-broken");
  EXPECT_EQ(verify_error(l[0] + "\n" + l[2] + "\n" + l[1] + "\n"), "release-log-broken");
  EXPECT_EQ(verify_error(l[0] + "\n" + l[0] + "\n"), "release-log-broken");
  EXPECT_EQ(verify_error("\n" + l[0] + "\n"), "release-log-broken");
  EXPECT_EQ(verify_error(l[0] + "\n\n" + l[1] + "\n"), "release-log-broken");
}

TEST(ReleaseLog, WithDamageIsNotOpenedByAnyonesWord) {
  const LogFile file;
  file.fill();
  std::string text = file.text();
  text[10] = '#';
  file.set_text(text);
  for (const OnTorn on_torn : {OnTorn::kRefuse, OnTorn::kContinue}) {
    const auto log = file.open(on_torn);
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().code(), kReleaseLogBroken);
    EXPECT_EQ(log.error().first(), 1U);
  }
  EXPECT_EQ(file.text(), text);
}

TEST(ReleaseLog, RefusesRecordsOfAnotherForm) {
  const std::string zeros(64, '0');
  const std::string start =
      R"({"broker_key":"a","kind":"start","policy":"b","policy_name":"c","policy_serial":1,"prev":")" + zeros +
      R"(","seq":0,"time":"2026-11-25T13:08:00Z","version":1})";
  EXPECT_EQ(verify_error(start + "\n"), "whole");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string out = start;
    const std::size_t at = out.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return verify_error(out.replace(at, from.size(), to) + "\n");
  };
  EXPECT_EQ(changed("\"version\":1", "\"version\":2"), "release-log-broken");
  EXPECT_EQ(changed("\"seq\":0", "\"seq\":1"), "release-log-broken");
  EXPECT_EQ(changed("\"seq\":0", "\"seq\":\"0\""), "release-log-broken");
  EXPECT_EQ(changed("13:08:00Z", "25:08:00Z"), "release-log-broken");
  EXPECT_EQ(changed("\"kind\":\"start\"", "\"kind\":\"stop\""), "release-log-broken");
  EXPECT_EQ(changed("\"kind\"", " \"kind\""), "release-log-broken");
  EXPECT_EQ(changed("\"policy_name\":\"c\",", ""), "release-log-broken");
  EXPECT_EQ(changed("\"version\":1", "\"version\":1,\"zzz\":1"), "release-log-broken");
  EXPECT_EQ(verify_error("[]\n"), "release-log-broken");
  EXPECT_EQ(verify_error(std::string(kReleaseLogTornLineMax + 1, 'x')), "release-log-broken");
}

TEST(ReleaseLog, RefusesATornRecordThatDoesNotHoldWhatItSays) {
  const std::string torn = R"({"bytes":"6162","kind":"torn","prev":")" + std::string(64, '0') +
                           R"(","seq":0,"sha256":")" + hex(sha256(as_bytes("ab"))) +
                           R"(","time":"2026-11-25T13:08:00Z","version":1})";
  EXPECT_EQ(verify_error(torn + "\n"), "whole");
  std::string other = torn;
  EXPECT_EQ(verify_error(other.replace(other.find("6162"), 4, "6163") + "\n"), "release-log-broken");
}

TEST(ReleaseLog, RefusesARecordThatIsTooLong) {
  const LogFile file;
  auto log = file.open();
  ASSERT_TRUE(log);
  EXPECT_EQ(log->append("decision", kNow, decision_members(std::string(kReleaseLogLineMax, 'x'))).error().code(),
            kReleaseLogRecord);
  EXPECT_TRUE(log->append("decision", kNow, decision_members())) << "nothing was written, so the log goes on";
}

// A child appends under a limit on the size of files, which is how a full disk looks to it; SIGXFSZ is ignored there.
TEST(ReleaseLog, OnAFullDiskReleasesNothingMore) {
  const LogFile file;
  file.fill();
  const std::size_t before = file.text().size();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = before + 20, .rlim_max = RLIM_INFINITY};
    const rlimit no_limit{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    auto log = file.open();
    if (!log || ::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(10);
    const auto first = log->append("decision", kNow, decision_members());
    // Room again: what is on disk is still not known, so the log stays closed.
    if (::setrlimit(RLIMIT_FSIZE, &no_limit) != 0) ::_exit(12);
    const auto second = log->append("decision", kNow, decision_members());
    const bool good = !first && first.error().code() == kReleaseLogUnwritable && !second &&
                      second.error().code() == kReleaseLogUnwritable;
    ::_exit(good ? 0 : 11);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(file.text().size(), before + 20);
  EXPECT_EQ(file.open().error().code(), kReleaseLogTorn);
}

// The child says on a pipe which record is on disk; it dies at no chosen moment. All that it said must be there.
std::uint64_t append_until_killed(const LogFile& file, std::uint64_t acknowledged_before_kill) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto log = file.open(OnTorn::kContinue);
    while (log) {
      const auto position = log->append("decision", kNow, decision_members());
      if (!position || ::write(ends[1], &position->seq, sizeof position->seq) < 0) break;
    }
    ::_exit(1);
  }
  ::close(ends[1]);
  std::uint64_t seen = 0;
  std::uint64_t last = 0;
  while (seen < acknowledged_before_kill && ::read(ends[0], &last, sizeof last) == sizeof last) ++seen;
  EXPECT_EQ(seen, acknowledged_before_kill);
  EXPECT_EQ(::kill(child, SIGKILL), 0);
  while (::read(ends[0], &last, sizeof last) == sizeof last) {
  }
  ::close(ends[0]);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  return last;
}

TEST(ReleaseLog, SurvivesAKillAtAnyMoment) {
  const LogFile file;
  test::SeededRandom random("kill");
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t last = append_until_killed(file, 1U + random.array<1>()[0] % 5U);
    const auto report = verify_log(as_bytes(file.text()));
    ASSERT_TRUE(report) << report.error().to_string();
    ASSERT_TRUE(report->last);
    EXPECT_GE(report->last->seq, last) << "an acknowledged record is lost";
  }
}

}  // namespace
}  // namespace eml

#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "tests/support/shared.h"

namespace eml {
namespace {

namespace fs = std::filesystem;
using test::TempDir;

std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

ErrorCode code_of(const Result<Bytes>& result) { return result ? kInternalError : result.error().code(); }
ErrorCode code_of(const Status& result) { return result ? kInternalError : result.error().code(); }

// Runs `body` as an ordinary user in a child: root reads and writes everything. nullopt if that cannot be done here.
std::optional<bool> as_ordinary_user(const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(77);
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return std::nullopt;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(ReadFile, ReadsExactlyTheLimit) {
  const TempDir dir;
  const std::string path = dir.write("f", "12345");
  EXPECT_EQ(read_file(path, 5), to_bytes("12345"));
  EXPECT_EQ(read_file(dir.write("empty", ""), 0), Bytes());
}

TEST(ReadFile, RejectsMoreThanTheLimitAndSaysTheSize) {
  const TempDir dir;
  const auto result = read_file(dir.write("f", "12345"), 4);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), kFileTooLarge);
  EXPECT_EQ(result.error().first(), 5U);
}

TEST(ReadFile, ReadsFilesThatDoNotKnowTheirSize) {
  const auto result = read_file("/proc/self/cmdline", 1 << 20);
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->empty());
  EXPECT_EQ(code_of(read_file("/proc/self/cmdline", 1)), kFileTooLarge);
}

TEST(ReadFile, RejectsWhatIsMissing) {
  const TempDir dir;
  EXPECT_EQ(code_of(read_file(dir.path() / "none", 10)), kFileNotFound);
  EXPECT_EQ(code_of(read_file(dir.write("f", "") / "none", 10)), kFileNotFound);
  EXPECT_EQ(code_of(read_file("", 10)), kFileNotFound);
}

TEST(ReadFile, RejectsADirectoryADeviceAndAFifoWithoutWaiting) {
  const TempDir dir;
  const std::string fifo = dir.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(code_of(read_file(dir.path(), 10)), kFileNotRegular);
  EXPECT_EQ(code_of(read_file(fifo, 10)), kFileNotRegular);
  EXPECT_EQ(code_of(read_file("/dev/zero", 10)), kFileNotRegular);
}

TEST(ReadFile, RejectsALoopOfLinks) {
  const TempDir dir;
  fs::create_symlink(dir.path() / "b", dir.path() / "a");
  fs::create_symlink(dir.path() / "a", dir.path() / "b");
  const auto result = read_file(dir.path() / "a", 10);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), kFileUnreadable);
  EXPECT_EQ(result.error().first(), static_cast<std::uint64_t>(ELOOP));
}

TEST(ReadFile, RejectsAnUnreadableFile) {
  const TempDir dir;
  const std::string path = dir.write("f", "secret");
  fs::permissions(dir.path(), fs::perms::all);
  fs::permissions(path, fs::perms::none);
  const auto good = as_ordinary_user([&] { return code_of(read_file(path, 10)) == kFileUnreadable; });
  if (!good) GTEST_SKIP() << "cannot become an ordinary user here";
  EXPECT_TRUE(*good);
}

TEST(WriteFile, WritesAndReplacesWholly) {
  const TempDir dir;
  const std::string path = dir.path() / "f";
  ASSERT_TRUE(write_file(path, as_bytes("a longer first text")));
  ASSERT_TRUE(write_file(path, as_bytes("second")));
  EXPECT_EQ(read_file(path, 100), to_bytes("second"));
  EXPECT_EQ(entries(dir.path()), 1U);
}

TEST(WriteFile, GivesTheModesThatItNames) {
  const TempDir dir;
  const mode_t mask = ::umask(022);
  ASSERT_TRUE(write_file(dir.path() / "public", {}, WriteMode::kPublic));
  ASSERT_TRUE(write_file(dir.path() / "private", {}, WriteMode::kPrivate));
  ::umask(mask);
  EXPECT_EQ(fs::status(dir.path() / "public").permissions(), fs::perms(0644));
  EXPECT_EQ(fs::status(dir.path() / "private").permissions(), fs::perms(0600));
}

TEST(WriteFile, MakesAPrivateFilePrivateThatWasNot) {
  const TempDir dir;
  const fs::path path = dir.write("f", "old");
  fs::permissions(path, fs::perms(0644));
  ASSERT_TRUE(write_file(path, as_bytes("key"), WriteMode::kPrivate));
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0600));
}

TEST(WriteFile, RefusesToReplaceWhenItMustBeNew) {
  const TempDir dir;
  const std::string path = dir.path() / "f";
  ASSERT_TRUE(write_file(path, as_bytes("first"), WriteMode::kNewPrivate));
  EXPECT_EQ(code_of(write_file(path, as_bytes("second"), WriteMode::kNewPrivate)), kFileExists);
  EXPECT_EQ(code_of(write_file(path, as_bytes("second"), WriteMode::kNewPublic)), kFileExists);
  EXPECT_EQ(read_file(path, 100), to_bytes("first"));
  EXPECT_EQ(entries(dir.path()), 1U);
}

TEST(WriteFile, RefusesToReplaceALinkToNothingWhenItMustBeNew) {
  const TempDir dir;
  fs::create_symlink(dir.path() / "none", dir.path() / "link");
  EXPECT_EQ(code_of(write_file(dir.path() / "link", {}, WriteMode::kNewPrivate)), kFileExists);
  EXPECT_EQ(code_of(write_file(dir.path() / "link", {})), kFileUnwritable);
  EXPECT_EQ(entries(dir.path()), 1U);
}

TEST(WriteFile, GoesThroughALinkAndKeepsIt) {
  const TempDir dir;
  const fs::path target = dir.write("target", "old");
  fs::create_symlink(target, dir.path() / "link");
  ASSERT_TRUE(write_file(dir.path() / "link", as_bytes("new")));
  EXPECT_TRUE(fs::is_symlink(dir.path() / "link"));
  EXPECT_EQ(read_file(target, 10), to_bytes("new"));
}

TEST(WriteFile, RefusesADirectoryAFifoALoopAndAMissingParent) {
  const TempDir dir;
  const std::string fifo = dir.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  fs::create_symlink(dir.path() / "loop", dir.path() / "loop");
  EXPECT_EQ(code_of(write_file(fifo, {})), kFileNotRegular);
  EXPECT_EQ(code_of(write_file(dir.path(), {})), kFileNotRegular);
  EXPECT_EQ(code_of(write_file(dir.path() / "loop", {})), kFileUnwritable);
  EXPECT_EQ(code_of(write_file(dir.path() / "none" / "f", {})), kFileUnwritable);
  EXPECT_EQ(code_of(write_file("", {})), kFileUnwritable);
  EXPECT_TRUE(fs::is_fifo(fifo));
  EXPECT_EQ(entries(dir.path()), 2U);
}

TEST(WriteFile, LeavesNothingInADirectoryThatCannotBeWritten) {
  const TempDir dir;
  const std::string path = dir.write("f", "old");
  fs::permissions(dir.path(), fs::perms(0755));
  fs::permissions(path, fs::perms(0644));
  const auto good = as_ordinary_user([&] {
    return code_of(write_file(path, as_bytes("new"))) == kFileUnwritable && read_file(path, 10) == to_bytes("old");
  });
  if (!good) GTEST_SKIP() << "cannot become an ordinary user here";
  EXPECT_TRUE(*good);
  EXPECT_EQ(entries(dir.path()), 1U);
}

TEST(WriteFile, LeavesTheOldFileAndNothingElseOnAFullDisk) {
  const TempDir dir;
  if (::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "cannot mount a small tmpfs here";
  }
  const std::string path = dir.path() / "f";
  const Status small = write_file(path, as_bytes("old"));
  const Status large = write_file(path, Bytes(1 << 20, 0x55));
  const auto kept = read_file(path, 10);
  const std::size_t count = entries(dir.path());
  EXPECT_EQ(::umount(dir.path().c_str()), 0);
  EXPECT_TRUE(small);
  EXPECT_EQ(code_of(large), kDiskFull);
  EXPECT_EQ(kept, to_bytes("old"));
  EXPECT_EQ(count, 1U);
}

TEST(MappedFile, ViewsTheFileAndMoves) {
  const TempDir dir;
  auto file = MappedFile::open(dir.write("f", "12345"), 5);
  ASSERT_TRUE(file);
  EXPECT_EQ(as_text(file->bytes()), "12345");
  MappedFile moved(*std::move(file));
  EXPECT_EQ(as_text(moved.bytes()), "12345");
  auto other = MappedFile::open(dir.write("g", ""), 5);
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->bytes().empty());
  *other = std::move(moved);
  EXPECT_EQ(as_text(other->bytes()), "12345");
}

TEST(MappedFile, RejectsWhatReadFileRejects) {
  const TempDir dir;
  const auto code = [](const Result<MappedFile>& file) { return file ? kInternalError : file.error().code(); };
  EXPECT_EQ(code(MappedFile::open(dir.path(), 10)), kFileNotRegular);
  EXPECT_EQ(code(MappedFile::open(dir.path() / "none", 10)), kFileNotFound);
  EXPECT_EQ(code(MappedFile::open(dir.write("f", "12345"), 4)), kFileTooLarge);
}

TEST(MakeDirectory, MakesOneLevelAndAcceptsAnExistingOne) {
  const TempDir dir;
  const std::string path = dir.path() / "d";
  ASSERT_TRUE(make_directory(path, DirectoryMode::kPrivate));
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0700));
  EXPECT_TRUE(make_directory(path));
  EXPECT_EQ(code_of(make_directory(dir.path() / "x" / "y")), kFileUnwritable);
  EXPECT_EQ(code_of(make_directory(dir.write("f", ""))), kFileExists);
}

TEST(CacheDirectory, FollowsTheEnvironment) {
  const std::string home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  ::setenv("HOME", "/home/x", 1);
  ::setenv("XDG_CACHE_HOME", "/cache", 1);
  EXPECT_EQ(cache_directory(), "/cache/ephemeralml");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(cache_directory(), "/home/x/.cache/ephemeralml");
  ::unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(cache_directory(), "/home/x/.cache/ephemeralml");
  ::setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace eml

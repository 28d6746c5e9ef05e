// The real file operations, on a tree of files in which the test plays the kernel.
#include "attester/tsm_directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "attester/as_nobody_testing.h"
#include "attester/tsm_report.h"
#include "base/files.h"
#include "tests/support/seeded_random.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

namespace fs = std::filesystem;

// KernelOnFiles lets PosixTsmDirectory work on a real tree and does after each operation what the kernel does in one
// with it: fills a new directory, counts a write, makes the report.
class KernelOnFiles final : public TsmDirectory {
 public:
  explicit KernelOnFiles(std::string root) : root_(std::move(root)), files_(posix_tsm_directory(root_)) {}

  OrErrno<void> make(const std::string& entry) override {
    auto made = files_->make(entry);
    if (!made) return made;
    set(entry, "provider", "tdx_guest\n");
    set(entry, "generation", "0\n");
    set(entry, "inblob", "");
    set(entry, "outblob", "");
    return made;
  }
  OrErrno<void> remove(const std::string& entry) override {
    for (const auto& file : fs::directory_iterator(root_ + "/" + entry)) fs::remove(file);
    return files_->remove(entry);
  }
  OrErrno<Bytes> read(const std::string& entry, std::string_view attribute, std::size_t bytes_max) override {
    return files_->read(entry, attribute, bytes_max);
  }
  OrErrno<void> write(const std::string& entry, std::string_view attribute, ByteView bytes) override {
    auto written = files_->write(entry, attribute, bytes);
    if (!written) return written;
    set(entry, "generation", std::to_string(++generation_) + "\n");
    set(entry, "outblob", "quote of " + get(entry, "inblob"));
    return written;
  }

 private:
  std::string path(const std::string& entry, const std::string& attribute) const {
    return root_ + "/" + entry + "/" + attribute;
  }
  void set(const std::string& entry, const std::string& attribute, const std::string& value) const {
    std::ofstream(path(entry, attribute), std::ios::binary) << value;
  }
  std::string get(const std::string& entry, const std::string& attribute) const {
    return test::read_file(path(entry, attribute)).value_or("");
  }

  std::string root_;
  std::unique_ptr<TsmDirectory> files_;
  int generation_ = 0;
};

struct TsmDirectoryTest : testing::Test {
  test::TempDir directory;
  std::string root = directory.path();
  std::unique_ptr<TsmDirectory> tsm = posix_tsm_directory(root);

  std::string path(const std::string& name) const { return root + "/entry/" + name; }
};

TEST_F(TsmDirectoryTest, ARequestOnRealFilesGivesTheReportAndLeavesNothing) {
  test::SeededRandom random("files");
  const TsmReports reports(std::make_shared<KernelOnFiles>(root), random, {});
  ByteArray<64> inblob{};
  inblob[63] = 9;
  const auto report = reports.report(TsmProvider::kTdxGuest, inblob);
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->outblob, concat(as_bytes("quote of "), inblob));
  EXPECT_TRUE(fs::is_empty(root));
}

TEST_F(TsmDirectoryTest, MakesAndRemovesADirectory) {
  ASSERT_TRUE(tsm->make("entry"));
  EXPECT_TRUE(fs::is_directory(root + "/entry"));
  EXPECT_EQ(tsm->make("entry").error(), EEXIST);
  ASSERT_TRUE(tsm->remove("entry"));
  EXPECT_EQ(tsm->remove("entry").error(), ENOENT);
  EXPECT_EQ(posix_tsm_directory(root + "/none")->make("entry").error(), ENOENT);
  const std::string file = directory.write("file", "");
  EXPECT_EQ(posix_tsm_directory(file)->make("entry").error(), ENOTDIR);
}

TEST_F(TsmDirectoryTest, ReadsAWholeAttributeUpToItsBoundAndSaysEfbigBeyond) {
  ASSERT_TRUE(tsm->make("entry"));
  for (const std::size_t size : {0U, 1U, 16'384U, 16'385U, 50'000U}) {
    ASSERT_TRUE(write_file(path("outblob"), Bytes(size, 5)));
    EXPECT_EQ(tsm->read("entry", "outblob", 50'000).value(), Bytes(size, 5));
  }
  EXPECT_EQ(tsm->read("entry", "outblob", 49'999).error(), EFBIG);
  EXPECT_EQ(tsm->read("entry", "outblob", 0).error(), EFBIG);
}

TEST_F(TsmDirectoryTest, PutsTogetherWhatReadGivesInPieces) {
  ASSERT_TRUE(tsm->make("entry"));
  ASSERT_EQ(::mkfifo(path("outblob").c_str(), 0600), 0);
  const Bytes whole = concat(Bytes(5000, 1), Bytes(1, 2), Bytes(9000, 3));
  // A pipe gives what is in it, so the reader sees pieces of these sizes, or of others: never the whole at once.
  std::jthread writer([&] {
    const int fd = ::open(path("outblob").c_str(), O_WRONLY | O_CLOEXEC);
    for (const ByteView piece :
         {ByteView(whole).first(5000), ByteView(whole).subspan(5000, 1), ByteView(whole).subspan(5001)}) {
      EXPECT_EQ(::write(fd, piece.data(), piece.size()), static_cast<ssize_t>(piece.size()));
    }
    ::close(fd);
  });
  EXPECT_EQ(tsm->read("entry", "outblob", 1 << 20).value(), whole);
}

TEST_F(TsmDirectoryTest, AnEndlessAttributeEndsAtTheBound) {
  ASSERT_TRUE(tsm->make("entry"));
  ASSERT_EQ(::symlink("/dev/zero", path("outblob").c_str()), 0);
  EXPECT_EQ(tsm->read("entry", "outblob", 1 << 20).error(), EFBIG);
}

TEST_F(TsmDirectoryTest, WritesOnceAndNeverCreatesAnAttribute) {
  ASSERT_TRUE(tsm->make("entry"));
  EXPECT_EQ(tsm->write("entry", "inblob", as_bytes("abc")).error(), ENOENT);
  ASSERT_TRUE(write_file(path("inblob"), {}));
  ASSERT_TRUE(tsm->write("entry", "inblob", as_bytes("abc")));
  EXPECT_EQ(test::read_file(path("inblob")), "abc");
  ASSERT_EQ(::symlink("/dev/full", path("full").c_str()), 0);
  EXPECT_EQ(tsm->write("entry", "full", as_bytes("abc")).error(), ENOSPC);
}

TEST_F(TsmDirectoryTest, AWriteThatWasTakenInPartIsNotFinishedByASecond) {
  ASSERT_TRUE(tsm->make("entry"));
  ASSERT_EQ(::mkfifo(path("inblob").c_str(), 0600), 0);
  const int reader = ::open(path("inblob").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_EQ(::fcntl(reader, F_SETPIPE_SZ, 4096), 4096);
  // The writer fills the pipe and waits; a signal is what ends write(2) in the middle, here the pipe's end does.
  std::jthread closer([reader] {
    Bytes first(1);
    while (::read(reader, first.data(), 1) != 1) std::this_thread::yield();
    ::close(reader);
  });
  const struct IgnorePipe {
    IgnorePipe() { ::signal(SIGPIPE, SIG_IGN); }
    ~IgnorePipe() { ::signal(SIGPIPE, SIG_DFL); }
  } ignore;
  EXPECT_EQ(tsm->write("entry", "inblob", Bytes(8192, 1)).error(), EIO);
}

TEST_F(TsmDirectoryTest, SaysWhatMayNotBeReadOrMade) {
  ASSERT_TRUE(tsm->make("entry"));
  ASSERT_TRUE(write_file(path("outblob"), as_bytes("x")));
  ASSERT_EQ(::chmod(root.c_str(), 0755), 0);
  ASSERT_EQ(::chmod((root + "/entry").c_str(), 0755), 0);
  ASSERT_EQ(::chmod(path("outblob").c_str(), 0), 0);
  const test::AsNobody nobody(root);
  EXPECT_EQ(tsm->read("entry", "outblob", 10).error(), EACCES);
  EXPECT_EQ(tsm->write("entry", "outblob", as_bytes("y")).error(), EACCES);
  EXPECT_EQ(tsm->make("other").error(), EACCES);
}

TEST_F(TsmDirectoryTest, SaysThatADirectoryIsNoAttribute) {
  ASSERT_TRUE(tsm->make("entry"));
  ASSERT_TRUE(tsm->make("entry/outblob"));
  EXPECT_EQ(tsm->read("entry", "outblob", 10).error(), EISDIR);
}

}  // namespace
}  // namespace eml

#include "attester/tsm_report.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <limits>
#include <thread>

#include "attester/kernel_tsm_testing.h"
#include "base/log.h"
#include "tests/support/seeded_random.h"

namespace eml {
namespace {

using test::KernelTsm;

constexpr auto kTdx = TsmProvider::kTdxGuest;
constexpr auto kSev = TsmProvider::kSevGuest;

ByteArray<64> blob(std::uint8_t value) {
  ByteArray<64> out;
  out.fill(value);
  return out;
}

struct TsmReportTest : testing::Test {
  std::shared_ptr<KernelTsm> kernel = std::make_shared<KernelTsm>();
  test::SeededRandom random{"tsm"};
  std::vector<int> pauses_ms;
  TsmReports reports{kernel, random, {.pause = [this](std::chrono::milliseconds time) {
                       pauses_ms.push_back(static_cast<int>(time.count()));
                     }}};

  std::string error(TsmProvider wanted = kTdx) {
    const auto report = reports.report(wanted, blob(7));
    return report ? "ok" : std::string(report.error().code().name);
  }
};

TEST_F(TsmReportTest, GivesTheReportOverWhatWasAsked) {
  const auto report = reports.report(kTdx, blob(7));
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->outblob, concat(as_bytes("report over "), blob(7)));
  EXPECT_TRUE(report->auxblob.empty());
  EXPECT_TRUE(pauses_ms.empty());
}

TEST_F(TsmReportTest, EveryRequestHasADirectoryOfItsOwnAndLeavesNone) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(error(), "ok");
  EXPECT_EQ(kernel->made(), 3);
  EXPECT_EQ(kernel->live(), 0U);
  kernel->errors["read outblob"] = {EIO};
  EXPECT_EQ(error(), "attester-device-failed");
  EXPECT_EQ(kernel->live(), 0U);
}

TEST_F(TsmReportTest, AnothersWriteCostsOneTryAndNeverAnswersOurQuestion) {
  kernel->intruders = 1;
  const auto report = reports.report(kTdx, blob(7));
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->outblob, concat(as_bytes("report over "), blob(7)));
  EXPECT_EQ(kernel->made(), 2);
  EXPECT_EQ(pauses_ms, (std::vector{10}));
}

TEST_F(TsmReportTest, AGenerationThatMovesForeverEndsAfterEightTries) {
  kernel->intruders = std::numeric_limits<int>::max();
  EXPECT_EQ(error(), "attester-busy");
  EXPECT_EQ(kernel->made(), 8);
  EXPECT_EQ(kernel->live(), 0U);
  EXPECT_EQ(pauses_ms, (std::vector{10, 20, 40, 80, 160, 320, 640}));
}

TEST_F(TsmReportTest, AWriteThatTheKernelDroppedUnseenGivesNoReport) {
  kernel->drop_inblob = true;
  EXPECT_EQ(error(), "attester-device-failed");  // EINVAL: there is nothing to report about
}

TEST_F(TsmReportTest, AGenerationThatStandsStillMeansThatOurWriteIsNotTheOneReported) {
  kernel->generation_text = "5\n";
  EXPECT_EQ(error(), "attester-busy");
  EXPECT_EQ(kernel->made(), 8);
}

TEST_F(TsmReportTest, AGenerationMayBeginAnywhereAndWrap) {
  kernel->first_generation = 41;
  EXPECT_EQ(error(), "ok");
  kernel->first_generation = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(error(), "ok");
}

TEST_F(TsmReportTest, ADeviceThatIsBusyForAMomentIsAskedAgain) {
  for (const char* operation :
       {"make", "read provider", "read generation", "write inblob", "read outblob", "read auxblob"}) {
    for (const int busy : {EBUSY, EAGAIN, EINTR, ETXTBSY}) {
      kernel->provider = "sev_guest\n";
      kernel->errors[operation] = {busy, busy};
      EXPECT_EQ(error(kSev), "ok") << operation << ' ' << busy;
      EXPECT_TRUE(kernel->errors[operation].empty());
    }
  }
  EXPECT_EQ(kernel->live(), 0U);
}

TEST_F(TsmReportTest, ADirectoryNameThatIsTakenIsNotUsed) {
  kernel->errors["make"] = {EEXIST};
  EXPECT_EQ(error(), "ok");
}

TEST_F(TsmReportTest, ADeviceThatStaysBusyIsGivenUpWithItsErrno) {
  kernel->errors["read outblob"] = std::deque<int>(20, EBUSY);
  const auto report = reports.report(kTdx, blob(7));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), kAttesterBusy);
  EXPECT_EQ(report.error().first(), static_cast<std::uint64_t>(EBUSY));
  EXPECT_EQ(kernel->asked("read outblob"), 8);
}

TEST_F(TsmReportTest, AFailureIsSaidWithItsErrnoAndNotTriedAgain) {
  for (const char* operation :
       {"make", "read provider", "read generation", "write inblob", "read outblob", "read auxblob"}) {
    for (const int errno_value : {EACCES, EPERM, EIO, EINVAL, ETIMEDOUT, ENOMEM}) {
      kernel->provider = "sev_guest\n";
      const int before = kernel->asked(operation);
      kernel->errors[operation] = {errno_value};
      const auto report = reports.report(kSev, blob(7));
      ASSERT_FALSE(report) << operation;
      EXPECT_EQ(report.error().code(), kAttesterDevice) << operation;
      EXPECT_EQ(report.error().first(), static_cast<std::uint64_t>(errno_value));
      EXPECT_EQ(kernel->asked(operation), before + 1);
    }
  }
  EXPECT_TRUE(pauses_ms.empty());
  EXPECT_EQ(kernel->live(), 0U);
}

TEST_F(TsmReportTest, AnAttributeThatMustBeThereAndIsNotIsAFailure) {
  for (const char* operation : {"read provider", "read generation", "write inblob", "read outblob"}) {
    kernel->errors[operation] = {ENOENT};
    EXPECT_EQ(error(), "attester-device-failed") << operation;
  }
}

TEST_F(TsmReportTest, AMachineWithoutConfigfsOrProviderIsNoTee) {
  for (const int errno_value : {ENOENT, ENOTDIR, ENXIO}) {
    kernel->errors["make"] = {errno_value, errno_value};
    EXPECT_EQ(error(), "attester-not-here");
    EXPECT_EQ(reports.provider().error().code(), kAttesterNotHere);
  }
  kernel->provider.reset();
  EXPECT_EQ(error(), "attester-not-here");
}

TEST_F(TsmReportTest, ReadsWhichProviderTheGuestHas) {
  EXPECT_EQ(*reports.provider(), kTdx);
  kernel->provider = "sev_guest";
  EXPECT_EQ(*reports.provider(), kSev);
  EXPECT_EQ(kernel->live(), 0U);
  EXPECT_EQ(kernel->asked("write inblob"), 0) << "asking for the name changes nothing";
}

TEST_F(TsmReportTest, RefusesAnotherProviderThanTheWantedOne) {
  EXPECT_EQ(error(kSev), "tsm-provider-other");
  kernel->provider = "sev_guest\n";
  EXPECT_EQ(error(kTdx), "tsm-provider-other");
}

TEST_F(TsmReportTest, RefusesProvidersThatItDoesNotKnow) {
  for (const char* name : {"", "\n", "arm_cca_guest\n", "tdx_guest\n\n", "tdx_guest x", "TDX_GUEST", "tdx_guest\t"}) {
    kernel->provider = name;
    EXPECT_EQ(error(), "tsm-provider-unknown") << name;
  }
  kernel->provider = std::string(65, 'x');
  EXPECT_EQ(error(), "attester-answer-malformed");
}

TEST_F(TsmReportTest, RefusesAGenerationThatIsNoNumber) {
  for (const char* text : {"", "\n", "x", "-1", "+1", "0x1", " 1", "1 2", "1\n\n", "18446744073709551616"}) {
    kernel->generation_text = text;
    EXPECT_EQ(error(), "attester-answer-malformed") << text;
  }
}

TEST_F(TsmReportTest, RefusesAnEmptyReport) {
  kernel->make_report = [](ByteView, std::string_view) { return Bytes{}; };
  EXPECT_EQ(error(), "attester-answer-malformed");
}

TEST_F(TsmReportTest, TakesAReportOfOneMebibyteAndNotOneByteMore) {
  kernel->make_report = [](ByteView, std::string_view) { return Bytes(kTsmBlobBytesMax); };
  EXPECT_EQ(error(), "ok");
  kernel->make_report = [](ByteView, std::string_view) { return Bytes(kTsmBlobBytesMax + 1); };
  EXPECT_EQ(error(), "attester-answer-too-large");
  kernel->errors["read outblob"] = {EFBIG};  // the kernel's own bound
  EXPECT_EQ(error(), "attester-answer-too-large");
}

TEST_F(TsmReportTest, TakesTheHostsCertificatesWithAnSnpReport) {
  kernel->provider = "sev_guest\n";
  kernel->auxblob = Bytes{1, 2, 3};
  EXPECT_EQ(reports.report(kSev, blob(1))->auxblob, (Bytes{1, 2, 3}));
  kernel->auxblob = Bytes{};
  EXPECT_TRUE(reports.report(kSev, blob(1))->auxblob.empty());
  kernel->auxblob.reset();
  EXPECT_TRUE(reports.report(kSev, blob(1))->auxblob.empty());
  kernel->auxblob = Bytes(kTsmBlobBytesMax + 1);
  EXPECT_EQ(error(kSev), "attester-answer-too-large");
}

TEST_F(TsmReportTest, AsksForTheGuestsOwnPrivilegeLevel) {
  kernel->provider = "sev_guest\n";
  kernel->make_report = [](ByteView, std::string_view level) { return to_bytes(level); };
  EXPECT_EQ(reports.report(kSev, blob(1))->outblob, to_bytes("0"));
  kernel->privlevel_floor = "0\n";
  EXPECT_EQ(reports.report(kSev, blob(1))->outblob, to_bytes("0"));
  EXPECT_EQ(kernel->asked("write privlevel"), 0);
  kernel->privlevel_floor = "2\n";
  EXPECT_EQ(reports.report(kSev, blob(1))->outblob, to_bytes("2"));
  kernel->errors["write privlevel"] = {EINVAL};
  EXPECT_EQ(error(kSev), "attester-device-failed");
  kernel->privlevel_floor = "low\n";
  EXPECT_EQ(error(kSev), "attester-answer-malformed");
}

TEST_F(TsmReportTest, ADirectoryThatCannotBeRemovedIsLoggedAndNoReasonToFail) {
  static std::string logged;
  logged.clear();
  set_log_sink([](std::string_view line) { logged += line; });
  kernel->errors["remove"] = {EBUSY};
  EXPECT_EQ(error(), "ok");
  set_log_sink(nullptr);
  EXPECT_NE(logged.find("a report's directory cannot be removed errno=16"), std::string::npos) << logged;
}

TEST_F(TsmReportTest, SeveralThreadsEachGetTheirOwn) {
  std::vector<std::jthread> threads;
  std::atomic<int> own = 0;
  TsmReports shared(kernel, system_random(), {});
  for (std::uint8_t i = 1; i <= 4; ++i) {
    threads.emplace_back([&, i] {
      const auto report = shared.report(kTdx, blob(i));
      if (report && report->outblob == concat(as_bytes("report over "), blob(i))) own.fetch_add(1);
    });
  }
  threads.clear();
  EXPECT_EQ(own.load(), 4);
}

}  // namespace
}  // namespace eml

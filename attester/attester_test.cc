#include "attester/attester.h"

#include <gtest/gtest.h>

#include "attester/confidential_space_attester.h"
#include "attester/devices.h"
#include "attester/kernel_tsm_testing.h"
#include "attester/tsm_report.h"
#include "attester/unix_peer_testing.h"
#include "encoding/cbor.h"
#include "tests/support/fake_tee.h"
#include "tests/support/seeded_random.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

using test::KernelTsm;

int answer_random(int, NsmMessage& message) {
  CborWriter out;
  out.map(1).text("GetRandom").map(1).text("random").bytes(Bytes(8, 1));
  std::ranges::copy(out.view(), static_cast<std::uint8_t*>(message.response.iov_base));
  message.response.iov_len = out.view().size();
  return 0;
}

// A machine on which nothing is, until a test puts something there.
struct AttesterTest : testing::Test {
  AttesterTest() {
    kernel->provider.reset();
    devices.tsm = kernel;
    devices.nsm = directory.path() / "nsm";
    devices.tpm = directory.path() / "tpm";
    devices.nsm_call = answer_random;
    devices.launcher = directory.path() / "teeserver.sock";
    devices.retry.pause = [](std::chrono::milliseconds) {};
  }

  void add_nsm() { devices.nsm = "/dev/null"; }
  void add_launcher() {
    launcher.emplace(devices.launcher, [](const std::string&) { return test::UnixPeer::Answer{}; });
  }
  // The kind that was opened, or the error.
  std::string open(const std::string& kind) {
    const auto made =
        make_attester({.kind = kind, .state_directory = directory.path() / "state"}, devices, random, clock);
    return made ? std::string(to_string((*made)->kind())) : std::string(made.error().code().name);
  }

  test::TempDir directory;
  std::shared_ptr<KernelTsm> kernel = std::make_shared<KernelTsm>();
  AttesterDevices devices;
  std::optional<test::UnixPeer> launcher;
  test::SeededRandom random{"factory"};
  test::FixedClock clock{test::kFakeNow};
};

TEST_F(AttesterTest, OpensEachKindByNameWhereItIs) {
  EXPECT_EQ(open("local"), "local");
  kernel->provider = "tdx_guest\n";
  EXPECT_EQ(open("tdx"), "tdx");
  kernel->provider = "sev_guest\n";
  EXPECT_EQ(open("sevsnp"), "sevsnp");
  add_nsm();
  EXPECT_EQ(open("nitro"), "nitro");
  add_launcher();
  EXPECT_EQ(open("confidential_space"), "confidential_space");
}

TEST_F(AttesterTest, SaysThatTheWantedKindIsNotHere) {
  for (const char* kind : {"tdx", "sevsnp", "nitro", "confidential_space"}) {
    EXPECT_EQ(open(kind), "attester-not-here") << kind;
  }
}

TEST_F(AttesterTest, TheWrongTeeIsNotTakenForTheWantedOne) {
  kernel->provider = "sev_guest\n";
  EXPECT_EQ(open("tdx"), "tsm-provider-other");
  kernel->provider = "tdx_guest\n";
  EXPECT_EQ(open("sevsnp"), "tsm-provider-other");
  EXPECT_EQ(open("nitro"), "attester-not-here");
}

TEST_F(AttesterTest, AutoTakesTheOnlyOne) {
  kernel->provider = "tdx_guest\n";
  EXPECT_EQ(open("auto"), "tdx");
  kernel->provider = "sev_guest\n";
  EXPECT_EQ(open("auto"), "sevsnp");
  kernel->provider.reset();
  add_launcher();
  EXPECT_EQ(open("auto"), "confidential_space");
  launcher.reset();
  ::unlink(devices.launcher.c_str());
  add_nsm();
  EXPECT_EQ(open("auto"), "nitro");
}

TEST_F(AttesterTest, AutoWithoutAnyIsAFailureAndNeverLocal) {
  const auto made = make_attester({.kind = "auto", .state_directory = directory.path()}, devices, random, clock);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), kAttesterNotHere);
  EXPECT_EQ(exit_code(made.error().error_class()), 2);
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "local-root.key"));
}

TEST_F(AttesterTest, AutoDoesNotChooseBetweenSeveral) {
  kernel->provider = "tdx_guest\n";
  add_nsm();
  EXPECT_EQ(open("auto"), "attester-ambiguous");
  EXPECT_EQ(open("tdx"), "tdx");
  EXPECT_EQ(open("nitro"), "nitro");
  kernel->provider.reset();
  add_launcher();
  EXPECT_EQ(open("auto"), "attester-ambiguous");
}

TEST_F(AttesterTest, AutoDoesNotPassOverADeviceThatIsThereAndFails) {
  kernel->errors["make"] = {EACCES};
  EXPECT_EQ(open("auto"), "attester-device-failed");
  kernel->errors["make"] = {EACCES};
  add_launcher();
  EXPECT_EQ(open("auto"), "attester-ambiguous");
  kernel->provider = "arm_cca_guest\n";
  launcher.reset();
  ::unlink(devices.launcher.c_str());
  EXPECT_EQ(open("auto"), "tsm-provider-unknown");
}

TEST_F(AttesterTest, GuessesNoName) {
  for (const char* kind : {"", "LOCAL", "Auto", "tdx ", "sev", "none"}) {
    EXPECT_EQ(open(kind), "attester-kind-unknown") << kind;
  }
  EXPECT_EQ(open("tpm"), "attester-not-here");
}

TEST_F(AttesterTest, NoErrorOfAnAttesterReadsAsAVerdict) {
  for (const ErrorCode& code :
       {kAttesterKindUnknown, kAttesterKindUnsupported, kAttesterNotHere, kAttesterAmbiguous, kAttesterDevice,
        kAttesterBusy, kAttesterAnswer, kAttesterAnswerTooLarge, kAttesterClock, kNsmRefused, kLauncherRefused,
        kTsmProviderUnknown, kTsmProviderOther}) {
    EXPECT_EQ(exit_code(code.error_class), 2) << code.name;
  }
}

TEST_F(AttesterTest, ThisMachinesOwnDevicesAreLookedAtWithoutHarm) {
  const auto made = make_attester({.kind = "auto", .state_directory = ""}, random, clock);
  if (!made) {
    EXPECT_EQ(exit_code(made.error().error_class()), 2);
  } else {
    EXPECT_NE((*made)->kind(), EvidenceKind::kLocal);
  }
}

}  // namespace
}  // namespace eml

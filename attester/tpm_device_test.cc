// Quotes of a real software TPM (swtpm), judged by the verifier of kind tpm; and responses that are none.
#include "attester/tpm_device.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/object.hpp>

#include "attestation/judge.h"
#include "attester/tpm_attester.h"
#include "tests/support/fake_tee.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

// Swtpm is one process of it. It goes into the background by itself when its socket is there, and ends with the
// connection.
class Swtpm {
 public:
  bool start() {
    const std::string dir = directory_.path().string();
    std::vector<std::string> words{"swtpm",
                                   "socket",
                                   "--tpm2",
                                   "--tpmstate",
                                   "dir=" + dir,
                                   "--server",
                                   "type=unixio,path=" + path(),
                                   "--ctrl",
                                   "type=unixio,path=" + dir + "/control",
                                   "--flags",
                                   "not-need-init,startup-clear",
                                   "--terminate",
                                   "--daemon"};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    const int error = ::posix_spawnp(&child, "swtpm", nullptr, nullptr, arguments.data(), environ);
    installed_ = error != ENOENT;
    if (error != 0) return false;
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  bool installed() const { return installed_; }  // known after start
  std::string path() const { return (directory_.path() / "tpm").string(); }

 private:
  test::TempDir directory_;
  bool installed_ = true;
};

Collateral collateral_of(const MadeTpmQuote& made) {
  return {{"signature", made.signature}, {"pcrs", made.pcrs}, {"ak_tpm2b_public", made.ak_tpm2b_public}};
}

TEST(TpmDevice, ASoftwareTpmsQuoteIsGenuineAndOverOurNonce) {
  Swtpm swtpm;
  const bool started = swtpm.start();
  if (!swtpm.installed()) GTEST_SKIP() << "swtpm is not installed (./dev setup installs it)";
  ASSERT_TRUE(started);
  auto device = TpmDevice::open(swtpm.path());
  ASSERT_TRUE(device) << device.error().to_string();
  const Bytes nonce(32, 0x42);
  const auto made = make_tpm_quote(*device, nonce);
  ASSERT_TRUE(made) << made.error().to_string();
  const Collateral collateral = collateral_of(*made);
  const EvidenceVerdict verdict =
      judge_tpm({.evidence = made->attest, .collateral = &collateral, .time = 0, .requirements = nullptr, .root = {}});
  ASSERT_FALSE(verdict.error) << verdict.error->to_string();
  EXPECT_EQ(verdict.evidence.signed_value, nonce);
  EXPECT_EQ(verdict.evidence.root, "");  // nobody vouches for a software TPM's key
}

TEST(TpmDevice, TheAttesterBindsAsTheBundleSays) {
  Swtpm swtpm;
  const bool started = swtpm.start();
  if (!swtpm.installed()) GTEST_SKIP() << "swtpm is not installed (./dev setup installs it)";
  ASSERT_TRUE(started);
  const test::FixedClock clock{test::kFakeNow};
  const auto attester = TpmAttester::open(swtpm.path(), clock);
  ASSERT_TRUE(attester) << attester.error().to_string();
  test::FakeTee tee;
  const Binding binding = tee.serve_binding();
  const Bytes bytes = encode_binding(binding);
  const auto made = (*attester)->attest(binding, bytes);
  ASSERT_TRUE(made) << made.error().to_string();
  Collateral collateral;
  for (const Endorsement& each : made->endorsements) collateral.emplace(each.name, each.bytes);
  const EvidenceVerdict verdict = judge_tpm(
      {.evidence = made->evidence, .collateral = &collateral, .time = 0, .requirements = nullptr, .root = {}});
  ASSERT_FALSE(verdict.error) << verdict.error->to_string();
  EXPECT_EQ(verdict.evidence.signed_value, expected_signed_value(EvidenceKind::kTpm, binding, bytes));
  EXPECT_EQ((*attester)->attest(binding, Bytes(3)).error().code(), kInternalError);
}

// More quotes than a TPM has room for keys (three, in swtpm): each key is flushed, and is the same each time.
TEST(TpmDevice, QuotesAgainAndAgainWithTheSameKey) {
  Swtpm swtpm;
  const bool started = swtpm.start();
  if (!swtpm.installed()) GTEST_SKIP() << "swtpm is not installed (./dev setup installs it)";
  ASSERT_TRUE(started);
  auto device = TpmDevice::open(swtpm.path());
  ASSERT_TRUE(device);
  const auto first = make_tpm_quote(*device, Bytes(64, 1));
  ASSERT_TRUE(first) << first.error().to_string();
  for (std::uint8_t i = 0; i < 5; ++i) {
    const auto made = make_tpm_quote(*device, Bytes(32, i));
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_EQ(made->ak_tpm2b_public, first->ak_tpm2b_public);
    EXPECT_NE(made->attest, first->attest);
  }
}

TEST(TpmDevice, TheTpmsRefusalIsAnErrorWithItsCode) {
  Swtpm swtpm;
  const bool started = swtpm.start();
  if (!swtpm.installed()) GTEST_SKIP() << "swtpm is not installed (./dev setup installs it)";
  ASSERT_TRUE(started);
  auto device = TpmDevice::open(swtpm.path());
  ASSERT_TRUE(device);
  const auto made = make_tpm_quote(*device, Bytes(200, 1));  // larger than any digest
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), kTpmDeviceRefused);
  EXPECT_EQ(made.error().first(), 0x1d5U);  // TPM_RC_SIZE of the first parameter
  EXPECT_TRUE(make_tpm_quote(*device, Bytes(32, 1)));
}

TEST(TpmDevice, WhatIsNoTpmIsNotHere) {
  const test::TempDir directory;
  EXPECT_EQ(TpmDevice::open("/nonexistent/tpm").error().code(), kTpmDeviceNotHere);
  EXPECT_EQ(TpmDevice::open(directory.write("file", "x").string()).error().code(), kTpmDeviceNotHere);
  EXPECT_EQ(TpmDevice::open(directory.path().string()).error().code(), kTpmDeviceNotHere);
}

TEST(TpmDevice, RejectsResponsesThatAreNone) {
  const Bytes good{0x80, 1, 0, 0, 0, 12, 0, 0, 0, 0, 7, 8};
  EXPECT_EQ(decode_tpm_response(good).value(), (Bytes{7, 8}));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(decode_tpm_response(ByteView(good).first(size)).error().code(), kTpmDeviceAnswer) << size;
  }
  EXPECT_EQ(decode_tpm_response(concat(good, Bytes(1))).error().code(), kTpmDeviceAnswer);
  const auto refused = decode_tpm_response(Bytes{0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1});
  EXPECT_EQ(refused.error().code(), kTpmDeviceRefused);
  EXPECT_EQ(refused.error().first(), 0x101U);
}

}  // namespace
}  // namespace eml

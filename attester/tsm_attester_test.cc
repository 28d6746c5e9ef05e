#include "attester/tsm_attester.h"

#include <gtest/gtest.h>

#include "attester/kernel_tsm_testing.h"
#include "base/log.h"
#include "tests/support/fake_tee.h"
#include "tests/support/seeded_random.h"

namespace eml {
namespace {

// An SNP report has its data at 0x50; the rest is zero: signed by a VCEK.
Bytes snp_report(ByteView inblob, std::string_view) {
  Bytes out(1184);
  std::ranges::copy(inblob, out.begin() + 0x50);
  return out;
}

// A table with one entry: the VCEK, the byte 0x30.
Bytes one_certificate() {
  Bytes out = from_hex("63da758de6644564adc5f4b93be8accd3000000001000000").value();
  out.resize(48);
  out.push_back(0x30);
  return out;
}

struct TsmAttesterTest : testing::Test {
  std::shared_ptr<test::KernelTsm> kernel = std::make_shared<test::KernelTsm>();
  test::FakeTee tee;
  test::SeededRandom random{"tsm attester"};
  test::FixedClock clock{test::kFakeNow};

  TsmAttester attester(TsmProvider provider) {
    return {provider, TsmReports(kernel, random, {.pause = [](std::chrono::milliseconds) {}}), clock};
  }
  Result<MadeEvidence> snp() {
    kernel->provider = "sev_guest\n";
    kernel->make_report = snp_report;
    const Binding binding = tee.serve_binding();
    return attester(TsmProvider::kSevGuest).attest(binding, encode_binding(binding));
  }
};

TEST_F(TsmAttesterTest, NamesItsKind) {
  EXPECT_EQ(attester(TsmProvider::kTdxGuest).kind(), EvidenceKind::kTdx);
  EXPECT_EQ(attester(TsmProvider::kSevGuest).kind(), EvidenceKind::kSevSnp);
}

TEST_F(TsmAttesterTest, HasTheValueOfTheBindingSigned) {
  auto tdx = attester(TsmProvider::kTdxGuest);
  Binding binding = tee.serve_binding();
  const auto report_data = [&] {
    const Bytes bytes = encode_binding(binding);
    const auto made = tdx.attest(binding, bytes);
    EXPECT_EQ(made->evidence,
              concat(as_bytes("report over "), expected_signed_value(EvidenceKind::kTdx, binding, bytes)));
    return Bytes(made->evidence.end() - 64, made->evidence.end());
  };
  const Bytes serve = report_data();
  EXPECT_EQ(Bytes(serve.begin(), serve.begin() + 32), to_bytes(ByteView(sha256(binding.receipt_key))));
  binding.purpose = Purpose::kRelease;
  binding.challenge = Hash32{};
  const Bytes release = report_data();
  EXPECT_EQ(Bytes(release.begin(), release.begin() + 32), Bytes(32));
}

TEST_F(TsmAttesterTest, RefusesToSignBytesThatAreNotTheBindings) {
  const Binding binding = tee.serve_binding();
  Bytes bytes = encode_binding(binding);
  bytes.back() ^= 1;
  EXPECT_EQ(attester(TsmProvider::kTdxGuest).attest(binding, bytes).error().code(), kInternalError);
  EXPECT_EQ(kernel->made(), 0);
}

TEST_F(TsmAttesterTest, PassesOnWhatTheDeviceSays) {
  kernel->errors["write inblob"] = {EACCES};
  const Binding binding = tee.serve_binding();
  const auto made = attester(TsmProvider::kTdxGuest).attest(binding, encode_binding(binding));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), kAttesterDevice);
}

TEST_F(TsmAttesterTest, TheHostsCertificatesBecomeEndorsementsWithTheirDate) {
  kernel->auxblob = one_certificate();
  const auto made = snp();
  ASSERT_TRUE(made) << made.error().to_string();
  ASSERT_EQ(made->endorsements.size(), 1U);
  EXPECT_EQ(made->endorsements[0].name, "vek");
  EXPECT_EQ(made->endorsements[0].bytes, Bytes{0x30});
  EXPECT_EQ(made->endorsements[0].fetched_at, test::kFakeNow);
}

TEST_F(TsmAttesterTest, WithoutCertificatesThereAreNoEndorsements) {
  EXPECT_TRUE(snp()->endorsements.empty());
  kernel->auxblob = Bytes{};
  EXPECT_TRUE(snp()->endorsements.empty());
}

TEST_F(TsmAttesterTest, ATdxQuoteCarriesItsOwnCertificates) {
  kernel->auxblob = one_certificate();
  const Binding binding = tee.serve_binding();
  EXPECT_TRUE(attester(TsmProvider::kTdxGuest).attest(binding, encode_binding(binding))->endorsements.empty());
}

TEST_F(TsmAttesterTest, AMalformedTableIsLoggedAndLeftOut) {
  static std::string logged;
  logged.clear();
  set_log_sink([](std::string_view line) { logged += line; });
  kernel->auxblob = Bytes(10, 1);
  const auto made = snp();
  set_log_sink(nullptr);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->endorsements.empty());
  EXPECT_NE(logged.find("snp-certificates-malformed"), std::string::npos) << logged;
}

TEST_F(TsmAttesterTest, AClockThatNoBundleCanHoldIsSaid) {
  kernel->auxblob = one_certificate();
  for (const UnixSeconds bad : {UnixSeconds{-1}, kUnixSecondsMax + 1}) {
    clock = test::FixedClock(bad);
    const auto made = snp();
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), kAttesterClock);
  }
  clock = test::FixedClock(0);
  EXPECT_TRUE(snp());
  kernel->auxblob.reset();
  clock = test::FixedClock(-1);
  EXPECT_TRUE(snp()) << "without certificates nothing is dated";
}

}  // namespace
}  // namespace eml

// A forecast names the second at which the judge changes its mind, and the item that changes it.
#include "attestation/forecast.h"

#include <gtest/gtest.h>

#include "tests/support/dcap.h"
#include "tests/support/evidence_corpus.h"
#include "tests/support/shared_corpus.h"
#include "tests/support/snp.h"

namespace eml {
namespace {

constexpr UnixSeconds kDay = 86400;

Forecast forecast_of(const test::dcap::Made& made, UnixSeconds at = test::dcap::time()) {
  const EvidenceInput input{.evidence = made.quote, .collateral = &made.collateral, .time = at, .root = made.root};
  return forecast_evidence(*kind_verifier("tdx"), input);
}

// "item what days error": what ends first, in days from the plan's time.
std::string first_of(const Forecast& forecast) {
  if (forecast.now.error) return "now " + std::string(forecast.now.error->code().name);
  if (!forecast.first) return "never";
  const ForecastEnd& end = *forecast.first;
  return end.item + " " + std::string(end.what) + " " + std::to_string((end.last - test::dcap::time()) / kDay) + " " +
         std::string(forecast.then->code().name);
}

using test::dcap::Plan;

TEST(Forecast, NamesTheItemThatEndsFirst) {
  Plan plan;
  plan.tcb_info["nextUpdate"] = "2026-06-05T00:00:00Z";
  EXPECT_EQ(first_of(forecast_of(plan.make())), "tcb_info nextUpdate 4 tdx-collateral-expired");
  plan.qe_identity["nextUpdate"] = "2026-06-04T00:00:00Z";
  EXPECT_EQ(first_of(forecast_of(plan.make())), "qe_identity nextUpdate 3 tdx-collateral-expired");
  plan.pck_crl.next_update = test::dcap::time() + (2 * kDay);
  EXPECT_EQ(first_of(forecast_of(plan.make())), "pck_crl nextUpdate 2 tdx-crl-expired");
  plan.pck_certificate.not_after = test::dcap::time() + kDay;
  EXPECT_EQ(first_of(forecast_of(plan.make())), "evidence notAfter 1 tdx-certificate-expired");
  EXPECT_EQ(forecast_of(plan.make()).ends.front().item, "evidence");
}

TEST(Forecast, IsGoodInItsLastSecondAndBadInTheNext) {
  const auto made = Plan().make();
  const Forecast forecast = forecast_of(made);
  ASSERT_TRUE(forecast.first);
  EXPECT_FALSE(forecast_of(made, forecast.first->last).now.error);
  EXPECT_TRUE(forecast_of(made, forecast.first->last + 1).now.error);
}

TEST(Forecast, DoesNotTakeAnItemForTheReasonThatNobodyReads) {
  Plan plan;
  auto made = plan.make();
  plan.tcb_certificate.not_after = test::dcap::time() + kDay;
  made.collateral["pck_crl_issuer_chain"] = plan.make().collateral.at("tcb_signing_chain");
  const Forecast forecast = forecast_of(made);
  EXPECT_EQ(forecast.ends.front().item, "pck_crl_issuer_chain");
  ASSERT_TRUE(forecast.first);
  EXPECT_NE(forecast.first->item, "pck_crl_issuer_chain");
}

TEST(Forecast, LooksAheadOnly) {
  Plan plan;
  auto made = plan.make();
  plan.tcb_certificate.not_after = test::dcap::time() - (1000 * kDay);  // before anything of the plan was issued
  made.collateral["pck_crl_issuer_chain"] = plan.make().collateral.at("tcb_signing_chain");
  const Forecast forecast = forecast_of(made);
  EXPECT_LT(forecast.ends.front().last, test::dcap::time());
  ASSERT_TRUE(forecast.first);
  EXPECT_GT(forecast.first->last, test::dcap::time());
}

TEST(Forecast, SaysThatItFailsAlready) {
  Plan plan;
  plan.root_crl.next_update = test::dcap::time() - 1;
  const Forecast forecast = forecast_of(plan.make());
  EXPECT_EQ(first_of(forecast), "now tdx-crl-expired");
  EXPECT_EQ(forecast.ends.front().item, "root_crl");
  EXPECT_FALSE(forecast.first);
  auto made = Plan().make();
  made.collateral.erase("tcb_info");
  EXPECT_EQ(first_of(forecast_of(made)), "now tdx-missing-collateral");
  made.quote.resize(100);
  EXPECT_EQ(first_of(forecast_of(made)), "now tdx-parse");
}

// "component have want level" of each.
std::vector<std::string> behind(const Forecast& forecast) {
  std::vector<std::string> out;
  for (const TcbGap& gap : forecast.behind) {
    out.push_back(gap.component + " " + std::to_string(gap.have) + " " + std::to_string(gap.want) + " " +
                  std::string(gap.level));
  }
  return out;
}

using Lines = std::vector<std::string>;

TEST(Forecast, NamesTheComponentsOfAQuoteThatAreBehind) {
  EXPECT_EQ(behind(forecast_of(Plan().make())), Lines{});
  Plan plan;
  plan.pck.components[1] = 3;
  plan.pck.pcesvn = 11;
  plan.td.tee_tcb_svn = {3, 1, 4};
  plan.qe.isv_svn = 2;
  EXPECT_EQ(behind(forecast_of(plan.make())),
            (Lines{"qe 2 4 UpToDate", "sgxtcbcomponents[1] 3 5 UpToDate", "pcesvn 11 13 UpToDate",
                   "tdxtcbcomponents[2] 4 6 UpToDate", "tdx_module 3 5 UpToDate"}));
}

TEST(Forecast, ComparesWithTheHighestLevelIfNoneIsUpToDate) {
  Plan plan;
  plan.tcb_info["tcbLevels"] = JsonArray{test::dcap::platform_level({5, 5, 2}, 14, {5, 0, 6}, "SWHardeningNeeded"),
                                         test::dcap::platform_level({1}, 1, {}, "OutOfDate")};
  EXPECT_EQ(behind(forecast_of(plan.make())), Lines{"pcesvn 13 14 SWHardeningNeeded"});
}

TEST(Forecast, ComparesWithTheLowestLevelThatIsUpToDate) {
  Plan plan;
  plan.tcb_info["tcbLevels"] = JsonArray{test::dcap::platform_level({9, 9, 9}, 15, {5, 0, 6}, "UpToDate"),
                                         test::dcap::platform_level({5, 5, 2}, 13, {5, 0, 6}, "UpToDate"),
                                         test::dcap::platform_level({1}, 1, {}, "OutOfDate")};
  EXPECT_EQ(behind(forecast_of(plan.make())), Lines{});
}

TEST(Forecast, ComparesNoLevelsOfAnotherPlatform) {
  Plan plan;
  plan.tcb_info["fmspc"] = "000000000000";
  plan.pck.pcesvn = 1;
  const Forecast forecast = forecast_of(plan.make());
  EXPECT_EQ(first_of(forecast), "now tdx-fmspc-mismatch");
  EXPECT_EQ(behind(forecast), Lines{});
}

TEST(Forecast, OfAReportEndsWithAmdsListAndNamesWhatIsBehindTheRunningFirmware) {
  test::SnpPlan plan;
  plan.crl.next_update = "20260701000000Z";
  plan.put(0x38, Bytes{5, 2, 0, 0, 0, 0, 25, 219});   // current
  plan.put(0x1e0, Bytes{4, 2, 0, 0, 0, 0, 24, 218});  // committed
  const auto made = plan.make();
  const EvidenceInput input{
      .evidence = made.report, .collateral = &made.collateral, .time = test::SnpPlan::kTime, .root = made.root};
  const Forecast forecast = forecast_evidence(*kind_verifier("sevsnp"), input);
  ASSERT_FALSE(forecast.now.error) << forecast.now.error->to_string();
  ASSERT_TRUE(forecast.first);
  EXPECT_EQ(forecast.first->item, "crl");
  EXPECT_EQ(forecast.then->code().name, "sevsnp-crl-expired");
  EXPECT_EQ(behind(forecast),
            (Lines{"reported bl 4 5 current", "reported snp 24 25 current", "committed bl 4 5 current",
                   "committed snp 24 25 current", "committed ucode 218 219 current"}));
}

// For all genuine evidence that there is: the judge agrees, a second before and a second after.
TEST(Forecast, IsWhatTheJudgeSaysOfEveryValidCaseOfTheCorpus) {
  std::size_t judged = 0;
  for (const char* kind : {"tdx", "sevsnp", "nitro", "confidential_space", "nvidia"}) {
    for (const auto& one : test::evidence_cases(kind)) {
      if (!one.about.is_graded() || one.about.verdict() != "valid") continue;
      const EvidenceInput input = one.input.view();
      const KindVerifier& verifier = *kind_verifier(kind);
      const Forecast forecast = forecast_evidence(verifier, input);
      ASSERT_FALSE(forecast.now.error) << one.about.id << forecast.now.error->to_string();
      if (!forecast.first) continue;
      EvidenceInput then = input;
      then.time = forecast.first->last;
      EXPECT_FALSE(verifier.judge(then).error) << one.about.id;
      ++then.time;
      EXPECT_TRUE(verifier.judge(then).error) << one.about.id;
      ++judged;
    }
  }
  if (!test::has_shared_corpus()) GTEST_SKIP() << test::no_shared_corpus();
  ASSERT_GT(judged, 0U);
  RecordProperty("judged", static_cast<int>(judged));
  EXPECT_GE(judged, 40U);
}

}  // namespace
}  // namespace eml

// One test for each rule of docs/spec/evidence/tdx.md, section 6: levels, convergence and relaunch.
#include <gtest/gtest.h>

#include <algorithm>

#include "attestation/tdx/tcb_status.h"
#include "tests/tdx/tdx_judging.h"

namespace eml {
namespace {

using test::dcap::judge_made;
using test::dcap::judge_plan;
using test::dcap::Plan;
using test::dcap::platform_level;
using test::dcap::status_of;
using test::dcap::svn_level;

using Strings = std::vector<std::string>;

// The statuses that a platform's level may have.
const Strings kPlatform{"UpToDate",
                        "SWHardeningNeeded",
                        "ConfigurationNeeded",
                        "ConfigurationAndSWHardeningNeeded",
                        "OutOfDate",
                        "OutOfDateConfigurationNeeded",
                        "Revoked"};

Plan with_platform(std::string_view status) {
  Plan plan;
  plan.tcb_info["tcbLevels"].as_array()[0].as_object()["tcbStatus"] = status;
  return plan;
}

JsonArray& levels_of(Plan& plan) { return plan.tcb_info["tcbLevels"].as_array(); }

TEST(TdxStatus, Rule1ComparesEverySgxComponentAndThePcesvn) {
  EXPECT_EQ(status_of(Plan()), "UpToDate");
  for (std::size_t i = 0; i < 3; ++i) {
    Plan plan;
    plan.pck.components[i] -= 1;
    EXPECT_EQ(status_of(plan), i < 2 ? "OutOfDate" : "Revoked") << i;  // the middle level wants 3, 3, 2
  }
  Plan high_elsewhere;
  high_elsewhere.pck.components = {4, 255, 255, 255};
  EXPECT_EQ(status_of(high_elsewhere), "OutOfDate");
  Plan last;
  levels_of(last)[0].as_object()["tcb"].as_object()["sgxtcbcomponents"].as_array()[15].as_object()["svn"] = 1;
  EXPECT_EQ(status_of(last), "OutOfDate");
  Plan pcesvn;
  pcesvn.pck.pcesvn = 12;
  EXPECT_EQ(status_of(pcesvn), "OutOfDate");
}

TEST(TdxStatus, Rule1DoesNotReadTheCpuSvnOfTheQuote) {
  Plan plan;
  plan.for_sgx(3);
  plan.enclave.cpu_svn = {};
  EXPECT_EQ(status_of(plan), "UpToDate");
}

TEST(TdxStatus, Rule2ComparesTheTdxComponentsWithoutTheModulesTwo) {
  Plan third;
  third.td.tee_tcb_svn[2] = 5;
  EXPECT_EQ(status_of(third), "OutOfDate");
  Plan last;
  levels_of(last)[0].as_object()["tcb"].as_object()["tdxtcbcomponents"].as_array()[15].as_object()["svn"] = 1;
  EXPECT_EQ(status_of(last), "OutOfDate");
  // With a module version the identity judges the first two: here a level wants more than the quote has.
  Plan module;
  levels_of(module)[0].as_object()["tcb"].as_object()["tdxtcbcomponents"].as_array()[0].as_object()["svn"] = 9;
  EXPECT_EQ(status_of(module), "UpToDate");
  module.td.tee_tcb_svn[1] = 0;  // without one, the level does
  EXPECT_EQ(status_of(module), "OutOfDate");
}

TEST(TdxStatus, Rule2IgnoresTdxComponentsForAnEnclave) {
  Plan plan;
  plan.for_sgx(4);
  EXPECT_EQ(status_of(plan), "UpToDate");
  EXPECT_EQ(judge_plan(plan), "ok");
}

TEST(TdxStatus, Rule3WithoutALevelThereIsNoPlatformStatus) {
  Plan plan;
  plan.pck.components[0] = 0;
  const EvidenceVerdict verdict = judge_made(plan.make());
  EXPECT_EQ(verdict.tcb_status, "TcbNotSupported");
  EXPECT_TRUE(verdict.details.at("platform_status").is_null());
  EXPECT_TRUE(verdict.details.at("module_status").is_null());
  EXPECT_EQ(verdict.details.at("qe_status"), "UpToDate");
  EXPECT_TRUE(verdict.details.at("tcb_date").is_null());
  EXPECT_TRUE(verdict.advisories.empty());
}

TEST(TdxStatus, Rule4GivesTheLevelsDateAndAdvisories) {
  Plan plan;
  plan.pck.components = {3, 3, 2};
  levels_of(plan)[1].as_object()["tcbDate"] = "2024-03-13T00:00:00Z";
  const EvidenceVerdict verdict = judge_made(plan.make());
  EXPECT_FALSE(verdict.error);
  EXPECT_EQ(verdict.tcb_status, "OutOfDate");
  EXPECT_EQ(verdict.details.at("platform_status"), "OutOfDate");
  EXPECT_EQ(verdict.details.at("tcb_date"), "2024-03-13T00:00:00Z");
  EXPECT_EQ(verdict.advisories, Strings{"SA-PLATFORM"});
  for (const std::string& status : kPlatform) EXPECT_EQ(status_of(with_platform(status)), status);
}

TEST(TdxStatus, LevelsCountHighestFirstWhateverTheirOrderInTheDocument) {
  Plan plan;
  std::ranges::reverse(levels_of(plan));
  EXPECT_EQ(status_of(plan), "UpToDate");
  // The SGX components decide first, then pcesvn.
  Plan tie;
  levels_of(tie) = {platform_level({5, 5, 2}, 12, {5, 0, 6}, "OutOfDate"),
                    platform_level({5, 5, 2}, 13, {5, 0, 6}, "UpToDate"),
                    platform_level({4, 9, 9}, 13, {5, 0, 6}, "Revoked")};
  EXPECT_EQ(status_of(tie), "UpToDate");
  Plan module;
  std::ranges::reverse(module.tcb_info["tdxModuleIdentities"].as_array()[0].as_object()["tcbLevels"].as_array());
  EXPECT_EQ(status_of(module), "UpToDate");
  Plan qe;
  std::ranges::reverse(qe.qe_identity["tcbLevels"].as_array());
  EXPECT_EQ(status_of(qe), "UpToDate");
}

TEST(TdxStatus, Rule5GivesTheModulesStatusAndAddsItsAdvisories) {
  Plan plan;
  plan.td.tee_tcb_svn[0] = 4;
  plan.pck.components = {3, 3, 2};
  const EvidenceVerdict verdict = judge_made(plan.make());
  EXPECT_EQ(verdict.details.at("module_status"), "OutOfDate");
  EXPECT_EQ(verdict.advisories, (Strings{"SA-MODULE", "SA-PLATFORM"}));
  Plan below;
  below.td.tee_tcb_svn[0] = 0;
  EXPECT_EQ(status_of(below), "TcbNotSupported");
  Plan none;
  none.td.tee_tcb_svn[1] = 0;
  const EvidenceVerdict without = judge_made(none.make());
  EXPECT_EQ(without.tcb_status, "UpToDate");
  EXPECT_TRUE(without.details.at("module_status").is_null());
}

TEST(TdxStatus, Rule6GivesTheQesStatusWithoutItsAdvisories) {
  Plan plan;
  plan.qe.isv_svn = 3;
  const EvidenceVerdict verdict = judge_made(plan.make());
  EXPECT_EQ(verdict.details.at("qe_status"), "OutOfDate");
  EXPECT_EQ(verdict.details.at("platform_status"), "UpToDate");
  EXPECT_EQ(verdict.tcb_status, "OutOfDate");
  EXPECT_TRUE(verdict.advisories.empty());
  Plan below;
  below.qe.isv_svn = 0;
  EXPECT_EQ(status_of(below), "TcbNotSupported");
}

TEST(TdxStatus, Rule7ConvergesAsTheTable) {
  const Strings with_out_of_date{"OutOfDate",
                                 "OutOfDate",
                                 "OutOfDateConfigurationNeeded",
                                 "OutOfDateConfigurationNeeded",
                                 "OutOfDate",
                                 "OutOfDateConfigurationNeeded",
                                 "Revoked"};
  for (std::size_t i = 0; i < kPlatform.size(); ++i) {
    Plan module = with_platform(kPlatform[i]);
    module.td.tee_tcb_svn[0] = 3;
    EXPECT_EQ(status_of(module), with_out_of_date[i]) << kPlatform[i];
    Plan qe = with_platform(kPlatform[i]);
    qe.qe.isv_svn = 2;
    EXPECT_EQ(status_of(qe), with_out_of_date[i]) << kPlatform[i];
    module.td.tee_tcb_svn[0] = 1;
    EXPECT_EQ(status_of(module), "Revoked") << kPlatform[i];
    qe.qe.isv_svn = 1;
    EXPECT_EQ(status_of(qe), "Revoked") << kPlatform[i];
  }
}

TEST(TdxStatus, Rule7LetsTheQesStatusFollowTheModules) {
  Plan plan;
  plan.td.tee_tcb_svn[0] = 3;  // OutOfDate
  plan.qe.isv_svn = 1;         // Revoked
  EXPECT_EQ(status_of(plan), "Revoked");
}

// A domain that was launched on module 3 of a machine that now runs 5.
Plan relaunched() {
  Plan plan;
  plan.for_td15();
  plan.td.tee_tcb_svn[0] = 3;
  return plan;
}

TEST(TdxStatus, Rule8AdvisesARelaunchWhereOnlyTheDomainIsOld) {
  EXPECT_EQ(status_of(relaunched()), "RelaunchAdvised");
  EXPECT_EQ(judge_plan(relaunched()), "ok");
  Plan configuration = relaunched();
  levels_of(configuration)[0].as_object()["tcbStatus"] = "ConfigurationNeeded";
  EXPECT_EQ(status_of(configuration), "RelaunchAdvisedConfigurationNeeded");
  Plan hardening = relaunched();
  levels_of(hardening)[0].as_object()["tcbStatus"] = "ConfigurationAndSWHardeningNeeded";
  EXPECT_EQ(status_of(hardening), "RelaunchAdvisedConfigurationNeeded");
}

TEST(TdxStatus, Rule8NeedsEachOfItsConditions) {
  const auto with = [](auto change) {
    Plan plan = relaunched();
    change(plan);
    return status_of(plan);
  };
  EXPECT_EQ(with([](Plan& plan) { plan.td.tee_tcb_svn2 = tdx::TcbSvn{4, 1, 6}; }), "OutOfDate");  // module not newest
  EXPECT_EQ(with([](Plan& plan) { plan.td.tee_tcb_svn2 = tdx::TcbSvn{5, 1, 5}; }),
            "OutOfDate");                                                             // microcode not newest
  EXPECT_EQ(with([](Plan& plan) { plan.qe.isv_svn = 2; }), "OutOfDate");              // QE OutOfDate
  EXPECT_EQ(with([](Plan& plan) { plan.pck.components = {3, 3, 2}; }), "OutOfDate");  // SGX level OutOfDate
  EXPECT_EQ(with([](Plan& plan) { plan.td.tee_tcb_svn[0] = 5; }), "UpToDate");        // nothing to advise
  EXPECT_EQ(with([](Plan& plan) { plan.version = 4, plan.body = tdx::BodyType::kTd10; }), "OutOfDate");
  Plan module_current = relaunched();  // the platform is OutOfDate by itself, the module is not
  module_current.td.tee_tcb_svn = {5, 1, 5};
  EXPECT_EQ(status_of(module_current), "OutOfDate");
}

TEST(TdxStatus, Rule8KnowsAModuleWithoutAVersion) {
  Plan plan = relaunched();
  plan.td.tee_tcb_svn2 = tdx::TcbSvn{5, 0, 6};
  EXPECT_EQ(status_of(plan), "RelaunchAdvised");
  plan.td.tee_tcb_svn2 = tdx::TcbSvn{4, 0, 6};  // the highest level wants 5
  EXPECT_EQ(status_of(plan), "OutOfDate");
}

TEST(TdxStatus, Rule8RefusesARunningModuleWithoutAnIdentity) {
  Plan plan = relaunched();
  plan.td.tee_tcb_svn2 = tdx::TcbSvn{9, 7, 9};
  EXPECT_EQ(judge_plan(plan), "tdx-module-mismatch");
}

TEST(TdxStatus, EveryWordReadsBack) {
  for (unsigned i = 0; i < 10; ++i) {
    const auto status = static_cast<tdx::TcbStatus>(i);
    EXPECT_EQ(tdx::parse_tcb_status(tdx::to_string(status)), status);
  }
  EXPECT_EQ(tdx::parse_tcb_status("uptodate"), std::nullopt);
  EXPECT_EQ(tdx::parse_tcb_status(""), std::nullopt);
}

}  // namespace
}  // namespace eml

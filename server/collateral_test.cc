#include "server/collateral.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

struct CollateralTest : testing::Test {
  void write(const std::string& name, std::string_view text) { std::ofstream(dir.path() / name) << text; }
  std::vector<std::string> names(EvidenceKind kind) {
    EXPECT_TRUE(add_collateral(endorsements, dir.path().string(), kind));
    std::vector<std::string> out;
    for (const Endorsement& each : endorsements) out.push_back(each.name);
    return out;
  }
  test::TempDir dir;
  std::vector<Endorsement> endorsements;
};

TEST_F(CollateralTest, TakesTheFilesThatTheKindHasANameFor) {
  write("tcb_info.json", "{}");
  write("root_crl.der", "x");
  write("crl.der", "AMD's, not Intel's");
  write("collateral.json", "what was collected");
  EXPECT_EQ(names(EvidenceKind::kTdx), (std::vector<std::string>{"root_crl", "tcb_info"}));
  EXPECT_EQ(endorsements[0].bytes, to_bytes(std::string_view("x")));
  EXPECT_GT(endorsements[0].fetched_at, 0);
}

TEST_F(CollateralTest, KeepsWhatThePlatformGave) {
  write("vek.der", "another");
  write("crl.der", "list");
  endorsements.push_back({.name = "vek", .fetched_at = 7, .bytes = {1}});
  EXPECT_EQ(names(EvidenceKind::kSevSnp), (std::vector<std::string>{"vek", "crl"}));
  EXPECT_EQ(endorsements[0].bytes, Bytes{1});
}

TEST_F(CollateralTest, IsNoneWithoutADirectoryOrForAKindThatHasNone) {
  EXPECT_TRUE(add_collateral(endorsements, "", EvidenceKind::kTdx));
  write("vek.der", "x");
  EXPECT_TRUE(names(EvidenceKind::kLocal).empty());
  EXPECT_TRUE(names(EvidenceKind::kNitro).empty());
}

TEST_F(CollateralTest, ThatCannotBeReadIsAnError) {
  EXPECT_EQ(add_collateral(endorsements, "/nonexistent", EvidenceKind::kTdx).error().code(), kFileUnreadable);
  std::filesystem::create_directory(dir.path() / "tcb_info.json");
  EXPECT_EQ(add_collateral(endorsements, dir.path().string(), EvidenceKind::kTdx).error().code(), kFileNotRegular);
  std::filesystem::remove(dir.path() / "tcb_info.json");
  write("tcb_info.json", std::string(kBundleBytesMax + 1, ' '));
  EXPECT_EQ(add_collateral(endorsements, dir.path().string(), EvidenceKind::kTdx).error().code(), kFileTooLarge);
}

}  // namespace
}  // namespace eml

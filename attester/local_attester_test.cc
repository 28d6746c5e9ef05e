#include "attester/local_attester.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "attestation/bundle.h"
#include "attestation/local/local.h"
#include "base/files.h"
#include "crypto/key_file.h"
#include "tests/support/fake_tee.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

struct LocalAttesterTest : testing::Test {
  test::TempDir directory;
  test::FakeTee tee;
  test::SeededRandom random{"attester"};
  test::FixedClock clock{test::kFakeNow};
  std::string state = directory.path() / "state";
  std::string program = directory.write("program", "the program's bytes");
  std::string key_path = state + "/local-root.key";

  auto open() { return LocalAttester::open({.state_directory = state, .program_file = program}, random, clock); }
  std::string error() {
    const auto opened = open();
    return opened ? "ok" : std::string(opened.error().code().name);
  }
};

TEST_F(LocalAttesterTest, MakesEvidenceThatTheVerifierFindsGenuine) {
  const auto attester = open();
  ASSERT_TRUE(attester) << attester.error().to_string();
  const Binding binding = tee.serve_binding();
  const Bytes bytes = encode_binding(binding);
  const auto evidence = (*attester)->attest(binding, bytes);
  ASSERT_TRUE(evidence);
  const auto verified = verify_local_evidence(evidence->evidence, {(*attester)->root()});
  ASSERT_TRUE(verified) << verified.error().to_string();
  EXPECT_EQ(verified->signed_value, expected_signed_value(EvidenceKind::kLocal, binding, bytes));
  EXPECT_EQ(verified->measurements.at("binary"), to_bytes(ByteView(sha384(as_bytes("the program's bytes")))));
}

TEST_F(LocalAttesterTest, AgreesWithTheFormatAsTheTestsWriteItDown) {
  const auto attester = open();
  const Binding binding = tee.serve_binding();
  const Bytes bytes = encode_binding(binding);
  auto text = *read_file(key_path, kKeyFileMax);
  const auto key = decode_private_key_file(text, KeyPurpose::kLocalRoot);
  EXPECT_EQ((*attester)->attest(binding, bytes)->evidence,
            test::fake_local_evidence(key->key, binding_digest(binding.purpose, bytes), (*attester)->binary()));
}

TEST_F(LocalAttesterTest, KeepsItsRootAcrossStartsInAFileOfItsOwner) {
  const auto first = open();
  const auto second = open();
  EXPECT_EQ((*first)->root(), (*second)->root());
  struct stat info{};
  ASSERT_EQ(::stat(key_path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat(state.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(LocalAttesterTest, AnotherProgramByOneByteMeasuresDifferently) {
  const Hash48 before = (*open())->binary();
  program = directory.write("program", "The program's bytes");
  EXPECT_NE((*open())->binary(), before);
}

TEST_F(LocalAttesterTest, HashesTheRunningProgramByDefault) {
  const auto attester = LocalAttester::open({.state_directory = state}, random, clock);
  ASSERT_TRUE(attester) << attester.error().to_string();
  EXPECT_EQ((*attester)->binary(), sha384(*read_file("/proc/self/exe", std::size_t{1} << 30)));
}

TEST_F(LocalAttesterTest, RefusesToSignBytesThatAreNotTheBindings) {
  const auto attester = open();
  const Binding binding = tee.serve_binding();
  Bytes bytes = encode_binding(binding);
  bytes.back() ^= 1;
  const auto evidence = (*attester)->attest(binding, bytes);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code(), kInternalError);
}

TEST_F(LocalAttesterTest, RefusesAKeyFileThatOthersMayRead) {
  ASSERT_EQ(error(), "ok");
  ASSERT_EQ(::chmod(key_path.c_str(), 0640), 0);
  EXPECT_EQ(error(), "local-root-exposed");
}

TEST_F(LocalAttesterTest, RefusesBadStateInOneClearError) {
  ASSERT_EQ(error(), "ok");
  const auto replace = [&](std::string_view text) {
    ::unlink(key_path.c_str());
    ASSERT_TRUE(write_file(key_path, as_bytes(text), WriteMode::kPrivate));
  };
  replace("");
  EXPECT_EQ(error(), "key-file-malformed");
  replace(std::string(2000, 'x'));
  EXPECT_EQ(error(), "file-too-large");
  const auto policy_key = encode_private_key_file(KeyPurpose::kPolicy, 0, tee.root());
  replace(as_text(policy_key));
  EXPECT_EQ(error(), "key-file-wrong-purpose");
  ::unlink(key_path.c_str());
  ASSERT_EQ(::mkdir(key_path.c_str(), 0700), 0);
  EXPECT_EQ(error(), "file-not-regular");
  ::rmdir(key_path.c_str());
  ASSERT_EQ(::symlink(key_path.c_str(), key_path.c_str()), 0);
  EXPECT_EQ(error(), "file-unreadable");
  state = "";
  EXPECT_EQ(error(), "local-state-directory");
  state = directory.path() / "no" / "such";
  EXPECT_EQ(error(), "file-unwritable");
  state = program;
  EXPECT_EQ(error(), "local-state-directory");
  program = directory.path() / "gone";
  EXPECT_EQ(error(), "file-not-found");
}

TEST_F(LocalAttesterTest, TheBannerSaysThatItIsForEvaluation) {
  EXPECT_NE(kLocalBanner.find("EVALUATION ONLY"), std::string_view::npos);
}

}  // namespace
}  // namespace eml

#include "attestation/describe.h"

#include <gtest/gtest.h>

#include "attestation/sevsnp/report.h"
#include "tests/support/fake_tee.h"

namespace eml {
namespace {

using test::FakeTee;

TEST(Describe, ShowsWhatTheBundleSaysAndThatNothingWasVerified) {
  const FakeTee tee;
  const auto json = describe_bundle(tee.serve_bundle());
  ASSERT_TRUE(json) << json.error().to_string();
  EXPECT_EQ(json->at("verified"), false);
  EXPECT_EQ(json->at("kind"), "local");
  EXPECT_EQ(json->at("evidence").at("binary").as_string(), hex(tee.binary));
  EXPECT_EQ(json->at("evidence").at("root").as_string(), hex(tee.root().public_key()));
  EXPECT_EQ(json->at("binding").at("purpose"), "serve");
  EXPECT_EQ(json->at("binding").at("issued_at"), "2025-11-25T11:58:20Z");
  EXPECT_EQ(json->at("binding").at("channel_key").as_string(), hex(tee.channel_key().public_key()));
  EXPECT_EQ(json->at("configuration").at("issuer"), "test.example");
  const std::string text = description_text(*json);
  EXPECT_TRUE(text.starts_with("UNVERIFIED"));
  EXPECT_NE(text.find("binary: " + hex(tee.binary)), std::string::npos);
}

TEST(Describe, ShowsAReleaseBindingWithItsChallenge) {
  const FakeTee tee;
  const auto json = describe_bundle(tee.bundle(tee.release_binding(Hash32{7}, {9})));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->at("binding").at("purpose"), "release");
  EXPECT_TRUE(json->at("binding").as_object().contains("challenge"));
  EXPECT_FALSE(json->at("binding").as_object().contains("channel_key"));
}

TEST(Describe, ShowsThePartsOfABrokenBundleThatCanBeRead) {
  const FakeTee tee;
  EvidenceBundle parts = tee.parts(tee.serve_binding());
  parts.binding.pop_back();
  parts.evidence = to_bytes("nonsense");
  parts.configuration = to_bytes("{}");
  const auto json = describe_bundle(encode_bundle(parts));
  ASSERT_TRUE(json);
  for (const char* part : {"binding", "evidence", "configuration"}) {
    EXPECT_TRUE(json->at(part).as_object().contains("error")) << part;
  }
  EXPECT_FALSE(describe_bundle(as_bytes("nonsense")));
}

TEST(Describe, LetsNothingInTheBundleReachTheTerminalRaw) {
  const FakeTee tee;
  EvidenceBundle parts = tee.parts(tee.serve_binding());
  parts.endorsements.push_back({.name = "\x1b[2J\nverified: true", .fetched_at = 1, .bytes = {1}});
  const auto json = describe_bundle(encode_bundle(parts));
  ASSERT_TRUE(json);
  const std::string text = description_text(*json);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\nverified"), std::string::npos);
  EXPECT_NE(text.find("\\x1b[2J\\x0averified: true"), std::string::npos);
}

TEST(Describe, ShowsRawEvidenceOfEveryKindWithoutAVerdict) {
  const FakeTee tee;
  const Json local = describe_evidence("local", tee.parts(tee.serve_binding()).evidence);
  EXPECT_EQ(local.at("verified"), false);
  EXPECT_EQ(local.at("evidence").at("binary").as_string(), hex(tee.binary));
  const Json report = describe_evidence("sevsnp", Bytes(kSnpReportBytes, 0));
  EXPECT_EQ(report.at("kind"), "sevsnp");
  EXPECT_EQ(report.at("evidence").at("fields").at("measurement").as_string(), std::string(96, '0'));
  EXPECT_TRUE(description_text(report).starts_with("UNVERIFIED"));
  const Json tokens = describe_evidence("nvidia", as_bytes(R"([["JWT","x"],{"GPU-0":"y"}])"));
  EXPECT_TRUE(tokens.at("evidence").at("fields").at("device_claims").at("GPU-0").as_object().contains("error"));
}

TEST(Describe, SaysOfEveryKindWhatIsNoEvidence) {
  for (const char* kind : {"local", "tdx", "sevsnp", "nitro", "confidential_space", "tpm", "nvidia"}) {
    for (const char* bytes : {"", "nonsense", "\x1b[2J"}) {
      const Json shown = describe_evidence(kind, as_bytes(bytes));
      EXPECT_TRUE(shown.at("evidence").as_object().contains("error")) << kind << bytes;
      EXPECT_FALSE(shown.at("evidence").as_object().contains("fields")) << kind << bytes;
    }
  }
}

}  // namespace
}  // namespace eml

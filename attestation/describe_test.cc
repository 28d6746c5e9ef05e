#include "attestation/describe.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace eml

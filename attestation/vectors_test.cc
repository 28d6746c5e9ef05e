// tests/vectors/evidence: made by an independent program from docs/spec alone.
#include <gtest/gtest.h>

#include "attestation/bundle.h"
#include "attestation/local/local.h"
#include "tests/support/fake_tee.h"
#include "tests/support/json_vectors.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

template <std::size_t n>
ByteArray<n> array_of(test::VectorObject& object, std::string_view member) {
  const auto bytes = from_hex(object.text(member));
  const auto array = bytes ? to_array<n>(*bytes) : std::nullopt;
  if (!array) ADD_FAILURE() << member;
  return array.value_or(ByteArray<n>{});
}

TEST(EvidenceVectors, AreAcceptedAndEncodeToTheSameBytes) {
  const auto text = test::read_file(test::source_dir() / "tests/vectors/evidence/vectors.json");
  ASSERT_TRUE(text);
  test::VectorObject root(test::parse_vectors(*text), "vectors.json");
  const std::string policy_text = root.text("policy");
  const auto policy = Policy::decode_signed(as_bytes(policy_text), array_of<32>(root, "owner"), 1);
  ASSERT_TRUE(policy) << policy.error().to_string();
  const std::string configuration_text = root.text("configuration");
  const auto configuration = decode_configuration(as_bytes(configuration_text));
  ASSERT_TRUE(configuration);
  EXPECT_EQ(as_text(encode_configuration(*configuration)), configuration_text);
  const auto receipt_key = array_of<32>(root, "receipt_key");
  const auto channel_key = array_of<32>(root, "channel_key");
  const auto release_key = array_of<32>(root, "release_key");
  const UnixSeconds time = root.number("time");

  for (const auto& item : root.array("cases")) {
    test::VectorObject one(item, "case");
    const bool serve = one.text("purpose") == "serve";
    const Bytes binding_bytes = *from_hex(one.text("binding"));
    const auto binding = decode_binding(binding_bytes);
    ASSERT_TRUE(binding) << binding.error().to_string();
    EXPECT_EQ(encode_binding(*binding), binding_bytes);
    EXPECT_EQ(binding->receipt_key, serve ? receipt_key : Ed25519PublicKey{});
    EXPECT_EQ(binding->channel_key, serve ? channel_key : Ed25519PublicKey{});
    EXPECT_EQ(binding->release_key, serve ? ByteArray<32>{} : release_key);
    EXPECT_EQ(hex(binding_digest(binding->purpose, binding_bytes)), one.text("digest"));

    const Bytes bundle_bytes = *from_hex(one.text("bundle"));
    const auto bundle = decode_bundle(bundle_bytes);
    ASSERT_TRUE(bundle);
    EXPECT_EQ(encode_bundle(*bundle), bundle_bytes);
    EXPECT_EQ(hex(bundle->evidence), one.text("evidence"));
    const auto& challenge = one.value("challenge");
    const BundleExpectation expectation{
        .purpose = serve ? Purpose::kServe : Purpose::kRelease,
        .time = time,
        .challenge = challenge.is_null() ? std::optional<Hash32>() : array_of<32>(one, "challenge"),
        .policy = &*policy,
        .verify_manifest = test::verify_fake_manifest};
    const auto peer = check_bundle(bundle_bytes, expectation);
    ASSERT_TRUE(peer) << peer.error().to_string();
    EXPECT_EQ(peer->rule, "evaluation-on-my-machine");
  }
}

// The example of the page is a policy that loads, once it has no placeholder for its signature.
TEST(PolicyPage, ShowsAPolicyThatLoads) {
  const auto page = test::read_file(test::source_dir() / "docs/spec/policy.md");
  ASSERT_TRUE(page);
  const std::size_t begin = page->find("    {\n      \"schema\"");
  const std::size_t end = page->find("\n    }\n", begin);
  ASSERT_NE(end, std::string::npos);
  auto example = parse_json(as_bytes(std::string_view(*page).substr(begin, end + 6 - begin)));
  ASSERT_TRUE(example) << example.error().to_string();
  EXPECT_TRUE(example->get_object().erase("signatures"));
  const auto policy = Policy::decode(as_bytes(compact_json(*example)));
  EXPECT_TRUE(policy) << policy.error().to_string();
}

TEST(EvidencePage, ShowsTheVectorsDigest) {
  const auto page = test::read_file(test::source_dir() / "docs/spec/evidence.md");
  const auto text = test::read_file(test::source_dir() / "tests/vectors/evidence/vectors.json");
  ASSERT_TRUE(page && text);
  const auto vectors = test::parse_vectors(*text);
  const std::string digest(vectors.at("cases").at(0).at("digest").as_string());
  EXPECT_NE(page->find(digest), std::string::npos);
}

}  // namespace
}  // namespace eml

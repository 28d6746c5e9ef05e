// What the tests of this folder share: a broker, a server's evidence and a package, all in one process. Test-only.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keys/broker.h"
#include "keys/release_client.h"
#include "package/testing.h"
#include "tests/support/fake_tee.h"
#include "tests/support/seeded_random.h"
#include "tests/support/shared.h"

namespace eml::test {

// World is a model packaged for a broker, a server on a fake TEE, and a policy that accepts it. Tests change one thing.
struct World {
  World() {
    tee.model = *verify_manifest(model.manifest_bytes());
    tee.configuration.publishers = {model.publisher.public_key()};
    tee.configuration.minimum_serials = {{tee.model.id, 1}};
    policy = tee.policy();
  }

  std::string log_path() const { return (dir.path() / "release.log").string(); }
  std::string log_text() const { return read_file(log_path()).value_or(""); }

  BrokerSetup setup() {
    std::vector<KemKeyPair> keys;
    keys.push_back(kem_key("wrapping"));
    return {.issuer = "broker.example",
            .signing = fake_key("broker"),
            .wrapping = std::move(keys),
            .policy = *policy,
            .policy_name = "policy.json",
            .log = *ReleaseLog::open(log_path(), OnTorn::kRefuse, clock.now())};
  }
  BrokerService& broker() {
    if (!service) service = *BrokerService::start(setup(), clock, random);
    return *service;
  }

  ReleaseClient client() { return *ReleaseClient::create(fake_key("broker").public_key(), trusted(), random); }
  TrustedManifest trusted() const { return model.trusted(); }
  ReleaseClient::ProcessFacts facts() const {
    return {.boot_id = tee.boot_id,
            .now = clock.now(),
            .configuration_hash = sha256(encode_configuration(tee.configuration))};
  }

  // The release bundle around `binding`, with the real manifest.
  EvidenceBundle parts(const Binding& binding) const {
    EvidenceBundle out = tee.parts(binding);
    out.manifests = {model.manifest_bytes()};
    return out;
  }
  Bytes bundle(const Binding& binding) const { return encode_bundle(parts(binding)); }

  // A nonce by the front door.
  Nonce nonce() { return *to_array<32>(broker().handle({.method = "POST", .target = "/v1/challenge"}).body); }
  // A binding that a good server would have made for `nonce`.
  Binding binding(const Nonce& nonce) const {
    return tee.release_binding(nonce, *to_array<32>(release_key.public_key()));
  }
  HttpReply post(ByteView bundle_bytes, const Nonce& nonce) { return post(bundle_bytes, nonce, model.wrapped_dek()); }
  HttpReply post(ByteView bundle_bytes, const Nonce& nonce, ByteView wrapped_dek) {
    return broker().handle(
        {.method = "POST",
         .target = "/v1/release",
         .headers = {},
         .body = encode_release_request(
             {.nonce = nonce, .bundle = to_bytes(bundle_bytes), .wrapped_dek = to_bytes(wrapped_dek)})});
  }

  TempDir dir;
  SmallModel model{"world", 10};
  FakeTee tee;
  FixedClock clock{kFakeNow};
  SeededRandom random{"broker"};
  KemKeyPair release_key = kem_key("release");
  std::optional<Policy> policy;
  std::unique_ptr<BrokerService> service;
};

// statement_of verifies an answer and reads it.
inline ReleaseStatement statement_of(const HttpReply& reply) {
  const auto sign1 = UnverifiedSign1::decode(reply.body);
  EXPECT_TRUE(sign1) << reply.status << " " << as_text(reply.body);
  if (!sign1) return {};
  EXPECT_TRUE(sign1->expect_header(release_header()));
  const auto payload = sign1->verify(fake_key("broker").public_key());
  EXPECT_TRUE(payload);
  const auto statement = decode_release_statement(*payload);
  EXPECT_TRUE(statement) << statement.error().to_string();
  return *statement;
}

}  // namespace eml::test

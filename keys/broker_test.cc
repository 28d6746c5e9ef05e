#include "keys/broker.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keys/testing.h"

namespace eml {
namespace {

using test::statement_of;
using test::World;

// What a refusal by `rule` must look like: answer, log, and no key.
void expect_refused(World& world, const HttpReply& reply, std::string_view rule) {
  EXPECT_EQ(reply.status, 403);
  const ReleaseStatement statement = statement_of(reply);
  EXPECT_FALSE(statement.released);
  EXPECT_FALSE(statement.sealed);
  EXPECT_EQ(statement.rule, rule);
  const std::string log = world.log_text();
  EXPECT_NE(log.find("\"rule\":\"" + std::string(rule) + "\""), std::string::npos) << log;
  EXPECT_EQ(log.find("\"released\""), std::string::npos) << log;
  ASSERT_TRUE(world.broker().last_decision());
  EXPECT_FALSE(world.broker().last_decision()->released);
}

TEST(Broker, ReleasesToAServerThatThePolicyAccepts) {
  World world;
  ReleaseClient client = world.client();
  const HttpReply challenge = world.broker().handle(client.challenge_call());
  EXPECT_EQ(challenge.status, 200);
  const auto binding = client.on_challenge(challenge, world.facts());
  ASSERT_TRUE(binding) << binding.error().to_string();
  const auto call = client.release_call(world.bundle(*binding), world.model.wrapped_dek());
  ASSERT_TRUE(call) << call.error().to_string();
  const HttpReply reply = world.broker().handle(*call);
  EXPECT_EQ(reply.status, 200) << world.log_text();
  const auto outcome = client.on_release(reply);
  ASSERT_TRUE(outcome) << outcome.error().to_string();
  ASSERT_TRUE(outcome->dek) << outcome->statement.rule;
  EXPECT_EQ(test::reveal(*outcome->dek), test::reveal(world.model.dek()));
  EXPECT_EQ(outcome->statement.rule, "test-entry");
  EXPECT_EQ(outcome->statement.issuer, "broker.example");
  EXPECT_EQ(outcome->statement.time, test::kFakeNow);
  EXPECT_EQ(outcome->record, reply.body);
}

TEST(Broker, LogsAReleaseBeforeItAnswers) {
  World world;
  const Nonce nonce = world.nonce();
  const HttpReply reply = world.post(world.bundle(world.binding(nonce)), nonce);
  ASSERT_EQ(reply.status, 200) << world.log_text();
  const ReleaseStatement statement = statement_of(reply);
  const std::string log = world.log_text();
  const auto report = verify_log(as_bytes(log));
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->records, 2U);
  EXPECT_EQ(statement.log_seq, 1U);
  EXPECT_EQ(statement.log_hash, report->last->hash);
  for (const std::string& member :
       {std::string(R"("decision":"released")"), std::string(R"("rule":"test-entry")"), "\"nonce\":\"" + hex(nonce),
        "\"model_hash\":\"" + hex(world.tee.model.model_hash), "\"evidence\":\"" + hex(*statement.evidence_hash),
        "\"measurements\":{\"binary\":\"" + hex(world.tee.binary)}) {
    EXPECT_NE(log.find(member), std::string::npos) << member << " is not in " << log;
  }
}

// Step 1.
TEST(Broker, RefusesANonceTwice) {
  World world;
  const Nonce nonce = world.nonce();
  const Bytes bundle = world.bundle(world.binding(nonce));
  ASSERT_EQ(world.post(bundle, nonce).status, 200);
  const HttpReply reply = world.post(bundle, nonce);
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(statement_of(reply).rule, "release-nonce-unknown");
  EXPECT_FALSE(statement_of(reply).model_hash);
}

TEST(Broker, UsesUpANonceWhateverFollows) {
  World world;
  const Nonce nonce = world.nonce();
  EXPECT_EQ(world.post(Bytes(10), nonce).status, 403);
  expect_refused(world, world.post(world.bundle(world.binding(nonce)), nonce), "release-nonce-unknown");
}

TEST(Broker, RefusesALateNonce) {
  World world;
  const Nonce nonce = world.nonce();
  world.clock.advance(std::chrono::seconds(61));
  expect_refused(world, world.post(world.bundle(world.binding(nonce)), nonce), "release-nonce-expired");
}

TEST(Broker, RefusesANonceOfItsOwnMaking) {
  World world;
  const Nonce nonce{1};
  expect_refused(world, world.post(world.bundle(world.binding(nonce)), nonce), "release-nonce-unknown");
}

// Step 2: each of the bundle's checks 1 to 5.
TEST(Broker, RefusesABundleWithoutForm) {
  World world;
  const Nonce nonce = world.nonce();
  const HttpReply reply = world.post(Bytes{0xa0}, nonce);
  EXPECT_EQ(reply.status, 403);
  EXPECT_FALSE(statement_of(reply).evidence_hash);
}

TEST(Broker, RefusesEvidenceOfAnotherRoot) {
  World world;
  const test::FakeTee stranger("machine b");
  const Nonce nonce = world.nonce();
  const Binding binding = world.binding(nonce);
  EvidenceBundle parts = world.parts(binding);
  parts.evidence =
      test::fake_local_evidence(stranger.root(), binding_digest(Purpose::kRelease, parts.binding), world.tee.binary);
  expect_refused(world, world.post(encode_bundle(parts), nonce), "local-root-unknown");
}

TEST(Broker, RefusesEvidenceForAnotherBinding) {
  World world;
  const Nonce nonce = world.nonce();
  EvidenceBundle parts = world.parts(world.binding(nonce));
  Binding other = world.binding(nonce);
  other.release_key[0] ^= 1;  // a man in the middle puts his own key in
  parts.binding = encode_binding(other);
  expect_refused(world, world.post(encode_bundle(parts), nonce), "bundle-signed-value");
}

TEST(Broker, RefusesAServeBundle) {
  World world;
  const Nonce nonce = world.nonce();
  expect_refused(world, world.post(world.bundle(world.tee.serve_binding()), nonce), "bundle-purpose");
}

TEST(Broker, RefusesEvidenceForAnotherChallenge) {
  World world;
  const Nonce first = world.nonce();
  const Nonce second = world.nonce();
  expect_refused(world, world.post(world.bundle(world.binding(first)), second), "bundle-challenge");
}

TEST(Broker, RefusesABindingOutOfItsTime) {
  World world;
  world.tee.issued_at = test::kFakeNow - 100'000;
  const Nonce nonce = world.nonce();
  expect_refused(world, world.post(world.bundle(world.binding(nonce)), nonce), "bundle-expired");
}

TEST(Broker, RefusesAConfigurationThatIsNotTheBindings) {
  World world;
  const Nonce nonce = world.nonce();
  EvidenceBundle parts = world.parts(world.binding(nonce));
  world.tee.configuration.issuer = "other.example";
  parts.configuration = encode_configuration(world.tee.configuration);
  expect_refused(world, world.post(encode_bundle(parts), nonce), "bundle-configuration-hash");
}

TEST(Broker, RefusesAManifestWithABrokenSignature) {
  World world;
  const Nonce nonce = world.nonce();
  EvidenceBundle parts = world.parts(world.binding(nonce));
  Manifest manifest = world.model.manifest;
  manifest.signatures[0].signature[0] ^= 1;
  parts.manifests = {encode_manifest(manifest)};
  expect_refused(world, world.post(encode_bundle(parts), nonce), "manifest-signature");
}

TEST(Broker, RefusesTheManifestOfAnotherModel) {
  World world;
  const Nonce nonce = world.nonce();
  EvidenceBundle parts = world.parts(world.binding(nonce));
  const test::SmallModel other("other", 11);
  parts.manifests = {other.manifest_bytes()};
  expect_refused(world, world.post(encode_bundle(parts), nonce), "bundle-manifest-hash");
}

// Step 3.
TEST(Broker, RefusesABindingThatAsksForTwoModels) {
  World world;
  const Nonce nonce = world.nonce();
  const test::SmallModel other("other", 11);
  Binding both = world.binding(nonce);
  both.model_hashes.push_back(model_hash(other.manifest));
  EvidenceBundle parts = world.parts(both);
  parts.manifests.push_back(other.manifest_bytes());
  expect_refused(world, world.post(encode_bundle(parts), nonce), "binding-malformed");
}

TEST(Broker, RefusesTwoManifests) {
  World world;
  const Nonce nonce = world.nonce();
  EvidenceBundle parts = world.parts(world.binding(nonce));
  parts.manifests.push_back(parts.manifests[0]);
  expect_refused(world, world.post(encode_bundle(parts), nonce), "bundle-manifest-hash");
}

// Step 4.
TEST(Broker, RefusesAnotherBinaryAndNamesTheField) {
  World world;
  world.broker();
  world.tee.binary[47] ^= 1;
  const Nonce nonce = world.nonce();
  expect_refused(world, world.post(world.bundle(world.binding(nonce)), nonce), "policy-no-entry");
  EXPECT_NE(world.log_text().find("test-entry: measurements"), std::string::npos) << world.log_text();
  EXPECT_EQ(world.broker().last_decision()->detail, "test-entry: measurements");
}

TEST(Broker, RefusesAnotherConfigurationAndNamesTheField) {
  World world;
  world.broker();
  world.tee.configuration.log_level = "debug";
  const Nonce nonce = world.nonce();
  expect_refused(world, world.post(world.bundle(world.binding(nonce)), nonce), "policy-no-entry");
  EXPECT_NE(world.log_text().find("test-entry: configuration"), std::string::npos) << world.log_text();
}

TEST(Broker, RefusesAnotherModelAndNamesTheField) {
  World world;
  world.broker();
  const test::SmallModel other("other", 11);
  world.tee.model = *verify_manifest(other.manifest_bytes());
  const Nonce nonce = world.nonce();
  EvidenceBundle parts = world.parts(world.binding(nonce));
  parts.manifests = {other.manifest_bytes()};
  expect_refused(world, world.post(encode_bundle(parts), nonce, other.wrapped_dek()), "policy-no-entry");
  EXPECT_NE(world.log_text().find("test-entry: model"), std::string::npos) << world.log_text();
}

Json& entry_of(Json& policy) { return policy.as_object()["entries"].as_array()[0]; }

Policy policy_of(const Json& json) { return *Policy::decode(as_bytes(compact_json(json))); }

TEST(Broker, RefusesASerialBelowThePolicysMinimum) {
  World world;
  Json json = world.tee.policy_json();
  const auto with_minimum = [&](std::uint64_t serial) {
    entry_of(json).as_object()["model"] =
        JsonObject{{"require", JsonObject{{"serials", JsonObject{{"small-model", serial}}}}}};
    return policy_of(json);
  };
  world.policy = with_minimum(4);  // the model's is 3
  const Nonce nonce = world.nonce();
  expect_refused(world, world.post(world.bundle(world.binding(nonce)), nonce), "policy-no-entry");
  World good;
  good.policy = with_minimum(3);
  const Nonce good_nonce = good.nonce();
  EXPECT_EQ(good.post(good.bundle(good.binding(good_nonce)), good_nonce).status, 200) << good.log_text();
}

TEST(Broker, RefusesByAPolicyWithoutTheEntry) {
  World world;
  const test::FakeTee other("machine b");
  Json json = world.tee.policy_json();
  entry_of(json).as_object()["measurements"] =
      JsonObject{{"binary", JsonObject{{"require", hex(sha384(as_bytes("another binary")))}}}};
  world.policy = policy_of(json);
  const Nonce nonce = world.nonce();
  expect_refused(world, world.post(world.bundle(world.binding(nonce)), nonce), "policy-no-entry");
}

// Step 5.
TEST(Broker, RefusesAPackageForAnotherKey) {
  World world;
  world.broker();
  BrokerSetup setup{.issuer = "broker.example",
                    .signing = test::fake_key("broker"),
                    .wrapping = {},
                    .policy = *world.policy,
                    .policy_name = "policy.json",
                    .log = *ReleaseLog::open((world.dir.path() / "other.log").string(), OnTorn::kRefuse, 0)};
  setup.wrapping.push_back(test::kem_key("another"));
  auto service = BrokerService::start(std::move(setup), world.clock, world.random);
  world.service = std::move(*service);
  const Nonce nonce = world.nonce();
  const HttpReply reply = world.post(world.bundle(world.binding(nonce)), nonce);
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(statement_of(reply).rule, "release-key-id");
}

TEST(Broker, RefusesTheWrappedDekOfAnotherPackage) {
  World world;
  const test::SmallModel other("other", 10);
  const Nonce nonce = world.nonce();
  expect_refused(world, world.post(world.bundle(world.binding(nonce)), nonce, other.wrapped_dek()), "dek-unwrap");
}

TEST(Broker, RefusesAWrappedDekWithoutForm) {
  World world;
  const Nonce nonce = world.nonce();
  expect_refused(world, world.post(world.bundle(world.binding(nonce)), nonce, Bytes(113)), "dek-malformed");
}

TEST(Broker, RefusesAReleaseKeyThatGivesNoSecret) {
  World world;
  const Nonce nonce = world.nonce();
  Binding binding = world.binding(nonce);
  binding.release_key = {};
  expect_refused(world, world.post(world.bundle(binding), nonce), "release-bad-key");
}

TEST(Broker, OpensPackagesOfARetiredKey) {
  World world;
  BrokerSetup setup = world.setup();
  setup.wrapping.insert(setup.wrapping.begin(), test::kem_key("present"));
  world.service = *BrokerService::start(std::move(setup), world.clock, world.random);
  const Nonce nonce = world.nonce();
  EXPECT_EQ(world.post(world.bundle(world.binding(nonce)), nonce).status, 200);
}

// Step 6. In a child whose files may not grow, which is what a full disk is to it.
TEST(Broker, ReleasesNothingWhenItCannotLog) {
  World world;
  const Nonce nonce = world.nonce();
  const Bytes bundle = world.bundle(world.binding(nonce));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = world.log_text().size(), .rlim_max = world.log_text().size()};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(10);
    const HttpReply reply = world.post(bundle, nonce);
    ::_exit(reply.status == 503 && reply.body.size() < 100 && !world.broker().last_decision() ? 0 : 11);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Broker, AnswersOtherRequestsAsHttpDoes) {
  World world;
  const auto status = [&](std::string method, std::string target, Bytes body) {
    return world.broker()
        .handle({.method = std::move(method), .target = std::move(target), .headers = {}, .body = std::move(body)})
        .status;
  };
  EXPECT_EQ(status("GET", "/", {}), 404);
  EXPECT_EQ(status("POST", "/v1/release/", {}), 404);
  EXPECT_EQ(status("GET", "/v1/challenge", {}), 405);
  EXPECT_EQ(status("POST", "/v1/challenge", Bytes(1)), 400);
  EXPECT_EQ(status("POST", "/v1/release", {}), 400);
  EXPECT_EQ(status("POST", "/v1/release", Bytes(10, 0xff)), 400);
  EXPECT_EQ(status("POST", "/v1/release", Bytes(kReleaseRequestMax + 1)), 413);
  EXPECT_FALSE(world.broker().last_decision());
  EXPECT_EQ(verify_log(as_bytes(world.log_text()))->records, 1U) << "what is no request must not fill the log";
}

TEST(Broker, JudgesABoundedNumberOfRequestsAMinute) {
  World world;
  BrokerSetup setup = world.setup();
  setup.releases_per_minute_max = 2;
  world.service = *BrokerService::start(std::move(setup), world.clock, world.random);
  EXPECT_EQ(world.post({}, Nonce{}).status, 403);
  EXPECT_EQ(world.post({}, Nonce{}).status, 403);
  EXPECT_EQ(world.post({}, Nonce{}).status, 429);
  world.clock.advance(std::chrono::seconds(60));
  EXPECT_EQ(world.post({}, Nonce{}).status, 403);
}

TEST(Broker, GivesABoundedNumberOfChallenges) {
  World world;
  for (std::size_t i = 0; i < NonceStore::kOpenMax; ++i) world.nonce();
  EXPECT_EQ(world.broker().handle({.method = "POST", .target = "/v1/challenge"}).status, 429);
  world.clock.advance(std::chrono::seconds(61));
  EXPECT_EQ(world.broker().handle({.method = "POST", .target = "/v1/challenge"}).status, 200);
}

TEST(Broker, DoesNotTakeAnOlderPolicyThanItsLogKnows) {
  World world;
  const auto with_serial = [&](std::uint64_t serial) {
    Json json = world.tee.policy_json();
    json.as_object()["serial"] = serial;
    return policy_of(json);
  };
  world.policy = with_serial(5);
  world.broker();
  EXPECT_EQ(world.broker().replace_policy(with_serial(4), "older").error().code(), kPolicySerial);
  EXPECT_TRUE(world.broker().replace_policy(with_serial(6), "newer"));
  world.service.reset();
  for (const std::uint64_t serial : {5U, 6U}) {
    world.policy = with_serial(serial);
    const auto service = BrokerService::start(world.setup(), world.clock, world.random);
    EXPECT_EQ(service.has_value(), serial == 6);
    if (!service) EXPECT_EQ(service.error().code(), kPolicySerial);
  }
  EXPECT_EQ(verify_log(as_bytes(world.log_text()))->records, 3U);
}

}  // namespace
}  // namespace eml

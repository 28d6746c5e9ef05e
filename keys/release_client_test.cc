#include "keys/release_client.h"

#include <gtest/gtest.h>

#include <functional>

#include "crypto/cose/sign1.h"
#include "keys/testing.h"

namespace eml {
namespace {

using test::World;

// A client that has asked, and the broker's good answer.
struct Asked {
  World world;
  ReleaseClient client = world.client();
  HttpReply reply = ask();

  HttpReply ask() {
    const auto binding = client.on_challenge(world.broker().handle(client.challenge_call()), world.facts());
    const auto call = client.release_call(world.bundle(*binding), world.model.wrapped_dek());
    return world.broker().handle(*call);
  }
  std::string_view error(const HttpReply& answer) const {
    const auto outcome = client.on_release(answer);
    if (!outcome) return outcome.error().code().name;
    return outcome->dek ? "released" : "refused";
  }
  // The statement changed and signed again by the broker's own key.
  std::string_view error_after(const std::function<void(ReleaseStatement&)>& change) const {
    ReleaseStatement statement = test::statement_of(reply);
    change(statement);
    HttpReply answer = reply;
    answer.body = sign1(test::fake_key("broker"), release_header(), encode_release_statement(statement));
    return error(answer);
  }
};

TEST(ReleaseClient, TakesTheGoodAnswer) {
  const Asked asked;
  EXPECT_EQ(asked.error(asked.reply), "released");
  EXPECT_EQ(asked.error_after([](ReleaseStatement&) {}), "released");
}

TEST(ReleaseClient, RefusesAnAnswerOfAnotherBroker) {
  const Asked asked;
  HttpReply answer = asked.reply;
  answer.body =
      sign1(test::fake_key("stranger"), release_header(), encode_release_statement(test::statement_of(asked.reply)));
  EXPECT_EQ(asked.error(answer), "signature-invalid");
}

TEST(ReleaseClient, RefusesAStatementOfAnotherType) {
  const Asked asked;
  HttpReply answer = asked.reply;
  CoseHeader header = release_header();
  header.type = "application/vnd.ephemeralml.cleanup+cwt";
  answer.body = sign1(test::fake_key("broker"), header, encode_release_statement(test::statement_of(asked.reply)));
  EXPECT_EQ(asked.error(answer), "cose-wrong-type");
  header.type.reset();
  answer.body = sign1(test::fake_key("broker"), header, encode_release_statement(test::statement_of(asked.reply)));
  EXPECT_EQ(asked.error(answer), "cose-wrong-type");
}

TEST(ReleaseClient, RefusesAnAnswerToAnotherChallenge) {
  const Asked asked;
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { s.nonce[0] ^= 1; }), "release-answer-nonce");
  const Asked other;
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { s.nonce = {}; }), "release-answer-nonce");
}

TEST(ReleaseClient, RefusesAnAnswerAboutSomethingElse) {
  const Asked asked;
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { s.key_id = "x25519:other"; }), "release-answer-mismatch");
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { (*s.package_id)[0] ^= 1; }), "release-answer-mismatch");
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { (*s.model_hash)[0] ^= 1; }), "release-answer-mismatch");
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { (*s.evidence_hash)[0] ^= 1; }), "release-answer-mismatch");
}

TEST(ReleaseClient, RefusesASealedDekThatDoesNotOpen) {
  const Asked asked;
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { (*s.sealed)[0] ^= 1; }), "release-answer-sealed");
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { (*s.sealed)[79] ^= 1; }), "release-answer-sealed");
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { s.sealed->fill(0); }), "release-answer-sealed");
}

TEST(ReleaseClient, RefusesAMalformedStatement) {
  const Asked asked;
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { s.sealed.reset(); }), "release-answer-malformed");
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { s.released = false; }), "release-answer-malformed");
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { s.key_id.reset(); }), "release-answer-malformed");
  EXPECT_EQ(asked.error_after([](ReleaseStatement& s) { s.rule.clear(); }), "release-answer-malformed");
  HttpReply answer = asked.reply;
  answer.body = sign1(test::fake_key("broker"), release_header(), Bytes{0xa0});
  EXPECT_EQ(asked.error(answer), "cbor-missing-key");
}

TEST(ReleaseClient, RefusesAnAnswerCutOrChangedAnywhere) {
  const Asked asked;
  HttpReply answer = asked.reply;
  for (std::size_t n = 0; n < asked.reply.body.size(); ++n) {
    answer.body = to_bytes(ByteView(asked.reply.body).first(n));
    EXPECT_NE(asked.error(answer), "released") << n;
    answer.body = asked.reply.body;
    answer.body[n] ^= 1;
    EXPECT_NE(asked.error(answer), "released") << n;
  }
}

TEST(ReleaseClient, HearsARefusalWithItsRule) {
  World world;
  world.broker();
  world.tee.binary[0] ^= 1;
  ReleaseClient client = world.client();
  const auto binding = client.on_challenge(world.broker().handle(client.challenge_call()), world.facts());
  const auto call = client.release_call(world.bundle(*binding), world.model.wrapped_dek());
  const auto outcome = client.on_release(world.broker().handle(*call));
  ASSERT_TRUE(outcome) << outcome.error().to_string();
  EXPECT_FALSE(outcome->dek);
  EXPECT_EQ(outcome->statement.rule, "policy-no-entry");
}

TEST(ReleaseClient, TakesNoOtherStatusForADecision) {
  const Asked asked;
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{400, 404, 500, 503, 204, 302}) {
    HttpReply answer = asked.reply;
    answer.status = status;
    EXPECT_EQ(asked.error(answer), "release-broker-failed") << status;
  }
  HttpReply answer = asked.reply;
  answer.status = 429;
  EXPECT_EQ(asked.error(answer), "release-broker-busy");
}

TEST(ReleaseClient, TakesNothingButANonceForAChallenge) {
  World world;
  ReleaseClient client = world.client();
  EXPECT_EQ(client.on_challenge({.status = 200, .headers = {}, .body = Bytes(31)}, {}).error().code(),
            kReleaseAnswerMalformed);
  EXPECT_EQ(client.on_challenge({.status = 200, .headers = {}, .body = Bytes(33)}, {}).error().code(),
            kReleaseAnswerMalformed);
  EXPECT_EQ(client.on_challenge({.status = 429, .headers = {}, .body = {}}, {}).error().code(), kReleaseBrokerBusy);
  EXPECT_EQ(client.on_challenge({.status = 404, .headers = {}, .body = Bytes(32)}, {}).error().code(),
            kReleaseBrokerFailed);
}

TEST(ReleaseClient, KeepsTheOrderOfItsSteps) {
  World world;
  ReleaseClient client = world.client();
  EXPECT_EQ(client.release_call({}, {}).error().code(), kReleaseOrder);
  EXPECT_EQ(client.on_release({}).error().code(), kReleaseOrder);
}

BrokerProvider::Means means(World& world) {
  return {.exchange = [&world](const HttpCall& call) -> Result<HttpReply> { return world.broker().handle(call); },
          .make_bundle = [&world](const Binding& binding, ByteView manifest) -> Result<Bytes> {
            EvidenceBundle parts = world.tee.parts(binding);
            parts.manifests = {to_bytes(manifest)};
            return encode_bundle(parts);
          },
          .boot_id = world.tee.boot_id,
          .configuration_hash = world.facts().configuration_hash,
          .clock = &world.clock,
          .random = &world.random};
}

TEST(BrokerProvider, GivesTheDekAndTheRecord) {
  World world;
  BrokerProvider provider(test::fake_key("broker").public_key(), means(world));
  const TrustedManifest trusted = world.trusted();
  const auto released = provider.release(
      {.manifest = &trusted, .manifest_bytes = world.model.manifest_bytes(), .wrapped_dek = world.model.wrapped_dek()});
  ASSERT_TRUE(released) << released.error().to_string();
  EXPECT_EQ(test::reveal(released->dek), test::reveal(world.model.dek()));
  EXPECT_FALSE(released->evaluation);
  EXPECT_TRUE(UnverifiedSign1::decode(released->record));
  EXPECT_EQ(provider.refusal(), "");
}

TEST(BrokerProvider, SaysByWhichRuleItWasRefused) {
  World world;
  world.broker();
  world.tee.binary[0] ^= 1;
  BrokerProvider provider(test::fake_key("broker").public_key(), means(world));
  const TrustedManifest trusted = world.trusted();
  const auto released = provider.release(
      {.manifest = &trusted, .manifest_bytes = world.model.manifest_bytes(), .wrapped_dek = world.model.wrapped_dek()});
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().code(), kReleaseRefused);
  EXPECT_EQ(provider.refusal(), "policy-no-entry");
}

TEST(BrokerProvider, PassesOnWhatTheWorldSays) {
  World world;
  auto broken = means(world);
  broken.exchange = [](const HttpCall&) -> Result<HttpReply> { return fail(kConnectFailed, "nobody there"); };
  BrokerProvider provider(test::fake_key("broker").public_key(), broken);
  const TrustedManifest trusted = world.trusted();
  EXPECT_EQ(provider.release({.manifest = &trusted, .manifest_bytes = {}, .wrapped_dek = {}}).error().code(),
            kConnectFailed);
}

TEST(FileProvider, UnwrapsWithTheKeyAndIsEvaluation) {
  BrokerKeys keys = std::move(*derive_broker_keys(test::fake_key("broker file")));
  const test::SmallModel model("file", 10);
  test::SeededRandom random("file");
  const auto wrapped = wrap_dek(model.dek(), model.manifest.package_id, keys.key_id(), random);
  TrustedManifest trusted = model.trusted();
  trusted.manifest.key_id = keys.key_id();
  FileProvider provider(std::move(keys));
  const auto released = provider.release({.manifest = &trusted, .manifest_bytes = {}, .wrapped_dek = *wrapped});
  ASSERT_TRUE(released) << released.error().to_string();
  EXPECT_EQ(test::reveal(released->dek), test::reveal(model.dek()));
  EXPECT_TRUE(released->evaluation);
  EXPECT_TRUE(released->record.empty());
}

}  // namespace
}  // namespace eml

// Client against a ServerChannel whose answers the test makes: honest, or with one thing wrong.
#include "client/client.h"

#include <gtest/gtest.h>

#include "audit/verify_dossier.h"
#include "crypto/hash.h"
#include "encoding/bhttp.h"
#include "receipt/measurements.h"
#include "tests/support/channel_pair.h"

namespace eml {
namespace {

using test::FakeTee;
using test::kFakeNow;
using test::TestEpoch;

constexpr std::string_view kTexts[] = {"a text of a user"};

// World is a server whose answers a test changes, its client, and a pipe between them.
class World {
 public:
  explicit World(const ClientOptions& options = {}, const ChannelLimits& limits = {}, const TestEpoch* served = nullptr)
      : served_(served == nullptr ? own_ : *served),
        server(served_.identity(), limits, random_, 0),
        client(with_policy(options), random_, clock_, 0) {
    settle();
  }

  // settle carries bytes both ways until both are silent.
  void settle() {
    for (bool silent = false; !silent;) {
      const Bytes up = to_bytes(client.output());
      client.consume_output(up.size());
      if (!up.empty() && !server.closed()) (void)server.on_bytes(up, 0);
      collect_server();
      const Bytes down = to_bytes(server.output());
      server.consume_output(down.size(), 0);
      if (!down.empty() && !client.closed()) (void)client.on_bytes(down, 0);
      collect_client();
      silent = up.empty() && down.empty();
    }
  }
  void collect_client() {
    AppEvent event;
    while (client.next_event(event)) events.push_back(std::move(event));
  }
  void collect_server() {
    ServerEvent event;
    while (server.next_event(event)) {
      if (event.kind != ServerEvent::Kind::kRequest) continue;
      requests.push_back({.stream = event.stream, .http = *decode_request(event.body.bytes())});
    }
  }

  StreamId ask(const Question& question = {.texts = kTexts, .nonce = {}}) {
    const auto stream = client.ask(question);
    EXPECT_TRUE(stream) << stream.error().to_string();
    settle();
    return stream.value_or(0);
  }
  std::size_t count(AppEvent::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(events, kind, &AppEvent::kind));
  }
  const Answer& answer() const {
    const auto found = std::ranges::find(events, AppEvent::Kind::kAnswer, &AppEvent::kind);
    EXPECT_NE(found, events.end());
    return *found->answer;
  }
  ErrorCode end_error() const {
    EXPECT_FALSE(events.empty());
    EXPECT_EQ(events.back().kind, AppEvent::Kind::kEnded);
    EXPECT_TRUE(events.back().error.has_value());
    return events.back().error.value_or(Error(kInternalError, "none")).code();
  }

  struct Request {
    StreamId stream;
    HttpRequest http;
  };
  // Script is an honest answer's parts, for a test to change.
  struct Script {
    AirClaims claims;
    Bytes body;
    std::uint16_t status = 200;
    const Ed25519Key* key = nullptr;
    std::optional<Hash32> cleanup_of;  // another receipt's hash
  };
  Script script(const Request& request, std::uint64_t sequence = 0) {
    const std::vector<float> numbers = {0.5F, -0.25F};
    const UserText body = encode_embedding_response(served_.tee.model.id, numbers, 2, EmbeddingFormat::kBase64, 4,
                                                    random_.array<16>(), {"engine", "kernels", "fp32"});
    Script out{.body = to_bytes(body.bytes()), .key = &served_.tee.receipt_key(), .cleanup_of = {}};
    out.claims.issuer = served_.tee.configuration.issuer;
    out.claims.issued_at = kFakeNow;
    out.claims.cti = random_.array<16>();
    out.claims.model_id = served_.tee.model.id;
    out.claims.model_version = served_.tee.model.version;
    out.claims.model_hash = served_.tee.model.model_hash;
    out.claims.request_hash = sha256(request.http.content.bytes());
    out.claims.response_hash = sha256(out.body);
    out.claims.attestation_doc_hash = client.peer().evidence_hash;
    out.claims.measurements = *receipt_measurements(MeasurementType::kLocal, client.peer().measurements);
    out.claims.policy_version = policy_version_of(client.peer().binding.configuration_hash);
    out.claims.sequence_number = sequence;
    return out;
  }
  Bytes receipt(const Script& script) const { return *issue_receipt(*script.key, script.claims); }
  Bytes cleanup(const Script& script) {
    return *issue_cleanup(served_.tee.receipt_key(),
                          {.issuer = script.claims.issuer,
                           .issued_at = kFakeNow,
                           .cti = random_.array<16>(),
                           .receipt_cti = script.claims.cti,
                           .receipt_hash = script.cleanup_of.value_or(sha256(receipt(script))),
                           .wiped = {.request = 4096, .parsed_text = 4096, .token_ids = 4096, .response = 4096}});
  }
  static UserText http(std::uint16_t status, ByteView body) {
    HttpResponse response;
    response.status = status;
    response.content = UserText(body);
    return encode_response(response);
  }
  void send(StreamId stream, const Script& script) {
    EXPECT_TRUE(server.send_response(stream, http(script.status, script.body)));
    EXPECT_TRUE(server.send_statement(stream, receipt(script), StatementPosition::kMore));
    EXPECT_TRUE(server.send_statement(stream, cleanup(script), StatementPosition::kLast));
    settle();
  }
  Bytes fresh_bundle(const Request& request, const TestEpoch& of) const {
    Binding binding = of.tee.serve_binding();
    binding.challenge =
        sha256_of({label("eml challenge v1"), request.http.content.bytes(), ByteView(server.channel_id())});
    return of.tee.bundle(binding);
  }
  void send_fresh(ByteView bundle) {
    EXPECT_TRUE(server.send_response(requests.front().stream, http(200, bundle), Statements::kNone));
    settle();
  }

  const TestEpoch& served() const { return served_; }

 private:
  ClientOptions with_policy(ClientOptions options) {
    if (options.policy == nullptr) options.policy = &own_.policy;
    options.verify_manifest = test::verify_fake_manifest;
    return options;
  }

  const TestEpoch own_;
  const TestEpoch& served_;
  test::SeededRandom random_{"client test"};
  test::FixedClock clock_{kFakeNow};

 public:
  ServerChannel server;
  Client client;
  std::vector<AppEvent> events;
  std::vector<Request> requests;
};

// answered_with asks once and gives what became of it when the honest script was changed so.
template <typename Change>
std::optional<ErrorCode> answered_with(const Change& change,
                                       const Question& question = {.texts = kTexts, .nonce = {}}) {
  World world;
  const StreamId stream = world.ask(question);
  World::Script script = world.script(world.requests.front());
  change(script);
  world.send(stream, script);
  EXPECT_EQ(world.count(AppEvent::Kind::kAnswer), 1U);
  const Answer& answer = world.answer();
  EXPECT_NE(answer.error.has_value(), answer.receipt.has_value());
  return answer.error ? std::optional(answer.error->code()) : std::nullopt;
}

TEST(Client, TrustsAServerThatThePolicyAcceptsAndAsksIt) {
  World world;
  ASSERT_EQ(world.count(AppEvent::Kind::kTrusted), 1U);
  const StreamId stream = world.ask({.texts = kTexts, .nonce = {}, .keep = Keep::kDossier});
  world.send(stream, world.script(world.requests.front()));
  const Answer& answer = world.answer();
  ASSERT_FALSE(answer.error) << answer.error->to_string();
  EXPECT_EQ(answer.embedding->embeddings, (std::vector<std::vector<float>>{{0.5F, -0.25F}}));
  EXPECT_EQ(answer.receipt->claims().sequence_number, 0U);
  EXPECT_FALSE(answer.dossier.empty());
  EXPECT_TRUE(world.client.ledger().complete());
}

TEST(Client, SendsNothingToAServerThatThePolicyDoesNotAccept) {
  const TestEpoch other("machine b");
  World world({}, {}, &other);
  EXPECT_EQ(world.count(AppEvent::Kind::kTrusted), 0U);
  EXPECT_EQ(world.count(AppEvent::Kind::kEnded), 1U);
  EXPECT_EQ(world.client.ask({.texts = kTexts, .nonce = {}}).error().code(), kClientNotReady);
  EXPECT_FALSE(world.server.established());
}

TEST(Client, RefusesAServerWithoutTheModelThatWasAskedFor) {
  World world({.model = "another-model"});
  EXPECT_EQ(world.end_error(), kClientModelUnknown);
  EXPECT_EQ(world.count(AppEvent::Kind::kEnded), 1U);
  EXPECT_TRUE(world.requests.empty());
}

TEST(Client, TakesFreshEvidenceOfThisChannelsProcess) {
  World world({.freshness = Freshness::kDemanded});
  ASSERT_EQ(world.requests.size(), 1U);
  EXPECT_EQ(world.requests.front().http.path, "/eml/v1/attest");
  EXPECT_EQ(world.client.ask({.texts = kTexts, .nonce = {}}).error().code(), kClientNotReady);
  world.send_fresh(world.fresh_bundle(world.requests.front(), world.served()));
  ASSERT_EQ(world.count(AppEvent::Kind::kTrusted), 1U);
  EXPECT_EQ(world.count(AppEvent::Kind::kEnded), 0U);
  // It took no number: the first receipt is 0.
  const StreamId stream = world.ask();
  world.send(stream, world.script(world.requests.back()));
  EXPECT_FALSE(world.answer().error);
  EXPECT_TRUE(world.client.ledger().complete());
}

TEST(Client, AsksForFreshEvidenceWhenThePolicyRequiresIt) {
  TestEpoch epoch;
  Json json = epoch.tee.policy_json();
  json.as_object()["fresh_evidence"] = JsonObject{{"require", true}};
  const Policy policy = *Policy::decode(as_bytes(compact_json(json)));
  const World world({.policy = &policy});
  EXPECT_EQ(world.count(AppEvent::Kind::kTrusted), 0U);
  ASSERT_EQ(world.requests.size(), 1U);
  EXPECT_EQ(world.requests.front().http.path, "/eml/v1/attest");
}

TEST(Client, RefusesFreshEvidenceOfAnotherProcess) {
  World world({.freshness = Freshness::kDemanded});
  TestEpoch other;
  other.tee.boot_id[0] ^= 1;
  world.send_fresh(world.fresh_bundle(world.requests.front(), other));
  EXPECT_EQ(world.end_error(), kFreshDiffers);
  EXPECT_EQ(world.count(AppEvent::Kind::kTrusted), 0U);
  EXPECT_EQ(world.count(AppEvent::Kind::kEnded), 1U);
}

TEST(Client, RefusesFreshEvidenceForAnotherChallenge) {
  World world({.freshness = Freshness::kDemanded});
  Binding binding = world.served().tee.serve_binding();
  binding.challenge = sha256(as_bytes("of another channel"));
  world.send_fresh(world.served().tee.bundle(binding));
  EXPECT_EQ(world.end_error(), kBundleChallenge);
}

TEST(Client, RefusesTheFirstEvidenceInPlaceOfFresh) {
  World world({.freshness = Freshness::kDemanded});
  world.send_fresh(world.served().bundle);
  EXPECT_EQ(world.end_error(), kBundleChallenge);
}

TEST(Client, GivesUpWhenFreshEvidenceIsRefusedOrReset) {
  World refused({.freshness = Freshness::kDemanded});
  EXPECT_TRUE(refused.server.send_response(1, World::http(429, {}), Statements::kNone));
  refused.settle();
  EXPECT_EQ(refused.end_error(), kFreshRefused);
  World reset({.freshness = Freshness::kDemanded});
  EXPECT_TRUE(reset.server.reset(1, ResetCode::kInternal));
  reset.settle();
  EXPECT_EQ(reset.end_error(), kFreshRefused);
}

TEST(Client, AResetBehindTheFreshEvidenceDoesNotEndTheChannel) {
  World world({.freshness = Freshness::kDemanded});
  const Bytes bundle = world.fresh_bundle(world.requests.front(), world.served());
  EXPECT_TRUE(world.server.send_response(1, World::http(200, bundle)));
  EXPECT_TRUE(world.server.send_statement(1, as_bytes("x"), StatementPosition::kMore));
  world.settle();
  EXPECT_TRUE(world.server.reset(1, ResetCode::kInternal));
  world.settle();
  EXPECT_TRUE(world.client.trusted());
  EXPECT_EQ(world.count(AppEvent::Kind::kEnded), 0U);
}

TEST(Client, RefusesAnAnswerWithoutAReceipt) {
  World world;
  const StreamId stream = world.ask();
  const World::Script script = world.script(world.requests.front());
  EXPECT_TRUE(world.server.send_response(stream, World::http(200, script.body), Statements::kNone));
  world.settle();
  EXPECT_EQ(world.answer().error->code(), kAnswerWithoutReceipt);
}

TEST(Client, RefusesAnAnswerWithoutACleanupStatement) {
  World world;
  const StreamId stream = world.ask();
  const World::Script script = world.script(world.requests.front());
  EXPECT_TRUE(world.server.send_response(stream, World::http(200, script.body)));
  EXPECT_TRUE(world.server.send_statement(stream, world.receipt(script), StatementPosition::kLast));
  world.settle();
  EXPECT_EQ(world.answer().error->code(), kAnswerWithoutCleanup);
}

TEST(Client, RefusesMoreStatementsThanAnAnswerHas) {
  World world;
  const StreamId stream = world.ask();
  const World::Script script = world.script(world.requests.front());
  EXPECT_TRUE(world.server.send_response(stream, World::http(200, script.body)));
  EXPECT_TRUE(world.server.send_statement(stream, world.receipt(script), StatementPosition::kMore));
  EXPECT_TRUE(world.server.send_statement(stream, world.cleanup(script), StatementPosition::kMore));
  EXPECT_TRUE(world.server.send_statement(stream, world.cleanup(script), StatementPosition::kLast));
  world.settle();
  EXPECT_EQ(world.answer().error->code(), kAnswerStatements);
}

TEST(Client, NamesWhatIsWrongWithAReceipt) {
  const Hash32 other = sha256(as_bytes("other"));
  const auto code = [](const auto& change) { return answered_with(change); };
  EXPECT_EQ(code([](World::Script&) {}), std::nullopt);
  EXPECT_EQ(code([&](auto& s) { s.claims.request_hash = other; }), kAirRequestHashMismatch);
  EXPECT_EQ(code([&](auto& s) { s.claims.response_hash = other; }), kAirResponseHashMismatch);
  EXPECT_EQ(code([](auto& s) { s.body.back() = ' '; }), kAirResponseHashMismatch);
  EXPECT_EQ(code([&](auto& s) { s.claims.attestation_doc_hash = other; }), kAirEvidenceHashMismatch);
  EXPECT_EQ(code([&](auto& s) { s.claims.model_hash = other; }), kLinkModelNotBound);
  EXPECT_EQ(code([](auto& s) { s.claims.model_id = "another"; }), kLinkModelName);
  EXPECT_EQ(code([&](auto& s) { s.claims.policy_version = policy_version_of(other); }), kLinkConfiguration);
  EXPECT_EQ(code([](auto& s) { s.claims.issued_at = kFakeNow - 3600; }), kLinkTimeEarly);
  EXPECT_EQ(code([](auto& s) { s.claims.issued_at = kFakeNow + 9000; }), kLinkTimeLate);
  EXPECT_EQ(code([](auto& s) { s.claims.mode = SecurityMode::kProduction; }), kLinkMode);
  EXPECT_EQ(code([&](auto& s) { s.cleanup_of = other; }), kLinkCleanupReceipt);
  const FakeTee tee;
  EXPECT_EQ(code([&](auto& s) { s.key = &tee.channel_key(); }), kSignatureInvalid);
}

TEST(Client, DemandsTheNonceThatItGaveAndNoOther) {
  const Question with{.texts = kTexts, .nonce = Bytes(8, 1)};
  EXPECT_EQ(answered_with([](auto& s) { s.claims.nonce = Bytes(8, 1); }, with), std::nullopt);
  EXPECT_EQ(answered_with([](auto&) {}, with), kAirNonceMissing);
  EXPECT_EQ(answered_with([](auto& s) { s.claims.nonce = Bytes(8, 2); }, with), kAirNonceMismatch);
  EXPECT_EQ(answered_with([](auto& s) { s.claims.nonce = Bytes(8, 2); }), kLinkNonce);
}

TEST(Client, RefusesTheReceiptOfAnotherRequest) {
  World world;
  const StreamId first = world.ask();
  const StreamId second = world.ask();
  world.send(second, world.script(world.requests[0]));
  EXPECT_EQ(world.answer().error->code(), kAirRequestHashMismatch);
  world.events.clear();
  world.send(first, world.script(world.requests[0]));
  EXPECT_FALSE(world.answer().error);
}

TEST(Client, RefusesANumberThatCameBeforeAndSeesAGap) {
  World world;
  const StreamId first = world.ask();
  const StreamId second = world.ask();
  world.send(first, world.script(world.requests[0], 1));
  EXPECT_FALSE(world.client.ledger().complete());
  world.events.clear();
  world.send(second, world.script(world.requests[1], 1));
  EXPECT_EQ(world.answer().error->code(), kAnswerSequence);
}

TEST(Client, RefusesAnAnswerThatDoesNotFitTheQuestion) {
  const auto body = [](World::Script& s, std::string_view model, std::size_t dimensions) {
    const std::vector<float> numbers = {1, 2};
    const UserText text = encode_embedding_response(model, numbers, dimensions, EmbeddingFormat::kFloat, 1,
                                                    ByteArray<16>{}, {"e", "k", "n"});
    s.body = to_bytes(text.bytes());
    s.claims.response_hash = sha256(s.body);
  };
  EXPECT_EQ(answered_with([&](auto& s) { body(s, s.claims.model_id, 0); }), kAnswerShape);  // none
  EXPECT_EQ(answered_with([&](auto& s) { body(s, s.claims.model_id, 1); }), kAnswerShape);  // two
  EXPECT_EQ(answered_with([&](auto& s) { body(s, "another", 2); }), kAnswerShape);
  EXPECT_EQ(answered_with([](auto& s) {
              s.body = to_bytes("{}");
              s.claims.response_hash = sha256(s.body);
            }),
            kJsonMissingMember);
}

Bytes refusal(const World& world, std::uint16_t status, const Hash32& request_hash, ByteView body) {
  return *issue_refusal(world.served().tee.receipt_key(), {.issuer = "test.example",
                                                           .issued_at = kFakeNow,
                                                           .cti = {1},
                                                           .status = status,
                                                           .reason = "queue-full",
                                                           .request_hash = request_hash,
                                                           .response_hash = sha256(body),
                                                           .attestation_doc_hash = world.client.peer().evidence_hash});
}

TEST(Client, VerifiesTheStatementOfARefusal) {
  const Bytes body = to_bytes("{}");
  const auto outcome = [&body](std::uint16_t stated, bool same_request) {
    World world;
    const StreamId stream = world.ask();
    const Hash32 request_hash = sha256(same_request ? world.requests[0].http.content.bytes() : as_bytes("other"));
    EXPECT_TRUE(world.server.send_response(stream, World::http(429, body)));
    EXPECT_TRUE(
        world.server.send_statement(stream, refusal(world, stated, request_hash, body), StatementPosition::kLast));
    world.settle();
    EXPECT_EQ(world.answer().refusal.has_value(), world.answer().error->code() == kAnswerRefused);
    return world.answer().error->code();
  };
  EXPECT_EQ(outcome(429, true), kAnswerRefused);
  EXPECT_EQ(outcome(400, true), kAnswerStatements);
  EXPECT_EQ(outcome(429, false), kLinkRequestHash);
}

TEST(Client, ARefusalWithoutAStatementIsARefusal) {
  World world;
  const StreamId stream = world.ask();
  EXPECT_TRUE(world.server.send_response(stream, World::http(413, {}), Statements::kNone));
  world.settle();
  EXPECT_EQ(world.answer().error->code(), kAnswerRefused);
  EXPECT_EQ(world.answer().status, 413);
  EXPECT_FALSE(world.answer().refusal);
}

TEST(Client, AReceiptIsNoRefusal) {
  EXPECT_EQ(answered_with([](auto& s) { s.status = 500; }), kAnswerStatements);
}

TEST(Client, AResetStreamHasFailedAlone) {
  World world;
  const StreamId first = world.ask();
  const StreamId second = world.ask();
  EXPECT_TRUE(world.server.reset(first, ResetCode::kInternal));
  world.settle();
  EXPECT_EQ(world.answer().error->code(), kStreamFailed);
  world.events.clear();
  world.send(second, world.script(world.requests[1]));
  EXPECT_FALSE(world.answer().error);
}

TEST(Client, TruncationFailsWhatIsOpenAndThenEnds) {
  World world;
  world.ask();
  world.client.on_eof();
  world.collect_client();
  EXPECT_EQ(world.answer().error->code(), kStreamFailed);
  EXPECT_EQ(world.end_error(), kChannelTruncated);
  EXPECT_EQ(world.client.open_questions(), 0U);
}

TEST(Client, KnowsARequestThatALeavingServerDidNotTake) {
  World world;
  const StreamId taken = world.ask();
  world.server.goaway();
  const auto late = world.client.ask({.texts = kTexts, .nonce = {}});
  ASSERT_TRUE(late);
  world.settle();
  EXPECT_EQ(world.count(AppEvent::Kind::kGoaway), 1U);
  EXPECT_EQ(world.answer().stream, *late);
  EXPECT_EQ(world.answer().error->code(), kNotTaken);
  EXPECT_FALSE(world.client.can_ask());
  world.events.clear();
  world.send(taken, world.script(world.requests[0]));
  EXPECT_FALSE(world.answer().error);
}

TEST(Client, AsksOnceBeforeItKnowsHowManyStreamsTheServerTakes) {
  const TestEpoch epoch;
  test::SeededRandom random("early");
  const test::FixedClock clock{kFakeNow};
  Client client({.policy = &epoch.policy, .verify_manifest = test::verify_fake_manifest}, random, clock, 0);
  ServerChannel server(epoch.identity(), {.streams = 2}, random, 0);
  ASSERT_TRUE(server.on_bytes(client.output(), 0));
  client.consume_output(client.output().size());
  ASSERT_TRUE(client.on_bytes(server.output(), 0));
  server.consume_output(server.output().size(), 0);
  ASSERT_TRUE(client.trusted());
  EXPECT_TRUE(client.ask({.texts = kTexts, .nonce = {}}));
  EXPECT_FALSE(client.can_ask());
  EXPECT_EQ(client.ask({.texts = kTexts, .nonce = {}}).error().code(), kStreamsExhausted);
  ASSERT_TRUE(server.on_bytes(client.output(), 0));
  client.consume_output(client.output().size());
  ASSERT_TRUE(client.on_bytes(server.output(), 0));
  EXPECT_TRUE(client.can_ask());
  EXPECT_TRUE(client.ask({.texts = kTexts, .nonce = {}}));
  EXPECT_FALSE(client.can_ask());
}

}  // namespace
}  // namespace eml

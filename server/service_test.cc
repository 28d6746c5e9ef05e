// Service over a ServerChannel, with a client's keys on the other side and a small model; no socket, no thread of I/O.
#include "server/service.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "engine/test_model.h"
#include "receipt/measurements.h"
#include "tests/support/channel_pair.h"

namespace eml {
namespace {

using test::FakeTee;
using test::kFakeNow;
using test::RawClient;
using test::TestEpoch;

class FakeAttester final : public Attester {
 public:
  explicit FakeAttester(const FakeTee& tee) : tee_(tee) {}
  EvidenceKind kind() const override { return EvidenceKind::kLocal; }
  Result<MadeEvidence> attest(const Binding& binding, ByteView binding_bytes) override {
    const Hash32 digest = binding_digest(binding.purpose, binding_bytes);
    return MadeEvidence{.evidence = test::fake_local_evidence(tee_.root(), digest, tee_.binary), .endorsements = {}};
  }

 private:
  const FakeTee& tee_;
};

std::shared_ptr<const Epoch> epoch_of(const TestEpoch& served) {
  return std::make_shared<const Epoch>(
      Epoch{.receipt_key = test::fake_key("machine a receipt"),
            .channel_key = test::fake_key("machine a channel"),
            .binding = served.tee.serve_binding(),
            .bundle = served.bundle,
            .evidence_hash = sha256(served.tee.parts(served.tee.serve_binding()).evidence),
            .measurements = *receipt_measurements(MeasurementType::kLocal, {{"binary", to_bytes(served.tee.binary)}}),
            .policy_version = policy_version_of(served.tee.serve_binding().configuration_hash),
            .counted = {}});
}

// HeldClock holds the engine at the begin of a pass, where its threads read the time.
class HeldClock final : public Clock {
 public:
  UnixSeconds now() const override { return 0; }
  std::chrono::nanoseconds monotonic() const override {
    if (std::this_thread::get_id() != owner_) held_.wait(true);
    return {};
  }
  void hold() { held_.store(true); }
  void let_go() {
    held_.store(false);
    held_.notify_all();
  }

 private:
  const std::thread::id owner_ = std::this_thread::get_id();
  std::atomic<bool> held_ = false;
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    config_.issuer = served_.tee.configuration.issuer;
    service_ = std::make_shared<Service>(peer_.server, epoch_of(served_), context_, io_.get_executor(), [this] {
      ++changes_;
      move();
    });
  }
  ~ServiceTest() override {
    engine_clock_.let_go();
    service_->end();
    batcher_->stop();
    preparing_.join();
  }

  // move hands over events, as a session does.
  void move() {
    ServerEvent event;
    while (peer_.server.next_event(event)) service_->on_event(event);
    service_->advance();
  }
  void ask(StreamId stream, std::string_view path, UserText content) {
    HttpRequest request;
    request.method = "POST";
    request.path = std::string(path);
    request.content = std::move(content);
    const UserText message = encode_request(request);
    for (ByteView rest = message.bytes(); !rest.empty();) {
      const ByteView part = rest.first(std::min<std::size_t>(rest.size(), 16384));
      rest = rest.subspan(part.size());
      ASSERT_TRUE(peer_.send(RecordKind::kData, rest.empty() ? kFlagEnd : 0, stream, part));
    }
  }
  void ask_embedding(StreamId stream, const std::vector<std::string_view>& texts,
                     EmbeddingFormat format = EmbeddingFormat::kBase64) {
    ask(stream, "/v1/embeddings",
        encode_embedding_request(
            {.model = model_.identity.id, .inputs = texts, .format = format, .nonce = {}, .salt = {}}));
  }
  // run lets the engine's answers arrive until `stream` has all that it gets; the records that the client saw.
  std::vector<test::RawPeer::Opened> run(StreamId stream) {
    std::vector<test::RawPeer::Opened> out;
    const auto last = [stream](const test::RawPeer::Opened& record) {
      return record.stream == stream &&
             (record.kind == RecordKind::kReset || (record.kind == RecordKind::kStatement && record.flags != 0));
    };
    while (std::ranges::none_of(out, last)) {
      move();
      for (auto& record : peer_.answers()) out.push_back(std::move(record));
      move();
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(1));
    }
    return out;
  }
  static HttpResponse response(const std::vector<test::RawPeer::Opened>& records, StreamId stream) {
    Bytes message;
    for (const auto& record : records) {
      if (record.stream == stream && record.kind == RecordKind::kData) {
        message.insert(message.end(), record.payload.begin(), record.payload.end());
      }
    }
    return *decode_response(message);
  }
  static std::vector<Bytes> statements(const std::vector<test::RawPeer::Opened>& records, StreamId stream) {
    std::vector<Bytes> out;
    for (const auto& record : records) {
      if (record.stream == stream && record.kind == RecordKind::kStatement) out.push_back(record.payload);
    }
    return out;
  }
  const Ed25519PublicKey& receipt_key() const { return served_.tee.receipt_key().public_key(); }

  const TestEpoch served_;
  ServeConfig config_;
  ServedModel model_{.identity = served_.tee.model,
                     .manifest = test::fake_manifest(served_.tee.model),
                     .release_record = {},
                     .model = *test::TestModel().load()};
  test::SeededRandom random_{"service"};
  test::FixedClock clock_{kFakeNow};
  Metrics metrics_;
  FakeAttester attester_{served_.tee};
  EpochMaker maker_{config_, model_, served_.tee.boot_id, attester_, random_, clock_, metrics_};
  FreshEvidence fresh_{maker_};
  HeldClock engine_clock_;
  std::unique_ptr<Batcher> batcher_ = std::move(*Batcher::start(model_.model, engine_clock_, {.threads = 1}));
  boost::asio::io_context io_{1};
  RawClient peer_{served_};
  boost::asio::thread_pool preparing_{1};
  ServiceContext context_{config_, model_, *batcher_, fresh_, preparing_, random_, clock_, metrics_};
  std::shared_ptr<Service> service_;
  int changes_ = 0;
};

TEST_F(ServiceTest, AnswersWithAReceiptAndThenACleanupStatement) {
  ask_embedding(1, {"a text", "another"});
  const auto records = run(1);
  const HttpResponse answer = response(records, 1);
  EXPECT_EQ(answer.status, 200);
  const auto embedding = decode_embedding_response(answer.content.bytes());
  ASSERT_TRUE(embedding);
  EXPECT_EQ(embedding->embeddings.size(), 2U);
  const auto signed_by_us = statements(records, 1);
  ASSERT_EQ(signed_by_us.size(), 2U);
  const auto receipt = verify_receipt(signed_by_us[0], receipt_key());
  ASSERT_TRUE(receipt) << receipt.error().to_string();
  EXPECT_EQ(receipt->claims().response_hash, sha256(answer.content.bytes()));
  EXPECT_EQ(receipt->claims().sequence_number, 0U);
  const auto cleanup = verify_cleanup(signed_by_us[1], receipt_key());
  ASSERT_TRUE(cleanup) << cleanup.error().to_string();
  EXPECT_EQ(cleanup->receipt_hash, receipt->hash());
  for (const std::uint64_t count : {cleanup->wiped.request, cleanup->wiped.parsed_text, cleanup->wiped.token_ids,
                                    cleanup->wiped.activations, cleanup->wiped.response}) {
    EXPECT_GE(count, kWipedBufferMin);
  }
}

TEST_F(ServiceTest, TheCleanupStatementDoesNotTellWhichOfTwoShortTextsItIsAbout) {
  ask_embedding(1, {"a"});
  const auto first = verify_cleanup(statements(run(1), 1).at(1), receipt_key());
  ask_embedding(2, {"a longer text of a few words"});
  const auto second = verify_cleanup(statements(run(2), 2).at(1), receipt_key());
  EXPECT_EQ(first->wiped.request, second->wiped.request);
  EXPECT_EQ(first->wiped.parsed_text, second->wiped.parsed_text);
  EXPECT_EQ(first->wiped.token_ids, second->wiped.token_ids);
  EXPECT_EQ(first->wiped.response, second->wiped.response);
}

TEST_F(ServiceTest, PreparesALongRequestOnAnotherThreadAndAnswersItLikeAnyOther) {
  const std::string text(100'000, 'a');
  ask_embedding(1, {text});
  const auto records = run(1);
  EXPECT_EQ(response(records, 1).status, 200);
  EXPECT_EQ(statements(records, 1).size(), 2U);
}

TEST_F(ServiceTest, RefusesALongRequestThatIsNoneWithASignedReason) {
  ask(1, "/v1/embeddings", UserText(std::string(100'000, '{')));
  const auto records = run(1);
  EXPECT_EQ(response(records, 1).status, 400);
  EXPECT_EQ(statements(records, 1).size(), 1U);
}

TEST_F(ServiceTest, ALongRequestWhoseChannelEndsMeanwhileIsForgotten) {
  const std::string text(100'000, 'a');
  ask_embedding(1, {text});
  move();
  service_->end();
  preparing_.join();
  io_.restart();
  io_.poll();
  EXPECT_EQ(batcher_->statistics().texts, 0U);
}

TEST_F(ServiceTest, RefusesWithASignedReason) {
  const auto refused = [this](StreamId stream) {
    const auto records = run(stream);
    const auto refusal = verify_refusal(statements(records, stream).at(0), receipt_key());
    EXPECT_EQ(refusal->status, response(records, stream).status);
    return std::pair(refusal->status, refusal->reason);
  };
  ask(1, "/nowhere", {});
  EXPECT_EQ(refused(1), std::pair(std::uint16_t{404}, std::string("api-unknown-path")));
  ask(2, "/v1/embeddings", UserText(std::string_view("{")));
  EXPECT_EQ(refused(2), std::pair(std::uint16_t{400}, std::string("json-syntax")));
  ASSERT_TRUE(peer_.data(3, "no Binary HTTP"));
  EXPECT_EQ(refused(3), std::pair(std::uint16_t{400}, std::string("request-not-http")));
  ask(4, "/eml/v1/attest", UserText(Bytes(31)));
  EXPECT_EQ(refused(4), std::pair(std::uint16_t{400}, std::string("api-bad-request")));
  EXPECT_EQ(metrics_.refusals_total.load(), 4U);
  EXPECT_EQ(metrics_.requests_total.load(), 0U);
}

TEST_F(ServiceTest, NumbersReceiptsAndNothingElse) {
  const auto number = [this](StreamId stream) {
    return verify_receipt(statements(run(stream), stream).at(0), receipt_key())->claims().sequence_number;
  };
  ask(1, "/nowhere", {});
  run(1);
  ask(2, "/eml/v1/attest", UserText(Bytes(32)));
  run(2);
  engine_clock_.hold();
  ask_embedding(3, {"given up"});
  move();
  ASSERT_TRUE(peer_.send(RecordKind::kReset, 0, 3, test::u16_payload(1)));
  move();
  engine_clock_.let_go();
  ask_embedding(4, {"a"});
  EXPECT_EQ(number(4), 0U);
  ask_embedding(5, {"b"});
  EXPECT_EQ(number(5), 1U);
}

TEST_F(ServiceTest, GivesFreshEvidenceOverThisChannelOnceAMinute) {
  const Bytes nonce(32, 7);
  ask(1, "/eml/v1/attest", UserText(ByteView(nonce)));
  const auto records = run(1);
  EXPECT_EQ(records.back().kind, RecordKind::kReset);
  EXPECT_EQ(records.back().payload, test::u16_payload(2));
  const auto bundle = decode_bundle(response(records, 1).content.bytes());
  ASSERT_TRUE(bundle) << bundle.error().to_string();
  const auto binding = decode_binding(bundle->binding);
  ASSERT_TRUE(binding) << binding.error().to_string();
  EXPECT_EQ(binding->challenge, sha256_of({label("eml challenge v1"), nonce, ByteView(peer_.server.channel_id())}));
  Binding otherwise_the_same = served_.tee.serve_binding();
  otherwise_the_same.challenge = binding->challenge;
  otherwise_the_same.issued_at = kFakeNow;
  EXPECT_EQ(encode_binding(*binding), encode_binding(otherwise_the_same));

  ask(2, "/eml/v1/attest", UserText(ByteView(nonce)));
  EXPECT_EQ(response(run(2), 2).status, 429);
  clock_.advance(std::chrono::seconds(60));
  ask(3, "/eml/v1/attest", UserText(ByteView(nonce)));
  EXPECT_EQ(response(run(3), 3).status, 200);
}

TEST_F(ServiceTest, TakesUpAFewLongRequestsAtOnceAndTheOthersAfterItsNeighbours) {
  for (StreamId stream = 1; stream <= 16; ++stream) {
    ask(stream, "/v1/embeddings", UserText(std::string(60'000, 'x')));
  }
  move();
  EXPECT_EQ(metrics_.refusals_total.load(), 5U);
  move();  // whatever else happens meanwhile brings another turn
  EXPECT_EQ(metrics_.refusals_total.load(), 10U);
  while (metrics_.refusals_total.load() < 16) {
    io_.restart();
    ASSERT_EQ(io_.run_one_for(std::chrono::seconds(10)), 1U);
  }
  EXPECT_EQ(changes_, 2);
}

TEST_F(ServiceTest, ComputesNoMoreThanAFewLargeAnswersAhead) {
  engine_clock_.hold();
  // 2,048 texts of this model are a MiB of numbers.
  const std::vector<std::string_view> texts(2048, "a");
  for (StreamId stream = 1; stream <= 24; ++stream) ask_embedding(stream, texts, EmbeddingFormat::kFloat);
  move();
  EXPECT_EQ(batcher_->statistics().requests_waiting, 16U);
}

TEST_F(ServiceTest, TakesBackWhatAChannelAskedWhenItEnds) {
  engine_clock_.hold();
  const std::vector<std::string_view> texts(2048, "a");
  for (StreamId stream = 1; stream <= 4; ++stream) ask_embedding(stream, texts);
  move();
  EXPECT_EQ(batcher_->statistics().requests_waiting, 4U);
  peer_.server.on_eof();
  move();
  EXPECT_LE(batcher_->statistics().requests_waiting, 1U);  // a pass may read some of it
  EXPECT_EQ(batcher_->statistics().tokens_waiting, 0U);
}

}  // namespace
}  // namespace eml

#include "engine/batcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <future>
#include <random>
#include <thread>

#include "engine/test_model.h"

namespace eml {
namespace {

using Ids = std::vector<TokenId>;

class BatcherTest : public testing::Test {
 protected:
  std::unique_ptr<Batcher> start(const Batcher::Options& options) {
    auto out = Batcher::start(model_, system_clock(), options);
    EXPECT_TRUE(out);
    return std::move(*out);
  }

  static TokenBatch batch(const std::vector<Ids>& texts) {
    TokenBatch out;
    for (const Ids& text : texts) out.add(text);
    return out;
  }

  std::vector<float> alone(const Ids& text) const {
    auto workspace = model_->encoder().make_workspace();
    std::vector<float> out(model_->dimensions());
    const TokenSpan span(text);
    EXPECT_TRUE(model_->encoder().embed(*workspace, {&span, 1}, out));
    return out;
  }

  // What a request of that many tokens must report, whoever shared its passes.
  std::size_t activations_count(std::size_t tokens) const {
    auto workspace = model_->encoder().make_workspace();
    std::vector<float> out(model_->dimensions());
    const Ids text{2};
    const TokenSpan span(text);
    EXPECT_TRUE(model_->encoder().embed(*workspace, {&span, 1}, out));
    const std::size_t wiped = tokens * workspace->wiped()[0];
    return wiped < 4096 ? 0 : std::bit_floor(wiped);
  }

  std::shared_ptr<const EmbeddingModel> model_ = *test::TestModel().load();
};

// Gate holds a worker inside a completion, so that what is submitted meanwhile waits.
class Gate {
 public:
  Batcher::Completion completion() {
    return [this](EmbedOutcome&&) {
      entered_.set_value();
      opened_.get_future().wait();
    };
  }
  void wait_until_entered() { entered_.get_future().wait(); }
  void open() { opened_.set_value(); }

 private:
  std::promise<void> entered_;
  std::promise<void> opened_;
};

TEST_F(BatcherTest, AnswersEveryRequestWithTheBitsOfATextAlone) {
  const auto batcher = start({.threads = 3, .admission = {.tokens_min = 1U << 20}});
  std::mt19937 engine(1);
  std::vector<std::vector<Ids>> requests(200);
  std::vector<std::promise<EmbedOutcome>> outcomes(requests.size());
  for (std::size_t r = 0; r < requests.size(); ++r) {
    for (std::size_t t = 0; t < 1 + engine() % 9; ++t) {
      Ids text(1 + engine() % 60);
      for (TokenId& id : text) id = static_cast<TokenId>(engine() % 60);
      requests[r].push_back(text);
    }
    ASSERT_TRUE(batcher->submit(r % 7, batch(requests[r]),
                                [&outcomes, r](EmbedOutcome&& o) { outcomes[r].set_value(std::move(o)); }));
  }
  for (std::size_t r = 0; r < requests.size(); ++r) {
    const EmbedOutcome outcome = outcomes[r].get_future().get();
    ASSERT_TRUE(outcome.status);
    std::size_t tokens = 0;
    ASSERT_EQ(outcome.embeddings.size(), requests[r].size() * model_->dimensions());
    for (std::size_t t = 0; t < requests[r].size(); ++t) {
      tokens += requests[r][t].size();
      const auto want = alone(requests[r][t]);
      EXPECT_EQ(0, std::memcmp(want.data(), outcome.embeddings.data() + t * want.size(), want.size() * sizeof(float)));
    }
    EXPECT_EQ(outcome.tokens, tokens);
    EXPECT_TRUE(std::has_single_bit(outcome.wiped.token_ids));
    EXPECT_GE(outcome.wiped.token_ids, 4096U);
    EXPECT_EQ(outcome.wiped.activations, activations_count(tokens));
  }
  batcher->drain();
  const auto statistics = batcher->statistics();
  EXPECT_EQ(statistics.requests_waiting, 0U);
  EXPECT_EQ(statistics.tokens_waiting, 0U);
}

// With the queue empty all idle threads compute a request's pass.
TEST_F(BatcherTest, ALoneRequestHasTheSameBitsOnAnyNumberOfThreads) {
  Ids text(60);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<TokenId>(i);
  const auto want = alone(text);
  for (const unsigned threads : {1U, 2U, 4U}) {
    const auto batcher = start({.threads = threads});
    for (int i = 0; i < 50; ++i) {
      std::promise<EmbedOutcome> outcome;
      ASSERT_TRUE(batcher->submit(1, batch({text}), [&](EmbedOutcome&& o) { outcome.set_value(std::move(o)); }));
      const EmbedOutcome got = outcome.get_future().get();
      ASSERT_TRUE(got.status);
      EXPECT_EQ(0, std::memcmp(want.data(), got.embeddings.data(), want.size() * sizeof(float)));
    }
  }
}

TEST_F(BatcherTest, RefusesWhatTheQueueCannotHold) {
  const auto batcher = start({.threads = 1, .requests_max = 2});
  Gate gate;
  ASSERT_TRUE(batcher->submit(1, batch({{2, 3}}), gate.completion()));
  gate.wait_until_entered();
  std::atomic<int> ended = 0;
  const auto count = [&](EmbedOutcome&&) { ++ended; };
  EXPECT_TRUE(batcher->submit(1, batch({{2, 3}}), count));
  EXPECT_TRUE(batcher->submit(2, batch({{2, 3}}), count));
  const auto third = batcher->submit(2, batch({{2, 3}}), count);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code(), kQueueFull);
  EXPECT_EQ(third.error().error_class(), ErrorClass::kLimit);
  EXPECT_GE(batcher->retry_after_ms(), 1U);
  gate.open();
  batcher->drain();
  EXPECT_EQ(batcher->submit(1, batch({{2, 3}}), count).error().code(), kQueueClosed);
  batcher->stop();
  EXPECT_EQ(ended, 2);
}

TEST_F(BatcherTest, AFullQueueTakesOneRequestOfAConnectionThatHasNoneWaiting) {
  const auto batcher = start({.threads = 1, .requests_max = 2});
  Gate gate;
  ASSERT_TRUE(batcher->submit(1, batch({{2, 3}}), gate.completion()));
  gate.wait_until_entered();
  std::atomic<int> ended = 0;
  const auto count = [&](EmbedOutcome&&) { ++ended; };
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(batcher->submit(1, batch({{2, 3}}), count));
  EXPECT_EQ(batcher->submit(1, batch({{2, 3}}), count).error().code(), kQueueFull);
  EXPECT_TRUE(batcher->submit(2, batch({{2, 3}}), count));
  EXPECT_EQ(batcher->submit(2, batch({{2, 3}}), count).error().code(), kQueueFull);
  gate.open();
  batcher->drain();
  batcher->stop();
  EXPECT_EQ(ended, 3);
}

TEST_F(BatcherTest, RefusesMoreWaitingTokensThanItsLimitButNeverALoneRequest) {
  const auto batcher = start({.threads = 1, .tokens_max = 10});
  Gate gate;
  ASSERT_TRUE(batcher->submit(1, batch({Ids(60, 2)}), gate.completion()));
  gate.wait_until_entered();
  const auto ignore = [](EmbedOutcome&&) {};
  EXPECT_TRUE(batcher->submit(1, batch({Ids(8, 2)}), ignore));
  EXPECT_EQ(batcher->submit(1, batch({Ids(8, 2)}), ignore).error().code(), kQueueFull);
  EXPECT_TRUE(batcher->submit(1, batch({Ids(2, 2)}), ignore));
  gate.open();
  batcher->drain();
}

// LeapingClock goes on by the same time whenever a worker reads it: each pass takes that long.
class LeapingClock final : public Clock {
 public:
  explicit LeapingClock(std::chrono::nanoseconds step) : step_(step) {}
  UnixSeconds now() const override { return 0; }
  std::chrono::nanoseconds monotonic() const override {
    if (std::this_thread::get_id() == owner_) return std::chrono::nanoseconds(now_.load());
    return std::chrono::nanoseconds(now_.fetch_add(step_.count()) + step_.count());
  }

 private:
  const std::chrono::nanoseconds step_;
  const std::thread::id owner_ = std::this_thread::get_id();
  mutable std::atomic<std::int64_t> now_ = 0;
};

// A pass of the model takes one text of 64 tokens and, by the clock, 4 ms: 16,000 tokens a second, 8,000 in the 500 ms
// that a burst may wait, 800 in the 50 ms of a server that refuses.
class AdmissionOfBatcher : public BatcherTest {
 protected:
  // The speed is measured, and the worker waits in the gate.
  AdmissionOfBatcher() {
    EXPECT_TRUE(batcher_->submit(99, batch({Ids(64, 2)}), gate_.completion()));
    gate_.wait_until_entered();
  }
  ~AdmissionOfBatcher() override {
    gate_.open();
    batcher_->stop();
  }
  bool submit(Batcher::ConnectionId connection, std::size_t texts = 1) {
    const auto submitted =
        batcher_->submit(connection, batch(std::vector<Ids>(texts, Ids(64, 2))), [](EmbedOutcome&&) {});
    if (!submitted) EXPECT_EQ(submitted.error().code(), kQueueFull);
    return submitted.has_value();
  }
  std::size_t texts_waiting() const { return batcher_->statistics().tokens_waiting / 64; }

  LeapingClock clock_{std::chrono::milliseconds(4)};
  Gate gate_;
  std::unique_ptr<Batcher> batcher_ = std::move(
      *Batcher::start(model_, clock_, {.threads = 1, .admission = {.wait_busy_max = std::chrono::milliseconds(50)}}));
};

TEST_F(AdmissionOfBatcher, BoundsTheQueueByTheTimeThatARequestWouldWait) {
  for (unsigned i = 0; i < 126; ++i) ASSERT_TRUE(submit(i % 2)) << i;
  EXPECT_FALSE(submit(1));
  EXPECT_EQ(texts_waiting(), 126U);
  EXPECT_NEAR(batcher_->retry_after_ms(), 504, 1);
}

TEST_F(AdmissionOfBatcher, AConnectionThatIsAloneWaitsForItself) {
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(submit(1)) << i;
}

TEST_F(AdmissionOfBatcher, ConnectionsTakeTurnsSoAnotherCountsForNoMoreThanOneself) {
  ASSERT_TRUE(submit(1, 2000));
  for (int i = 0; i < 63; ++i) EXPECT_TRUE(submit(2)) << i;  // its own, and as many of the other's
  EXPECT_FALSE(submit(2));
}

TEST_F(AdmissionOfBatcher, AfterARefusalOnlyAConnectionWithNothingHereMayWaitForLong) {
  ASSERT_TRUE(submit(1, 2000));
  ASSERT_TRUE(submit(2, 2000));
  ASSERT_FALSE(submit(1));
  EXPECT_TRUE(submit(3));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(submit(3)) << i;
  EXPECT_FALSE(submit(3));  // three connections' texts before its fifth are 56 ms
  for (Batcher::ConnectionId c = 4; submit(c); ++c) ASSERT_LT(c, 200U);
  EXPECT_EQ(texts_waiting(), 4000U + 4 + 123);
}

TEST_F(BatcherTest, RefusesARequestWithoutText) {
  const auto batcher = start({});
  EXPECT_EQ(batcher->submit(1, TokenBatch(), [](EmbedOutcome&&) {}).error().code(), kBatchEmpty);
}

TEST_F(BatcherTest, ABadTextFailsItsRequest) {
  const auto batcher = start({});
  std::promise<EmbedOutcome> outcome;
  ASSERT_TRUE(batcher->submit(1, batch({{2, 4000000}}), [&](EmbedOutcome&& o) { outcome.set_value(std::move(o)); }));
  const EmbedOutcome got = outcome.get_future().get();
  ASSERT_FALSE(got.status);
  EXPECT_EQ(got.status.error().code(), kTokenOutOfRange);
  EXPECT_TRUE(got.embeddings.empty());
  batcher->drain();
}

TEST_F(BatcherTest, CancelTakesAWaitingRequestBack) {
  const auto batcher = start({.threads = 1});
  Gate gate;
  ASSERT_TRUE(batcher->submit(1, batch({{2, 3}}), gate.completion()));
  gate.wait_until_entered();
  std::atomic<int> ended = 0;
  const auto first = batcher->submit(2, batch({{2, 3}, {2, 4, 3}}), [&](EmbedOutcome&&) { ++ended; });
  const auto second = batcher->submit(2, batch({{2, 3}}), [&](EmbedOutcome&&) { ++ended; });
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(batcher->cancel(*first));
  EXPECT_FALSE(batcher->cancel(*first));
  EXPECT_EQ(batcher->statistics().tokens_waiting, 2U);
  gate.open();
  batcher->drain();
  EXPECT_FALSE(batcher->cancel(*second));
  batcher->stop();
  EXPECT_EQ(ended, 1);
}

// StuckClock holds every other thread that reads it, which a worker does at the begin of a pass, until it is let go.
class StuckClock final : public Clock {
 public:
  UnixSeconds now() const override { return 0; }
  std::chrono::nanoseconds monotonic() const override {
    if (std::this_thread::get_id() == owner_) return {};
    read_.store(true);
    read_.notify_all();
    go_.wait(false);
    return {};
  }
  void wait_until_read() const { read_.wait(false); }
  void let_go() {
    go_.store(true);
    go_.notify_all();
  }

 private:
  const std::thread::id owner_ = std::this_thread::get_id();
  mutable std::atomic<bool> read_ = false;
  std::atomic<bool> go_ = false;
};

TEST_F(BatcherTest, CancelDropsWhatNoPassHasTaken) {
  StuckClock clock;
  const auto batcher = std::move(*Batcher::start(model_, clock, {.threads = 1}));
  std::promise<EmbedOutcome> outcome;
  const auto request = batcher->submit(1, batch(std::vector<Ids>(2000, {2, 4, 3})),
                                       [&](EmbedOutcome&& o) { outcome.set_value(std::move(o)); });
  ASSERT_TRUE(request);
  clock.wait_until_read();
  EXPECT_GT(batcher->statistics().tokens_waiting, 0U);
  EXPECT_FALSE(batcher->cancel(*request));
  EXPECT_EQ(batcher->statistics().tokens_waiting, 0U);
  clock.let_go();
  EXPECT_EQ(outcome.get_future().get().status.error().code(), kRequestCancelled);
  batcher->drain();
  EXPECT_LT(batcher->statistics().texts, 2000U);
}

TEST_F(BatcherTest, StopCompletesWhatWaitsWithAnError) {
  const auto batcher = start({.threads = 1});
  Gate gate;
  ASSERT_TRUE(batcher->submit(1, batch({{2, 3}}), gate.completion()));
  gate.wait_until_entered();
  std::promise<EmbedOutcome> outcome;
  ASSERT_TRUE(batcher->submit(2, batch({{2, 3}}), [&](EmbedOutcome&& o) { outcome.set_value(std::move(o)); }));
  std::jthread stopper([&] { batcher->stop(); });
  while (batcher->statistics().tokens_waiting != 0) std::this_thread::yield();
  gate.open();
  EXPECT_EQ(outcome.get_future().get().status.error().code(), kQueueClosed);
}

TEST_F(BatcherTest, AConnectionWithManyTextsWaitingDoesNotStarveOneWithOne) {
  const auto batcher = start({.threads = 1});
  Gate gate;
  ASSERT_TRUE(batcher->submit(1, batch({{2, 3}}), gate.completion()));
  gate.wait_until_entered();
  std::mutex mutex;
  std::vector<int> order;
  const auto note = [&](int who) {
    return [&, who](EmbedOutcome&&) {
      const std::lock_guard lock(mutex);
      order.push_back(who);
    };
  };
  // Each text fills a quarter of a pass, so 200 of them are 50 passes.
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(batcher->submit(1, batch({Ids(64, 2)}), note(1)));
  ASSERT_TRUE(batcher->submit(2, batch({Ids(64, 2)}), note(2)));
  gate.open();
  batcher->drain();
  batcher->stop();
  const auto at = std::find(order.begin(), order.end(), 2) - order.begin();
  EXPECT_LT(at, 4);
}

TEST_F(BatcherTest, ShortRequestsThatWaitShareAPass) {
  const auto batcher = start({.threads = 1});
  Gate gate;
  ASSERT_TRUE(batcher->submit(1, batch({{2, 3}}), gate.completion()));
  gate.wait_until_entered();
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(batcher->submit(i, batch({{2, 4, 3}}), [](EmbedOutcome&&) {}));
  gate.open();
  batcher->drain();
  EXPECT_EQ(batcher->statistics().passes, 2U);
  EXPECT_EQ(batcher->statistics().texts, 21U);
}

TEST(TokenBatch, GrowsByPowersOfTwoFrom4KiB) {
  TokenBatch batch;
  batch.add(Ids{1, 2, 3});
  batch.add(Ids{});
  batch.add(Ids{4});
  EXPECT_EQ(batch.size(), 3U);
  EXPECT_EQ(batch.tokens(), 4U);
  EXPECT_EQ(batch.text(0).size(), 3U);
  EXPECT_EQ(batch.text(1).size(), 0U);
  EXPECT_EQ(batch.text(2)[0], 4U);
  EXPECT_EQ(batch.wipe_now(), 4096U);
  batch.add(Ids(1025, 7));
  EXPECT_EQ(batch.wipe_now(), 8192U);
  EXPECT_EQ(batch.size(), 0U);
}

}  // namespace
}  // namespace eml

// Timers: what ends because too much time passed, and what does not. Time is a number that the test sets.
#include <gtest/gtest.h>

#include "tests/support/channel_pair.h"

namespace eml::test {
namespace {

using Server = ServerEvent::Kind;

TEST(ChannelTime, EndsAHandshakeThatDoesNotFinish) {
  const TestEpoch epoch;
  for (const bool after_hello : {false, true}) {
    Pair pair(epoch);
    if (after_hello) ASSERT_TRUE(pair.server.on_bytes(pair.take_client_output(), pair.now + 4000));
    EXPECT_EQ(pair.server.deadline(), pair.now + 5000);
    pair.server.on_time(pair.now + 4999);
    EXPECT_FALSE(pair.server.closed());
    pair.server.on_time(pair.now + 5000);
    EXPECT_TRUE(pair.server.closed());
    EXPECT_FALSE(pair.server.deadline());
    pair.collect();
    EXPECT_EQ(pair.last(Server::kEnded)->error->code(), kChannelTimeout);
  }
}

TEST(ChannelTime, EndsAClientsHandshakeToo) {
  const TestEpoch epoch;
  SeededRandom random("x");
  ClientChannel client(epoch.client_options(), random, 7);
  EXPECT_EQ(client.deadline(), 10007U);
  client.on_time(10006);
  EXPECT_FALSE(client.closed());
  client.on_time(10007);
  EXPECT_TRUE(client.closed());
}

TEST(ChannelTime, EndsAnIdleChannelWithClose0) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  EXPECT_EQ(raw.server.deadline(), raw.now + 120000);
  raw.now += 100000;
  ASSERT_TRUE(raw.send(RecordKind::kPing, 0, 0, Bytes(8)));
  raw.answers();
  raw.server.on_time(raw.now + 19999);
  EXPECT_FALSE(raw.server.closed());
  raw.server.on_time(raw.now + 20000);
  EXPECT_TRUE(raw.server.closed()) << "a PING is no activity";
  EXPECT_EQ(raw.answers().back().payload, u16_payload(0));
}

TEST(ChannelTime, WaitsForAnAnswerAsLongAsItTakes) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  ASSERT_TRUE(raw.data(1, "q"));
  EXPECT_FALSE(raw.server.deadline());
  raw.server.on_time(raw.now + 1000000);
  EXPECT_FALSE(raw.server.closed());
  raw.now += 1100000;
  ASSERT_TRUE(raw.server.send_response(1, UserText("a")));
  ASSERT_TRUE(raw.server.send_statement(1, as_bytes("r"), StatementPosition::kLast));
  raw.output();
  EXPECT_EQ(raw.server.deadline(), raw.now + 120000) << "idle counts from the answer on";
}

TEST(ChannelTime, EndsAClientThatLeavesAFrameUnfinished) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  const Bytes record = raw.peer->data(1, "x");
  ASSERT_TRUE(raw.server.on_bytes(ByteView(record).first(100), raw.now));
  for (int i = 1; i < 10; ++i) {
    // A byte a second is no progress that counts.
    ASSERT_TRUE(raw.server.on_bytes(ByteView(record).subspan(99 + static_cast<std::size_t>(i), 1),
                                    raw.now + static_cast<Millis>(i) * 1000));
  }
  EXPECT_EQ(raw.server.deadline(), raw.now + 10000);
  raw.server.on_time(raw.now + 10000);
  EXPECT_TRUE(raw.server.closed());
}

TEST(ChannelTime, ResetsARequestThatIsTooSlow) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  ASSERT_TRUE(raw.data(1, std::string(16384 - 10, 'x'), false));
  const std::optional<Millis> deadline = raw.server.deadline();
  ASSERT_TRUE(deadline);
  EXPECT_EQ(*deadline, raw.now + 5000 + 999);
  raw.server.on_time(*deadline - 1);
  EXPECT_TRUE(raw.events().empty());
  raw.server.on_time(*deadline);
  const auto events = raw.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Server::kReset);
  EXPECT_EQ(events[0].reset_code, ResetCode::kDeadline);
  EXPECT_EQ(raw.answers().back().payload, u16_payload(4));
  raw.now = *deadline;
  EXPECT_TRUE(raw.data(1, "more", true)) << "was under way";
  EXPECT_TRUE(raw.data(2, "q", true)) << "the channel goes on";
}

TEST(ChannelTime, ResetsWhatAStalledClientDoesNotTakeAndEndsItThen) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  ASSERT_TRUE(raw.data(1, "q"));
  ASSERT_TRUE(raw.data(2, "q"));
  raw.events();
  ASSERT_TRUE(raw.server.send_response(1, UserText(std::string(1U << 20, 'x'))));
  raw.server.on_time(raw.now);
  EXPECT_EQ(raw.server.deadline(), raw.now + 30000);
  raw.server.on_time(raw.now + 29999);
  EXPECT_TRUE(raw.events().empty());
  raw.server.on_time(raw.now + 30000);
  auto events = raw.events();
  ASSERT_EQ(events.size(), 1U) << "stream 2 has nothing that waits";
  EXPECT_EQ(events[0].stream, 1U);
  EXPECT_EQ(events[0].reset_code, ResetCode::kDeadline);
  EXPECT_LE(raw.server.queued_bytes(), Outbox::kSealAhead + kRecordBodyMax + 100);
  EXPECT_EQ(raw.server.deadline(), raw.now + 120000);
  raw.server.on_time(raw.now + 120000);
  EXPECT_TRUE(raw.server.closed());
  EXPECT_EQ(raw.events().back().error->code(), kChannelTimeout);
}

TEST(ChannelTime, CountsAStallFromWhenOutputBeganToWait) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  ASSERT_TRUE(raw.data(1, "q"));
  ASSERT_TRUE(raw.server.send_response_part(1, UserText("a"), AnswerPart::kMore));
  raw.server.on_time(raw.now);  // it waits since now
  raw.output();                 // and was taken
  raw.events();
  raw.now += 40000;
  ASSERT_TRUE(raw.server.send_response_part(1, UserText(std::string(200000, 'x')), AnswerPart::kMore));
  raw.server.on_time(raw.now);
  EXPECT_TRUE(raw.events().empty());
  EXPECT_EQ(raw.server.deadline(), raw.now + 30000);
}

TEST(ChannelTime, LetsASlowReaderGoOnWhileItTakesSomething) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  ASSERT_TRUE(raw.data(1, "q"));
  ASSERT_TRUE(raw.server.send_response(1, UserText(std::string(1U << 20, 'x'))));
  raw.events();
  for (int i = 0; i < 10; ++i) {
    raw.server.on_time(raw.now);
    raw.now += 29000;
    raw.server.on_time(raw.now);
    raw.server.consume_output(1000, raw.now);
  }
  EXPECT_TRUE(raw.events().empty());
  EXPECT_FALSE(raw.server.closed());
}

}  // namespace
}  // namespace eml::test

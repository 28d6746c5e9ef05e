// What an authentic peer may not say, and how much of it there may be.
#include <gtest/gtest.h>

#include "tests/support/channel_pair.h"

namespace eml::test {
namespace {

using Server = ServerEvent::Kind;
using Client = ClientEvent::Kind;

struct Said {
  RecordKind kind;
  std::uint8_t flags;
  StreamId stream;
  Bytes payload;
};

// Violation is a sequence of records of which only the last is wrong.
struct Violation {
  std::string name;
  std::vector<Said> records;
};

const Bytes kText = {'x'};
const Said kAsk{RecordKind::kData, 1, 1, kText};
const Said kAskMore{RecordKind::kData, 0, 1, kText};

class ClientViolations : public testing::TestWithParam<Violation> {};

TEST_P(ClientViolations, EndTheChannelWithClose1) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  const std::vector<Said>& records = GetParam().records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Status status = raw.send(records[i].kind, records[i].flags, records[i].stream, records[i].payload);
    if (i + 1 < records.size()) {
      ASSERT_TRUE(status) << GetParam().name << ": " << status.error().to_string();
      continue;
    }
    ASSERT_FALSE(status) << GetParam().name;
    EXPECT_EQ(status.error().code(), kChannelProtocol);
  }
  const auto said = raw.answers();
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(said.back().kind, RecordKind::kClose);
  EXPECT_EQ(said.back().payload, u16_payload(1));
  EXPECT_TRUE(raw.server.closed());
  const auto events = raw.events();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().kind, Server::kEnded);
  EXPECT_EQ(events.back().error->code(), kChannelProtocol);
  EXPECT_EQ(raw.server.open_streams(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Channel, ClientViolations,
    testing::Values(Violation{"SETTINGS", {{RecordKind::kSettings, 0, 0, encode_settings({})}}},
                    Violation{"STATEMENT", {kAsk, {RecordKind::kStatement, 1, 1, kText}}},
                    Violation{"GOAWAY", {{RecordKind::kGoaway, 0, 0, u32_payload(0)}}},
                    Violation{"DATA on stream 0", {{RecordKind::kData, 1, 0, kText}}},
                    Violation{"first stream is 2", {{RecordKind::kData, 1, 2, kText}}},
                    Violation{"stream 3 after 1", {kAsk, {RecordKind::kData, 1, 3, kText}}},
                    Violation{"the largest stream", {{RecordKind::kData, 1, 0xffffffff, kText}}},
                    Violation{"empty DATA without END", {{RecordKind::kData, 0, 1, {}}}},
                    Violation{"DATA after END", {kAsk, kAsk}}, Violation{"more after END", {kAskMore, kAsk, kAskMore}},
                    Violation{"RESET on stream 0", {{RecordKind::kReset, 0, 0, u16_payload(1)}}},
                    Violation{"RESET of a stream far ahead", {{RecordKind::kReset, 0, 2, u16_payload(1)}}},
                    Violation{"RESET with code 0", {kAsk, {RecordKind::kReset, 0, 1, u16_payload(0)}}},
                    Violation{"RESET with code 5", {kAsk, {RecordKind::kReset, 0, 1, u16_payload(5)}}},
                    Violation{"RESET of 1 byte", {kAsk, {RecordKind::kReset, 0, 1, Bytes(1, 1)}}},
                    Violation{"RESET of 3 bytes", {kAsk, {RecordKind::kReset, 0, 1, Bytes(3)}}},
                    Violation{"PING of 7 bytes", {{RecordKind::kPing, 0, 0, Bytes(7)}}},
                    Violation{"PING of 9 bytes", {{RecordKind::kPing, 0, 0, Bytes(9)}}},
                    Violation{"PING on stream 1", {{RecordKind::kPing, 0, 1, Bytes(8)}}},
                    Violation{"CLOSE with code 4", {{RecordKind::kClose, 0, 0, u16_payload(4)}}},
                    Violation{"CLOSE of 1 byte", {{RecordKind::kClose, 0, 0, Bytes(1)}}},
                    Violation{"CLOSE on stream 1", {kAsk, {RecordKind::kClose, 0, 1, u16_payload(0)}}},
                    Violation{"PING after CLOSE",
                              {kAsk, {RecordKind::kClose, 0, 0, u16_payload(0)}, {RecordKind::kPing, 0, 0, Bytes(8)}}}),
    [](const auto& info) {
      std::string name = info.param.name;
      for (char& c : name) {
        if (c == ' ') c = '_';
      }
      return name;
    });

class ServerViolations : public testing::TestWithParam<Violation> {};

TEST_P(ServerViolations, EndTheChannelWithClose1) {
  const TestEpoch epoch;
  RawServer raw(epoch);
  ASSERT_TRUE(raw.client.send_request(UserText("q")));
  raw.output();
  const std::vector<Said>& records = GetParam().records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Status status = raw.send(records[i].kind, records[i].flags, records[i].stream, records[i].payload);
    if (i + 1 < records.size()) {
      ASSERT_TRUE(status) << GetParam().name << ": " << status.error().to_string();
      continue;
    }
    ASSERT_FALSE(status) << GetParam().name;
  }
  EXPECT_TRUE(raw.client.closed());
  const auto events = raw.events();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().kind, Client::kEnded);
  EXPECT_EQ(events.back().error->error_class(), ErrorClass::kMalformed);
}

INSTANTIATE_TEST_SUITE_P(
    Channel, ServerViolations,
    testing::Values(Violation{"SETTINGS twice", {{RecordKind::kSettings, 0, 0, encode_settings({})}}},
                    Violation{"DATA on stream 0", {{RecordKind::kData, 1, 0, kText}}},
                    Violation{"DATA on a stream that was not opened", {{RecordKind::kData, 1, 2, kText}}},
                    Violation{"empty DATA without END", {{RecordKind::kData, 0, 1, {}}}},
                    Violation{"DATA after END", {kAsk, kAsk}},
                    Violation{"STATEMENT before END", {{RecordKind::kStatement, 0, 1, kText}}},
                    Violation{"empty STATEMENT", {kAsk, {RecordKind::kStatement, 0, 1, {}}}},
                    Violation{"STATEMENT on a stream that was not opened", {{RecordKind::kStatement, 0, 2, kText}}},
                    Violation{"RESET of a stream that was not opened", {{RecordKind::kReset, 0, 2, u16_payload(1)}}},
                    Violation{"RESET with code 0", {{RecordKind::kReset, 0, 1, u16_payload(0)}}},
                    Violation{"GOAWAY above what was asked", {{RecordKind::kGoaway, 0, 0, u32_payload(2)}}},
                    Violation{
                        "GOAWAY that rises",
                        {{RecordKind::kGoaway, 0, 0, u32_payload(0)}, {RecordKind::kGoaway, 0, 0, u32_payload(1)}}},
                    Violation{"GOAWAY of 3 bytes", {{RecordKind::kGoaway, 0, 0, Bytes(3)}}},
                    Violation{"GOAWAY on stream 1", {{RecordKind::kGoaway, 0, 1, u32_payload(1)}}},
                    Violation{"PING of 7 bytes", {{RecordKind::kPing, 0, 0, Bytes(7)}}},
                    Violation{"CLOSE with code 4", {{RecordKind::kClose, 0, 0, u16_payload(4)}}}),
    [](const auto& info) {
      std::string name = info.param.name;
      for (char& c : name) {
        if (c == ' ') c = '_';
      }
      return name;
    });

TEST(ChannelViolations, IncludeAFirstRecordThatIsNotSettings) {
  const TestEpoch epoch;
  RawServer raw(epoch, std::nullopt);
  const Status status = raw.send(RecordKind::kPing, 0, 0, Bytes(8));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), kChannelProtocol);
}

TEST(ChannelViolations, IncludeSettingsThatAreMalformed) {
  const TestEpoch epoch;
  for (const Bytes& payload : {Bytes{}, Bytes{0xa0}, encode_settings({.streams = 0})}) {
    RawServer raw(epoch, std::nullopt);
    EXPECT_FALSE(raw.send(RecordKind::kSettings, 0, 0, payload));
    EXPECT_TRUE(raw.client.closed());
  }
  RawServer raw(epoch, std::nullopt);
  EXPECT_FALSE(raw.send(RecordKind::kSettings, 0, 1, encode_settings({})));
}

TEST(ChannelViolations, EndInSilenceIfARecordDoesNotOpen) {
  const TestEpoch epoch;
  for (std::size_t at = 0; at < 277; ++at) {
    RawClient raw(epoch);
    Bytes record = raw.peer->data(1, "x");
    record[at] ^= 0x40;
    const Status status = raw.server.on_bytes(record, raw.now);
    if (at < 4) continue;  // another length: waits for more, or is refused; below
    ASSERT_FALSE(status) << at;
    EXPECT_TRUE(raw.output().empty()) << "not a word after the keys stand";
    EXPECT_TRUE(raw.server.closed());
  }
}

TEST(ChannelViolations, EndInSilenceIfAFrameIsWrongAfterTheHandshake) {
  const TestEpoch epoch;
  for (const Bytes& bad :
       {frame_bytes(1, Bytes(300)), frame_bytes(9, Bytes(300)), frame_bytes(4, Bytes(271)), frame_bytes(0, {})}) {
    RawClient raw(epoch);
    EXPECT_FALSE(raw.server.on_bytes(bad, raw.now));
    EXPECT_TRUE(raw.output().empty());
    RawServer other(epoch);
    EXPECT_FALSE(other.client.on_bytes(bad, 0));
    EXPECT_TRUE(other.output().empty());
  }
}

TEST(ChannelViolations, GetOneRefuseBeforeTheKeysStand) {
  const TestEpoch epoch;
  const Bytes refuse = frame_bytes(0, {});
  SeededRandom random("x");
  for (const Bytes& bad :
       {frame_bytes(2, Bytes(300)), frame_bytes(9, Bytes(3)), frame_bytes(1, Bytes(513)), frame_bytes(1, Bytes(40)),
        frame_bytes(4, Bytes(300)), Bytes{'G', 'E', 'T', ' ', '/', ' '}}) {
    ServerChannel server(epoch.identity(), {}, random, 0);
    EXPECT_FALSE(server.on_bytes(bad, 0));
    EXPECT_EQ(to_bytes(server.output()), refuse);
    EXPECT_FALSE(server.on_bytes(bad, 0));
    EXPECT_EQ(to_bytes(server.output()), refuse) << "one, not two";
    ClientChannel client(epoch.client_options(), random, 0);
    client.consume_output(client.output().size());
    EXPECT_FALSE(client.on_bytes(bad, 0));
    EXPECT_EQ(to_bytes(client.output()), refuse);
  }
}

TEST(ChannelViolations, GetNoRefuseForARefuse) {
  const TestEpoch epoch;
  SeededRandom random("x");
  ClientChannel client(epoch.client_options(), random, 0);
  client.consume_output(client.output().size());
  const Status status = client.on_bytes(frame_bytes(0, {}), 0);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), kFrameRefused);
  EXPECT_TRUE(client.output().empty());
}

TEST(ChannelViolations, LookTheSameOnTheWireWhateverTheReason) {
  const TestEpoch epoch;
  const TestEpoch other("machine b");
  SeededRandom random("x");
  const Bytes refuse = frame_bytes(0, {});
  // Evidence that is not acceptable, and a signature that is wrong.
  for (const ServeIdentity& identity :
       {other.identity(),
        ServeIdentity{.bundle = epoch.bundle, .channel_key = &other.tee.channel_key(), .owner = {}}}) {
    ClientChannel client(epoch.client_options(), random, 0);
    ServerChannel server(identity, {}, random, 0);
    ASSERT_TRUE(server.on_bytes(client.output(), 0));
    client.consume_output(client.output().size());
    EXPECT_FALSE(client.on_bytes(server.output(), 0));
    EXPECT_EQ(to_bytes(client.output()), refuse);
    EXPECT_FALSE(client.verified());
    EXPECT_FALSE(client.send_request(UserText("x")));
  }
}

TEST(ChannelViolations, IncludeReplayedReorderedAndDroppedRecords) {
  const TestEpoch epoch;
  const auto order = [&](std::initializer_list<std::size_t> indices) {
    RawClient raw(epoch);
    const std::vector<Bytes> records = {raw.peer->data(1, "a"), raw.peer->data(2, "b"), raw.peer->data(3, "c")};
    for (const std::size_t i : indices) {
      const Status status = raw.server.on_bytes(records[i], raw.now);
      if (!status) return status.error().code().name;
    }
    return std::string_view("accepted");
  };
  EXPECT_EQ(order({0, 1, 2}), "accepted");
  EXPECT_EQ(order({0, 0}), kRecordUnauthentic.name);
  EXPECT_EQ(order({1}), kRecordUnauthentic.name);
  EXPECT_EQ(order({0, 2}), kRecordUnauthentic.name);
}

// Limits.

TEST(ChannelLimits, RefuseARequestThatIsTooLarge) {
  const TestEpoch epoch;
  RawClient raw(epoch, {.request_bytes_max = 20000});
  ASSERT_TRUE(raw.data(1, std::string(16000, 'x'), false));
  EXPECT_TRUE(raw.events().empty());
  ASSERT_TRUE(raw.data(1, std::string(4001, 'x'), false));
  auto events = raw.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].reason, RefusalReason::kBodyTooLarge);
  // What still comes is taken and dropped.
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(raw.data(1, std::string(16000, 'x'), i == 99));
  EXPECT_TRUE(raw.events().empty());
  ASSERT_TRUE(raw.server.send_response(1, UserText("413"), Statements::kNone));
  const auto said = raw.answers();
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(said[0].kind, RecordKind::kData);
  EXPECT_EQ(said[1].kind, RecordKind::kReset);
  EXPECT_EQ(said[1].payload, u16_payload(2));
}

TEST(ChannelLimits, ForgetTheBytesOfARequestThatWasRefused) {
  const TestEpoch epoch;
  RequestBudget budget(50000);
  RawClient raw(epoch, {.request_bytes_max = 20000, .unfinished_bytes_max = 20000}, &budget);
  for (StreamId id = 1; id <= 5; ++id) {
    ASSERT_TRUE(raw.data(id, std::string(16000, 'x'), false));
    EXPECT_EQ(budget.used(), 16000U);
    ASSERT_TRUE(raw.data(id, std::string(4001, 'x'), false));
    EXPECT_EQ(budget.used(), 0U);
    const auto events = raw.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].reason, RefusalReason::kBodyTooLarge) << "and not that the channel is busy";
  }
}

TEST(ChannelLimits, TakeARequestOfExactlyTheLimit) {
  const TestEpoch epoch;
  RawClient raw(epoch, {.request_bytes_max = 20000});
  ASSERT_TRUE(raw.data(1, std::string(16000, 'x'), false));
  ASSERT_TRUE(raw.data(1, std::string(4000, 'x'), true));
  const auto events = raw.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Server::kRequest);
}

TEST(ChannelLimits, RefuseStreamsAboveTheLimitAndEndAtTwice) {
  const TestEpoch epoch;
  RawClient raw(epoch, {.streams = 4});
  for (StreamId id = 1; id <= 4; ++id) ASSERT_TRUE(raw.data(id, "q"));
  for (StreamId id = 5; id <= 8; ++id) ASSERT_TRUE(raw.data(id, "q"));
  std::size_t refused = 0;
  for (const ServerEvent& event : raw.events()) {
    if (event.kind != Server::kRequestRefused) continue;
    EXPECT_EQ(event.reason, RefusalReason::kTooManyStreams);
    ++refused;
  }
  EXPECT_EQ(refused, 4U);
  const Status status = raw.data(9, "q");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), kChannelLimit);
  EXPECT_EQ(raw.answers().back().payload, u16_payload(2));
}

TEST(ChannelLimits, FreeAStreamWhenItsLastStatementIsSealed) {
  const TestEpoch epoch;
  RawClient raw(epoch, {.streams = 1});
  for (StreamId id = 1; id <= 50; ++id) {
    ASSERT_TRUE(raw.data(id, "q"));
    const auto events = raw.events();
    ASSERT_EQ(events.size(), 1U);
    ASSERT_EQ(events[0].kind, Server::kRequest) << id;
    ASSERT_TRUE(raw.server.send_response(id, UserText("a")));
    ASSERT_TRUE(raw.server.send_statement(id, as_bytes("r"), StatementPosition::kLast));
    raw.output();
    raw.events();
  }
}

TEST(ChannelLimits, BoundUnfinishedRequestsOfAChannel) {
  const TestEpoch epoch;
  RawClient raw(epoch, {.unfinished_bytes_max = 30000});
  ASSERT_TRUE(raw.data(1, std::string(16000, 'x'), false));
  ASSERT_TRUE(raw.data(2, std::string(14000, 'x'), false));
  ASSERT_TRUE(raw.data(3, "y", false));
  auto events = raw.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].stream, 3U);
  EXPECT_EQ(events[0].reason, RefusalReason::kChannelBusy);
  ASSERT_TRUE(raw.server.reset(3, ResetCode::kLimit));
  // What is finished or given up makes room.
  ASSERT_TRUE(raw.send(RecordKind::kReset, 0, 1, u16_payload(1)));
  ASSERT_TRUE(raw.data(2, "", true));
  ASSERT_TRUE(raw.data(4, std::string(16000, 'x'), false));
  ASSERT_TRUE(raw.data(4, std::string(14000, 'x'), true));
  events = raw.events();
  EXPECT_EQ(events.back().kind, Server::kRequest);
}

TEST(ChannelLimits, BoundTheRequestsOfAllChannelsTogether) {
  const TestEpoch epoch;
  RequestBudget budget(20000);
  RawClient one(epoch, {}, &budget);
  {
    RawClient two(epoch, {}, &budget);
    ASSERT_TRUE(one.data(1, std::string(15000, 'x'), true));
    ASSERT_TRUE(two.data(1, std::string(6000, 'x'), true));
    const auto events = two.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].reason, RefusalReason::kServerBusy);
    ASSERT_TRUE(two.data(2, std::string(5000, 'x'), true));
    EXPECT_EQ(budget.used(), 20000U);
  }
  EXPECT_EQ(budget.used(), 15000U) << "a channel that ends gives back";
  ASSERT_TRUE(one.server.send_response(1, UserText("a")));
  EXPECT_EQ(budget.used(), 15000U) << "the request is held until its stream is over";
  ASSERT_TRUE(one.server.send_statement(1, as_bytes("r"), StatementPosition::kLast));
  EXPECT_EQ(budget.used(), 0U);
}

TEST(ChannelLimits, RefuseAnAnswerThatIsTooLarge) {
  const TestEpoch epoch;
  RawClient raw(epoch, {.response_bytes_max = 100});
  ASSERT_TRUE(raw.data(1, "q"));
  EXPECT_EQ(raw.server.send_response(1, UserText(std::string(101, 'x'))).error().code(), kChannelLimit);
  ASSERT_TRUE(raw.server.send_response_part(1, UserText(std::string(100, 'x')), AnswerPart::kMore));
  EXPECT_EQ(raw.server.send_response_part(1, UserText("x"), AnswerPart::kMore).error().code(), kChannelLimit);
  ASSERT_TRUE(raw.server.send_response_part(1, UserText(), AnswerPart::kEnd));
}

TEST(ChannelLimits, GiveUpAnAnswerThatIsTooLargeForTheClient) {
  const TestEpoch epoch;
  RawServer raw(epoch, Settings{.response_bytes_max = 5});
  ASSERT_TRUE(raw.client.send_request(UserText("q")));
  ASSERT_EQ(raw.said().size(), 1U);
  ASSERT_TRUE(raw.send(RecordKind::kData, 0, 1, as_bytes("123456")));
  const auto events = raw.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].failure, StreamFailure::kTooLarge);
  const auto said = raw.said();
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].kind, RecordKind::kReset);
  EXPECT_EQ(said[0].payload, u16_payload(2));
}

TEST(ChannelLimits, KeepTheClientToTheServersStreams) {
  const TestEpoch epoch;
  RawServer raw(epoch, Settings{.streams = 2});
  ASSERT_TRUE(raw.client.send_request(UserText("q")));
  ASSERT_TRUE(raw.client.send_request(UserText("q")));
  EXPECT_EQ(raw.client.send_request(UserText("q")).error().code(), kStreamsExhausted);
}

TEST(ChannelLimits, EndAClientThatOpensAndCancelsOverAndOver) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  StreamId id = 1;
  for (;; ++id) {
    ASSERT_LT(id, 200U);
    ASSERT_TRUE(raw.data(id, "q"));
    if (!raw.send(RecordKind::kReset, 0, id, u16_payload(1))) break;
    raw.events();
  }
  EXPECT_GT(id, 100U);
  EXPECT_EQ(raw.answers().back().payload, u16_payload(2));
}

TEST(ChannelLimits, EndAClientThatSendsNothingButPings) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  std::size_t pings = 0;
  while (raw.send(RecordKind::kPing, 0, 0, Bytes(8))) {
    ASSERT_LT(++pings, 2000U);
    ASSERT_LE(raw.server.output().size(), Outbox::kSealAhead + 70000) << "what waits is bounded though nobody reads";
  }
  EXPECT_EQ(pings, 1024U);
  EXPECT_TRUE(raw.server.closed());
}

TEST(ChannelLimits, LetPingsBetweenRequestsGoOn) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  for (int i = 0; i < 1500; ++i) {
    ASSERT_TRUE(raw.send(RecordKind::kPing, 0, 0, Bytes(8)));
    ASSERT_EQ(raw.answers().size(), 1U);
    if (i % 1000 == 0) {
      ASSERT_TRUE(raw.data(static_cast<StreamId>(i / 1000 + 1), "q"));
    }
  }
}

TEST(ChannelLimits, BoundWhatIsSealedForAClientThatDoesNotRead) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  ASSERT_TRUE(raw.data(1, "q"));
  EXPECT_FALSE(raw.server.wants_pause());
  for (int i = 0; i < 32; ++i)
    ASSERT_TRUE(raw.server.send_response_part(1, UserText(std::string(10000, 'x')), AnswerPart::kMore));
  EXPECT_TRUE(raw.server.wants_pause());
  EXPECT_LE(raw.server.output().size(), Outbox::kSealAhead + kRecordBodyMax + kFrameHeaderSize);
  EXPECT_GE(raw.server.queued_bytes(), 256U << 10);
  while (!raw.output().empty()) {
  }
  EXPECT_FALSE(raw.server.wants_pause());
}

}  // namespace
}  // namespace eml::test

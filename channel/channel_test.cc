// Streams: what both ends do with records that are as they should be.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/channel_pair.h"

namespace eml::test {
namespace {

using Server = ServerEvent::Kind;
using Client = ClientEvent::Kind;

TEST(Channel, CarriesARequestItsAnswerAndTwoStatements) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.ready());
  EXPECT_EQ(pair.client.peer().binding.boot_id, epoch.tee.boot_id);
  EXPECT_EQ(pair.client.bundle(), epoch.bundle);
  EXPECT_EQ(pair.client.channel_id(), pair.server.channel_id());
  const auto id = pair.client.send_request(UserText("a request"));
  ASSERT_TRUE(id) << id.error().to_string();
  pair.settle();
  ASSERT_NE(pair.last(Server::kRequest), nullptr);
  EXPECT_EQ(pair.last(Server::kRequest)->body.text(), "a request");
  ASSERT_TRUE(pair.server.send_response(*id, UserText("an answer")));
  ASSERT_TRUE(pair.server.send_statement(*id, as_bytes("receipt"), StatementPosition::kMore));
  pair.settle();
  ASSERT_NE(pair.last(Client::kResponse), nullptr);
  EXPECT_EQ(pair.last(Client::kResponse)->body.text(), "an answer");
  EXPECT_EQ(pair.client.open_streams(), 1U);
  ASSERT_NE(pair.last(Server::kAnswerSent), nullptr);
  EXPECT_GE(pair.last(Server::kAnswerSent)->wiped_bytes, 9U);
  ASSERT_TRUE(pair.server.send_statement(*id, as_bytes("cleanup"), StatementPosition::kLast));
  pair.settle();
  EXPECT_EQ(pair.count(Client::kStatement), 2U);
  EXPECT_EQ(as_text(pair.last(Client::kStatement)->statement), "cleanup");
  EXPECT_TRUE(pair.last(Client::kStatement)->last);
  EXPECT_EQ(pair.client.open_streams(), 0U);
  EXPECT_EQ(pair.server.open_streams(), 0U);
}

TEST(Channel, SaysThatAnAnswerIsWipedBeforeItLeaves) {
  // So a cleanup statement that tells of the wipe travels in the same write as the answer.
  const TestEpoch epoch;
  Pair pair(epoch);
  const StreamId id = 1;
  pair.settle();
  ASSERT_TRUE(pair.client.send_request(UserText("q")));
  pair.settle();
  ASSERT_TRUE(pair.server.send_response(id, UserText("a")));
  pair.collect();
  EXPECT_EQ(pair.count(Server::kAnswerSent), 1U);
}

TEST(Channel, WorksThroughARelayThatHandsOverSingleBytes) {
  const TestEpoch epoch;
  Pair pair(epoch);
  const auto relay = [&](const Bytes& bytes, auto& to) {
    for (const std::uint8_t& byte : bytes) {
      static_cast<void>(to.on_bytes(ByteView(&byte, 1), pair.now));
    }
  };
  for (int i = 0; i < 4; ++i) {
    relay(pair.take_client_output(), pair.server);
    relay(pair.take_server_output(), pair.client);
    if (pair.client.can_send() && i == 1) ASSERT_TRUE(pair.client.send_request(UserText(as_text(Bytes(40000, 'x')))));
  }
  pair.collect();
  ASSERT_EQ(pair.count(Server::kRequest), 1U);
  EXPECT_EQ(pair.last(Server::kRequest)->body.size(), 40000U);
}

TEST(Channel, SendsNothingOfAUserBeforeTheServerIsVerified) {
  const TestEpoch epoch;
  Pair pair(epoch);
  const auto id = pair.client.send_request(UserText("secret"));
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code(), kChannelState);
  EXPECT_FALSE(pair.client.can_send());
}

TEST(Channel, LetsRequestsFollowTheClientFinishAtOnce) {
  const TestEpoch epoch;
  Pair pair(epoch);
  const Bytes hello = pair.take_client_output();
  ASSERT_TRUE(pair.server.on_bytes(hello, pair.now));
  ASSERT_TRUE(pair.client.on_bytes(pair.take_server_output(), pair.now));
  EXPECT_TRUE(pair.client.verified());
  EXPECT_FALSE(pair.client.ready());
  ASSERT_TRUE(pair.client.send_request(UserText("early")));
  ASSERT_TRUE(pair.server.on_bytes(pair.take_client_output(), pair.now));
  pair.collect();
  EXPECT_EQ(pair.count(Server::kRequest), 1U);
}

TEST(Channel, AnswersInAnyOrder) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pair.client.send_request(UserText("q")));
  pair.settle();
  for (const StreamId id : {StreamId{3}, StreamId{1}, StreamId{2}}) {
    ASSERT_TRUE(pair.server.send_response(id, UserText(std::string("answer ") + std::to_string(id))));
    ASSERT_TRUE(pair.server.send_statement(id, as_bytes("r"), StatementPosition::kLast));
  }
  pair.settle();
  std::vector<StreamId> order;
  for (const ClientEvent& event : pair.client_events) {
    if (event.kind != Client::kResponse) continue;
    order.push_back(event.stream);
    EXPECT_EQ(event.body.text(), "answer " + std::to_string(event.stream));
  }
  EXPECT_EQ(order, (std::vector<StreamId>{3, 1, 2}));
}

TEST(Channel, LetsReadyStreamsTakeTurns) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  for (StreamId id = 1; id <= 3; ++id) ASSERT_TRUE(raw.data(id, "q"));
  for (StreamId id = 1; id <= 3; ++id) ASSERT_TRUE(raw.server.send_response(id, UserText(as_text(Bytes(200000, 'x')))));
  std::vector<StreamId> order;
  for (const RawPeer::Opened& record : raw.answers()) order.push_back(record.stream);
  ASSERT_GE(order.size(), 4U);
  // What was sealed before the others were there belongs to the first; from then on no stream speaks twice in a row.
  for (Bytes more = raw.output(); !more.empty(); more = raw.output()) {
    for (const RawPeer::Opened& record : raw.peer->read(more)) order.push_back(record.stream);
  }
  ASSERT_EQ(order.size(), 3U * 13U);
  for (std::size_t i = 5; i + 9 < order.size(); ++i) EXPECT_NE(order[i], order[i + 1]) << i;
}

TEST(Channel, LetsAShortAnswerOvertakeALongOne) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  ASSERT_TRUE(raw.data(1, "q"));
  ASSERT_TRUE(raw.data(2, "q"));
  ASSERT_TRUE(raw.server.send_response(1, UserText(as_text(Bytes(10U << 20, 'x')))));
  ASSERT_TRUE(raw.server.send_response(2, UserText("short")));
  std::size_t before = 0;
  for (bool found = false; !found;) {
    for (const RawPeer::Opened& record : raw.answers()) {
      found = found || record.stream == 2;
      before += found ? 0 : record.payload.size();
    }
  }
  EXPECT_LE(before, 6 * kDataPayloadMax);
}

TEST(Channel, CarriesLargeBodiesBothWays) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  Bytes big(3U << 20);
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
  ASSERT_TRUE(pair.client.send_request(UserText(ByteView(big))));
  pair.settle();
  ASSERT_NE(pair.last(Server::kRequest), nullptr);
  EXPECT_TRUE(equal(pair.last(Server::kRequest)->body.bytes(), big));
  ASSERT_TRUE(pair.server.send_response(1, UserText(ByteView(big))));
  pair.settle();
  ASSERT_NE(pair.last(Client::kResponse), nullptr);
  EXPECT_TRUE(equal(pair.last(Client::kResponse)->body.bytes(), big));
}

TEST(Channel, GivesAStreamedAnswerPartByPart) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.send_request(UserText("q"), ResponseMode::kParts));
  pair.settle();
  ASSERT_TRUE(pair.server.send_response_part(1, UserText("one "), AnswerPart::kMore));
  pair.settle();
  ASSERT_EQ(pair.count(Client::kResponsePart), 1U);
  EXPECT_EQ(pair.last(Client::kResponsePart)->body.text(), "one ");
  EXPECT_EQ(pair.count(Server::kAnswerSent), 0U);
  ASSERT_TRUE(pair.server.send_response_part(1, UserText("two"), AnswerPart::kMore));
  ASSERT_TRUE(pair.server.send_response_part(1, UserText(), AnswerPart::kEnd));
  pair.settle();
  EXPECT_EQ(pair.count(Client::kResponsePart), 2U);
  EXPECT_EQ(pair.count(Client::kResponse), 1U);
  ASSERT_EQ(pair.count(Server::kAnswerSent), 1U);
  EXPECT_GE(pair.last(Server::kAnswerSent)->wiped_bytes, 7U) << "the wipes of all parts are counted";
}

TEST(Channel, PadsAStreamedAnswerTo512) {
  const TestEpoch epoch;
  RawClient raw(epoch);
  ASSERT_TRUE(raw.data(1, "q"));
  ASSERT_TRUE(raw.server.send_response_part(1, UserText("token"), AnswerPart::kMore));
  EXPECT_EQ(raw.output().size(), kFrameHeaderSize + 512 + kAeadTagSize);
}

TEST(Channel, TellsARefusedRequestByAnAnswerAndReset2) {
  const TestEpoch epoch;
  Pair pair(epoch, {.request_bytes_max = 1000});
  ASSERT_TRUE(pair.server.on_bytes(pair.take_client_output(), pair.now));
  ASSERT_TRUE(pair.client.on_bytes(pair.take_server_output(), pair.now));
  // The client does not know the limit yet.
  ASSERT_TRUE(pair.client.send_request(UserText(as_text(Bytes(1U << 20, 'x')))));
  ASSERT_TRUE(pair.server.on_bytes(pair.take_client_output(), pair.now));
  pair.collect();
  ASSERT_EQ(pair.count(Server::kRequestRefused), 1U);
  EXPECT_EQ(pair.last(Server::kRequestRefused)->reason, RefusalReason::kBodyTooLarge);
  ASSERT_TRUE(pair.server.send_response(1, UserText("413"), Statements::kNone));
  EXPECT_EQ(pair.server.open_streams(), 0U);
  pair.settle();
  ASSERT_EQ(pair.count(Client::kResponse), 1U);
  EXPECT_EQ(pair.last(Client::kResponse)->body.text(), "413");
  EXPECT_EQ(pair.count(Client::kNoStatement), 1U);
  EXPECT_EQ(pair.client.open_streams(), 0U);
  EXPECT_EQ(pair.client.send_request(UserText(as_text(Bytes(1001, 'x')))).error().code(), kRequestTooLarge);
  ASSERT_TRUE(pair.client.send_request(UserText("small"))) << "the channel goes on";
  pair.settle();
  EXPECT_EQ(pair.count(Server::kRequest), 1U);
}

TEST(Channel, ResetsFromEitherSide) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.send_request(UserText("one")));
  ASSERT_TRUE(pair.client.send_request(UserText("two")));
  pair.settle();
  pair.client.cancel(1);
  ASSERT_TRUE(pair.server.reset(2, ResetCode::kInternal));
  pair.settle();
  ASSERT_EQ(pair.count(Server::kReset), 1U);
  EXPECT_EQ(pair.last(Server::kReset)->stream, 1U);
  ASSERT_EQ(pair.count(Client::kStreamFailed), 1U);
  EXPECT_EQ(pair.last(Client::kStreamFailed)->stream, 2U);
  EXPECT_EQ(pair.last(Client::kStreamFailed)->reset_code, ResetCode::kInternal);
  EXPECT_EQ(pair.server.send_response(1, UserText("late")).error().code(), kStreamGone);
  ASSERT_TRUE(pair.client.send_request(UserText("three")));
  pair.settle();
  EXPECT_EQ(pair.last(Server::kRequest)->stream, 3U);
}

TEST(Channel, CancelsAStreamThatHadSaidNothingYet) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  // The first fills what is sealed ahead, so the others wait unsealed.
  ASSERT_TRUE(pair.client.send_request(UserText(as_text(Bytes(1U << 20, 'x')))));
  ASSERT_TRUE(pair.client.send_request(UserText("two")));
  ASSERT_TRUE(pair.client.send_request(UserText("three")));
  pair.client.cancel(2);
  pair.settle();
  EXPECT_FALSE(pair.server.closed());
  ASSERT_EQ(pair.count(Server::kRequest), 2U) << "1 and 3, and the ids reached the server in their order";
}

TEST(Channel, IgnoresAnAnswerThatWasUnderWayWhenItsStreamWasCancelled) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.send_request(UserText("q")));
  pair.settle();
  ASSERT_TRUE(pair.server.send_response(1, UserText("a")));
  ASSERT_TRUE(pair.server.send_statement(1, as_bytes("r"), StatementPosition::kLast));
  pair.client.cancel(1);
  pair.settle();
  EXPECT_EQ(pair.count(Client::kResponse), 0U);
  EXPECT_FALSE(pair.client.closed());
  EXPECT_FALSE(pair.server.closed());
}

TEST(Channel, AnswersPings) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.ping({1, 2, 3, 4, 5, 6, 7, 8}));
  pair.settle();
  ASSERT_EQ(pair.count(Client::kPong), 1U);
  EXPECT_EQ(pair.last(Client::kPong)->pong, (ByteArray<8>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Channel, HoldsTheServersApiToItsOrder) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.send_request(UserText("q")));
  pair.settle();
  EXPECT_EQ(pair.server.send_response(2, UserText("a")).error().code(), kStreamGone);
  EXPECT_EQ(pair.server.send_statement(1, as_bytes("r"), StatementPosition::kLast).error().code(), kChannelState);
  ASSERT_TRUE(pair.server.send_response(1, UserText("a")));
  EXPECT_EQ(pair.server.send_response(1, UserText("b")).error().code(), kChannelState);
  EXPECT_EQ(pair.server.send_statement(1, {}, StatementPosition::kMore).error().code(), kChannelLimit);
  EXPECT_EQ(pair.server.send_statement(1, Bytes(kRecordPayloadMax + 1), StatementPosition::kMore).error().code(),
            kChannelLimit);
  ASSERT_TRUE(pair.server.send_statement(1, Bytes(kRecordPayloadMax, 1), StatementPosition::kLast));
  EXPECT_EQ(pair.server.send_statement(1, as_bytes("r"), StatementPosition::kLast).error().code(), kStreamGone);
}

// The end.

TEST(ChannelEnd, ByTheClientsCloseAfterEverythingIsAnswered) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.send_request(UserText("q")));
  pair.client.close();
  EXPECT_EQ(pair.client.send_request(UserText("late")).error().code(), kChannelClosed);
  pair.settle();
  EXPECT_EQ(pair.count(Server::kClosed), 1U);
  EXPECT_FALSE(pair.server.closed());
  ASSERT_TRUE(pair.server.send_response(1, UserText("a")));
  ASSERT_TRUE(pair.server.send_statement(1, as_bytes("r"), StatementPosition::kLast));
  pair.settle();
  EXPECT_TRUE(pair.server.closed());
  EXPECT_TRUE(pair.client.closed());
  EXPECT_EQ(pair.count(Client::kResponse), 1U);
  EXPECT_FALSE(pair.last(Client::kEnded)->error) << "an end by CLOSE 0 is no error";
  EXPECT_FALSE(pair.last(Server::kEnded)->error);
}

TEST(ChannelEnd, ByGoawayAfterWhatWasPromised) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.send_request(UserText("one")));
  pair.settle();
  pair.server.goaway();
  ASSERT_TRUE(pair.client.send_request(UserText("two")));  // crosses the GOAWAY
  pair.settle();
  EXPECT_EQ(pair.last(Client::kGoaway)->stream, 1U);
  ASSERT_EQ(pair.count(Client::kStreamFailed), 1U);
  EXPECT_EQ(pair.last(Client::kStreamFailed)->failure, StreamFailure::kNotAnswered);
  EXPECT_EQ(pair.client.send_request(UserText("three")).error().code(), kChannelGoingAway);
  EXPECT_EQ(pair.count(Server::kRequest), 1U);
  EXPECT_FALSE(pair.server.closed());
  ASSERT_TRUE(pair.server.send_response(1, UserText("a")));
  ASSERT_TRUE(pair.server.send_statement(1, as_bytes("r"), StatementPosition::kLast));
  pair.settle();
  EXPECT_EQ(pair.count(Client::kResponse), 1U);
  EXPECT_TRUE(pair.client.closed());
  EXPECT_FALSE(pair.last(Client::kEnded)->error);
}

TEST(ChannelEnd, ByGoawayAtOnceIfNothingIsOpen) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  pair.server.goaway();
  pair.settle();
  EXPECT_TRUE(pair.server.closed());
  EXPECT_TRUE(pair.client.closed());
}

TEST(ChannelEnd, ByGoawayThatCameBeforeTheHandshakeEnded) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.server.goaway();
  pair.settle();
  EXPECT_TRUE(pair.client.ready());
  EXPECT_TRUE(pair.client.closed());
  EXPECT_EQ(pair.last(Client::kGoaway)->stream, 0U);
}

TEST(ChannelEnd, WithoutCloseIsTruncation) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.send_request(UserText("one")));
  ASSERT_TRUE(pair.client.send_request(UserText("two")));
  pair.settle();
  ASSERT_TRUE(pair.server.send_response(1, UserText("a")));
  ASSERT_TRUE(pair.server.send_statement(1, as_bytes("r"), StatementPosition::kLast));
  ASSERT_TRUE(pair.server.send_response(2, UserText("answer without statement")));
  pair.settle();
  pair.client.on_eof();
  pair.server.on_eof();
  pair.collect();
  ASSERT_EQ(pair.count(Client::kStreamFailed), 1U) << "stream 1 stands, stream 2 lacks its statement";
  EXPECT_EQ(pair.last(Client::kStreamFailed)->stream, 2U);
  EXPECT_EQ(pair.last(Client::kStreamFailed)->failure, StreamFailure::kTruncated);
  EXPECT_EQ(pair.last(Client::kEnded)->error->code(), kChannelTruncated);
  EXPECT_EQ(pair.last(Server::kEnded)->error->code(), kChannelTruncated);
  EXPECT_EQ(pair.server.open_streams(), 0U);
}

TEST(ChannelEnd, ByTheServersCloseFailsWhatIsOpen) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.send_request(UserText("q")));
  pair.settle();
  pair.server.close(CloseCode::kInternal);
  pair.settle();
  EXPECT_EQ(pair.last(Client::kStreamFailed)->failure, StreamFailure::kClosed);
  EXPECT_EQ(pair.last(Client::kEnded)->error->code(), kChannelClosed);
  EXPECT_EQ(pair.server.send_response(1, UserText("a")).error().code(), kStreamGone);
}

TEST(ChannelEnd, GivesAnErrorForBytesAfterIt) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  pair.server.close(CloseCode::kDone);
  pair.settle();
  EXPECT_EQ(pair.server.on_bytes(Bytes(10), pair.now).error().code(), kChannelClosed);
  EXPECT_EQ(pair.client.on_bytes(Bytes(10), pair.now).error().code(), kChannelClosed);
}

TEST(ChannelEnd, ComesWhereverTheClientIsCutOff) {
  const TestEpoch epoch;
  const auto run = [&](std::size_t cut) {
    Pair pair(epoch);
    std::size_t given = 0;
    bool asked = false;
    for (int round = 0; round < 6; ++round) {
      const Bytes up = pair.take_client_output();
      const std::size_t take = std::min(up.size(), cut - given);
      static_cast<void>(pair.server.on_bytes(ByteView(up).first(take), pair.now));
      given += take;
      if (take < up.size()) break;
      static_cast<void>(pair.client.on_bytes(pair.take_server_output(), pair.now));
      if (pair.client.ready() && !std::exchange(asked, true)) {
        EXPECT_TRUE(pair.client.send_request(UserText("q")));
        pair.client.close();
      }
    }
    pair.server.on_eof();
    pair.collect();
    const bool whole = pair.count(Server::kClosed) == 1;
    if (!whole) {
      EXPECT_TRUE(pair.server.closed()) << cut;
      EXPECT_EQ(pair.last(Server::kEnded)->error->code(), kChannelTruncated) << cut;
      EXPECT_EQ(pair.server.open_streams(), 0U);
    }
    return whole;
  };
  // Hello 42, finish 37, DATA and CLOSE 277 each.
  const std::size_t all = 42 + 37 + 2 * 277;
  for (std::size_t cut = 0; cut < all; cut += cut < 79 ? 1 : 7) EXPECT_FALSE(run(cut)) << cut;
  EXPECT_FALSE(run(all - 1));
  EXPECT_TRUE(run(all));
}

TEST(ChannelEnd, ComesWhereverTheServerIsCutOff) {
  const TestEpoch epoch;
  RawServer raw(epoch);
  const Bytes wire =
      concat(raw.peer->data(1, "answer"), raw.peer->record(RecordKind::kStatement, kFlagLast, 1, as_bytes("r")),
             raw.peer->record(RecordKind::kClose, 0, 0, Bytes(2)));
  ASSERT_EQ(wire.size(), 3U * 277U);
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    RawServer fresh(epoch);  // the same random, so the same keys
    ASSERT_TRUE(fresh.client.send_request(UserText("q")));
    ASSERT_TRUE(fresh.client.on_bytes(ByteView(wire).first(cut), 0));
    fresh.client.on_eof();
    const std::vector<ClientEvent> events = fresh.events();
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().kind, Client::kEnded);
    EXPECT_EQ(events.back().error.has_value(), cut < wire.size()) << cut;
    const bool failed =
        std::ranges::any_of(events, [](const ClientEvent& e) { return e.kind == Client::kStreamFailed; });
    EXPECT_EQ(failed, cut < 2 * 277) << cut;
  }
}

RC_GTEST_PROP(Channel, DeliversAnyMixOfMessagesWhole, ()) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  const auto sizes = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 70000));
  std::map<StreamId, std::size_t> asked;
  for (const std::size_t size : sizes) {
    if (!pair.client.can_send()) break;
    const StreamId id = *pair.client.send_request(UserText(as_text(Bytes(size, 'q'))));
    asked[id] = size;
  }
  pair.settle();
  RC_ASSERT(pair.count(Server::kRequest) + pair.count(Server::kRequestRefused) == asked.size());
  for (ServerEvent& event : pair.server_events) {
    if (event.kind != Server::kRequest) continue;
    RC_ASSERT(event.body.size() == asked[event.stream]);
    RC_ASSERT(pair.server.send_response(event.stream, std::move(event.body)).has_value());
    RC_ASSERT(pair.server.send_statement(event.stream, as_bytes("r"), StatementPosition::kLast).has_value());
  }
  pair.settle();
  for (const ClientEvent& event : pair.client_events) {
    if (event.kind == Client::kResponse) RC_ASSERT(event.body.size() == asked[event.stream]);
  }
  RC_ASSERT(pair.client.open_streams() == pair.count(Server::kRequestRefused));
}

}  // namespace
}  // namespace eml::test

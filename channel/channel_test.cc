#include <gtest/gtest.h>

#include "tests/support/channel_pair.h"

namespace eml::test {
namespace {

TEST(Channel, CarriesARequestItsAnswerAndTwoStatements) {
  const TestEpoch epoch;
  Pair pair(epoch);
  pair.settle();
  ASSERT_TRUE(pair.client.ready());
  EXPECT_EQ(pair.client.peer().binding.boot_id, epoch.tee.boot_id);
  EXPECT_EQ(pair.client.channel_id(), pair.server.channel_id());
  const auto id = pair.client.send_request(UserText("a request"));
  ASSERT_TRUE(id) << id.error().to_string();
  pair.settle();
  const ServerEvent* request = pair.last(ServerEvent::Kind::kRequest);
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->body.text(), "a request");
  ASSERT_TRUE(pair.server.send_response(*id, UserText("an answer")));
  ASSERT_TRUE(pair.server.send_statement(*id, as_bytes("receipt"), StatementPosition::kMore));
  pair.settle();
  ASSERT_NE(pair.last(ClientEvent::Kind::kResponse), nullptr);
  EXPECT_EQ(pair.last(ClientEvent::Kind::kResponse)->body.text(), "an answer");
  EXPECT_EQ(pair.client.open_streams(), 1U);
  ASSERT_NE(pair.last(ServerEvent::Kind::kAnswerSent), nullptr);
  EXPECT_GE(pair.last(ServerEvent::Kind::kAnswerSent)->wiped_bytes, 9U);
  ASSERT_TRUE(pair.server.send_statement(*id, as_bytes("cleanup"), StatementPosition::kLast));
  pair.settle();
  EXPECT_EQ(pair.count(ClientEvent::Kind::kStatement), 2U);
  EXPECT_EQ(pair.client.open_streams(), 0U);
  EXPECT_EQ(pair.server.open_streams(), 0U);
}

}  // namespace
}  // namespace eml::test

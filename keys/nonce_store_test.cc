#include "keys/nonce_store.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace eml {
namespace {

using std::chrono::seconds;

TEST(NonceStore, GivesANonceThatIsGoodOnce) {
  NonceStore store;
  test::SeededRandom random("nonce");
  const auto nonce = store.issue(random, seconds(0));
  ASSERT_TRUE(nonce);
  EXPECT_TRUE(store.use(*nonce, seconds(60)));
  EXPECT_EQ(store.use(*nonce, seconds(60)).error().code(), kReleaseNonceUnknown);
}

TEST(NonceStore, RefusesOneThatItDidNotGive) {
  NonceStore store;
  EXPECT_EQ(store.use(Nonce{}, seconds(0)).error().code(), kReleaseNonceUnknown);
}

TEST(NonceStore, RefusesALateOneAndForgetsIt) {
  NonceStore store;
  test::SeededRandom random("nonce");
  const Nonce nonce = *store.issue(random, seconds(0));
  EXPECT_EQ(store.use(nonce, seconds(61)).error().code(), kReleaseNonceExpired);
  EXPECT_EQ(store.use(nonce, seconds(61)).error().code(), kReleaseNonceUnknown);
}

TEST(NonceStore, IsBoundedAndMakesRoomByTimeAlone) {
  NonceStore store;
  test::SeededRandom random("nonce");
  for (std::size_t i = 0; i < NonceStore::kOpenMax; ++i) ASSERT_TRUE(store.issue(random, seconds(0)));
  EXPECT_EQ(store.issue(random, seconds(60)).error().code(), kReleaseNonceLimit);
  EXPECT_TRUE(store.issue(random, seconds(61)));
  EXPECT_EQ(store.open(), NonceStore::kOpenMax);
}

}  // namespace
}  // namespace eml

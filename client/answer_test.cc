#include "client/answer.h"

#include <gtest/gtest.h>

namespace eml {
namespace {

AirClaims claims(std::uint64_t sequence, std::uint8_t id) {
  AirClaims out;
  out.sequence_number = sequence;
  out.cti = {id};
  return out;
}

TEST(ReceiptLedger, TakesNumbersInAnyOrderAndKnowsWhenTheyAreComplete) {
  ReceiptLedger ledger;
  EXPECT_TRUE(ledger.complete());
  EXPECT_TRUE(ledger.record(claims(1, 1)));
  EXPECT_FALSE(ledger.complete());
  EXPECT_TRUE(ledger.record(claims(0, 2)));
  EXPECT_TRUE(ledger.complete());
  EXPECT_TRUE(ledger.record(claims(2, 3)));
  EXPECT_TRUE(ledger.complete());
  EXPECT_EQ(ledger.count(), 3U);
}

TEST(ReceiptLedger, SeesAGap) {
  ReceiptLedger ledger;
  EXPECT_TRUE(ledger.record(claims(0, 1)));
  EXPECT_TRUE(ledger.record(claims(2, 2)));
  EXPECT_FALSE(ledger.complete());
}

TEST(ReceiptLedger, RefusesANumberThatCameBefore) {
  ReceiptLedger ledger;
  EXPECT_TRUE(ledger.record(claims(0, 1)));
  EXPECT_EQ(ledger.record(claims(0, 2)).error().code(), kAnswerSequence);
  EXPECT_TRUE(ledger.record(claims(5, 3)));
  EXPECT_EQ(ledger.record(claims(5, 4)).error().code(), kAnswerSequence);
}

TEST(ReceiptLedger, RefusesAnIdThatCameBefore) {
  ReceiptLedger ledger;
  EXPECT_TRUE(ledger.record(claims(0, 1)));
  EXPECT_EQ(ledger.record(claims(1, 1)).error().code(), kAnswerDuplicateId);
}

}  // namespace
}  // namespace eml

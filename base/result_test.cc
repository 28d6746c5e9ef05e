#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace eml {
namespace {

constexpr ErrorCode kOdd{ErrorClass::kMalformed, "odd"};

Result<int> half(int n) {
  if (n % 2 != 0) return fail(kOdd, "an odd number", 1, 2);
  return n / 2;
}

Result<int> quarter(int n) {
  EML_TRY(const int once, half(n));
  EML_TRY(const int twice, half(once));
  return twice;
}

Status check_even(int n) {
  EML_CHECK(half(n));
  return {};
}

Result<std::unique_ptr<int>> boxed(int n) {
  EML_TRY(auto box, Result<std::unique_ptr<int>>(std::make_unique<int>(n)));
  return box;
}

TEST(Result, TryReturnsTheFirstErrorOrGoesOn) {
  EXPECT_EQ(quarter(8), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().code(), kOdd);
  EXPECT_TRUE(check_even(4));
  EXPECT_FALSE(check_even(3));
}

TEST(Result, TryMovesValuesThatCannotBeCopied) { EXPECT_EQ(**boxed(7), 7); }

TEST(Error, TellsItsCodeTextAndIntegers) {
  EXPECT_EQ(Error(kOdd, "why").to_string(), "odd: why");
  EXPECT_EQ(Error(kOdd, "why", 0).to_string(), "odd: why (0)");
  EXPECT_EQ(Error(kOdd, "why", 17, 18).to_string(), "odd: why (17, 18)");
  EXPECT_FALSE(Error(kOdd, "why").has_first());
}

TEST(ErrorClass, DecidesTheExitCode) {
  EXPECT_EQ(exit_code(ErrorClass::kUnauthentic), 1);
  EXPECT_EQ(exit_code(ErrorClass::kRejected), 1);
  for (const ErrorClass other : {ErrorClass::kMalformed, ErrorClass::kUnsupported, ErrorClass::kLimit,
                                 ErrorClass::kUnavailable, ErrorClass::kInternal}) {
    EXPECT_EQ(exit_code(other), 2);
  }
}

TEST(ErrorClass, HasANameEach) {
  EXPECT_EQ(to_string(ErrorClass::kMalformed), "malformed");
  EXPECT_EQ(to_string(ErrorClass::kUnsupported), "unsupported");
  EXPECT_EQ(to_string(ErrorClass::kUnauthentic), "unauthentic");
  EXPECT_EQ(to_string(ErrorClass::kRejected), "rejected");
  EXPECT_EQ(to_string(ErrorClass::kLimit), "limit");
  EXPECT_EQ(to_string(ErrorClass::kUnavailable), "unavailable");
  EXPECT_EQ(to_string(ErrorClass::kInternal), "internal");
}

}  // namespace
}  // namespace eml

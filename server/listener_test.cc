#include "server/listener.h"

#include <gtest/gtest.h>

namespace eml {
namespace {

using boost::asio::ip::make_address;
using std::chrono::seconds;

TEST(HelloGate, AdmitsABurstAndThenTheRate) {
  HelloGate gate(2, 3);
  const auto address = make_address("192.0.2.1");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(gate.admit(address, seconds(0)));
  EXPECT_FALSE(gate.admit(address, seconds(0)));
  EXPECT_TRUE(gate.admit(address, seconds(1)));
  EXPECT_TRUE(gate.admit(address, seconds(1)));
  EXPECT_FALSE(gate.admit(address, seconds(1)));
}

TEST(HelloGate, NeverSavesMoreThanTheBurst) {
  HelloGate gate(100, 2);
  const auto address = make_address("192.0.2.1");
  EXPECT_TRUE(gate.admit(address, seconds(0)));
  EXPECT_TRUE(gate.admit(address, seconds(1000)));
  EXPECT_TRUE(gate.admit(address, seconds(1000)));
  EXPECT_FALSE(gate.admit(address, seconds(1000)));
}

TEST(HelloGate, OneAddressDoesNotUseUpAnothersTokens) {
  HelloGate gate(1, 1);
  EXPECT_TRUE(gate.admit(make_address("192.0.2.1"), seconds(0)));
  EXPECT_FALSE(gate.admit(make_address("192.0.2.1"), seconds(0)));
  EXPECT_TRUE(gate.admit(make_address("192.0.2.2"), seconds(0)));
}

TEST(HelloGate, CountsASlash64OfIpv6AsOne) {
  HelloGate gate(1, 1);
  EXPECT_TRUE(gate.admit(make_address("2001:db8::1"), seconds(0)));
  EXPECT_FALSE(gate.admit(make_address("2001:db8::ffff:1"), seconds(0)));
  EXPECT_TRUE(gate.admit(make_address("2001:db8:0:1::1"), seconds(0)));
}

TEST(HelloGate, CountsAMappedAddressAsTheIpv4ThatItIs) {
  HelloGate gate(1, 1);
  EXPECT_TRUE(gate.admit(make_address("::ffff:192.0.2.1"), seconds(0)));
  EXPECT_FALSE(gate.admit(make_address("192.0.2.1"), seconds(0)));
  EXPECT_TRUE(gate.admit(make_address("::ffff:192.0.2.2"), seconds(0)));
}

TEST(HelloGate, ForgetsWhatIsFullWhenItsTableIs) {
  HelloGate gate(1, 1);
  for (std::uint32_t i = 0; i < 65536; ++i) {
    EXPECT_TRUE(gate.admit(boost::asio::ip::address_v4(0x0a000000U + i), seconds(0)));
  }
  EXPECT_FALSE(gate.admit(make_address("192.0.2.1"), seconds(0)));
  EXPECT_TRUE(gate.admit(make_address("192.0.2.1"), seconds(2)));
  EXPECT_EQ(gate.size(), 1U);
}

}  // namespace
}  // namespace eml

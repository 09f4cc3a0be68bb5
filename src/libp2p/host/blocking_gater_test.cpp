#include "libp2p/host/blocking_gater.hpp"

#include <gtest/gtest.h>

namespace libp2p {
namespace {

TEST(BlockingGater, keeps_sorted_lists_in_canonical_text) {
  BlockingGater gater;
  EXPECT_TRUE(gater.block_ip("10.0.0.1").value());
  EXPECT_FALSE(gater.block_ip("::ffff:10.0.0.1").value());
  EXPECT_TRUE(gater.block_ip("2001:DB8:0:0::1").value());
  EXPECT_EQ(gater.blocked_ips(), (std::vector<std::string>{"10.0.0.1", "2001:db8::1"}));
  EXPECT_TRUE(gater.block_subnet("192.168.77.1/16").value());
  EXPECT_TRUE(gater.block_subnet("fd00::/8").value());
  EXPECT_EQ(gater.blocked_subnets(), (std::vector<std::string>{"192.168.0.0/16", "fd00::/8"}));
  for (const auto* bad : {"", "10.0.0", "host", "10.0.0.1/8"}) EXPECT_FALSE(gater.block_ip(bad)) << bad;
  for (const auto* bad :
       {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "x/8", "fd00::/129", "10.0.0.0/-1"}) {
    EXPECT_FALSE(gater.block_subnet(bad)) << bad;
  }
}

}  // namespace
}  // namespace libp2p

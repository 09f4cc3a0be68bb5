#include "network/dial_target.hpp"

#include <gtest/gtest.h>

namespace libp2p::network {
namespace {

TEST(DialTarget, takes_a_mapped_address_for_the_private_one_that_it_stands_for) {
  for (const auto* ip : {"127.0.0.1", "10.9.8.7", "172.31.0.1", "192.168.1.9", "169.254.0.1"}) {
    EXPECT_TRUE(is_private_ip(ip)) << ip;
    EXPECT_TRUE(is_private_ip(std::string("::ffff:") + ip)) << ip;
  }
  for (const auto* ip : {"8.8.8.8", "172.32.0.1", "::ffff:8.8.8.8", "2001:db8::1", "::2", "peer.example", ""}) {
    EXPECT_FALSE(is_private_ip(ip)) << ip;
  }
  for (const auto* ip : {"::1", "fd00::1", "fe80::1", "fe80::1%eth0"}) EXPECT_TRUE(is_private_ip(ip)) << ip;
}

TEST(DialTarget, gives_a_socket_address_that_dials_to_the_same_place) {
  for (const auto* ip : {"1.2.3.4", "fd00::1", "fe80::1%eth0"}) {
    const auto target = dial_target(to_multiaddr({ip, 9222}));
    ASSERT_TRUE(target) << ip;
    EXPECT_EQ(target->host, ip);
    EXPECT_EQ(target->port, 9222);
  }
}

}  // namespace
}  // namespace libp2p::network

#include "libp2p/host/dial_target.hpp"

#include <gtest/gtest.h>

namespace libp2p {
namespace {

TEST(DialTarget, gives_a_socket_address_that_dials_to_the_same_place) {
  for (const auto* ip : {"1.2.3.4", "fd00::1", "fe80::1%eth0"}) {
    const auto target = dial_target(to_multiaddr({ip, 9222}));
    ASSERT_TRUE(target) << ip;
    EXPECT_EQ(target->host, ip);
    EXPECT_EQ(target->port, 9222);
  }
}

}  // namespace
}  // namespace libp2p

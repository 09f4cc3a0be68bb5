#include "libp2p/host/address_scope.hpp"

#include <gtest/gtest.h>

#include <string>

#include "libp2p/host/host_test_support.hpp"

namespace libp2p {
namespace {

using testing_host::address;

TEST(AddressScope, tells_how_far_an_address_reaches) {
  const std::vector<std::pair<std::string_view, Reach>> cases = {
      {"/ip4/0.0.0.0/tcp/1", Reach::unspecified},
      {"/ip6/::/tcp/1", Reach::unspecified},
      {"/ip4/127.9.9.9/tcp/1", Reach::loopback},
      {"/ip6/::1/tcp/1", Reach::loopback},
      {"/ip6/::ffff:127.0.0.1/tcp/1", Reach::loopback},
      {"/ip4/10.1.2.3/tcp/1", Reach::private_net},
      {"/ip4/172.16.0.1/tcp/1", Reach::private_net},
      {"/ip4/172.32.0.1/tcp/1", Reach::global},
      {"/ip4/192.168.0.1/tcp/1", Reach::private_net},
      {"/ip4/100.64.0.1/tcp/1", Reach::private_net},
      {"/ip4/100.128.0.1/tcp/1", Reach::global},
      {"/ip4/169.254.0.1/tcp/1", Reach::private_net},
      {"/ip6/fd00::1/tcp/1", Reach::private_net},
      {"/ip6zone/eth0/ip6/fe80::1/tcp/1", Reach::private_net},
      {"/ip4/8.8.8.8/tcp/1", Reach::global},
      {"/ip6/2001:4860::1/tcp/1", Reach::global},
      // Beside the blocks above.
      {"/ip4/0.255.0.1/tcp/1", Reach::unspecified},
      {"/ip4/1.0.0.0/tcp/1", Reach::global},
      {"/ip4/128.0.0.1/tcp/1", Reach::global},
      {"/ip4/11.0.0.1/tcp/1", Reach::global},
      {"/ip4/172.15.0.1/tcp/1", Reach::global},
      {"/ip4/172.31.255.1/tcp/1", Reach::private_net},
      {"/ip4/173.16.0.1/tcp/1", Reach::global},
      {"/ip4/192.169.0.1/tcp/1", Reach::global},
      {"/ip4/193.168.0.1/tcp/1", Reach::global},
      {"/ip4/100.63.0.1/tcp/1", Reach::global},
      {"/ip4/100.127.0.1/tcp/1", Reach::private_net},
      {"/ip4/101.64.0.1/tcp/1", Reach::global},
      {"/ip4/169.253.0.1/tcp/1", Reach::global},
      {"/ip4/168.254.0.1/tcp/1", Reach::global},
      {"/ip6/::2/tcp/1", Reach::global},
      {"/ip6/1::1/tcp/1", Reach::global},
      {"/ip6/fbff::1/tcp/1", Reach::global},
      {"/ip6/fc00::1/tcp/1", Reach::private_net},
      {"/ip6/fdff::1/tcp/1", Reach::private_net},
      {"/ip6/fe00::1/tcp/1", Reach::global},
      {"/ip6/febf::1/tcp/1", Reach::private_net},
      {"/ip6/fec0::1/tcp/1", Reach::global},
      {"/ip6/2a80::1/tcp/1", Reach::global},
      {"/dns4/example.org/tcp/1", Reach::unknown},
      {"/memory/7", Reach::unknown},
  };
  for (const auto& [text, reach] : cases) EXPECT_EQ(reach_of(address(text)), reach) << text;
}

TEST(AddressScope, takes_a_mapped_ip_for_the_one_that_it_stands_for) {
  for (const auto* ip : {"127.0.0.1", "10.9.8.7", "172.31.0.1", "192.168.1.9", "169.254.0.1", "100.64.0.1"}) {
    EXPECT_TRUE(is_near(reach_of_ip(ip))) << ip;
    EXPECT_TRUE(is_near(reach_of_ip(std::string("::ffff:") + ip))) << ip;
  }
  for (const auto* ip : {"8.8.8.8", "172.32.0.1", "::ffff:8.8.8.8", "2001:db8::1", "::2", "peer.example", ""}) {
    EXPECT_FALSE(is_near(reach_of_ip(ip))) << ip;
  }
  for (const auto* ip : {"::1", "fd00::1", "fe80::1", "fe80::1%eth0"}) EXPECT_TRUE(is_near(reach_of_ip(ip))) << ip;
}

TEST(AddressScope, believes_only_addresses_that_can_lead_to_the_peer) {
  const std::vector<Multiaddr> told = {address("/ip4/127.0.0.1/tcp/1"), address("/ip4/10.0.0.1/tcp/1"),
                                       address("/ip4/8.8.8.8/tcp/1"), address("/ip4/0.0.0.0/tcp/1"),
                                       address("/ip4/8.8.8.8/tcp/1")};
  EXPECT_EQ(believable(told, address("/ip4/127.0.0.1/tcp/9")), (std::vector<Multiaddr>{told[0], told[1], told[2]}));
  EXPECT_EQ(believable(told, address("/ip4/10.0.0.1/tcp/9")), (std::vector<Multiaddr>{told[1], told[2]}));
  EXPECT_EQ(believable(told, address("/ip4/8.8.8.8/tcp/9")), (std::vector<Multiaddr>{told[2]}));
}

TEST(AddressScope, puts_the_addresses_of_connections_in_the_place_of_any) {
  const std::vector<Multiaddr> listening = {address("/ip4/0.0.0.0/tcp/9222"), address("/ip6/::/tcp/9223"),
                                            address("/ip4/10.0.0.9/tcp/9224")};
  const std::vector<Multiaddr> local = {address("/ip4/10.0.0.7/tcp/51000"), address("/ip6/fd00::7/tcp/51001"),
                                        address("/ip4/10.0.0.7/tcp/51002")};
  EXPECT_EQ(specified(listening, local),
            (std::vector<Multiaddr>{address("/ip4/10.0.0.7/tcp/9222"), address("/ip6/fd00::7/tcp/9223"),
                                    address("/ip4/10.0.0.9/tcp/9224")}));
  EXPECT_EQ(specified(listening, {}), (std::vector<Multiaddr>{address("/ip4/10.0.0.9/tcp/9224")}));
}

}  // namespace
}  // namespace libp2p

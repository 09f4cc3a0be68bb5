#include "libp2p/transports/tcp/tcp_address.hpp"

#include <gtest/gtest.h>

namespace libp2p::tcp {
namespace {

std::string why_not(std::string_view text) {
  const auto endpoint = endpoint_of(Multiaddr::from_text(text).value());
  return endpoint ? "" : endpoint.error().text();
}

TEST(TcpAddress, of_an_endpoint_leads_to_the_same_place) {
  for (const auto* ip : {"1.2.3.4", "fd00::1", "fe80::1%eth0"}) {
    const auto endpoint = endpoint_of(to_multiaddr({ip, 9222}).value());
    ASSERT_TRUE(endpoint) << ip;
    EXPECT_EQ(*endpoint, Endpoint(ip, 9222));
  }
}

TEST(TcpAddress, an_endpoint_without_an_ip_has_no_address) {
  EXPECT_FALSE(to_multiaddr({"", 9222}));
  EXPECT_FALSE(to_multiaddr({"no ip", 9222}));
  EXPECT_FALSE(to_multiaddr({"fe80::1%", 9222}));
}

TEST(TcpAddress, says_what_is_not_spoken) {
  EXPECT_EQ(why_not("/ip4/1.2.3.4/tcp/9222"), "");
  EXPECT_EQ(why_not("/memory/7"), "it must begin with /ip4, /ip6, /dns, /dns4 or /dns6");
  EXPECT_EQ(why_not("/dns4/a.example/tcp/1"), "it must begin with /ip4, /ip6, /dns, /dns4 or /dns6");
  EXPECT_EQ(why_not("/ip6zone/eth0/ip4/1.2.3.4/tcp/1"), "/ip6zone must be followed by /ip6");
  EXPECT_EQ(why_not("/ip4/1.2.3.4/udp/1/quic-v1"), "only /tcp is spoken behind the host");
  EXPECT_EQ(why_not("/ip4/1.2.3.4"), "only /tcp is spoken behind the host");
  EXPECT_EQ(why_not("/ip4/1.2.3.4/tcp/1/ws"), "only /p2p/ID may follow /tcp");
}

}  // namespace
}  // namespace libp2p::tcp

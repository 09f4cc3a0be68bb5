#include "libp2p/host/dial_target.hpp"

#include <gtest/gtest.h>

#include "libp2p/host/host_test_support.hpp"

namespace libp2p {
namespace {

using testing_host::address;

TEST(DialTarget, finds_the_name_and_its_family_and_leaves_the_peer_out) {
  const std::string id = "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
  const auto any = dial_target(address("/dns/a.example/tcp/9222" + id)).value();
  EXPECT_EQ(any.name, "a.example");
  EXPECT_EQ(any.family, Family::any);
  EXPECT_EQ(any.address, address("/ip4/0.0.0.0/tcp/9222"));
  EXPECT_EQ(dial_target(address("/dns4/a.example/tcp/1")).value().family, Family::ip4);
  const auto six = dial_target(address("/dns6/a.example/tcp/1")).value();
  EXPECT_EQ(six.family, Family::ip6);
  EXPECT_EQ(six.address, address("/ip6/::/tcp/1"));
  const auto ip = dial_target(address("/ip4/1.2.3.4/tcp/1" + id)).value();
  EXPECT_FALSE(ip.name);
  EXPECT_EQ(ip.address, address("/ip4/1.2.3.4/tcp/1"));
}

TEST(DialTarget, an_ip_takes_the_place_of_a_name_and_what_follows_stays) {
  const auto secure = dial_target(address("/dns4/a.example/tcp/443/tls/sni/a.example/ws")).value();
  EXPECT_EQ(with_ip(secure.address, "1.2.3.4").value(), address("/ip4/1.2.3.4/tcp/443/tls/sni/a.example/ws"));
  EXPECT_EQ(with_ip(secure.address, "fe80::1%eth0").value(),
            address("/ip6zone/eth0/ip6/fe80::1/tcp/443/tls/sni/a.example/ws"));
  EXPECT_EQ(with_ip(address("/ip6zone/eth0/ip6/fe80::1/udp/1/quic-v1"), "1.2.3.4").value(),
            address("/ip4/1.2.3.4/udp/1/quic-v1"));
  EXPECT_EQ(with_ip(address("/dns6/a.example/tcp/1"), "::1").value(), address("/ip6/::1/tcp/1"));
  EXPECT_FALSE(with_ip(secure.address, "no ip"));
  for (const char* text : {"/tcp/80", "/udp/1/quic-v1", "/memory/7", "/p2p-circuit", "/dnsaddr/a.example", "/quic-v1"})
    EXPECT_EQ(with_ip(address(text), "1.2.3.4").error().code(), Errc::unsupported) << text;
  EXPECT_FALSE(with_ip(Multiaddr(), "1.2.3.4"));
}

TEST(DialTarget, says_what_it_cannot_look_up) {
  EXPECT_EQ(dial_target(Multiaddr()).error().code(), Errc::invalid_argument);
  const auto txt = dial_target(address("/dnsaddr/a.example"));
  EXPECT_EQ(txt.error().text(),
            "'/dnsaddr/a.example' cannot be used: /dnsaddr needs TXT records, which are not looked up; give the "
            "/ip4, /ip6 or /dns address");
}

TEST(DialTarget, a_peer_without_a_place_is_refused) {
  const auto alone = dial_target(address("/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"));
  EXPECT_EQ(alone.error().code(), Errc::unsupported);
  EXPECT_EQ(alone.error().text(),
            "'/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA' cannot be used: it names a peer and no "
            "place; give the peer's IP or name too");
}

TEST(DialTarget, tells_a_place_as_people_write_it) {
  EXPECT_EQ(place_text(address("/ip4/1.2.3.4/tcp/9222")), "1.2.3.4:9222");
  EXPECT_EQ(place_text(address("/ip6zone/eth0/ip6/fe80::1/udp/9222")), "[fe80::1%eth0]:9222");
  EXPECT_EQ(place_text(address("/memory/7")), "/memory/7");
  EXPECT_EQ(place_text(address("/ip4/1.2.3.4/tcp/9222/ws")), "/ip4/1.2.3.4/tcp/9222/ws");
}

}  // namespace
}  // namespace libp2p

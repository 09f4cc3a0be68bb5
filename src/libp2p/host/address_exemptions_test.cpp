#include "libp2p/host/address_exemptions.hpp"

#include <gtest/gtest.h>

#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

Multiaddr at(std::string_view ip) {
  const std::string_view kind = ip.find(':') == std::string_view::npos ? "ip4" : "ip6";
  return Multiaddr::from_text("/" + std::string(kind) + "/" + std::string(ip) + "/tcp/9000").value();
}

PeerId peer(std::uint64_t seed) { return PeerId::from_public_key(test_key(seed).public_key()); }

TEST(AddressExemptions, cover_blocks_that_are_configured_or_added) {
  AddressExemptions exemptions({Cidr::from_text("10.0.0.0/8").value()});
  EXPECT_TRUE(exemptions.blocks_of(at("10.1.2.3")).is_exempt());
  EXPECT_FALSE(exemptions.blocks_of(at("192.0.2.1")).is_exempt());
  EXPECT_EQ(exemptions.blocks_of(at("192.0.2.1")).narrow.size(), 4u);
  exemptions.add(Cidr::from_text("192.0.2.0/24").value());
  EXPECT_TRUE(exemptions.blocks_of(at("192.0.2.1")).is_exempt());
}

TEST(AddressExemptions, follow_the_names_of_chosen_peers_and_of_no_others) {
  AddressExemptions exemptions({});
  exemptions.on_resolved(peer(1), {"192.0.2.1"});
  EXPECT_FALSE(exemptions.blocks_of(at("192.0.2.1")).is_exempt()) << "nobody has chosen this peer";
  exemptions.add(peer(1));
  EXPECT_FALSE(exemptions.blocks_of(at("192.0.2.1")).is_exempt()) << "its names have not been looked up since";
  exemptions.on_resolved(peer(1), {"192.0.2.1", "2001:db8::1"});
  EXPECT_TRUE(exemptions.blocks_of(at("192.0.2.1")).is_exempt());
  EXPECT_TRUE(exemptions.blocks_of(at("2001:db8::1")).is_exempt());
  EXPECT_FALSE(exemptions.blocks_of(at("2001:db8::2")).is_exempt());
  exemptions.on_resolved(peer(1), {"192.0.2.7"});
  EXPECT_FALSE(exemptions.blocks_of(at("192.0.2.1")).is_exempt()) << "the name leads elsewhere now";
  EXPECT_TRUE(exemptions.blocks_of(at("192.0.2.7")).is_exempt());
  exemptions.remove(peer(1));
  EXPECT_FALSE(exemptions.blocks_of(at("192.0.2.7")).is_exempt());
}

TEST(AddressExemptions, an_address_of_a_chosen_peer_is_exempt_until_the_last_peer_that_has_it_is_removed) {
  AddressExemptions exemptions({});
  const auto address = Cidr::from_text("192.0.2.1/32").value();
  exemptions.add(peer(1), address);
  exemptions.add(peer(2), address);
  exemptions.on_resolved(peer(1), {"192.0.2.7"});
  EXPECT_TRUE(exemptions.blocks_of(at("192.0.2.1")).is_exempt()) << "a look-up does not replace it";
  EXPECT_TRUE(exemptions.blocks_of(at("192.0.2.7")).is_exempt());
  exemptions.remove(peer(1));
  EXPECT_TRUE(exemptions.blocks_of(at("192.0.2.1")).is_exempt());
  EXPECT_FALSE(exemptions.blocks_of(at("192.0.2.7")).is_exempt());
  exemptions.remove(peer(2));
  EXPECT_FALSE(exemptions.blocks_of(at("192.0.2.1")).is_exempt());
}

TEST(AddressExemptions, a_name_may_lead_to_an_address_with_a_zone) {
  AddressExemptions exemptions({});
  exemptions.add(peer(1));
  exemptions.on_resolved(peer(1), {"fe80::1%eth0", "no ip", "192.0.2.1"});
  const auto zoned = Multiaddr::from_text("/ip6zone/eth0/ip6/fe80::1/tcp/9000").value();
  EXPECT_TRUE(exemptions.blocks_of(zoned).is_exempt());
  EXPECT_FALSE(exemptions.blocks_of(at("fe80::2")).is_exempt());
  EXPECT_TRUE(exemptions.blocks_of(at("192.0.2.1")).is_exempt()) << "what is no IP hides none behind it";
}

}  // namespace
}  // namespace libp2p

#include "libp2p/multiformats/address_blocks.hpp"

#include <gtest/gtest.h>

namespace libp2p::multiformats {
namespace {

AddressBlocks blocks(std::string_view text) { return address_blocks(Multiaddr::from_text(text).value()); }

TEST(AddressBlocks, loopback_is_told_by_the_bytes_of_an_ip) {
  EXPECT_TRUE(is_loopback(Bytes{127, 1, 2, 3}));
  EXPECT_FALSE(is_loopback(Bytes{128, 0, 0, 1}));
  Bytes ip6(16);
  ip6[15] = 1;
  EXPECT_TRUE(is_loopback(ip6));
  ip6[14] = 1;
  EXPECT_FALSE(is_loopback(ip6));
  EXPECT_FALSE(is_loopback(Bytes(16)));
  for (const std::size_t size : {0U, 3U, 5U, 15U, 17U}) EXPECT_FALSE(is_loopback(Bytes(size, 1))) << size;
}

TEST(AddressBlocks, an_ip4_address_is_a_block_of_its_own) {
  EXPECT_EQ(blocks("/ip4/1.2.3.4/tcp/1").narrow, (Bytes{1, 2, 3, 4}));
  EXPECT_TRUE(blocks("/ip4/1.2.3.4/tcp/1").wide.empty());
  EXPECT_EQ(blocks("/ip6/::ffff:1.2.3.4/tcp/1"), blocks("/ip4/1.2.3.4/tcp/9"));
}

TEST(AddressBlocks, an_ip6_address_has_a_56_and_a_48) {
  EXPECT_EQ(blocks("/ip6/2001:db8:1:2ff::1/tcp/1").narrow, (Bytes{0x20, 0x01, 0x0d, 0xb8, 0, 1, 0x02}));
  EXPECT_EQ(blocks("/ip6/2001:db8:1:2ff::1/tcp/1").wide, (Bytes{0x20, 0x01, 0x0d, 0xb8, 0, 1}));
}

TEST(AddressBlocks, loopback_and_memory_addresses_are_exempt) {
  for (const auto* text : {"/ip4/127.0.0.9/tcp/1", "/ip6/::1/tcp/1", "/memory/7"}) {
    EXPECT_TRUE(blocks(text).is_exempt()) << text;
  }
}

TEST(AddressBlocks, addresses_without_an_ip_share_one_block) {
  EXPECT_EQ(blocks("/dns4/a.example/tcp/1"), AddressBlocks::unknown());
  EXPECT_EQ(blocks("/dns4/b.example/tcp/1"), blocks("/dns4/a.example/tcp/1"));
  EXPECT_EQ(address_blocks(Multiaddr()), AddressBlocks::unknown());
  EXPECT_FALSE(AddressBlocks::unknown().is_exempt());
}

TEST(IpsToJudge, are_the_address_and_the_ip4_address_that_it_leads_to) {
  const auto judged = [](std::string_view text) { return ips_to_judge(Multiaddr::from_text(text).value()); };
  const Bytes four{1, 2, 3, 4};
  EXPECT_EQ(judged("/ip4/1.2.3.4/tcp/1"), std::vector<Bytes>{four});
  EXPECT_EQ(judged("/ip6/::ffff:1.2.3.4/tcp/1"), std::vector<Bytes>{four});
  for (const auto* text : {"/ip6/64:ff9b::1.2.3.4/tcp/1", "/ip6/2002:102:304::9/tcp/1", "/ip6/::1.2.3.4/tcp/1",
                           "/ip6/2001::fefd:fcfb/tcp/1", "/ip6zone/eth0/ip6/2002:102:304::9/tcp/1"}) {
    const auto ips = judged(text);
    ASSERT_EQ(ips.size(), 2u) << text;
    EXPECT_EQ(ips[0].size(), 16u) << text;
    EXPECT_EQ(ips[1], four) << text;
  }
  for (const auto* text : {"/ip6/::1/tcp/1", "/ip6/::/tcp/1", "/ip6/2001:db8::1/tcp/1", "/ip6/64:ff9b:1::1/tcp/1"}) {
    EXPECT_EQ(judged(text).size(), 1u) << text;
  }
  for (const auto* text : {"/memory/7", "/dns/example.org/tcp/1", "/unix/a"}) EXPECT_TRUE(judged(text).empty()) << text;
  EXPECT_TRUE(ips_to_judge(Multiaddr()).empty());
}

}  // namespace
}  // namespace libp2p::multiformats

#include "libp2p/host/blocking_gater.hpp"

#include <gmock/gmock.h>

#include "libp2p/host/gater_decorators.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const PeerId& blocked_peer() {
  static const PeerId peer = PeerId::from_public_key(test_key(1).public_key());
  return peer;
}
const PeerId& other_peer() {
  static const PeerId peer = PeerId::from_public_key(test_key(2).public_key());
  return peer;
}
Multiaddr gated(std::string_view text) { return Multiaddr::from_text(text).value(); }

Result<void> answer_of(Gater& gater, GaterHook hook, Direction direction, const PeerId& peer, const Multiaddr& remote) {
  switch (hook) {
    case GaterHook::peer_dial: return gater.intercept_peer_dial(peer);
    case GaterHook::addr_dial: return gater.intercept_addr_dial(peer, remote);
    case GaterHook::accept: return gater.intercept_accept(remote);
    case GaterHook::secured: return gater.intercept_secured(direction, peer, remote);
    case GaterHook::upgraded: return gater.intercept_upgraded(direction, peer, remote);
  }
  return fail(Errc::invalid_argument, "no such hook");
}

// Section 3's table: what each hook of the basic gater denies.
TEST(BlockingGater, answers_each_hook_as_go_libp2ps_does) {
  struct Row {
    GaterHook hook;
    Direction direction;
    bool peers;      // asks about the peer
    bool addresses;  // asks about the address
  };
  const Row rows[] = {
      {GaterHook::peer_dial, Direction::outbound, true, false},
      {GaterHook::addr_dial, Direction::outbound, false, true},
      {GaterHook::accept, Direction::inbound, false, true},
      {GaterHook::secured, Direction::outbound, false, false},
      {GaterHook::secured, Direction::inbound, true, false},
      {GaterHook::upgraded, Direction::outbound, false, false},
      {GaterHook::upgraded, Direction::inbound, false, false},
  };
  BlockingGater gater;
  ASSERT_TRUE(gater.block_peer(blocked_peer()));
  ASSERT_TRUE(gater.block_ip("10.0.0.1"));
  ASSERT_TRUE(gater.block_subnet("10.1.0.0/16"));
  const std::pair<Multiaddr, bool> addresses[] = {{gated("/ip4/10.0.0.1/tcp/9222"), true},
                                                  {gated("/ip4/10.1.2.3/tcp/9222"), true},
                                                  {gated("/ip4/10.0.0.2/tcp/9222"), false},
                                                  {gated("/memory/7"), false},
                                                  {gated("/dns4/example.org/tcp/9222"), false},
                                                  {gated("/unix/tmp%2Fsocket"), false},
                                                  {Multiaddr(), false}};
  for (const Row& row : rows) {
    for (const bool peer_is_blocked : {false, true}) {
      const PeerId& peer = peer_is_blocked ? blocked_peer() : other_peer();
      for (const auto& [address, is_blocked] : addresses) {
        const bool denied = (row.peers && peer_is_blocked) || (row.addresses && is_blocked);
        const auto answer = answer_of(gater, row.hook, row.direction, peer, address);
        EXPECT_EQ(!answer, denied) << gater_hook_name(row.hook) << " " << to_string(row.direction) << " "
                                   << address.text() << " " << peer_is_blocked;
        if (denied && !answer) {
          EXPECT_EQ(answer.error(), Errc::denied);
        }
      }
    }
  }
}

TEST(BlockingGater, permits_neither_a_blocked_peer_nor_a_blocked_address_in_either_direction) {
  BlockingGater gater;
  ASSERT_TRUE(gater.block_peer(blocked_peer()));
  ASSERT_TRUE(gater.block_ip("10.0.0.1"));
  ASSERT_TRUE(gater.block_subnet("fd00::/8"));
  EXPECT_TRUE(gater.permits(other_peer(), gated("/ip4/10.0.0.2/tcp/1")));
  EXPECT_TRUE(gater.permits(other_peer(), gated("/memory/1")));
  EXPECT_TRUE(gater.permits(PeerId(), Multiaddr()));
  EXPECT_THAT(gater.permits(blocked_peer(), Multiaddr()).error().text(),
              HasSubstr("the peer " + blocked_peer().to_base58() + " is blocked"));
  EXPECT_EQ(gater.permits(PeerId(), gated("/ip4/10.0.0.1/tcp/1")).error().text(), "the address 10.0.0.1 is blocked");
  EXPECT_EQ(gater.permits(other_peer(), gated("/ip6/fd00::7/tcp/1")).error().text(),
            "the address fd00::7 is in the blocked subnet fd00::/8");
}

// What an operator writes against what a connection shows: one address in all its spellings.
TEST(BlockingGater, no_spelling_of_an_address_slips_past_a_rule) {
  struct Row {
    const char* rule;  // with "/": a subnet
    const char* remote;
    bool denied;
  };
  const Row rows[] = {
      // IPv4 mapped into IPv6, on either side and in any spelling.
      {"1.2.3.4", "/ip6/::ffff:1.2.3.4/tcp/1", true},
      {"1.2.3.4", "/ip6/::ffff:102:304/tcp/1", true},
      {"1.2.3.4", "/ip6/0:0:0:0:0:FFFF:0102:0304/tcp/1", true},
      {"::ffff:1.2.3.4", "/ip4/1.2.3.4/tcp/1", true},
      {"::FFFF:102:304", "/ip4/1.2.3.4/udp/1/quic-v1", true},
      {"1.2.3.0/24", "/ip6/::ffff:1.2.3.4/tcp/1", true},
      {"::ffff:1.2.3.4/120", "/ip4/1.2.3.9/tcp/1", true},
      {"::ffff:1.2.3.4/120", "/ip4/1.2.4.9/tcp/1", false},
      {"::ffff:0:0/96", "/ip4/203.0.113.1/tcp/1", true},
      {"::ffff:0:0/96", "/ip6/2001:db8::1/tcp/1", false},
      // Upper case, leading zeros and compressed forms of IPv6.
      {"2001:DB8:0:0::0001", "/ip6/2001:db8::1/tcp/1", true},
      {"2001:db8::1", "/ip6/2001:0db8:0000:0000:0000:0000:0000:0001/tcp/1", true},
      {"2001:0DB8::/32", "/ip6/2001:db8:ffff::1/tcp/1", true},
      {"2001:db8::/32", "/ip6/2001:db9::1/tcp/1", false},
      // Host bits behind the prefix.
      {"10.1.2.3/8", "/ip4/10.200.0.1/tcp/1", true},
      // Zones: a rule holds on every link.
      {"fe80::1", "/ip6zone/eth0/ip6/fe80::1/tcp/1", true},
      {"fe80::1%eth0", "/ip6zone/eth1/ip6/fe80::1/tcp/1", true},
      {"fe80::1%eth0", "/ip6/fe80::1/tcp/1", true},
      {"fe80::/10", "/ip6zone/eth0/ip6/fe80::99/tcp/1", true},
      // IPv6 addresses that lead to an IPv4 one: NAT64, 6to4, Teredo, "IPv4-compatible".
      {"1.2.3.4", "/ip6/64:ff9b::1.2.3.4/tcp/1", true},
      {"1.2.3.0/24", "/ip6/64:ff9b::102:304/tcp/1", true},
      {"1.2.3.4", "/ip6/64:ff9b:1::1.2.3.4/tcp/1", false},  // another prefix, whose meaning is its network's own
      {"1.2.3.4", "/ip6/2002:102:304::9/tcp/1", true},
      {"1.2.3.4", "/ip6/2001:0:5ef5:79fb::fefd:fcfb/tcp/1", true},
      {"1.2.3.4", "/ip6/::1.2.3.4/tcp/1", true},
      {"0.0.0.0/8", "/ip6/::1/tcp/1", false},             // loopback is no IPv4-compatible address
      {"64:ff9b::1.2.3.4", "/ip4/1.2.3.4/tcp/1", false},  // a rule of IPv6 is about that way alone
      {"64:ff9b::/96", "/ip6/64:ff9b::9.9.9.9/tcp/1", true},
      // The families are apart: all of IPv6 is not all of IPv4.
      {"::/0", "/ip4/1.2.3.4/tcp/1", false},
      {"::/0", "/ip6/::ffff:1.2.3.4/tcp/1", false},
      {"::/0", "/ip6/2001:db8::1/tcp/1", true},
      {"0.0.0.0/0", "/ip6/2001:db8::1/tcp/1", false},
      {"0.0.0.0/0", "/ip6/::ffff:1.2.3.4/tcp/1", true},
      // The first IP is where the connection comes from; what stands behind it is not.
      {"1.2.3.4", "/ip6/2001:db8::1/tcp/1/ip4/1.2.3.4/tcp/2", false},
      {"2001:db8::1", "/ip6/2001:db8::1/tcp/1/ip4/1.2.3.4/tcp/2", true},
  };
  for (const Row& row : rows) {
    BlockingGater gater;
    const bool is_subnet = std::string_view(row.rule).find('/') != std::string_view::npos;
    ASSERT_TRUE(is_subnet ? gater.block_subnet(row.rule) : gater.block_ip(row.rule)) << row.rule;
    const std::string what = std::string(row.rule) + " and " + row.remote;
    EXPECT_EQ(!gater.intercept_accept(gated(row.remote)), row.denied) << what;
    EXPECT_EQ(!gater.intercept_addr_dial(PeerId(), gated(row.remote)), row.denied) << what;
    EXPECT_EQ(!gater.permits(PeerId(), gated(row.remote)), row.denied) << what;
  }
}

TEST(BlockingGater, keeps_sorted_lists_in_canonical_text) {
  BlockingGater gater;
  EXPECT_TRUE(gater.block_ip("10.0.0.1").value());
  EXPECT_FALSE(gater.block_ip("::ffff:10.0.0.1").value());
  EXPECT_TRUE(gater.block_ip("2001:DB8:0:0::1").value());
  EXPECT_TRUE(gater.block_ip("9.0.0.1").value());
  EXPECT_THAT(gater.blocked_ips(), ElementsAre("9.0.0.1", "10.0.0.1", "2001:db8::1"));
  EXPECT_TRUE(gater.block_subnet("192.168.77.1/16").value());
  EXPECT_TRUE(gater.block_subnet("fd00::/8").value());
  EXPECT_TRUE(gater.block_subnet("20.0.0.0/8").value());
  EXPECT_FALSE(gater.block_subnet("::ffff:20.9.9.9/104").value());
  EXPECT_THAT(gater.blocked_subnets(), ElementsAre("20.0.0.0/8", "192.168.0.0/16", "fd00::/8"));
  EXPECT_TRUE(gater.unblock_subnet("20.1.1.1/8").value());
  EXPECT_FALSE(gater.unblock_subnet("20.0.0.0/8").value());
  EXPECT_TRUE(gater.unblock_ip("::ffff:a00:1").value());
  EXPECT_FALSE(gater.unblock_ip("10.0.0.1").value());
}

TEST(BlockingGater, says_what_is_wrong_with_a_text) {
  BlockingGater gater;
  for (const auto* bad :
       {"", "10.0.0", "host", "10.0.0.1/8", "010.0.0.1", "1.2.3.4%eth0", "fe80::1%", "::ffff:1.2.3"}) {
    EXPECT_EQ(gater.block_ip(bad).error(), Errc::malformed) << bad;
    EXPECT_EQ(gater.unblock_ip(bad).error(), Errc::malformed) << bad;
  }
  for (const auto* bad : {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "x/8", "fd00::/129", "10.0.0.0/-1",
                          "::ffff:1.2.3.4/95", "::ffff:1.2.3.4/129", "10.0.0.0/255.0.0.0"}) {
    EXPECT_EQ(gater.block_subnet(bad).error(), Errc::malformed) << bad;
    EXPECT_EQ(gater.unblock_subnet(bad).error(), Errc::malformed) << bad;
  }
  EXPECT_THAT(gater.block_ip("10.0.0.0/8").error().text(), HasSubstr("block it as a subnet"));
  EXPECT_THAT(gater.block_subnet("10.0.0.1").error().text(), HasSubstr("it has no /LENGTH"));
  EXPECT_THAT(gater.block_subnet("::ffff:0:0/95").error().text(), HasSubstr("name 0.0.0.0/0 and the block of IPv6"));
  EXPECT_EQ(gater.block_peer(PeerId()).error(), Errc::invalid_argument);
  EXPECT_TRUE(gater.blocked_peers().empty());
}

TEST(BlockingGater, a_full_list_refuses_the_next_rule_and_says_so) {
  BlockingGater gater(2);
  ASSERT_TRUE(gater.block_ip("10.0.0.1"));
  ASSERT_TRUE(gater.block_ip("10.0.0.2"));
  const auto refused = gater.block_ip("10.0.0.3");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Errc::exhausted);
  EXPECT_THAT(refused.error().text(), HasSubstr("the list of blocked addresses is full: it has 2 rules; unblock some"));
  EXPECT_FALSE(gater.block_ip("10.0.0.2").value()) << "what is blocked is no new rule";
  EXPECT_TRUE(gater.block_subnet("10.0.0.0/24")) << "each list has its own bound";
  ASSERT_TRUE(gater.unblock_ip("10.0.0.1"));
  EXPECT_TRUE(gater.block_ip("10.0.0.3"));
  ASSERT_TRUE(gater.block_peer(blocked_peer()));
  ASSERT_TRUE(gater.block_peer(other_peer()));
  EXPECT_EQ(gater.block_peer(PeerId::from_public_key(test_key(3).public_key())).error(), Errc::exhausted);
}

TEST(BlockingGater, tells_that_it_became_stricter_and_only_then) {
  BlockingGater gater;
  int told = 0;
  const auto subscription = gater.stricter().subscribe([&told](const GaterStricter&) { ++told; });
  ASSERT_TRUE(gater.block_ip("10.0.0.1"));
  ASSERT_TRUE(gater.block_ip("10.0.0.1"));
  EXPECT_EQ(told, 1);
  ASSERT_TRUE(gater.unblock_ip("10.0.0.1"));
  EXPECT_FALSE(gater.block_ip("x"));
  EXPECT_EQ(told, 1);
  ASSERT_TRUE(gater.block_subnet("10.0.0.0/8"));
  ASSERT_TRUE(gater.block_peer(blocked_peer()));
  EXPECT_EQ(told, 3);
}

TEST(BlockingGater, tells_each_change_of_a_rule_in_its_canonical_text) {
  BlockingGater gater;
  std::vector<std::string> told;
  const auto subscription = gater.subscribe([&told](const GaterRuleChanged& change) {
    told.push_back((change.blocked ? "+" : "-") + std::string(change.list) + " " + change.rule);
  });
  ASSERT_TRUE(gater.block_ip("::ffff:10.0.0.1"));
  ASSERT_TRUE(gater.block_ip("10.0.0.1")) << "it is blocked already";
  ASSERT_TRUE(gater.block_subnet("10.1.2.3/8"));
  ASSERT_TRUE(gater.block_peer(blocked_peer()));
  ASSERT_TRUE(gater.unblock_ip("10.0.0.2")) << "it is not blocked";
  ASSERT_TRUE(gater.unblock_ip("10.0.0.1"));
  ASSERT_TRUE(gater.unblock_subnet("10.0.0.0/8"));
  EXPECT_TRUE(gater.unblock_peer(blocked_peer()));
  EXPECT_FALSE(gater.unblock_peer(blocked_peer()));
  const std::string peer = "peer " + blocked_peer().to_base58();
  EXPECT_EQ(told, (std::vector<std::string>{"+address 10.0.0.1", "+subnet 10.0.0.0/8", "+" + peer, "-address 10.0.0.1",
                                            "-subnet 10.0.0.0/8", "-" + peer}));
}

TEST(GaterDecorator, passes_every_question_to_the_inner_gater) {
  const auto inner = std::make_shared<BlockingGater>();
  ASSERT_TRUE(inner->block_peer(blocked_peer()));
  ASSERT_TRUE(inner->block_ip("10.0.0.1"));
  GaterDecorator outer(inner);
  const Multiaddr remote = gated("/ip4/10.0.0.1/tcp/1");
  for (const auto hook :
       {GaterHook::peer_dial, GaterHook::addr_dial, GaterHook::accept, GaterHook::secured, GaterHook::upgraded}) {
    const auto ours = answer_of(outer, hook, Direction::inbound, blocked_peer(), remote);
    const auto theirs = answer_of(*inner, hook, Direction::inbound, blocked_peer(), remote);
    EXPECT_EQ(ours.has_value(), theirs.has_value()) << gater_hook_name(hook);
  }
  EXPECT_FALSE(outer.permits(blocked_peer(), Multiaddr()));
  EXPECT_EQ(&outer.stricter(), &inner->stricter()) << "a stack has one source of GaterStricter";
  EXPECT_THROW(GaterDecorator(nullptr), std::invalid_argument);
  EXPECT_THROW(MeteringGater(inner, nullptr), std::invalid_argument);
}

TEST(MeteringGater, tells_each_question_with_its_answer) {
  const auto inner = std::make_shared<BlockingGater>();
  ASSERT_TRUE(inner->block_ip("10.0.0.1"));
  std::vector<std::string> told;
  MeteringGater gater(inner, [&told](const GaterAnswer& answer) {
    told.push_back(std::string(gater_hook_name(answer.hook)) + (answer.allowed() ? " allows" : " denies") +
                   (answer.peer != nullptr ? " a peer" : "") +
                   (answer.remote != nullptr ? " at " + answer.remote->text() : ""));
  });
  const Multiaddr bad = gated("/ip4/10.0.0.1/tcp/1");
  const Multiaddr good = gated("/ip4/10.0.0.2/tcp/1");
  EXPECT_TRUE(gater.intercept_peer_dial(other_peer()));
  EXPECT_FALSE(gater.intercept_addr_dial(other_peer(), bad));
  EXPECT_FALSE(gater.intercept_accept(bad));
  EXPECT_TRUE(gater.intercept_secured(Direction::inbound, other_peer(), good));
  EXPECT_TRUE(gater.intercept_upgraded(Direction::inbound, other_peer(), good));
  EXPECT_FALSE(gater.permits(other_peer(), bad)) << "and tells nothing of it";
  EXPECT_THAT(told,
              ElementsAre("InterceptPeerDial allows a peer", "InterceptAddrDial denies a peer at " + bad.text(),
                          "InterceptAccept denies at " + bad.text(), "InterceptSecured allows a peer at " + good.text(),
                          "InterceptUpgraded allows a peer at " + good.text()));
}

}  // namespace
}  // namespace libp2p

// Every cell of op-node surface, section 3: which hook asks which gater.
#include "opstack/reputation/gaters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "libp2p/host/blocking_gater.hpp"
#include "opstack/reputation/reputation_test_support.hpp"

namespace opstack::reputation {
namespace {

using libp2p::BlockingGater;
using libp2p::Errc;
using libp2p::GaterHook;
using test::peer;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Multiaddr address(const char* text) { return Multiaddr::from_text(text).value(); }

class FakeBans final : public ActiveBans {
 public:
  Result<const Ban*> ban_of_peer(const PeerId& who) override {
    if (broken) return libp2p::fail(Errc::io, "the store does not read");
    return find(who);
  }
  Result<const Ban*> ban_of_address(const std::string& ip) override {
    if (broken) return libp2p::fail(Errc::io, "the store does not read");
    return find_address(ip);
  }
  const Ban* find(const PeerId& who) const override {
    const auto found = peers.find(who);
    return found == peers.end() ? nullptr : &found->second;
  }
  const Ban* find_address(const std::string& ip) const override {
    const auto found = ips.find(ip);
    return found == ips.end() ? nullptr : &found->second;
  }
  std::map<PeerId, Ban> peers;
  std::map<std::string, Ban> ips;
  bool broken = false;
};

struct Told {
  GaterHook hook;
  GateRule rule;
};

class GatersTest : public ::testing::Test {
 protected:
  std::shared_ptr<BlockingGater> inner = std::make_shared<BlockingGater>();
  FakeBans bans;
  std::vector<Told> told;
  OnRefused on_refused = [this](const GateRefused& refused) {
    told.push_back({refused.hook, refused.rule});
    EXPECT_FALSE(refused.why.text().empty());
  };
  BanExpiryGater expiry{inner, bans, on_refused};
  std::map<PeerId, std::optional<double>> scores;
  bool unreadable = false;
  ScoringGater scoring{inner, -100,
                       [this](const PeerId& who) -> Result<std::optional<double>> {
                         if (unreadable) return libp2p::fail(Errc::io, "the store does not read");
                         const auto found = scores.find(who);
                         return found == scores.end() ? std::optional<double>(0) : found->second;
                       },
                       on_refused};
  const Multiaddr here = address("/ip4/198.51.100.7/tcp/9222");
};

struct HookRow {
  const char* name;
  Result<void> (*ask)(libp2p::Gater&, const PeerId&, const Multiaddr&);
  bool asks_peer_ban;
  bool asks_ip_ban;
  bool asks_score;
};
const HookRow kHookRows[] = {
    {"InterceptPeerDial", [](libp2p::Gater& g, const PeerId& p, const Multiaddr&) { return g.intercept_peer_dial(p); },
     true, false, true},
    {"InterceptAddrDial",
     [](libp2p::Gater& g, const PeerId& p, const Multiaddr& a) { return g.intercept_addr_dial(p, a); }, true, true,
     true},
    {"InterceptAccept", [](libp2p::Gater& g, const PeerId&, const Multiaddr& a) { return g.intercept_accept(a); },
     false, true, false},
    {"InterceptSecured inbound",
     [](libp2p::Gater& g, const PeerId& p, const Multiaddr& a) {
       return g.intercept_secured(Direction::inbound, p, a);
     },
     true, false, true},
    {"InterceptSecured outbound",
     [](libp2p::Gater& g, const PeerId& p, const Multiaddr& a) {
       return g.intercept_secured(Direction::outbound, p, a);
     },
     false, false, true},
    {"InterceptUpgraded",
     [](libp2p::Gater& g, const PeerId& p, const Multiaddr& a) {
       return g.intercept_upgraded(Direction::inbound, p, a);
     },
     false, false, false},
};

TEST_F(GatersTest, ask_at_each_hook_what_op_node_asks) {
  for (const auto& row : kHookRows) {
    bans = {};
    scores.clear();
    EXPECT_TRUE(row.ask(expiry, peer(1), here).has_value()) << row.name;
    EXPECT_TRUE(row.ask(scoring, peer(1), here).has_value()) << row.name;
    EXPECT_THAT(told, IsEmpty()) << row.name;
    bans.peers[peer(1)] = Ban();
    EXPECT_EQ(!row.ask(expiry, peer(1), here), row.asks_peer_ban) << row.name;
    bans.peers.clear();
    bans.ips["198.51.100.7"] = Ban();
    EXPECT_EQ(!row.ask(expiry, peer(1), here), row.asks_ip_ban) << row.name;
    scores[peer(1)] = -100.5;
    EXPECT_EQ(!row.ask(scoring, peer(1), here), row.asks_score) << row.name;
    EXPECT_EQ(told.size(), static_cast<std::size_t>(row.asks_peer_ban + row.asks_ip_ban + row.asks_score)) << row.name;
    told.clear();
  }
}

TEST_F(GatersTest, tell_the_score_that_keeps_a_peer_out) {
  scores[peer(1)] = -120.5;
  std::vector<std::optional<double>> seen;
  ScoringGater gater(
      inner, -100, [this](const PeerId& who) { return Result<std::optional<double>>(scores[who]); },
      [&seen](const GateRefused& refused) { seen.push_back(refused.score); });
  EXPECT_FALSE(gater.intercept_peer_dial(peer(1)));
  EXPECT_FALSE(gater.intercept_secured(Direction::inbound, peer(1), here));
  EXPECT_EQ(seen, (std::vector<std::optional<double>>{-120.5, -120.5}));
  ASSERT_TRUE(gater.refusal_of(peer(1)));
  EXPECT_EQ(gater.refusal_of(peer(1))->score, -120.5);
  EXPECT_FALSE(gater.refusal_of(peer(2)));
  EXPECT_EQ(seen.size(), 2U) << "to ask why is no refusal";
}

TEST_F(GatersTest, deny_what_cannot_be_read) {
  bans.broken = true;
  unreadable = true;
  for (const auto& row : kHookRows) {
    const auto by_ban = row.ask(expiry, peer(1), here);
    EXPECT_EQ(by_ban.has_error(), row.asks_peer_ban || row.asks_ip_ban) << row.name;
    EXPECT_EQ(row.ask(scoring, peer(1), here).has_error(), row.asks_score) << row.name;
  }
  EXPECT_THAT(told, Not(IsEmpty()));
  for (const auto& one : told) EXPECT_EQ(one.rule, GateRule::unreadable);
}

TEST_F(GatersTest, ask_the_inner_gater_first) {
  (void)inner->block_peer(peer(1));
  (void)inner->block_ip("198.51.100.7");
  bans.broken = true;
  unreadable = true;
  for (const auto& row : kHookRows) {
    const auto answer = row.ask(expiry, peer(1), here);
    if (!row.asks_peer_ban && !row.asks_ip_ban) continue;
    EXPECT_THAT(answer.error().text(), HasSubstr("blocked")) << row.name;
  }
  EXPECT_THAT(told, IsEmpty()) << "it was not their refusal";
}

TEST_F(GatersTest, allow_an_address_without_an_IP) {
  bans.ips["198.51.100.7"] = Ban();
  EXPECT_TRUE(expiry.intercept_accept(address("/memory/7")).has_value());
  EXPECT_TRUE(expiry.intercept_addr_dial(peer(1), address("/memory/7")).has_value());
}

TEST_F(GatersTest, know_a_banned_address_in_every_spelling) {
  bans.ips["198.51.100.7"] = Ban();
  for (const char* text : {"/ip4/198.51.100.7/tcp/1", "/ip6/::ffff:198.51.100.7/tcp/1", "/ip6/::ffff:c633:6407/tcp/1",
                           "/ip6/64:ff9b::c633:6407/tcp/1", "/ip6/2002:c633:6407::1/tcp/1"})
    EXPECT_FALSE(expiry.intercept_accept(address(text)).has_value()) << text;
  EXPECT_TRUE(expiry.intercept_accept(address("/ip4/198.51.100.8/tcp/1")).has_value());
}

TEST_F(GatersTest, close_what_is_open_for_a_ban_and_not_for_a_score) {
  EXPECT_TRUE(expiry.permits(peer(1), here).has_value());
  bans.peers[peer(1)].text = "it sent spam";
  EXPECT_THAT(expiry.permits(peer(1), here).error().text(), HasSubstr("it sent spam"));
  bans.peers.clear();
  bans.ips["198.51.100.7"] = Ban();
  EXPECT_FALSE(expiry.permits(peer(2), here).has_value());
  scores[peer(1)] = -1000;
  EXPECT_TRUE(scoring.permits(peer(1), here).has_value());
  EXPECT_THAT(told, IsEmpty()) << "asking tells nothing";
}

TEST_F(GatersTest, keep_the_minimum_and_spare_whom_nobody_asks_about) {
  scores[peer(1)] = -100;
  EXPECT_TRUE(scoring.intercept_peer_dial(peer(1)).has_value()) << "score >= minimum";
  scores[peer(1)] = std::nullopt;
  EXPECT_TRUE(scoring.intercept_peer_dial(peer(1)).has_value());
  EXPECT_TRUE(scoring.intercept_peer_dial(peer(2)).has_value()) << "an unknown peer counts as zero";
  ScoringGater strict(inner, 0.5, [](const PeerId&) { return std::optional<double>(0); }, on_refused);
  EXPECT_FALSE(strict.intercept_secured(Direction::inbound, peer(2), here).has_value());
  EXPECT_TRUE(strict.intercept_addr_dial(PeerId(), here).has_value()) << "nobody knows yet who is there";
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].rule, GateRule::score);
}

}  // namespace
}  // namespace opstack::reputation

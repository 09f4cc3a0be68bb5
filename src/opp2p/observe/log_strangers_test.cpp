// What strangers, and peers that are known, make a node write into its log, in virtual time.
#include "opp2p/observe/node_log_test_support.hpp"

namespace opp2p {
namespace {

using namespace testing_log;

constexpr std::size_t kStrangers = 2000;
constexpr std::size_t kAtOnce = 20;

TEST_F(LogOfANode, has_no_line_at_info_for_a_stranger_that_comes_and_goes) {
  Member member(world_, chain_, rng_);
  member.config.sequencer_key = secp256k1::generate(rng_);  // waits for no blocks
  member.start();
  world_.run_for(Seconds(1));
  const auto lines = member.kept->lines();
  std::size_t connected = 0;
  for (std::size_t done = 0; done < kStrangers; done += kAtOnce) {
    std::vector<std::unique_ptr<libp2p::Host>> hosts;
    std::vector<std::unique_ptr<runtime::TaskScope>> scopes;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      const auto at = world_.add_node();
      hosts.push_back(std::make_unique<libp2p::Host>(at.runtime(), stranger(rng_)));
      scopes.push_back(std::make_unique<runtime::TaskScope>(at.runtime()));
      scopes.back()->spawn(dial(*hosts.back(), member.address(), connected));
    }
    world_.run_for(Seconds(1));
    scopes.clear();
    hosts.clear();
    world_.run_for(Seconds(1));
  }
  EXPECT_EQ(connected, kStrangers);
  EXPECT_EQ(member.kept->lines(), lines) << member.kept->text();
}

TEST_F(LogOfANode, tells_of_static_peers_and_of_peers_that_brought_a_block) {
  Member follower(world_, chain_, rng_), sequencer(world_, chain_, rng_);
  trust(sequencer, follower);
  meet(sequencer, follower);
  const std::string id = sequencer.id().to_base58();
  EXPECT_EQ(sequencer.kept->count("msg=\"connected\"", "lvl=info"), 1u);
  EXPECT_EQ(follower.kept->count("connected", id), 0u) << follower.kept->text();

  publish(sequencer, 1);
  ASSERT_EQ(follower.node->head().number, 1u);
  world_.disconnect(follower.place.index(), sequencer.place.index());
  world_.run_for(Seconds(5));
  const auto left = follower.kept->line("msg=\"disconnected\" peer=" + id);
  EXPECT_NE(left.find("lvl=info"), left.npos) << follower.kept->text();
  EXPECT_NE(left.find("reason=\"reset: "), left.npos) << left;
  EXPECT_NE(left.find(" stayed=4.9s"), left.npos) << left;
  EXPECT_EQ(follower.kept->count("msg=\"connected\"", id), 1u);
}

TEST_F(LogOfANode, tells_of_a_known_peer_that_flaps_at_a_bounded_rate_and_how_much_was_left_out) {
  Member member(world_, chain_, rng_);
  const auto at = world_.add_node();
  auto known = stranger(rng_);
  known.limits.exempt.push_back(libp2p::Cidr::from_text("0.0.0.0/0").value());  // it takes every dial, however often
  libp2p::Host host(at.runtime(), std::move(known));
  ASSERT_TRUE(host.listen(Multiaddr::from_text("/ip4/" + at.ip4() + "/tcp/9222").value()));
  member.config.static_peers.push_back(host.listen_addresses().front().with_peer_id(host.id()));
  member.start();
  constexpr std::size_t kTimes = 300;
  std::size_t met = 0;
  for (std::size_t i = 0; i < kTimes; ++i) {
    met += world_.run_until([&] { return member.node->host().connected(host.id()); }, Seconds(5));
    world_.disconnect(member.place.index(), at.index());
    world_.run_until([&] { return !member.node->host().connected(host.id()); }, Seconds(5));
  }
  EXPECT_EQ(met, kTimes);
  const auto minutes = static_cast<std::size_t>(world_.now().time_since_epoch() / Seconds(60)) + 1;
  const auto told = member.kept->count("msg=\"connected\"", "lvl=info");
  EXPECT_GE(told, 50u);
  EXPECT_LE(told, 50 + 10 * minutes);
  EXPECT_GT(member.kept->count("msg=\"lines left out\" of=connected count=", "lvl=info"), 0u) << member.kept->text();
  member.stop();
  EXPECT_EQ(member.kept->count("lines left out", "of=\"static peer disconnected\""), 1u) << member.kept->text();
}

}  // namespace
}  // namespace opp2p

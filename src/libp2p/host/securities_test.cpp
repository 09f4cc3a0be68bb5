// Hosts that offer several security protocols, or others than their peer: which one they find, in how many round trips,
// and how they part when there is none.
#include "libp2p/host/host.hpp"
#include "libp2p/host/kinds.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using Names = std::vector<std::string>;

class SecuritiesTest : public HostTest {
 protected:
  std::unique_ptr<Host> make_host_with(const Names& securities) {
    HostConfig config(test_key(nodes.size() + 1));
    config.securities = securities_named(securities).value();
    return make_host(std::move(config));
  }

  // What a dial takes, in round trips; TCP's own is one of them.
  double round_trips(Host& from, const Host& to) {
    const auto before = world.now();
    const auto peer = dial(from, address_of(to));
    EXPECT_TRUE(peer) << peer.error().message();
    return std::chrono::duration<double>(world.now() - before) / std::chrono::duration<double>(kRoundTrip);
  }

  static constexpr Nanos kRoundTrip = Millis(40);  // of the simulated world
};

TEST_F(SecuritiesTest, plaintext_is_offered_only_when_it_is_named) {
  const auto names = security_names();
  EXPECT_NE(std::find(names.begin(), names.end(), "plaintext"), names.end());
  for (const auto& security : default_securities()) EXPECT_NE(security.id, "/plaintext/2.0.0");
  const auto usual = make_host();
  const auto plain = make_host_with({"plaintext"});
  EXPECT_EQ(dial(*plain, address_of(*usual)).error().code(), Errc::unsupported);
}

TEST_F(SecuritiesTest, hosts_with_plaintext_alone_echo_in_both_directions) {
  const auto a = make_host_with({"plaintext"});
  const auto b = make_host_with({"plaintext"});
  ASSERT_TRUE(dial(*a, address_of(*b)));
  const Bytes much(1 << 20, 7);
  EXPECT_TRUE(ask(*a, *b, much).bytes == much);
  EXPECT_TRUE(ask(*b, *a, much).bytes == much);
}

TEST_F(SecuritiesTest, the_wrong_peer_is_a_mismatch_in_plaintext_too) {
  const auto a = make_host_with({"plaintext"});
  const auto b = make_host_with({"plaintext"});
  const auto other = PeerId::from_public_key(test_key(99).public_key());
  const auto peer = dial(*a, b->listen_addresses()[0].with_peer_id(other));
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().code(), Errc::mismatch) << peer.error().message();
  EXPECT_NE(peer.error().text().find(other.to_base58()), std::string::npos) << peer.error().message();
  EXPECT_TRUE(a->connections().empty());
  world.run_for(Seconds(20));
  EXPECT_TRUE(b->connections().empty());
}

// With one security its first message rides with the proposal. With several the dialer waits for the answer: a listener
// that refuses the first would read that message as its next proposal.
TEST_F(SecuritiesTest, a_shared_one_is_found_whoever_offers_several_and_each_refusal_costs_a_round_trip) {
  struct Case {
    Names dialer, listener;
    double round_trips;
  };
  const Case cases[] = {
      {{"noise"}, {"noise"}, 2},
      {{"noise"}, {"noise", "plaintext"}, 2},
      {{"noise"}, {"plaintext", "noise"}, 2},
      {{"plaintext"}, {"plaintext"}, 3},  // its handshake settles no muxer
      {{"plaintext"}, {"noise", "plaintext"}, 3},
      {{"noise", "plaintext"}, {"noise"}, 3},
      {{"noise", "plaintext"}, {"plaintext", "noise"}, 3},  // the dialer's order decides
      {{"noise", "plaintext"}, {"plaintext"}, 4},
      {{"plaintext", "noise"}, {"noise"}, 4},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(testing::PrintToString(one.dialer) + " dials " + testing::PrintToString(one.listener));
    const auto a = make_host_with(one.dialer);
    const auto b = make_host_with(one.listener);
    EXPECT_NEAR(round_trips(*a, *b), one.round_trips, 0.1);
    EXPECT_EQ(as_text(ask(*a, *b, to_bytes("hello")).bytes), "hello");
    EXPECT_EQ(as_text(ask(*b, *a, to_bytes("and back")).bytes), "and back");
  }
}

TEST_F(SecuritiesTest, without_a_shared_one_the_dialer_says_what_it_has_proposed_and_nothing_stays_open) {
  for (const auto& [ours, theirs] :
       {std::pair(Names{"noise"}, Names{"plaintext"}), std::pair(Names{"plaintext"}, Names{"noise"})}) {
    const auto a = make_host_with(ours);
    const auto b = make_host_with(theirs);
    const auto peer = dial(*a, address_of(*b));
    ASSERT_FALSE(peer);
    EXPECT_EQ(peer.error().code(), Errc::unsupported) << peer.error().message();
    EXPECT_NE(peer.error().text().find(ours[0]), std::string::npos) << peer.error().message();
    EXPECT_TRUE(a->connections().empty());
    world.run_for(Seconds(20));
    EXPECT_TRUE(b->connections().empty());
  }
}

}  // namespace
}  // namespace libp2p

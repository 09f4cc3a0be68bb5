// Dials and listens through UpgradedTransport over TCP of a simulated world, with owners that only write down.
#include "libp2p/connection/upgraded_transport.hpp"

#include "libp2p/muxers/yamux/muxer.hpp"
#include "libp2p/security/noise/security.hpp"
#include "libp2p/transports/tcp/tcp_address.hpp"
#include "libp2p/transports/tcp/tcp_transport.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

struct Owner final : ConnectionOwner {
  std::vector<std::string> log;
  std::vector<std::unique_ptr<Connection>> connections;
  bool admits = true;
  bool takes = true;
  ConnectionId next = 1;
  Result<ConnectionId> admit(Direction direction, const Multiaddr&, const Multiaddr& remote) override {
    log.push_back("admit " + std::string(to_string(direction)));
    EXPECT_FALSE(remote.empty());
    if (!admits) return fail(Errc::denied, "the test admits nobody");
    return next++;
  }
  void on_half_open(std::unique_ptr<Connection> connection) override {
    log.push_back("half-open");
    connections.push_back(std::move(connection));
    connections.back()->start();
  }
  Result<void> on_ready(Connection&) override {
    log.push_back("ready");
    if (!takes) return fail(Errc::denied, "the test refuses the peer");
    return {};
  }
  void on_inbound_stream(Connection&, std::shared_ptr<StreamState>) override {}
  void on_closed(Connection&, const Error& why) override { log.push_back("closed " + why.message()); }
};

struct TransportSide {
  TransportSide(runtime::SimWorld& world, std::uint64_t seed) : node(world.add_node()), key(test_key(seed)) {}
  UpgradedTransport make() {
    return UpgradedTransport(std::make_unique<tcp::TcpTransport>(node.runtime()),
                             UpgradeSetup{node.runtime(), buffers, [this](std::optional<PeerId> expected) {
                                            ConnectionConfig config;
                                            config.kinds = kinds;
                                            config.expected_peer = std::move(expected);
                                            return config;
                                          }});
  }
  PeerId id() const { return PeerId::from_public_key(key.public_key()); }
  Multiaddr address() const { return tcp::to_multiaddr({node.ip4(), 9000}).value(); }

  runtime::SimNode node;
  crypto::PrivateKey key;
  std::shared_ptr<const ConnectionKinds> kinds =
      ConnectionKinds::make({noise::security()}, {yamux::muxer()}, key, node.runtime().rng()).value();
  IoBuffers buffers;
  Owner owner;
  UpgradedTransport transport = make();
};

class UpgradedTransportTest : public ::testing::Test {
 protected:
  void listen() { listening = far.transport.listen(far.address(), far.owner).value(); }
  void dial(std::optional<PeerId> peer) {
    dialling = near.transport.dial(far.address(), std::move(peer), near.owner, [this](Result<ConnectionId> id) {
      ASSERT_FALSE(outcome);
      outcome.emplace(std::move(id));
    });
    dialling->when_half_open([this] { near.owner.log.push_back("told half-open"); });
  }

  NothingLeft nothing_left;
  runtime::SimWorld world{5};
  TransportSide near{world, 1};
  TransportSide far{world, 2};
  std::unique_ptr<Listening> listening;
  std::unique_ptr<Dialling> dialling;
  std::optional<Result<ConnectionId>> outcome;
};

using Lines = std::vector<std::string>;

TEST_F(UpgradedTransportTest, a_dial_is_admitted_half_open_and_ready_with_its_owner_on_both_sides) {
  listen();
  dial(far.id());
  EXPECT_TRUE(near.owner.log.empty()) << "nothing happens inside the call";
  world.run_for(Seconds(1));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->value(), 1u);
  EXPECT_EQ(near.owner.log, (Lines{"admit outbound", "told half-open", "half-open", "ready"}));
  EXPECT_EQ(far.owner.log, (Lines{"admit inbound", "half-open", "ready"}));
  EXPECT_EQ(near.owner.connections[0]->facts().remote, far.address());
  EXPECT_EQ(far.owner.connections[0]->facts().local, far.address());
  EXPECT_EQ(far.owner.connections[0]->peer(), near.id());
  dialling.reset();
  world.run_for(Seconds(1));
  EXPECT_TRUE(near.owner.connections[0]->usable()) << "giving up a dial that has ended ends nothing";
}

TEST_F(UpgradedTransportTest, who_is_not_admitted_gets_no_handshake) {
  far.owner.admits = false;
  listen();
  dial(far.id());
  world.run_for(Seconds(1));
  EXPECT_EQ(far.owner.log, Lines{"admit inbound"});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code(), Errc::reset);
  near.owner.admits = false;
  outcome.reset();
  near.owner.log.clear();
  dial(far.id());
  world.run_for(Seconds(1));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().text(), "the test admits nobody");
  EXPECT_EQ(near.owner.log, Lines{"admit outbound"});
}

TEST_F(UpgradedTransportTest, an_owner_that_refuses_the_peer_and_another_peer_are_the_dials_error) {
  listen();
  near.owner.takes = false;
  dial(far.id());
  world.run_for(Seconds(1));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().text(), "the test refuses the peer");
  outcome.reset();
  dial(near.id());
  world.run_for(Seconds(1));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code(), Errc::mismatch);
}

TEST_F(UpgradedTransportTest, a_dial_that_is_given_up_before_the_far_end_answers_makes_no_connection) {
  listen();
  dial(far.id());
  dialling.reset();
  world.run_for(Seconds(30));
  EXPECT_FALSE(outcome);
  EXPECT_TRUE(near.owner.log.empty());
  EXPECT_TRUE(far.owner.log.empty() || far.owner.log.back().starts_with("closed")) << far.owner.log.back();
}

TEST_F(UpgradedTransportTest, a_dial_that_is_given_up_in_its_handshake_closes_its_connection_and_socket) {
  std::unique_ptr<runtime::Socket> mute;
  const auto listener =
      far.node.runtime().listen({far.node.ip4(), 9000}, [&mute](auto socket) { mute = std::move(socket); });
  dial(far.id());
  world.run_for(Seconds(1));
  ASSERT_TRUE(mute);
  ASSERT_EQ(near.owner.log.back(), "half-open");
  dialling.reset();
  world.run_for(Seconds(1));
  EXPECT_EQ(near.owner.log.back(), "closed cancelled: nobody waits for the dial any more");
  EXPECT_FALSE(outcome);
  Bytes in(4096);
  ASSERT_TRUE(mute->read(in));  // what it said first
  const auto end = mute->read(in);
  EXPECT_TRUE(!end || *end == 0) << "the socket is still open";
}

TEST_F(UpgradedTransportTest, a_taken_address_and_one_of_another_kind_are_refused) {
  listen();
  const auto again = far.transport.listen(far.address(), far.owner);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Errc::io);
  EXPECT_NE(again.error().text().find("10.0.0.2:9000 failed: the address is in use"), std::string::npos)
      << again.error().text();
  const auto other = Multiaddr::from_text("/memory/7").value();
  EXPECT_FALSE(near.transport.can_dial(other));
  EXPECT_FALSE(near.transport.listen(other, near.owner));
  dialling = near.transport.dial(other, std::nullopt, near.owner,
                                 [this](Result<ConnectionId> id) { outcome.emplace(std::move(id)); });
  EXPECT_FALSE(outcome);
  world.run_for(Seconds(1));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code(), Errc::unsupported);
  listening.reset();
  EXPECT_TRUE(far.transport.listen(far.address(), far.owner));
}

}  // namespace
}  // namespace libp2p

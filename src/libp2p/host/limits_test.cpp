// The bounds of a host: each refuses with an error that names it, and counts.
#include <gmock/gmock.h>

#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using runtime::Task;
using runtime::TaskScope;
using ::testing::HasSubstr;

class LimitsTest : public HostTest {
 protected:
  HostConfig config_of(std::uint64_t seed) { return HostConfig(test_key(seed)); }
  // A TCP connection that never says anything, from an address of its own or from the node's.
  std::unique_ptr<runtime::Socket> mute(const Host& to) { return mute(to, world.add_node()); }
  std::unique_ptr<runtime::Socket> mute(const Host& to, runtime::SimNode node) {
    std::unique_ptr<runtime::Socket> socket;
    const auto ip = to.listen_addresses()[0].value_of(multiformats::Protocol::ip4).value();
    const auto operation = node.runtime().connect({ip, 9000}, [&socket](Result<std::unique_ptr<runtime::Socket>> s) {
      if (s) socket = std::move(*s);
    });
    world.run_for(Millis(100));
    return socket;
  }
};

TEST_F(LimitsTest, half_open_connections_are_bounded) {
  auto config = config_of(1);
  config.limits.pending_inbound = 3;
  config.limits.pending_silence = Seconds(1);  // none of the five is old enough to go
  const auto a = make_host(std::move(config));
  Diary diary(*a);
  std::vector<std::unique_ptr<runtime::Socket>> sockets;
  for (int i = 0; i < 5; ++i) sockets.push_back(mute(*a));
  EXPECT_EQ(SocketConnection::live(), 3);
  EXPECT_EQ(a->counters().refused_pending_inbound, 2u);
  ASSERT_EQ(diary.lines.size(), 2u);
  EXPECT_THAT(diary.lines[0], HasSubstr("3 half-open inbound connections is the limit (Limits::pending_inbound)"));
  // When they have timed out, there is room again.
  world.run_for(Seconds(11));
  const auto b = make_host();
  EXPECT_TRUE(dial(*b, address_of(*a)));
}

TEST_F(LimitsTest, a_handshake_that_does_not_end_makes_room_for_a_newcomer) {
  auto config = config_of(1);
  config.limits.pending_inbound = 3;
  const auto a = make_host(std::move(config));
  std::vector<std::unique_ptr<runtime::Socket>> sockets;
  for (int i = 0; i < 3; ++i) sockets.push_back(mute(*a));
  world.run_for(Seconds(2));
  Diary diary(*a);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(dial(*make_host(), address_of(*a))) << i;
  EXPECT_EQ(a->counters().refused_pending_inbound, 0u);
  EXPECT_GE(diary.lines.size(), 1u);
  EXPECT_THAT(diary.lines[0], HasSubstr("a newcomer needs the place of a handshake that does not end"));
  EXPECT_LE(SocketConnection::live(), 3 + 2 * 4);
}

TEST_F(LimitsTest, an_address_with_more_half_open_connections_makes_room_for_a_newcomer_of_another_at_once) {
  auto config = config_of(1);
  config.limits.pending_inbound = 3;
  config.limits.pending_silence = Seconds(8);
  const auto a = make_host(std::move(config));
  const auto flooder = world.add_node();
  std::vector<std::unique_ptr<runtime::Socket>> sockets;
  for (int i = 0; i < 3; ++i) sockets.push_back(mute(*a, flooder));
  EXPECT_TRUE(dial(*make_host(), address_of(*a)));
  EXPECT_EQ(a->counters().evicted_pending_inbound, 1u);
  // The flooder's own newcomer would hold as many as the fullest: for it nobody goes.
  sockets.push_back(mute(*a, flooder));
  sockets.push_back(mute(*a, flooder));
  EXPECT_EQ(a->counters().evicted_pending_inbound, 1u);
  EXPECT_EQ(a->counters().refused_pending_inbound, 1u);
}

TEST_F(LimitsTest, a_handshake_that_has_begun_has_more_patience_than_one_that_has_not) {
  for (const bool begun : {false, true}) {
    auto config = config_of(1);
    config.limits.pending_inbound = 2;
    config.limits.pending_silence = Millis(100);
    config.limits.pending_patience = Seconds(5);
    const auto a = make_host(std::move(config));
    std::vector<std::unique_ptr<runtime::Socket>> sockets;
    for (int i = 0; i < 2; ++i) {
      sockets.push_back(mute(*a));
      if (begun) {
        ASSERT_TRUE(sockets.back()->write(as_bytes("\x13/multistream/1.0.0\n")));
      }
    }
    world.run_for(Seconds(1));
    EXPECT_EQ(dial(*make_host(), address_of(*a)).has_value(), !begun);
    EXPECT_EQ(a->counters().evicted_pending_inbound, begun ? 0u : 1u);
  }
}

TEST_F(LimitsTest, a_handshake_that_has_not_begun_goes_before_an_older_one_that_has) {
  auto config = config_of(1);
  config.limits.pending_inbound = 2;
  config.limits.pending_silence = Millis(100);
  config.limits.pending_patience = Seconds(5);
  const auto a = make_host(std::move(config));
  const auto begun = mute(*a);
  ASSERT_TRUE(begun->write(as_bytes("\x13/multistream/1.0.0\n")));
  const auto silent = mute(*a);
  world.run_for(Seconds(1));
  EXPECT_TRUE(dial(*make_host(), address_of(*a)));
  Bytes in(100);
  ASSERT_TRUE(silent->read(in)) << "the greeting";
  const auto end = silent->read(in);
  ASSERT_TRUE(end) << "it is still open";
  EXPECT_EQ(*end, 0u);
}

TEST_F(LimitsTest, a_handshake_that_waits_for_its_turn_has_begun) {
  auto config = config_of(1);
  config.limits.pending_inbound = 2;
  config.limits.pending_silence = Millis(100);
  config.limits.pending_patience = Seconds(5);
  config.limits.handshakes = {0.01, 1};
  const auto a = make_host(std::move(config));
  std::vector<std::unique_ptr<runtime::Socket>> sockets;
  for (int i = 0; i < 2; ++i) {
    sockets.push_back(mute(*a));
    ASSERT_TRUE(sockets.back()->write(as_bytes("\x13/multistream/1.0.0\n")));
  }
  world.run_for(Seconds(1));
  ASSERT_EQ(a->counters().delayed_handshakes, 1u);
  EXPECT_FALSE(dial(*make_host(), address_of(*a)));
  EXPECT_EQ(a->counters().evicted_pending_inbound, 0u);
}

TEST_F(LimitsTest, half_open_connections_count_for_their_address) {
  auto config = config_of(1);
  config.limits.connections_per_address = 2;
  const auto a = make_host(std::move(config));
  Diary diary(*a);
  const auto flooder = world.add_node();
  std::vector<std::unique_ptr<runtime::Socket>> sockets;
  for (int i = 0; i < 3; ++i) sockets.push_back(mute(*a, flooder));
  EXPECT_EQ(a->counters().refused_per_address, 1u);
  ASSERT_EQ(diary.lines.size(), 1u);
  EXPECT_THAT(diary.lines[0],
              HasSubstr("2 inbound connections from 10.0.0.2 is the limit (Limits::connections_per_address, "
                        "--p2p.limits.address.conns)"));
  const auto b = make_host();
  EXPECT_TRUE(dial(*b, address_of(*a)));
  // A handshake that does not end makes room for a newcomer of its own address, and when all have timed out they may
  // come again.
  world.run_for(Seconds(2));
  sockets.push_back(mute(*a, flooder));
  EXPECT_EQ(a->counters().evicted_pending_inbound, 1u);
  world.run_for(Seconds(11));
  for (int i = 0; i < 2; ++i) sockets.push_back(mute(*a, flooder));
  EXPECT_EQ(a->counters().refused_per_address, 1u);
}

TEST_F(LimitsTest, inbound_connections_are_bounded_and_outbound_ones_do_not_count) {
  auto config = config_of(1);
  config.limits.inbound_connections = 2;
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  const auto c = make_host();
  const auto d = make_host();
  EXPECT_TRUE(dial(*b, address_of(*a)));
  EXPECT_TRUE(dial(*c, address_of(*a)));
  world.run_for(Seconds(1));
  EXPECT_FALSE(dial(*d, address_of(*a)));
  EXPECT_EQ(a->counters().refused_inbound_connections, 1u);
  EXPECT_TRUE(dial(*a, address_of(*d)));
  EXPECT_EQ(a->connections().size(), 3u);
  EXPECT_TRUE(b->disconnect(a->id(), "makes room"));
  world.run_for(Seconds(1));
  const auto e = make_host();
  EXPECT_TRUE(dial(*e, address_of(*a)));
}

TEST_F(LimitsTest, dials_under_way_are_bounded) {
  auto config = config_of(1);
  config.limits.pending_dials = 2;
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  world.partition({{0}, {1}});
  std::vector<Outcome> out(3);
  TaskScope scope(a->runtime());
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto id = PeerId::from_public_key(test_key(100 + i).public_key());
    scope.spawn(connect(*a, b->listen_addresses()[0].with_peer_id(id), &out[i]));
  }
  world.run_for(Seconds(1));
  EXPECT_EQ(out[0].text(), "pending");
  EXPECT_EQ(out[1].text(), "pending");
  EXPECT_EQ(out[2].peer->error().code(), Errc::exhausted);
  EXPECT_THAT(out[2].text(), HasSubstr("2 dials are under way, which is the limit (Limits::pending_dials)"));
  world.run_for(Seconds(60));
  EXPECT_EQ(scope.running(), 0u);
}

Task<void> hold(Stream stream, std::vector<Stream>* held) {
  held->push_back(std::move(stream));
  co_return;
}

Task<void> open_many(Host& host, PeerId peer, std::size_t count, std::vector<Stream>* kept,
                     std::vector<Errc>* refused) {
  for (std::size_t i = 0; i < count; ++i) {
    PeerId to = peer;
    std::vector<std::string> protocols{"/hold/1", "/hold/2"};  // two: waits for the answer
    auto opening = host.open_stream(std::move(to), std::move(protocols));
    auto opened = co_await opening;
    if (opened) {
      kept->push_back(std::move(*opened));
    } else {
      refused->push_back(opened.error().code());
    }
  }
}

TEST_F(LimitsTest, inbound_streams_of_a_connection_are_bounded) {
  auto config = config_of(1);
  config.limits.streams_per_connection = 4;
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  std::vector<Stream> held;
  a->set_stream_handler("/hold/1", [&held](Stream stream) { return hold(std::move(stream), &held); });
  ASSERT_TRUE(dial(*b, address_of(*a)));
  std::vector<Stream> kept;
  std::vector<Errc> refused;
  ASSERT_TRUE(run(*b, open_many(*b, a->id(), 6, &kept, &refused)));
  EXPECT_EQ(kept.size(), 4u);
  EXPECT_EQ(refused, (std::vector<Errc>{Errc::reset, Errc::reset}));
  EXPECT_EQ(held.size(), 4u);
  // A stream that ends makes room for one.
  kept.pop_back();
  held.pop_back();
  world.run_for(Seconds(1));
  ASSERT_TRUE(run(*b, open_many(*b, a->id(), 1, &kept, &refused)));
  EXPECT_EQ(kept.size(), 4u);
}

TEST_F(LimitsTest, connections_of_one_peer_are_bounded) {
  auto config = config_of(1);
  config.limits.connections_per_peer = 1;
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  Diary diary(*a);
  Outcome there;
  Outcome back;
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, address_of(*b), &there));
  scope.spawn(connect(*b, address_of(*a), &back));
  world.run_for(Seconds(5));
  EXPECT_EQ(a->connections().size(), 1u);
  EXPECT_EQ(b->connections().size(), 1u);
  EXPECT_EQ(a->counters().refused_connections_per_peer, 1u);
}

TEST_F(LimitsTest, above_the_high_water_the_least_valuable_go_down_to_the_low) {
  auto config = config_of(1);
  config.connection_manager = {3, 5, Seconds(30), Seconds(60)};
  const auto a = make_host(std::move(config));
  std::vector<std::unique_ptr<Host>> others;
  for (int i = 0; i < 6; ++i) {
    others.push_back(make_host());
    ASSERT_TRUE(dial(*others.back(), address_of(*a)));
  }
  a->protect(others[0]->id(), "kept");
  a->set_value(others[4]->id(), "useful", 10);
  a->set_value(others[3]->id(), "useful", 5);
  world.run_for(Seconds(20));
  EXPECT_EQ(a->connections().size(), 6u) << "the young are spared";
  world.run_for(Seconds(15));
  EXPECT_EQ(a->connected_peers().size(), 3u);
  EXPECT_TRUE(a->connected(others[0]->id()));
  EXPECT_TRUE(a->connected(others[4]->id()));
  EXPECT_TRUE(a->connected(others[3]->id()));
  EXPECT_EQ(a->counters().trimmed, 3u);
  // No second trim within the silence.
  for (const int i : {1, 2, 5}) ASSERT_TRUE(dial(*others[i], address_of(*a)));
  world.run_for(Seconds(35));
  EXPECT_EQ(a->connections().size(), 6u);
  world.run_for(Seconds(30));
  EXPECT_EQ(a->connections().size(), 3u);
}

TEST_F(LimitsTest, half_open_connections_do_not_count_for_the_high_water) {
  auto config = config_of(1);
  config.connection_manager = {2, 5, Seconds(1), Seconds(2)};
  const auto a = make_host(std::move(config));
  std::vector<std::unique_ptr<Host>> others;
  for (int i = 0; i < 4; ++i) {
    others.push_back(make_host());
    ASSERT_TRUE(dial(*others.back(), address_of(*a)));
  }
  std::vector<std::unique_ptr<runtime::Socket>> sockets;
  for (int i = 0; i < 3; ++i) sockets.push_back(mute(*a));
  world.run_for(Seconds(8));
  EXPECT_EQ(a->connected_peers().size(), 4u);
  EXPECT_EQ(a->counters().trimmed, 0u);
}

}  // namespace
}  // namespace libp2p

// Attacks on a host's shared pools, each from simulated addresses of its own: places of connections, half-open places,
// and the memory of unread streams. A bound falls on whoever fills it and not on whoever comes next.
#include <gmock/gmock.h>

#include "libp2p/services/static_peers/static_peers.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using runtime::Task;
using runtime::TaskScope;
using ::testing::HasSubstr;

class AttackTest : public HostTest {
 protected:
  HostConfig config_of(std::uint64_t seed) {
    HostConfig config(test_key(seed));
    config.connection_manager.high = 1000;
    return config;
  }
  // Another identity at the address of `node`.
  std::unique_ptr<Host> identity_at(runtime::SimNode node) {
    return std::make_unique<Host>(node.runtime(), HostConfig(test_key(1000 + next_identity_++)));
  }
  // Keeps a TCP connection that says nothing.
  void open_mute(runtime::SimNode from, const Host& to) {
    const auto ip = to.listen_addresses()[0].value_of(multiformats::Protocol::ip4).value();
    mute_.push_back(nullptr);
    const std::size_t at = mute_.size() - 1;
    dials_.push_back(from.runtime().connect({ip, 9000}, [this, at](Result<std::unique_ptr<runtime::Socket>> socket) {
      if (socket) mute_[at] = std::move(*socket);
    }));
  }
  // From now on `node` opens `per_second` connections that say nothing.
  void flood(runtime::SimNode node, const Host& to, int per_second, Nanos duration) {
    for (int i = 0; i < per_second * (duration / Seconds(1)); ++i) {
      world.at(world.now() + i * Nanos(Seconds(1)) / per_second, [this, node, &to] { open_mute(node, to); });
    }
  }
  void TearDown() override {
    dials_.clear();
    mute_.clear();
  }

 private:
  std::uint64_t next_identity_ = 0;
  std::vector<std::unique_ptr<runtime::Socket>> mute_;
  std::vector<std::unique_ptr<runtime::Operation>> dials_;
};

TEST_F(AttackTest, one_address_takes_eight_inbound_places_and_not_a_ninth) {
  const auto a = make_host(config_of(1));
  Diary diary(*a);
  const auto node = world.add_node();
  std::vector<std::unique_ptr<Host>> identities;
  std::size_t connected = 0;
  for (int i = 0; i < 12; ++i) {
    identities.push_back(identity_at(node));
    if (dial(*identities.back(), address_of(*a))) ++connected;
  }
  EXPECT_EQ(connected, 8u);
  EXPECT_EQ(a->connections().size(), 8u);
  ASSERT_FALSE(diary.lines.empty());
  EXPECT_THAT(diary.lines.back(), HasSubstr("8 inbound connections from 10.0.0.2 is the limit"));
  const auto other = make_host(config_of(2));
  EXPECT_TRUE(dial(*other, address_of(*a)));
}

TEST_F(AttackTest, a_block_of_ip6_has_shares_of_its_own) {
  // All simulated nodes are in one /56: fd00::/56.
  const auto a = make_host(config_of(1));
  Diary diary(*a);
  std::vector<std::unique_ptr<Host>> others;
  std::size_t connected = 0;
  for (int i = 0; i < 10; ++i) {
    others.push_back(make_host(config_of(10 + i)));
    if (dial(*others.back(), address_of(*a, 1))) ++connected;
  }
  EXPECT_EQ(connected, 8u);
  EXPECT_EQ(a->counters().refused_per_address, 2u);
  EXPECT_THAT(diary.lines.back(),
              HasSubstr("8 inbound connections from fd00::/56 is the limit (Limits::connections_per_address, "
                        "--p2p.limits.address.conns)"));
}

TEST_F(AttackTest, an_exempt_address_has_no_share) {
  auto config = config_of(1);
  config.limits.exempt = {Cidr::from_text("10.0.0.0/24").value()};
  const auto a = make_host(std::move(config));
  const auto node = world.add_node();
  std::vector<std::unique_ptr<Host>> identities;
  for (int i = 0; i < 20; ++i) {
    identities.push_back(identity_at(node));
    EXPECT_TRUE(dial(*identities.back(), address_of(*a))) << i;
  }
  world.run_for(Seconds(1));
  EXPECT_EQ(a->connections().size(), 20u);
}

TEST_F(AttackTest, sixteen_connections_of_an_address_come_at_once_and_then_one_each_five_seconds) {
  const auto a = make_host(config_of(1));
  Diary diary(*a);
  const auto node = world.add_node();
  const auto try_once = [&] {
    const auto identity = identity_at(node);
    const bool in = dial(*identity, address_of(*a)).has_value();
    identity->disconnect(a->id(), "makes room");
    world.run_for(Millis(100));
    return in;
  };
  int in = 0;
  const MonoTime begun = world.now();
  for (int i = 0; i < 25; ++i) in += try_once() ? 1 : 0;
  const auto refilled = static_cast<int>((world.now() - begun) / Seconds(5));
  EXPECT_EQ(in, 16 + refilled);
  EXPECT_EQ(a->counters().refused_address_rate, 25u - in);
  EXPECT_EQ(diary.lines.back(),
            "refused exhausted: new connections from 10.0.0.2 come too fast: 16 at once and 0.2 a second is the limit "
            "(Limits::address_rate, --p2p.limits.address.rate and .burst)");
  world.run_for(Seconds(5));
  EXPECT_TRUE(try_once());
}

TEST_F(AttackTest, when_all_places_are_taken_the_fullest_address_gives_way_and_who_has_delivered_stays) {
  auto config = config_of(1);
  config.limits.inbound_connections = 10;
  const auto a = make_host(std::move(config));
  std::vector<std::unique_ptr<Host>> others;
  const auto join = [&](runtime::SimNode node) {
    others.push_back(identity_at(node));
    EXPECT_TRUE(dial(*others.back(), address_of(*a)));
    world.run_for(Millis(300));
    return others.back()->id();
  };
  const auto crowded = world.add_node();
  const PeerId proven = join(crowded);
  const PeerId kept = join(crowded);
  const PeerId oldest = join(crowded);
  for (int i = 0; i < 3; ++i) join(crowded);
  std::vector<PeerId> alone;
  for (int i = 0; i < 4; ++i) alone.push_back(join(world.add_node()));
  ASSERT_EQ(a->connections().size(), 10u);
  a->mark_proven(proven);
  a->protect(kept, "kept");
  a->spare(oldest, "mesh");  // against the trimmer only: whoever asks for a place in a mesh gets one
  const PeerId first = join(world.add_node());
  EXPECT_TRUE(a->connected(first));
  EXPECT_FALSE(a->connected(oldest));
  EXPECT_TRUE(a->connected(proven));
  EXPECT_TRUE(a->connected(kept));
  EXPECT_EQ(a->counters().evicted_inbound_connections, 1u);
  // Until nobody shares an address with another that is not proven: then the young stay, and the newcomer is refused.
  for (const auto& info : a->connections()) a->mark_proven(info.peer);
  const auto late = make_host(config_of(90));
  EXPECT_FALSE(dial(*late, address_of(*a)));
  EXPECT_EQ(a->connections().size(), 10u);
  EXPECT_EQ(a->counters().refused_inbound_connections, 1u);
}

TEST_F(AttackTest, the_address_of_a_static_peer_has_no_share_also_when_it_is_a_name) {
  const auto a = make_host(config_of(1));
  const auto b = make_host(config_of(2));
  world.add_name("peer.example", {nodes[1].ip4()});
  StaticPeers peers(*a);
  ASSERT_TRUE(peers.add(Multiaddr::from_text("/dns4/peer.example/tcp/9000").value().with_peer_id(b->id())));
  world.run_for(Seconds(2));
  ASSERT_TRUE(a->connected(b->id()));
  EXPECT_TRUE(a->address_blocks(b->listen_addresses()[0]).is_exempt());
  std::vector<std::unique_ptr<Host>> identities;
  for (int i = 0; i < 12; ++i) {
    identities.push_back(identity_at(nodes[1]));
    EXPECT_TRUE(dial(*identities.back(), address_of(*a))) << i;
  }
  peers.remove(b->id());
  EXPECT_FALSE(a->address_blocks(b->listen_addresses()[0]).is_exempt());
}

TEST_F(AttackTest, handshakes_beyond_the_budget_wait_and_are_not_lost) {
  auto config = config_of(1);
  config.limits.handshakes = {10, 2};
  const auto a = make_host(std::move(config));
  std::vector<std::unique_ptr<Host>> others;
  std::vector<Outcome> outcomes(20);
  std::vector<std::unique_ptr<TaskScope>> scopes;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    others.push_back(make_host(config_of(10 + i)));
    scopes.push_back(std::make_unique<TaskScope>(others.back()->runtime()));
    scopes.back()->spawn(connect(*others.back(), address_of(*a), &outcomes[i]));
  }
  world.run_for(Seconds(1));
  EXPECT_GE(a->connections().size(), 8u);
  EXPECT_LE(a->connections().size(), 12u);
  world.run_for(Seconds(1));
  EXPECT_EQ(a->connections().size(), 20u);
  EXPECT_GE(a->counters().delayed_handshakes, 17u);
}

TEST_F(AttackTest,
       a_newcomer_is_let_in_within_two_seconds_beside_eight_addresses_that_open_fifty_connections_a_second) {
  const auto a = make_host(config_of(1));
  for (int i = 0; i < 8; ++i) flood(world.add_node(), *a, 50, Seconds(12));
  for (int i = 0; i < 4; ++i) {
    world.run_for(Millis(2300));
    const auto newcomer = make_host(config_of(50 + i));
    Outcome out;
    const MonoTime begun = world.now();
    TaskScope scope(newcomer->runtime());
    scope.spawn(connect(*newcomer, address_of(*a), &out));
    EXPECT_TRUE(world.run_until([&out] { return out.peer.has_value(); }, Seconds(2))) << i;
    EXPECT_EQ(out.text(), "ok") << "after " << (world.now() - begun) / Millis(1) << " ms";
    world.run_for(Millis(200));
    EXPECT_TRUE(a->connected(newcomer->id()));
  }
}

TEST_F(AttackTest, connections_that_say_nothing_make_room_also_where_no_address_has_a_share) {
  auto config = config_of(1);
  config.limits.exempt.push_back(Cidr::from_text("0.0.0.0/0").value());
  const auto a = make_host(std::move(config));
  const auto attacker = world.add_node();
  for (std::size_t i = 0; i < 2 * a->config().limits.pending_inbound; ++i) open_mute(attacker, *a);
  world.run_for(Millis(200));
  for (int i = 0; i < 4; ++i) {
    const auto newcomer = make_host(config_of(50 + i));
    Outcome out;
    TaskScope scope(newcomer->runtime());
    scope.spawn(connect(*newcomer, address_of(*a), &out));
    world.run_until([&out] { return out.peer.has_value(); }, Seconds(2));
    EXPECT_EQ(out.text(), "ok") << i;
  }
}

Task<void> keep(Stream stream, std::vector<Stream>* kept) {
  kept->push_back(std::move(stream));
  co_return;
}

// Writes until the peer's window is full.
Task<void> fill_window(Host& host, PeerId peer) {
  std::vector<std::string> protocols{"/keep/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  if (!opened) co_return;
  Stream stream = std::move(*opened);
  const Bytes all(600'000);
  auto writing = stream.write(all);
  const auto written = co_await writing;
  (void)written;
  co_await runtime::sleep_for(host.runtime(), std::chrono::hours(1));
}

TEST_F(AttackTest, unread_streams_hold_no_more_than_their_share_of_the_hosts_memory) {
  auto config = config_of(1);
  config.limits.memory = 8 << 20;
  const auto a = make_host(std::move(config));
  std::vector<Stream> kept;
  a->set_stream_handler("/keep/1", [&kept](Stream stream) { return keep(std::move(stream), &kept); });
  std::vector<std::unique_ptr<Host>> attackers;
  std::vector<std::unique_ptr<TaskScope>> scopes;
  for (int i = 0; i < 5; ++i) {
    attackers.push_back(make_host());
    ASSERT_TRUE(dial(*attackers.back(), address_of(*a)));
    scopes.push_back(std::make_unique<TaskScope>(attackers.back()->runtime()));
    for (int s = 0; s < 10; ++s) scopes.back()->spawn(fill_window(*attackers.back(), a->id()));
  }
  world.run_for(Seconds(10));
  std::size_t alive = 0;
  for (const auto& stream : kept) alive += stream.alive() ? 1 : 0;
  EXPECT_LE(alive * 256 * 1024, a->config().limits.memory / 2) << alive << " streams hold a window each";
  EXPECT_GT(alive, 10u);
  EXPECT_LE(a->memory().used(), a->config().limits.memory);
  EXPECT_EQ(a->counters().reset_for_memory, 50 - alive);
  kept.clear();
}

TEST_F(AttackTest, who_holds_most_unread_bytes_loses_a_stream_and_others_keep_theirs) {
  auto config = config_of(1);
  config.limits.memory = 8 << 20;
  const auto a = make_host(std::move(config));
  std::vector<Stream> kept;
  a->set_stream_handler("/keep/1", [&kept](Stream stream) { return keep(std::move(stream), &kept); });
  const auto honest = make_host(config_of(2));
  ASSERT_TRUE(dial(*honest, address_of(*a)));
  TaskScope honest_scope(honest->runtime());
  honest_scope.spawn(fill_window(*honest, a->id()));
  world.run_for(Seconds(1));
  // Four identities of one address, of which each holds less than one of a larger address would, and all together most.
  const auto node = world.add_node();
  std::vector<std::unique_ptr<Host>> attackers;
  std::vector<std::unique_ptr<TaskScope>> scopes;
  for (int i = 0; i < 4; ++i) {
    attackers.push_back(identity_at(node));
    ASSERT_TRUE(dial(*attackers.back(), address_of(*a)));
    scopes.push_back(std::make_unique<TaskScope>(attackers.back()->runtime()));
    for (int s = 0; s < 8; ++s) scopes.back()->spawn(fill_window(*attackers.back(), a->id()));
  }
  world.run_for(Seconds(5));
  EXPECT_GT(a->counters().reset_for_memory, 10u);
  ASSERT_FALSE(kept.empty());
  EXPECT_EQ(kept.front().peer(), honest->id());
  EXPECT_TRUE(kept.front().alive());
  // What was reset says why, and what has gone is given back.
  kept.clear();
  scopes.clear();
  attackers.clear();
  world.run_for(Seconds(1));
  EXPECT_EQ(a->memory().used(), a->peerstore().bytes());
}

Task<void> read_all(Stream stream, std::size_t* read) {
  Bytes buffer(256 * 1024);
  for (;;) {
    auto reading = stream.read_some(buffer);
    const auto n = co_await reading;
    if (!n || *n == 0) break;
    *read += *n;
  }
}

// The throughput of a reader who keeps up beside somebody who holds all the room that there is.
TEST_F(AttackTest, a_reader_who_keeps_up_gets_larger_windows_beside_one_who_holds_all_room) {
  const auto throughput = [this](bool attacked) {
    auto config = config_of(attacked ? 1 : 2);
    config.limits.memory = 32 << 20;
    const auto a = make_host(std::move(config));
    std::vector<Stream> kept;
    std::size_t read = 0;
    a->set_stream_handler("/keep/1", [&kept](Stream stream) { return keep(std::move(stream), &kept); });
    a->set_stream_handler("/sink/1", [&read](Stream stream) { return read_all(std::move(stream), &read); });
    const auto attacker = make_host(config_of(attacked ? 3 : 4));
    EXPECT_TRUE(dial(*attacker, address_of(*a)));
    TaskScope scope(attacker->runtime());
    for (int s = 0; attacked && s < 100; ++s) scope.spawn(fill_window(*attacker, a->id()));
    world.run_for(Seconds(10));
    const auto honest = make_host(config_of(attacked ? 5 : 6));
    EXPECT_TRUE(dial(*honest, address_of(*a)));
    TaskScope honest_scope(honest->runtime());
    std::size_t written = 0;
    honest_scope.spawn(write_forever(*honest, a->id(), &written));
    world.run_for(Seconds(1));
    kept.clear();
    return read;
  };
  const std::size_t alone = throughput(false);
  const std::size_t beside = throughput(true);
  EXPECT_GT(alone, 10u << 20);
  EXPECT_GE(beside, alone / 10 * 8);
}

TEST_F(AttackTest, a_dial_that_nobody_waits_for_leaves_the_queue) {
  auto config = config_of(1);
  config.limits.pending_dials = 2;
  const auto a = make_host(std::move(config));
  const auto b = make_host(config_of(2));
  world.partition({{0}, {1}});
  std::vector<Outcome> out(3);
  {
    TaskScope scope(a->runtime());
    for (std::uint64_t i = 0; i < 2; ++i) {
      const auto id = PeerId::from_public_key(test_key(100 + i).public_key());
      scope.spawn(connect(*a, b->listen_addresses()[0].with_peer_id(id), &out[i]));
    }
    world.run_for(Seconds(1));
  }
  EXPECT_EQ(a->counters().abandoned_dials, 2u);
  world.heal();
  world.run_for(Millis(1));
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, address_of(*b), &out[2]));
  world.run_for(Seconds(5));
  EXPECT_EQ(out[2].text(), "ok");
  EXPECT_EQ(a->counters().refused_pending_dials, 0u);
}

TEST_F(AttackTest, who_has_delivered_is_trimmed_last_and_many_streams_are_no_merit) {
  auto config = HostConfig(test_key(1));
  config.connection_manager = {2, 4, Seconds(30), Seconds(60), false};
  const auto a = make_host(std::move(config));
  std::vector<Stream> kept;
  a->set_stream_handler("/keep/1", [&kept](Stream stream) { return keep(std::move(stream), &kept); });
  std::vector<std::unique_ptr<Host>> others;
  std::vector<std::unique_ptr<TaskScope>> scopes;
  for (int i = 0; i < 5; ++i) {
    others.push_back(make_host(config_of(10 + i)));
    ASSERT_TRUE(dial(*others.back(), address_of(*a)));
    scopes.push_back(std::make_unique<TaskScope>(others.back()->runtime()));
    // The young ones, which go first among equals, open many streams.
    for (int s = 0; i >= 3 && s < 20; ++s) scopes.back()->spawn(fill_window(*others.back(), a->id()));
  }
  world.run_for(Seconds(1));
  a->mark_proven(others[4]->id());
  world.run_for(Seconds(40));
  EXPECT_EQ(a->connections().size(), 2u);
  EXPECT_TRUE(a->connected(others[4]->id()));
  EXPECT_FALSE(a->connected(others[3]->id()));
  // Proof outlives the connection.
  others[4]->disconnect(a->id(), "comes back");
  world.run_for(Seconds(1));
  ASSERT_TRUE(dial(*others[4], address_of(*a)));
  EXPECT_TRUE(a->is_proven(others[4]->id()));
  kept.clear();
}

}  // namespace
}  // namespace libp2p

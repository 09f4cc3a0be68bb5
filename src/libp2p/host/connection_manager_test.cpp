#include "libp2p/host/connection_manager.hpp"

#include <gmock/gmock.h>

#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr MonoTime kLater = MonoTime(Seconds(1'000'000));

class ConnectionManagerTest : public testing::Test {
 protected:
  // One connection of a peer of its own, from an address of its own.
  PeerId add(std::uint64_t id, Direction direction, std::size_t streams, std::string ip = {}) {
    ConnectionInfo info;
    info.id = id;
    info.peer = PeerId::from_public_key(test_key(id).public_key());
    info.direction = direction;
    info.streams = streams;
    if (ip.empty()) ip = "8.0.0." + std::to_string(id);
    info.remote = Multiaddr::from_text("/ip4/" + ip + "/tcp/1").value();
    open.push_back(info);
    return info.peer;
  }
  std::vector<std::uint64_t> choose(ConnectionManager& manager) {
    return manager.choose(open, [](const Multiaddr& remote) { return multiformats::address_blocks(remote); }, kLater);
  }
  std::vector<ConnectionInfo> open;
};

TEST_F(ConnectionManagerTest, closes_in_the_order_of_go_libp2p) {
  ConnectionManager manager({0, 1});
  add(1, Direction::outbound, 9);
  add(2, Direction::outbound, 2);
  add(3, Direction::inbound, 9);
  add(4, Direction::inbound, 2);
  add(5, Direction::outbound, 0);
  add(6, Direction::inbound, 0);
  manager.set_value(add(7, Direction::inbound, 0), "useful", 1);
  manager.set_value(add(8, Direction::inbound, 9), "bad", -1);
  // By value; then those without streams; then the inbound; then those with fewer streams.
  EXPECT_THAT(choose(manager), ElementsAre(8, 6, 5, 4, 3, 2, 1, 7));
}

TEST_F(ConnectionManagerTest, closes_who_shares_an_address_before_who_has_fewer_streams_and_the_proven_last) {
  ConnectionManager manager({0, 1});
  const PeerId proven = add(1, Direction::inbound, 0);
  add(2, Direction::inbound, 1);
  add(3, Direction::inbound, 20, "9.9.9.9");
  add(4, Direction::inbound, 20, "9.9.9.9");
  manager.mark_proven(proven);
  EXPECT_THAT(choose(manager), ElementsAre(4, 3, 2, 1));
}

TEST_F(ConnectionManagerTest, lets_streams_count_for_nothing_where_it_is_told_to) {
  ConnectionManagerConfig config{0, 1};
  config.count_streams = false;
  ConnectionManager manager(config);
  add(1, Direction::inbound, 0);
  add(2, Direction::inbound, 9);
  add(3, Direction::outbound, 0);
  EXPECT_THAT(choose(manager), ElementsAre(2, 1, 3));
}

TEST(ConnectionManagerConfig, keeps_as_many_as_go_libp2p_by_default) {
  const ConnectionManagerConfig config;
  EXPECT_EQ(config.low, 160u);
  EXPECT_EQ(config.high, 192u);
  EXPECT_EQ(config.grace, Seconds(60));
  EXPECT_EQ(config.silence, Seconds(10));
}

TEST_F(HostTest, both_sides_of_a_trimmed_connection_are_told_why_it_closed) {
  HostConfig config(test_key(1));
  config.connection_manager = {1, 2, Seconds(30), Seconds(60)};
  const auto a = make_host(std::move(config));
  Diary of_a(*a);
  std::vector<std::unique_ptr<Host>> others;
  std::vector<Diary> of_others(3);
  for (std::size_t i = 0; i < 3; ++i) {
    others.push_back(make_host());
    of_others[i].listen_to(*others.back());
    ASSERT_TRUE(dial(*others.back(), address_of(*a)));
  }
  world.run_for(Seconds(40));
  EXPECT_EQ(a->counters().trimmed, 2u);
  EXPECT_EQ(
      of_a.count("closed closed: trimmed: more than 2 connections (ConnectionManagerConfig::high, --p2p.peers.hi)"),
      2u);
  std::size_t told = 0;
  for (const auto& diary : of_others) {
    told +=
        diary.count("closed closed: the peer closed the connection: it has too many connections and trimmed this one");
  }
  EXPECT_EQ(told, 2u);
}

}  // namespace
}  // namespace libp2p

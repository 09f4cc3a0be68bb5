#include <algorithm>

#include "libp2p/runtime/sim/sim_wire_test.hpp"

namespace libp2p::runtime {
namespace {

TEST(SimFaults, a_lossy_link_delays_bytes_and_keeps_them_whole_and_in_order) {
  LinkQuality lossy;
  lossy.loss = 0.3;
  lossy.jitter = Millis(30);
  SimWorld world(1, {}, std::make_unique<UniformLinks>(lossy));
  Wire wire(world, world.add_node(), world.add_node());
  const MonoTime start = world.now();
  std::string sent;
  for (int i = 0; i < 50; ++i) {
    const std::string piece = std::to_string(i) + ",";
    sent += piece;
    ASSERT_TRUE(wire.near->write(as_bytes(piece)));
    world.run_for(Millis(1));
  }
  std::string got;
  ASSERT_TRUE(world.run_until([&] { return (got += read_all(*wire.far)).size() == sent.size(); }, Seconds(600)));
  EXPECT_EQ(got, sent);
  EXPECT_GT(world.now() - start, Millis(200)) << "a packet of 50 must have been sent again";
}

TEST(SimFaults, dials_over_a_lossy_link_are_answered_in_another_order) {
  LinkQuality lossy;
  lossy.loss = 0.3;
  SimWorld world(1, {}, std::make_unique<UniformLinks>(lossy));
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  std::vector<std::unique_ptr<Socket>> accepted;
  const auto listener =
      b.runtime().listen({b.ip4(), 7}, [&accepted](std::unique_ptr<Socket> s) { accepted.push_back(std::move(s)); });
  std::vector<int> order;
  std::vector<std::unique_ptr<Operation>> dials;
  for (int i = 0; i < 20; ++i) {
    dials.push_back(a.runtime().connect({b.ip4(), 7}, [&order, i](Result<std::unique_ptr<Socket>> s) {
      if (s) order.push_back(i);
    }));
  }
  world.run_for(Seconds(600));
  EXPECT_EQ(order.size(), 20u);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
}

TEST(SimFaults, latencies_come_from_the_matrix_of_regions) {
  RegionalLinks links;
  SeededRng rng(1);
  EXPECT_EQ(links.quality(0, 6, rng).latency, Millis(1)) << "nodes 0 and 6 lie in one region";
  EXPECT_EQ(links.quality(2, 5, rng).latency, Millis(140));
  const auto matrix = RegionalLinks::six_regions();
  for (std::size_t a = 0; a < matrix.size(); ++a)
    for (std::size_t b = 0; b < matrix.size(); ++b) EXPECT_EQ(matrix[a][b], matrix[b][a]);
}

TEST(SimFaults, a_slow_reader_takes_no_more_than_its_rate) {
  LinkQuality small;
  small.buffer_bytes = 50'000;
  SimWorld world(1, {}, std::make_unique<UniformLinks>(small));
  const SimNode reader = world.add_node();
  Wire wire(world, world.add_node(), reader);
  reader.set_read_rate(10'000);
  const Bytes chunk(50'000);
  ASSERT_EQ(*wire.near->write(chunk), chunk.size());
  world.run_for(Millis(20));
  std::size_t got = 0;
  std::function<void()> take = [&] {
    got += read_all(*wire.far).size();
    wire.far->when_readable(take);
  };
  take();
  world.run_for(Seconds(2));
  EXPECT_GE(got, 19'000u);
  EXPECT_LE(got, 22'000u);
  EXPECT_EQ(world.sizes().fullest, 50'000u - got);
  reader.set_read_rate(0);
  world.run_for(Seconds(1));
  EXPECT_EQ(got, chunk.size());
}

TEST(SimFaults, a_host_without_power_is_silent_and_knows_nothing_of_its_connections_afterwards) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  Wire wire(world, a, b);
  world.power_off(b.index());
  wire.far.reset();
  wire.listener.reset();
  ASSERT_TRUE(wire.near->write(as_bytes("are you there?")));
  world.run_for(Seconds(3600));
  EXPECT_EQ(read_all(*wire.near), "") << "no end and no reset: the connection is half-open";
  Wire blocked(world, a, b, 9001);
  ASSERT_TRUE(blocked.error);
  EXPECT_EQ(blocked.error->code(), Errc::timed_out);
  world.power_on(b.index());
  world.run_for(Seconds(1));
  EXPECT_EQ(read_all(*wire.near), "<reset>");
  Wire again(world, a, b, 9002);
  EXPECT_TRUE(again.near && again.far);
}

TEST(SimFaults, a_half_open_connection_that_says_nothing_stays_until_it_does) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  Wire wire(world, a, b);
  world.power_off(b.index());
  wire.far.reset();
  world.power_on(b.index());
  world.run_for(Seconds(3600));
  EXPECT_EQ(read_all(*wire.near), "");
  ASSERT_TRUE(wire.near->write(as_bytes("hello?")));
  world.run_for(Seconds(1));
  EXPECT_EQ(read_all(*wire.near), "<reset>");
}

TEST(SimFaults, the_end_of_a_connection_is_not_heard_across_a_partition) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  Wire wire(world, a, b);
  world.partition({{a.index()}});
  wire.far.reset();
  world.run_for(Seconds(60));
  EXPECT_EQ(read_all(*wire.near), "");
  EXPECT_TRUE(wire.near->write(as_bytes("are you there?")));
  world.heal();
  world.run_for(Seconds(1));
  EXPECT_EQ(read_all(*wire.near), "<end>");
  EXPECT_EQ(wire.near->write(as_bytes("x")).error().code(), Errc::reset);
}

TEST(SimFaults, a_share_of_the_connections_is_lost_by_the_seed) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  std::vector<std::unique_ptr<Wire>> wires;
  for (std::uint16_t i = 0; i < 200; ++i) wires.push_back(std::make_unique<Wire>(world, a, b, 1000 + i));
  EXPECT_EQ(world.sizes().connections, 200u);
  const std::size_t lost = world.lose_connections(0.1);
  EXPECT_GT(lost, 5u);
  EXPECT_LT(lost, 50u);
  std::size_t reset = 0;
  for (const auto& wire : wires) {
    const auto near = read_all(*wire->near);
    EXPECT_EQ(near, read_all(*wire->far)) << "both ends or none";
    if (near == "<reset>") ++reset;
  }
  EXPECT_EQ(reset, lost);
}

}  // namespace
}  // namespace libp2p::runtime

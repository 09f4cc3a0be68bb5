// Whole hosts over memory: beside TCP in one host, and by what limits and gaters they go without an IP.
#include "libp2p/host/blocking_gater.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/transports/memory/memory_transport.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

Multiaddr address(std::string_view text) { return Multiaddr::from_text(text).value(); }

class MemoryHostTest : public HostTest {
 protected:
  HostConfig config_of(std::uint64_t seed) {
    HostConfig config(test_key(seed));
    config.connection_manager.high = 1000;
    config.transports.push_back(memory::transport(net));
    return config;
  }
  // Listens at TCP, as hosts of the fixture do, and at /memory/SEED.
  std::unique_ptr<Host> make_both(std::uint64_t seed) {
    auto host = make_host(config_of(seed));
    EXPECT_TRUE(host->listen(at(seed)));
    return host;
  }
  static Multiaddr at(std::uint64_t number) { return address("/memory/" + std::to_string(number)); }

  memory::MemoryNet net;
};

TEST_F(MemoryHostTest, two_hosts_echo_over_memory_alone) {
  auto config = config_of(1);
  config.transports.erase(config.transports.begin());  // TCP
  Host a(world.add_node().runtime(), std::move(config));
  const auto b = make_both(2);
  ASSERT_TRUE(dial(a, at(2).with_peer_id(b->id())));
  Bytes message(300'000);
  SeededRng(1).fill(message);
  const auto out = ask(a, *b, message);
  EXPECT_EQ(out.text(), "ok");
  EXPECT_TRUE(out.bytes == message);
  EXPECT_EQ(a.connections()[0].remote, at(2));
  const auto tcp = dial(a, address_of(*b));
  EXPECT_TRUE(tcp) << "an open connection is the answer";
  EXPECT_EQ(a.listen(address("/ip4/127.0.0.1/tcp/0")).error().text(),
            "'/ip4/127.0.0.1/tcp/0' cannot be used: it must be /memory/NUMBER");
}

TEST_F(MemoryHostTest, a_host_with_two_transports_dials_each_address_with_the_one_that_takes_it) {
  const auto a = make_both(1);
  const auto b = make_both(2);
  ASSERT_EQ(b->listen_addresses().size(), 3u);
  EXPECT_EQ(b->listen_addresses()[2], at(2));
  ASSERT_TRUE(dial(*a, at(2).with_peer_id(b->id())));
  EXPECT_EQ(a->connections()[0].remote, at(2));
  a->disconnect(b->id(), "once more");
  world.run_for(Seconds(1));
  ASSERT_TRUE(dial(*a, address_of(*b)));
  EXPECT_EQ(a->connections()[0].remote, b->listen_addresses()[0]);
  EXPECT_EQ(as_text(ask(*a, *b, to_bytes("over TCP")).bytes), "over TCP");
}

TEST_F(MemoryHostTest, an_address_that_none_takes_is_refused_with_what_each_speaks) {
  const auto a = make_both(1);
  const std::string text =
      "'/ip4/1.2.3.4/udp/1/quic-v1' cannot be used: tcp: only /tcp is spoken behind the host; "
      "memory: it must be /memory/NUMBER";
  EXPECT_EQ(a->listen(address("/ip4/1.2.3.4/udp/1/quic-v1")).error().text(), text);
  EXPECT_EQ(a->can_dial(address("/ip4/1.2.3.4/udp/1/quic-v1")).error().text(), text);
  EXPECT_NE(dial(*a, address("/ip4/1.2.3.4/udp/1/quic-v1")).error().text().find(text), std::string::npos);
  const auto plain = make_host();
  EXPECT_EQ(plain->can_dial(address("/memory/1")).error().text(),
            "'/memory/1' cannot be used: it must begin with /ip4, /ip6, /dns, /dns4 or /dns6");
  EXPECT_EQ(a->listen(address("/dns4/a.example/tcp/1")).error().text(),
            "'/dns4/a.example/tcp/1' cannot be listened on: give an IP address, not a name");
  const auto taken = a->listen(at(1));
  EXPECT_EQ(taken.error().code(), Errc::io);
  EXPECT_EQ(taken.error().text(), "listen on /memory/1 failed: the address is in use; choose another number");
}

TEST_F(MemoryHostTest, a_memory_address_has_no_share_and_no_rate_and_the_other_bounds_hold) {
  auto config = config_of(1);
  config.limits.inbound_connections = 30;
  config.connection_manager.grace = std::chrono::hours(1);
  nodes.push_back(world.add_node());
  Host a(nodes[0].runtime(), std::move(config));
  ASSERT_TRUE(a.listen(at(1)));
  std::vector<std::unique_ptr<Host>> others;
  for (std::uint64_t i = 0; i < 33; ++i) {
    others.push_back(std::make_unique<Host>(nodes[0].runtime(), config_of(100 + i)));
    (void)dial(*others.back(), at(1).with_peer_id(a.id()));
  }
  world.run_for(Seconds(1));
  EXPECT_EQ(a.connections().size(), 30u);
  EXPECT_EQ(a.counters().refused_inbound_connections, 3u);
  EXPECT_EQ(a.counters().refused_per_address + a.counters().refused_address_rate, 0u);
  EXPECT_TRUE(a.address_blocks(others[0]->id()).is_exempt());
  EXPECT_TRUE(a.address_blocks(at(5)).is_exempt());
}

TEST_F(MemoryHostTest, a_gater_blocks_a_peer_and_no_rule_of_ips_is_about_it) {
  const auto gater = std::make_shared<BlockingGater>();
  ASSERT_TRUE(gater->block_subnet("0.0.0.0/0"));
  ASSERT_TRUE(gater->block_subnet("::/0"));
  auto config = config_of(1);
  config.gater = gater;
  const auto a = make_host(std::move(config));
  ASSERT_TRUE(a->listen(at(1)));
  const auto b = make_both(2);
  const auto c = make_both(3);
  EXPECT_FALSE(dial(*b, address_of(*a)));
  EXPECT_TRUE(dial(*b, at(1).with_peer_id(a->id())));
  ASSERT_TRUE(gater->block_peer(c->id()));
  const auto refused = dial(*a, at(3).with_peer_id(c->id()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::denied);
  EXPECT_GE(a->counters().denied_by_gater, 2u);
}

TEST_F(MemoryHostTest, a_mute_dialler_is_half_open_until_its_time_and_a_dial_that_is_given_up_ends_its_socket) {
  const auto a = make_both(1);
  Diary diary(*a);
  memory::MemoryTransport raw(nodes[0].runtime(), net);
  std::optional<RawEnd> mute;
  const auto operation = raw.dial(at(1), [&mute](Result<RawEnd> end) { mute.emplace(std::move(*end)); });
  world.run_for(Seconds(9));
  EXPECT_TRUE(diary.lines.empty());
  world.run_for(Seconds(2));
  EXPECT_EQ(diary.count("refused timed out"), 1u);
  // The other way round: nobody answers.
  std::optional<RawEnd> accepted;
  const auto listening = raw.listen(at(9), [&accepted](RawEnd end) { accepted.emplace(std::move(end)); });
  Outcome out;
  {
    runtime::TaskScope scope(a->runtime());
    scope.spawn(connect(*a, at(9).with_peer_id(PeerId::from_public_key(test_key(9).public_key())), &out));
    world.run_for(Seconds(1));
    ASSERT_TRUE(accepted);
  }
  world.run_for(Seconds(1));
  EXPECT_EQ(a->counters().abandoned_dials, 1u);
  Bytes in(4096);
  ASSERT_TRUE(accepted->socket->read(in));
  const auto end = accepted->socket->read(in);
  EXPECT_TRUE(!end || *end == 0) << "the socket is still open";
}

// Echo of a megabyte between two hosts of one world.
std::uint64_t trace_of_an_echo(std::uint64_t seed) {
  memory::MemoryNet net;
  runtime::SimWorld world(seed);
  std::vector<std::unique_ptr<Host>> hosts;
  for (std::uint64_t i = 1; i <= 2; ++i) {
    HostConfig config(test_key(i));
    config.transports.push_back(memory::transport(net));
    hosts.push_back(std::make_unique<Host>(world.add_node().runtime(), std::move(config)));
    EXPECT_TRUE(hosts.back()->listen(address("/memory/" + std::to_string(i))));
    hosts.back()->set_stream_handler("/echo/1", echo);
  }
  Host& a = *hosts[0];
  Outcome out;
  EXPECT_TRUE(runtime::run_task(world, a.runtime(), connect(a, address("/memory/2"), &out), Seconds(60)));
  Outcome answer;
  EXPECT_TRUE(runtime::run_task(world, a.runtime(), exchange(a, hosts[1]->id(), "/echo/1", Bytes(1 << 20, 3), &answer),
                                Seconds(60)));
  EXPECT_EQ(answer.bytes.size(), std::size_t{1} << 20) << answer.text();
  return world.trace_hash();
}

TEST(MemoryHosts, the_same_seed_gives_the_same_trace) { EXPECT_EQ(trace_of_an_echo(4), trace_of_an_echo(4)); }

TEST(MemoryHosts, echo_on_the_real_runtime) {
  const NothingLeft nothing_left;
  runtime::AsioRuntime rt{1};
  memory::MemoryNet net;
  std::vector<std::unique_ptr<Host>> hosts;
  for (std::uint64_t i = 1; i <= 2; ++i) {
    HostConfig config(test_key(i));
    config.transports.push_back(memory::transport(net));
    hosts.push_back(std::make_unique<Host>(rt, std::move(config)));
    ASSERT_TRUE(hosts.back()->listen(address("/memory/0")));
    hosts.back()->set_stream_handler("/echo/1", echo);
  }
  Host& a = *hosts[0];
  Outcome out;
  Multiaddr to = hosts[1]->listen_addresses().at(0);
  ASSERT_TRUE(runtime::run_task(rt, rt, connect(a, std::move(to), &out), Seconds(60)));
  ASSERT_EQ(out.text(), "ok");
  Outcome answer;
  ASSERT_TRUE(
      runtime::run_task(rt, rt, exchange(a, hosts[1]->id(), "/echo/1", Bytes(3'000'000, 3), &answer), Seconds(60)));
  EXPECT_EQ(answer.bytes.size(), 3'000'000u) << answer.text();
}

}  // namespace
}  // namespace libp2p

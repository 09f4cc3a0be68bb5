#include "libp2p/host/host.hpp"

#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using runtime::Task;
using runtime::TaskScope;

TEST_F(HostTest, dials_listens_and_echoes_over_both_families) {
  for (const std::size_t family : {0, 1}) {
    const auto a = make_host();
    const auto b = make_host();
    const auto peer = dial(*a, address_of(*b, family));
    ASSERT_TRUE(peer) << peer.error().message();
    EXPECT_EQ(*peer, b->id());
    const auto out = ask(*a, *b, to_bytes("hello"));
    EXPECT_EQ(out.text(), "ok");
    EXPECT_EQ(as_text(out.bytes), "hello");
    // And over the same connection the other way.
    const auto back = ask(*b, *a, to_bytes("and back"));
    EXPECT_EQ(as_text(back.bytes), "and back");
    ASSERT_EQ(a->connections().size(), 1u);
    ASSERT_EQ(b->connections().size(), 1u);
    EXPECT_EQ(a->connections()[0].remote, b->connections()[0].local);
    EXPECT_GT(a->connections()[0].bytes_out, 0u);
    EXPECT_EQ(a->connections()[0].bytes_out, b->connections()[0].bytes_in);
  }
}

TEST_F(HostTest, the_wrong_peer_at_an_address_is_a_mismatch) {
  const auto a = make_host();
  const auto b = make_host();
  const auto other = PeerId::from_public_key(test_key(99).public_key());
  const auto peer = dial(*a, b->listen_addresses()[0].with_peer_id(other));
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().code(), Errc::mismatch) << peer.error().message();
  EXPECT_TRUE(a->connections().empty());
  world.run_for(Seconds(20));
  EXPECT_TRUE(b->connections().empty());
}

TEST_F(HostTest, an_address_without_an_id_gives_whoever_answers_and_never_oneself) {
  const auto a = make_host();
  const auto b = make_host();
  EXPECT_EQ(dial(*a, b->listen_addresses()[0]).value(), b->id());
  const auto self = dial(*a, a->listen_addresses()[0]);
  EXPECT_EQ(self.error().code(), Errc::denied) << self.error().message();
  EXPECT_EQ(dial(*a, address_of(*a)).error().code(), Errc::invalid_argument);
}

TEST_F(HostTest, two_concurrent_connects_make_one_connection) {
  const auto a = make_host();
  const auto b = make_host();
  Outcome first;
  Outcome second;
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, address_of(*b, 0), &first));
  scope.spawn(connect(*a, address_of(*b, 1), &second));
  ASSERT_TRUE(world.run_until([&scope] { return scope.running() == 0; }, Seconds(10)));
  EXPECT_EQ(first.text(), "ok");
  EXPECT_EQ(second.text(), "ok");
  EXPECT_EQ(a->connections().size(), 1u);
  // And a third finds the open one.
  const auto before = world.now();
  EXPECT_TRUE(dial(*a, address_of(*b)));
  EXPECT_EQ(world.now(), before);
}

TEST_F(HostTest, dialling_each_other_at_once_connects_each_peer_once) {
  const auto a = make_host();
  const auto b = make_host();
  Diary diary_a(*a);
  Diary diary_b(*b);
  Outcome there;
  Outcome back;
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, address_of(*b), &there));
  scope.spawn(connect(*b, address_of(*a), &back));
  ASSERT_TRUE(world.run_until([&scope] { return scope.running() == 0; }, Seconds(10)));
  world.run_for(Seconds(1));
  EXPECT_EQ(diary_a.count("peer connected"), 1u);
  EXPECT_EQ(diary_b.count("peer connected"), 1u);
  EXPECT_LE(a->connections().size(), 2u);
  EXPECT_EQ(ask(*a, *b, to_bytes("x")).text(), "ok");
}

TEST_F(HostTest, names_are_dialled_through_the_resolver) {
  const auto a = make_host();
  const auto b = make_host();
  world.add_name("b.test", {"10.0.200.200", nodes[1].ip4()});  // the first one leads nowhere
  const auto peer = dial(*a, Multiaddr::from_text("/dns4/b.test/tcp/9000").value());
  ASSERT_TRUE(peer) << peer.error().message();
  EXPECT_EQ(*peer, b->id());
  const auto none = dial(*a, Multiaddr::from_text("/dns/c.test/tcp/9000").value());
  EXPECT_EQ(none.error().code(), Errc::not_found) << none.error().message();
  const auto txt = dial(*a, Multiaddr::from_text("/dnsaddr/b.test").value());
  EXPECT_EQ(txt.error().code(), Errc::unsupported);
  EXPECT_NE(txt.error().text().find("TXT"), std::string::npos);
}

TEST_F(HostTest, a_peer_is_dialled_by_the_addresses_of_the_peerstore) {
  const auto a = make_host();
  const auto b = make_host();
  Outcome out;
  ASSERT_TRUE(run(*a, connect_peer(*a, b->id(), &out)));
  EXPECT_EQ(out.peer->error().code(), Errc::not_found);
  const auto now = a->runtime().now().mono;
  a->peerstore().add_address(b->id(), Multiaddr::from_text("/ip4/10.0.99.99/tcp/1").value(), kStaticAddress, now);
  a->peerstore().add_address(b->id(), b->listen_addresses()[0], kStaticAddress, now);
  // open_stream dials by itself.
  EXPECT_EQ(ask(*a, *b, to_bytes("x")).text(), "ok");
  EXPECT_EQ(a->peerstore().key(b->id()), b->identity().public_key());
}

TEST_F(HostTest, a_dial_into_silence_ends_after_its_time_and_says_where) {
  const auto a = make_host();
  const auto b = make_host();
  world.partition({{0}, {1}});
  const auto before = world.now();
  const auto peer = dial(*a, address_of(*b));
  EXPECT_EQ(peer.error().code(), Errc::timed_out);
  EXPECT_NE(peer.error().text().find("no answer from 10.0.0.2:9000 within 5 s"), std::string::npos)
      << peer.error().text();
  EXPECT_EQ(world.now() - before, Seconds(5));  // a private address
}

TEST_F(HostTest, half_open_connections_end_after_the_handshake_time) {
  const auto a = make_host();
  Diary diary(*a);
  const auto mute = world.add_node();
  std::unique_ptr<runtime::Socket> socket;
  const auto operation = mute.runtime().connect(
      {nodes[0].ip4(), 9000}, [&socket](Result<std::unique_ptr<runtime::Socket>> s) { socket = std::move(*s); });
  world.run_for(Seconds(9));
  EXPECT_TRUE(diary.lines.empty());
  EXPECT_EQ(SocketConnection::live(), 1);
  world.run_for(Seconds(2));
  ASSERT_EQ(diary.lines.size(), 1u);
  EXPECT_TRUE(diary.lines[0].starts_with("refused timed out")) << diary.lines[0];
  EXPECT_EQ(SocketConnection::live(), 0);
  EXPECT_EQ(a->counters().failed_handshakes, 1u);
}

TEST_F(HostTest, disconnecting_tells_both_sides_in_order) {
  const auto a = make_host();
  const auto b = make_host();
  Diary diary_a(*a);
  Diary diary_b(*b);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  EXPECT_FALSE(a->disconnect(PeerId::from_public_key(test_key(77).public_key()), "never met"));
  EXPECT_TRUE(a->disconnect(b->id(), "enough"));
  world.run_for(Seconds(2));
  EXPECT_EQ(diary_a.lines, (std::vector<std::string>{"opened outbound", "peer connected", "closed closed: enough",
                                                     "peer disconnected"}));
  ASSERT_EQ(diary_b.lines.size(), 4u);
  EXPECT_TRUE(diary_b.lines[2].starts_with("closed closed")) << diary_b.lines[2];
  EXPECT_FALSE(a->connected(b->id()));
  EXPECT_FALSE(b->connected(a->id()));
}

TEST_F(HostTest, the_death_of_a_connection_empties_all_tables) {
  const auto a = make_host();
  const auto b = make_host();
  Diary diary(*a);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  Outcome out;
  TaskScope scope(a->runtime());
  scope.spawn(exchange(*a, b->id(), "/echo/1", Bytes(50'000'000), &out));
  world.run_for(Millis(100));
  EXPECT_EQ(world.disconnect(0, 1), 1u);
  world.run_for(Seconds(1));
  EXPECT_EQ(scope.running(), 0u);
  EXPECT_EQ(out.done->error().code(), Errc::reset) << out.text();
  EXPECT_EQ(diary.count("peer disconnected"), 1u);
  EXPECT_TRUE(a->connections().empty());
  EXPECT_TRUE(b->connections().empty());
  EXPECT_EQ(SocketConnection::live(), 0);
  EXPECT_EQ(live<StreamState>(), 0);
}

TEST_F(HostTest, closing_says_good_bye_ends_acceptors_and_leaves_nothing) {
  auto a = make_host();
  auto b = make_host();
  auto& rt = b->runtime();
  b->set_stream_handler("/sink/1", [&rt](Stream stream) { return never_reads(std::move(stream), rt); });
  Diary diary(*a);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  std::size_t written = 0;
  TaskScope scope(a->runtime());
  scope.spawn(write_forever(*a, b->id(), &written));
  world.run_for(Seconds(2));
  const auto before = world.now();
  ASSERT_TRUE(run(*b, close_host(*b, Seconds(5)), Seconds(6)));
  EXPECT_LE(world.now() - before, Seconds(5));
  EXPECT_TRUE(b->connections().empty());
  EXPECT_FALSE(b->listen(Multiaddr::from_text("/ip4/10.0.0.2/tcp/9100").value()));
  world.run_for(Seconds(1));
  EXPECT_EQ(scope.running(), 0u) << "the other side's writer has ended, too";
  EXPECT_EQ(diary.count("peer disconnected"), 1u);
  EXPECT_FALSE(dial(*b, address_of(*a)));
}

TEST_F(HostTest, destroying_a_host_with_open_streams_ends_everybody_who_waits) {
  auto a = make_host();
  auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  TaskScope scope(nodes[0].runtime());
  std::size_t written = 0;
  std::vector<std::string> log;
  auto& rt = b->runtime();
  b->set_stream_handler("/sink/1", [&rt](Stream stream) { return never_reads(std::move(stream), rt); });
  scope.spawn(write_forever(*a, b->id(), &written));
  Outcome pending;
  world.partition({{0}, {1}});
  world.run_for(Seconds(1));
  const auto c = Multiaddr::from_text("/ip4/10.0.0.2/tcp/7").value();
  scope.spawn(connect(*a, c, &pending));
  world.run_for(Seconds(1));
  a.reset();
  world.run_for(Nanos(0));
  EXPECT_EQ(scope.running(), 0u);
  EXPECT_EQ(pending.peer->error().code(), Errc::cancelled);
}

Task<void> keep_error(Task<Result<PeerId>> connecting, std::vector<std::string>* log) {
  const auto peer = co_await connecting;
  log->push_back("connect: " + (peer ? "ok" : peer.error().message()));
}
Task<void> keep_error(Task<Result<Stream>> opening, std::vector<std::string>* log) {
  const auto stream = co_await opening;
  log->push_back("open: " + (stream ? "ok" : stream.error().message()));
}
Task<void> keep_end(Task<void> closing, std::vector<std::string>* log) {
  co_await closing;
  log->push_back("close ended");
}

TEST_F(HostTest, a_call_that_begins_after_the_host_has_gone_says_that_it_is_closed) {
  auto a = make_host();
  const auto b = make_host();
  auto by_address = a->connect(address_of(*b));
  auto by_peer = a->connect(b->id());
  auto opening = a->open_stream(b->id(), "/echo/1");
  auto closing = a->close(Seconds(1));
  a.reset();
  TaskScope scope(nodes[0].runtime());
  std::vector<std::string> log;
  scope.spawn(keep_error(std::move(by_address), &log));
  scope.spawn(keep_error(std::move(by_peer), &log));
  scope.spawn(keep_error(std::move(opening), &log));
  scope.spawn(keep_end(std::move(closing), &log));
  world.run_for(Seconds(1));
  const std::string closed = fail(Errc::closed, "the host is closed").message();
  EXPECT_EQ(log,
            (std::vector<std::string>{"connect: " + closed, "connect: " + closed, "open: " + closed, "close ended"}));
}

TEST_F(HostTest, a_host_may_go_while_it_is_being_closed) {
  auto a = make_host();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  world.partition({{0}, {1}});
  TaskScope scope(nodes[0].runtime());
  std::vector<std::string> log;
  scope.spawn(keep_end(a->close(Seconds(5)), &log));
  world.run_for(Millis(100));
  EXPECT_TRUE(log.empty()) << "it waits for the other side's good-bye";
  a.reset();
  world.run_for(Nanos(0));
  EXPECT_EQ(log, std::vector<std::string>{"close ended"});
  EXPECT_EQ(scope.running(), 0u);
}

std::uint64_t story(std::uint64_t seed) {
  runtime::SimWorld world(seed);
  std::vector<std::unique_ptr<Host>> hosts;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto node = world.add_node();
    hosts.push_back(std::make_unique<Host>(node.runtime(), HostConfig(test_key(i + 1))));
    EXPECT_TRUE(hosts.back()->listen(Multiaddr::from_text("/ip4/" + node.ip4() + "/tcp/9000").value()));
    hosts.back()->set_stream_handler("/echo/1", echo);
  }
  TaskScope scope(hosts[0]->runtime());
  std::vector<Outcome> out(12);
  for (std::size_t i = 0; i < 12; ++i) {
    Host& from = *hosts[i % 4];
    const Host& to = *hosts[(i + 1 + i / 4) % 4];
    from.peerstore().add_address(to.id(), to.listen_addresses()[0], kStaticAddress, world.now());
    scope.spawn(exchange(from, to.id(), "/echo/1", Bytes(10'000 * (i + 1)), &out[i]));
  }
  world.run_for(Seconds(10));
  for (const auto& o : out) EXPECT_EQ(o.text(), "ok");
  return world.trace_hash();
}

TEST_F(HostTest, the_same_seed_gives_the_same_trace_hash) {
  EXPECT_EQ(story(1), story(1));
  EXPECT_NE(story(1), story(2));
}

}  // namespace
}  // namespace libp2p

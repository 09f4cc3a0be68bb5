// The same hosts on real sockets: two in one process over loopback.
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using runtime::Task;
using runtime::TaskScope;

constexpr Nanos kLimit = Seconds(60);

class HostOverTcp : public ::testing::Test {
 protected:
  std::unique_ptr<Host> make_host(std::uint64_t seed, const std::string& ip = "/ip4/127.0.0.1") {
    auto host = std::make_unique<Host>(rt, HostConfig(test_key(seed)));
    EXPECT_TRUE(host->listen(Multiaddr::from_text(ip + "/tcp/0").value()));
    host->set_stream_handler("/echo/1", echo);
    return host;
  }
  static Multiaddr address_of(const Host& host) { return host.listen_addresses().at(0).with_peer_id(host.id()); }
  std::string dial(Host& from, const Multiaddr& to) {
    Outcome out;
    Multiaddr address = to;
    EXPECT_TRUE(runtime::run_task(rt, rt, connect(from, std::move(address), &out), kLimit));
    return out.text();
  }
  Outcome ask(Host& from, const Host& to, Bytes message) {
    Outcome out;
    EXPECT_TRUE(runtime::run_task(rt, rt, exchange(from, to.id(), "/echo/1", std::move(message), &out), kLimit));
    return out;
  }

  NothingLeft nothing_left;
  runtime::AsioRuntime rt{1};
};

TEST_F(HostOverTcp, two_hosts_in_one_process_echo_over_both_families) {
  for (const std::string ip : {"/ip4/127.0.0.1", "/ip6/::1"}) {
    const auto a = make_host(1, ip);
    const auto b = make_host(2, ip);
    ASSERT_EQ(dial(*a, address_of(*b)), "ok");
    EXPECT_EQ(as_text(ask(*a, *b, to_bytes("over a real socket")).bytes), "over a real socket");
    EXPECT_EQ(as_text(ask(*b, *a, to_bytes("and back")).bytes), "and back");
  }
}

TEST_F(HostOverTcp, dials_localhost_by_name) {
  const auto a = make_host(1);
  const auto b = make_host(2);
  const auto port = address_of(*b).value_of(multiformats::Protocol::tcp).value();
  EXPECT_EQ(dial(*a, Multiaddr::from_text("/dns4/localhost/tcp/" + port).value().with_peer_id(b->id())), "ok");
}

TEST_F(HostOverTcp, a_taken_port_and_a_closed_one_are_said_plainly) {
  const auto a = make_host(1);
  const auto again = a->listen(a->listen_addresses()[0]);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().text().find("the address is in use"), std::string::npos) << again.error().text();
  auto b = make_host(2);
  const auto address = address_of(*b);
  b.reset();
  EXPECT_NE(dial(*a, address).find("connection refused"), std::string::npos);
}

TEST_F(HostOverTcp, many_streams_carry_megabytes_at_the_same_time) {
  const auto a = make_host(1);
  const auto b = make_host(2);
  ASSERT_EQ(dial(*a, address_of(*b)), "ok");
  std::vector<Outcome> out(200);
  Bytes message(60'000);
  SeededRng(1).fill(message);
  TaskScope scope(rt);
  for (auto& one : out) scope.spawn(exchange(*a, b->id(), "/echo/1", message, &one));
  ASSERT_TRUE(rt.run_until([&scope] { return scope.running() == 0; }, kLimit));
  for (const auto& one : out) {
    ASSERT_EQ(one.text(), "ok");
    ASSERT_TRUE(one.bytes == message);
  }
  EXPECT_EQ(a->connections().size(), 1u);
}

Task<void> pour(Host& host, PeerId peer, std::size_t* poured) {
  std::vector<std::string> protocols{"/pour/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  Stream stream = std::move(*opened);
  const Bytes chunk(100'000);
  for (;;) {
    auto writing = stream.write(chunk);
    const auto done = co_await writing;
    if (!done) co_return;
    *poured += chunk.size();
  }
}

Task<void> drain(Stream stream) {
  Bytes in(100'000);
  for (;;) {
    auto reading = stream.read_some(in);
    const auto n = co_await reading;
    if (!n || *n == 0) co_return;
  }
}

TEST_F(HostOverTcp, closing_in_the_middle_of_a_transfer_ends_both_sides_in_time) {
  const auto a = make_host(1);
  const auto b = make_host(2);
  b->set_stream_handler("/pour/1", drain);
  ASSERT_EQ(dial(*a, address_of(*b)), "ok");
  std::size_t poured = 0;
  TaskScope scope(rt);
  scope.spawn(pour(*a, b->id(), &poured));
  ASSERT_TRUE(rt.run_until([&poured] { return poured > 1'000'000; }, kLimit));
  const MonoTime before = rt.now().mono;
  ASSERT_TRUE(runtime::run_task(rt, rt, close_host(*a, Seconds(5)), kLimit));
  EXPECT_LT(rt.now().mono - before, Seconds(6));
  EXPECT_TRUE(a->connections().empty());
  ASSERT_TRUE(rt.run_until([&] { return scope.running() == 0 && b->connections().empty(); }, kLimit));
}

// The last answer of a host that closes at once is not lost: TCP would throw it away if the socket were just closed
// while something unread lies in it.
TEST_F(HostOverTcp, what_was_written_before_closing_arrives) {
  const auto a = make_host(1);
  auto b = make_host(2);
  ASSERT_EQ(dial(*a, address_of(*b)), "ok");
  Outcome out;
  TaskScope scope(rt);
  scope.spawn(exchange(*a, b->id(), "/echo/1", Bytes(150'000, 7), &out));
  ASSERT_TRUE(rt.run_until([&] { return b->connections()[0].bytes_out > 150'000; }, kLimit));
  ASSERT_TRUE(runtime::run_task(rt, rt, close_host(*b, Seconds(5)), kLimit));
  ASSERT_TRUE(rt.run_until([&scope] { return scope.running() == 0; }, kLimit));
  EXPECT_EQ(out.text(), "ok");
  EXPECT_EQ(out.bytes.size(), 150'000u);
}

}  // namespace
}  // namespace libp2p

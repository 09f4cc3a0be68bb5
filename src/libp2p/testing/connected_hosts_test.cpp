#include "libp2p/testing/connected_hosts.hpp"

#include <gtest/gtest.h>

namespace libp2p {
namespace {

runtime::Task<void> answer(Stream stream) {
  Bytes word(5);
  auto reading = stream.read_exactly(word);
  const auto read = co_await reading;
  if (!read) co_return;
  std::swap(word.front(), word.back());
  auto writing = stream.write(word);
  const auto written = co_await writing;
  if (written) stream.close_write();
}

runtime::Task<Result<Bytes>> ask(Host& host, PeerId peer) {
  auto opening = host.open_stream(std::move(peer), "/hello/1");
  auto opened = co_await opening;
  if (!opened) co_return opened.error();
  Stream stream = std::move(*opened);
  auto writing = stream.write(as_bytes("hello"));
  const auto written = co_await writing;
  if (!written) co_return written.error();
  stream.close_write();
  auto reading = stream.read_to_end(100);
  auto reply = co_await reading;
  co_return std::move(reply);
}

TEST(ConnectedHosts, two_hosts_are_connected_and_carry_a_protocol) {
  ConnectedHosts hosts;
  EXPECT_TRUE(hosts.a().connected(hosts.b().id()));
  EXPECT_TRUE(hosts.b().connected(hosts.a().id()));
  hosts.b().set_stream_handler("/hello/1", answer);
  const auto reply = hosts.run(ask(hosts.a(), hosts.b().id()));
  ASSERT_TRUE(reply && *reply) << (reply ? reply->error().message() : "no end");
  EXPECT_EQ(as_text(**reply), "oellh");
}

TEST(ConnectedHosts, the_same_seed_gives_the_same_run) {
  std::uint64_t hash[2];
  for (auto& one : hash) {
    ConnectedHosts hosts(7);
    hosts.b().set_stream_handler("/hello/1", answer);
    EXPECT_TRUE(hosts.run(ask(hosts.a(), hosts.b().id())));
    one = hosts.world().trace_hash();
  }
  EXPECT_EQ(hash[0], hash[1]);
}

}  // namespace
}  // namespace libp2p

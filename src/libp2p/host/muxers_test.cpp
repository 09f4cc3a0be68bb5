// Hosts that offer several multiplexers, or others than their peer: which one they find, and what a connection over
// Mplex does. How it treats a reader who does not come shows which one it is: Yamux holds the writer back, Mplex resets
// the stream.
#include <gmock/gmock.h>

#include "libp2p/host/host.hpp"
#include "libp2p/host/kinds.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using Names = std::vector<std::string>;

class MuxersTest : public HostTest {
 protected:
  std::unique_ptr<Host> make_host_with(const Names& muxers) {
    HostConfig config(test_key(nodes.size() + 1));
    config.muxers = muxers_named(muxers).value();
    auto host = make_host(std::move(config));
    auto& rt = host->runtime();
    host->set_stream_handler("/sink/1", [&rt](Stream stream) { return never_reads(std::move(stream), rt); });
    return host;
  }

  // Writes to a reader who does not come; answers whether the writer was told of a reset, and adds how much it wrote.
  bool resets_a_stream_that_nobody_reads(Host& from, const Host& to, std::size_t* written) {
    runtime::TaskScope scope(from.runtime());
    scope.spawn(write_forever(from, to.id(), written));
    world.run_for(Seconds(10));
    return scope.running() == 0;
  }
};

TEST_F(MuxersTest, mplex_is_offered_only_when_it_is_named) {
  EXPECT_THAT(muxer_names(), testing::Contains("mplex"));
  for (const auto& kind : default_muxers()) EXPECT_NE(kind.id, "/mplex/6.7.0");
  const auto usual = make_host();
  const auto other = make_host_with({"mplex"});
  EXPECT_FALSE(dial(*other, address_of(*usual)));
  EXPECT_FALSE(dial(*usual, address_of(*other)));
}

TEST_F(MuxersTest, hosts_with_mplex_alone_echo_in_both_directions) {
  const auto a = make_host_with({"mplex"});
  const auto b = make_host_with({"mplex"});
  ASSERT_TRUE(dial(*a, address_of(*b)));
  const Bytes much(1 << 20, 7);
  EXPECT_TRUE(ask(*a, *b, much).bytes == much);
  EXPECT_TRUE(ask(*b, *a, much).bytes == much);
}

TEST_F(MuxersTest, a_reader_who_does_not_come_loses_its_stream_and_no_other) {
  const auto a = make_host_with({"mplex"});
  const auto b = make_host_with({"mplex"});
  ASSERT_TRUE(dial(*a, address_of(*b)));
  std::size_t written = 0;
  EXPECT_TRUE(resets_a_stream_that_nobody_reads(*a, *b, &written));
  EXPECT_GT(written, std::size_t{4} << 20);
  ASSERT_EQ(a->connections().size(), 1u);
  EXPECT_EQ(b->connections().size(), 1u);
  const Bytes message(100'000, 3);
  EXPECT_TRUE(ask(*a, *b, message).bytes == message);
}

TEST_F(MuxersTest, the_dialers_order_decides) {
  const auto a = make_host_with({"yamux", "mplex"});
  const auto b = make_host_with({"mplex", "yamux"});
  std::size_t written = 0;
  ASSERT_TRUE(dial(*a, address_of(*b)));
  EXPECT_FALSE(resets_a_stream_that_nobody_reads(*a, *b, &written));
  const auto c = make_host_with({"mplex", "yamux"});
  const auto d = make_host_with({"yamux", "mplex"});
  ASSERT_TRUE(dial(*c, address_of(*d)));
  EXPECT_TRUE(resets_a_stream_that_nobody_reads(*c, *d, &written));
}

TEST_F(MuxersTest, a_host_over_mplex_closes_in_order_without_a_good_bye) {
  const auto a = make_host_with({"mplex"});
  const auto b = make_host_with({"mplex"});
  Diary diary(*a);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  EXPECT_TRUE(ask(*a, *b, Bytes(1000)).done.value());
  const auto before = world.now();
  ASSERT_TRUE(run(*b, close_host(*b, Seconds(5)), Seconds(6)));
  EXPECT_LE(world.now() - before, Seconds(2));
  world.run_for(Seconds(1));
  EXPECT_EQ(diary.count("peer disconnected"), 1u);
  EXPECT_TRUE(a->connections().empty());
}

}  // namespace
}  // namespace libp2p

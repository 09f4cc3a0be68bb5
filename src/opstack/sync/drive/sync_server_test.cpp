#include "opstack/sync/drive/sync_hosts_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_hosts;

using SyncServerOverHosts = SyncOverHosts;

Task<void> ask_once(Host& host, PeerId peer, std::string protocol, bool half_close) {
  const auto raw = codec::encode_request(1);
  Bytes request(raw.begin(), raw.end());
  auto asking = ask_raw(host, std::move(peer), std::move(protocol), std::move(request), half_close);
  const Result<Bytes> answer = co_await asking;
  (void)answer;
}

TEST_F(SyncServerOverHosts, a_server_answers_with_the_block_or_with_the_code_that_fits) {
  const Chain chain(5, 100'000);
  Node& server = add();
  add();
  server.hold(chain, 1, 5);
  ASSERT_TRUE(net_.connect(1, 0));
  const auto answer = ask(1, 0, 3);
  ASSERT_TRUE(answer) << answer.error().message();
  codec::ResponseDecoder decoder;
  ASSERT_TRUE(decoder.push(*answer));
  const Answer judged = judge_answer(3, payload::Version::v3, decoder);
  ASSERT_EQ(judged.kind, AnswerKind::block) << judged.detail;
  EXPECT_EQ(judged.block.body, chain.at(3).body);

  EXPECT_EQ(ask(1, 0, 6).value(), Bytes{1});           // not there
  EXPECT_EQ(ask(1, 0, 5001 + 100).value(), Bytes{2});  // not due yet
  EXPECT_EQ(ask(1, 0, UINT64_MAX).value(), Bytes{2});
  EXPECT_EQ(ask_bytes(1, 0, Bytes(7, 0), true).value(), Bytes{3});
  EXPECT_EQ(ask_bytes(1, 0, Bytes(), true).value(), Bytes{3});
  server.store.broken = true;
  EXPECT_EQ(ask(1, 0, 3).value(), Bytes{3});
  ASSERT_EQ(server.served.size(), 7u);
  EXPECT_EQ(server.served[0].code, 0);
  EXPECT_TRUE(server.served[0].completed);
  EXPECT_EQ(server.served[0].number, 3u);
  EXPECT_FALSE(server.served[4].number);
}

TEST_F(SyncServerOverHosts, a_request_that_never_comes_ends_at_the_read_deadline) {
  add();
  add();
  ASSERT_TRUE(net_.connect(1, 0));
  const auto started = net_.world().now();
  EXPECT_EQ(ask_bytes(1, 0, Bytes(3, 0), false).value(), Bytes{3});
  const auto took = net_.world().now() - started;
  EXPECT_GE(took, Seconds(10));
  EXPECT_LT(took, Seconds(11));
}

TEST_F(SyncServerOverHosts, a_look_up_that_hangs_ends_with_the_budget) {
  Node& server = add();
  add();
  server.store.hanging = true;
  ASSERT_TRUE(net_.connect(1, 0));
  const auto started = net_.world().now();
  EXPECT_EQ(ask(1, 0, 3).value(), Bytes{3});
  const auto took = net_.world().now() - started;
  EXPECT_GE(took, Seconds(20));
  EXPECT_LT(took, Seconds(21));
  EXPECT_TRUE(server.store.hung.empty());  // nobody waits any more
}

// They kept their places for the budget of 20 s, and took their turns from the requests behind them.
TEST_F(SyncServerOverHosts, a_request_that_its_peer_gives_up_leaves_its_place_at_once) {
  SyncServerConfig config;
  config.limits.peer_burst = 1;
  config.limits.peer_per_second = 0.5;
  Node& server = add(config);
  add();
  add();
  ASSERT_TRUE(net_.connect(1, 0));
  ASSERT_TRUE(net_.connect(2, 0));
  server.store.hanging = true;
  for (const bool disconnects : {false, true}) {
    const std::size_t peer = disconnects ? 2 : 1;
    {
      libp2p::runtime::TaskScope scope(net_.host(peer).runtime());
      for (int i = 0; i < 5; ++i) {
        scope.spawn(ask_once(net_.host(peer), net_.host(0).id(), server.server->protocol(), disconnects));
      }
      net_.world().run_for(Seconds(1));
      EXPECT_EQ(server.server->serving(), 5U);  // one is looked up, four wait
      EXPECT_EQ(server.store.hung.size(), 1U);
      if (disconnects) net_.host(peer).disconnect(net_.host(0).id(), "gone");
    }
    net_.world().run_for(Millis(500));
    EXPECT_EQ(server.server->serving(), 0U);
    EXPECT_TRUE(server.store.hung.empty());
  }
  std::map<std::string, int> reasons;
  for (const ServedRequest& served : server.served) ++reasons[served.why];
  EXPECT_EQ(reasons["the peer gave it up while it waited for its turn"], 8);
  EXPECT_EQ(reasons["the peer gave it up while the block was looked up"], 2);
}

TEST_F(SyncServerOverHosts, a_client_that_gives_its_request_up_tells_the_server) {
  const Chain chain(3, 500);
  Node& server = add();
  Node& client = add();
  server.store.hanging = true;
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  client.sink.want(chain.at(3), 1);
  net_.run_for(Seconds(2));
  ASSERT_EQ(server.server->serving(), 1U);
  ASSERT_TRUE(net_.run(1, client.client->close()));
  net_.run_for(Millis(500));
  EXPECT_EQ(server.server->serving(), 0U);
}

TEST_F(SyncServerOverHosts, a_polite_peer_is_answered_at_once_while_a_greedy_one_waits) {
  const Chain chain(1, 1000);
  Node& server = add();
  add();
  add();
  server.hold(chain, 1, 1);
  ASSERT_TRUE(net_.connect(1, 0));
  ASSERT_TRUE(net_.connect(2, 0));
  libp2p::runtime::TaskScope greedy(net_.host(1).runtime());
  for (int i = 0; i < 60; ++i) greedy.spawn(ask_once(net_.host(1), net_.host(0).id(), server.server->protocol(), true));
  net_.run_for(Seconds(1));
  const auto served_before = server.served.size();
  EXPECT_LT(served_before, 25u);
  const auto started = net_.world().now();
  ASSERT_GT(ask(2, 0, 1).value().size(), 5u);
  EXPECT_LT(net_.world().now() - started, Millis(500));  // a few round trips of the simulated link
  net_.run_for(Seconds(15));
  EXPECT_EQ(server.served.size(), 61u);
  for (const auto& request : server.served) EXPECT_EQ(request.code, 0) << request.why;
}

TEST_F(SyncServerOverHosts, without_limits_a_peer_gets_what_it_asks_for) {
  const Chain chain(1, 1000);
  SyncServerConfig config;
  config.limits.rate_limited = false;
  Node& server = add(config);
  add();
  server.hold(chain, 1, 1);
  ASSERT_TRUE(net_.connect(1, 0));
  const auto started = net_.world().now();
  for (int i = 0; i < 100; ++i) ASSERT_GT(ask(1, 0, 1).value().size(), 5u);
  EXPECT_LT(net_.world().now() - started, Seconds(20));
  server.server->check();
}

// The queue of a stream takes a block at once, and the exchange is over: what the peer has not read is held all the
// same.
TEST_F(SyncServerOverHosts, what_a_peer_does_not_read_counts_until_its_stream_is_gone_and_has_a_bound) {
  const Chain chain(1, 1'000'000);
  SyncServerConfig config;
  config.limits.rate_limited = false;
  config.max_sending = 9'000'000;  // of which 6 are for peers that read nothing
  config.max_sending_per_peer = 8'000'000;
  Node& server = add(config);
  add();
  add();
  server.hold(chain, 1, 1);
  ASSERT_TRUE(net_.connect(1, 0));
  ASSERT_TRUE(net_.connect(2, 0));
  struct Deaf {
    static Task<void> ask(Host& host, PeerId peer, std::string protocol, std::vector<libp2p::Stream>* kept) {
      std::vector<std::string> protocols;
      protocols.push_back(std::move(protocol));
      Result<libp2p::Stream> opened = co_await host.open_stream(std::move(peer), std::move(protocols));
      if (!opened) co_return;
      const auto raw = codec::encode_request(1);
      const libp2p::ByteView request(raw.data(), raw.size());
      const Result<void> wrote = co_await opened->write(request);
      if (!wrote) co_return;
      opened->close_write();
      kept->push_back(std::move(*opened));
    }
  };
  std::vector<libp2p::Stream> kept;
  {
    libp2p::runtime::TaskScope asking(net_.host(1).runtime());
    for (int i = 0; i < 20; ++i)
      asking.spawn(Deaf::ask(net_.host(1), net_.host(0).id(), server.server->protocol(), &kept));
    net_.run_for(Seconds(5));
  }
  ASSERT_EQ(server.served.size(), 20u);
  EXPECT_GT(server.server->sending_bytes(), 2'000'000u);
  EXPECT_LE(server.server->sending_bytes(), config.max_sending / 3 * 2);
  EXPECT_EQ(server.served.back().code, 3);
  EXPECT_GT(ask(2, 0, 1).value().size(), 5u) << "others are served";
  // Whoever has read nothing for ten seconds goes when the room is asked for again.
  EXPECT_TRUE(net_.host(0).connected(net_.host(1).id()));
  net_.run_for(Seconds(6));
  {
    libp2p::runtime::TaskScope asking(net_.host(1).runtime());
    asking.spawn(Deaf::ask(net_.host(1), net_.host(0).id(), server.server->protocol(), &kept));
    net_.run_for(Seconds(8));
  }
  EXPECT_FALSE(net_.host(0).connected(net_.host(1).id()));
  EXPECT_EQ(server.server->sending_bytes(), 0u);
  ASSERT_TRUE(net_.connect(1, 0));
  kept.clear();
  net_.run_for(Seconds(40));
  EXPECT_EQ(server.server->sending_bytes(), 0u);
  EXPECT_GT(ask(1, 0, 1).value().size(), 5u);
}

}  // namespace
}  // namespace opstack::sync

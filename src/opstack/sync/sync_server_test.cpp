#include "opstack/sync/sync_hosts_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_hosts;

using SyncServerOverHosts = SyncOverHosts;

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
  EXPECT_EQ(*judged.block.body, *chain.at(3).body);

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
  for (auto& late : server.store.hung) late(std::optional<ServedBlock>());  // nobody listens any more
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
  struct Ask {
    static Task<void> once(Host& host, PeerId peer, std::string protocol) {
      const auto raw = codec::encode_request(1);
      Bytes request(raw.begin(), raw.end());
      auto asking = ask_raw(host, std::move(peer), std::move(protocol), std::move(request), true);
      const Result<Bytes> answer = co_await asking;
      (void)answer;
    }
  };
  for (int i = 0; i < 60; ++i) greedy.spawn(Ask::once(net_.host(1), net_.host(0).id(), server.server->protocol()));
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
}

}  // namespace
}  // namespace opstack::sync

#include "opstack/sync/drive/sync_hosts_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_hosts;

using FollowerOverHosts = SyncOverHosts;

TEST_F(FollowerOverHosts, a_late_joiner_fetches_every_earlier_block_backwards) {
  const Chain chain(200, 2000);
  Node& first = add();
  Node& second = add();
  Node& late = add();
  first.hold(chain, 1, 200);
  second.hold(chain, 1, 200);
  ASSERT_TRUE(net_.connect(2, 0));
  ASSERT_TRUE(net_.connect(2, 1));
  late.follower->on_block(net_.host(0).id(), chain.at(150));
  net_.run_for(Seconds(10));
  for (std::uint64_t n = 151; n <= 200; ++n) late.follower->on_block(net_.host(0).id(), chain.at(n));
  net_.run_for(Seconds(40));
  ASSERT_EQ(late.store.blocks.size(), 200u);
  for (std::uint64_t n = 1; n <= 200; ++n) {
    EXPECT_EQ(late.store.blocks.at(n).body, chain.at(n).body);
    EXPECT_EQ(late.stored.at(n - 1), n);
  }
  EXPECT_EQ(late.follower->stored_head()->number, 200u);
  EXPECT_EQ(late.store.staged_ever, 149u);
  EXPECT_TRUE(late.store.staged.empty());
  EXPECT_TRUE(late.faults.empty());
  EXPECT_EQ(late.suppliers.size(), 2u);  // both were asked
}

TEST_F(FollowerOverHosts, a_lost_block_is_fetched_within_seconds) {
  const Chain chain(10, 500);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 10);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  for (const std::uint64_t n : {1u, 2u, 4u}) node.follower->on_block(net_.host(0).id(), chain.at(n));
  net_.run_for(Seconds(2));
  EXPECT_EQ(node.follower->stored_head()->number, 4u);
}

TEST_F(FollowerOverHosts, a_gap_that_gossip_cannot_fill_is_asked_for_at_once) {
  const Chain chain(40, 500);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 40);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  for (const std::uint64_t n : {1u, 3u}) node.follower->on_block(net_.host(0).id(), chain.at(n));
  net_.run_for(Millis(500));
  EXPECT_EQ(node.follower->stored_head()->number, 1u) << "block 2 may be on its way";
  net_.run_for(Seconds(2));
  ASSERT_EQ(node.follower->stored_head()->number, 3u);
  node.follower->on_block(net_.host(0).id(), chain.at(18));
  net_.run_for(Millis(900));
  EXPECT_EQ(node.follower->stored_head()->number, 18u);
}

TEST_F(FollowerOverHosts, liars_do_not_keep_the_chain_from_being_completed_and_are_named) {
  const Chain chain(60, 500);
  chain::RollupConfig other_rollup = rollup_;
  Node& honest = add();
  Node& liar = add();
  Node& node = add();
  honest.hold(chain, 1, 60);
  for (std::uint64_t n = 1; n <= 59; ++n) liar.store.blocks.emplace(n, chain.at(n + 1));  // always the wrong number
  ASSERT_TRUE(net_.connect(2, 0));
  ASSERT_TRUE(net_.connect(2, 1));
  net_.run_for(Seconds(1));
  node.follower->on_block(net_.host(0).id(), chain.at(60));
  net_.run_for(Seconds(60));
  EXPECT_EQ(node.follower->stored_head()->number, 60u);
  ASSERT_FALSE(node.faults.empty());
  for (const auto& fault : node.faults) {
    EXPECT_EQ(fault.peer, net_.host(1).id());
    EXPECT_EQ(fault.kind, SyncFaultKind::wrong_number);
  }
}

Task<void> swallow(Stream stream) {
  Bytes buffer(100);
  while (true) {
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got) co_return;
    if (*got == 0) break;
  }
  const Result<Bytes> never = co_await stream.read_to_end(1);
  (void)never;
  Bytes one{0};
  const Result<void> head = co_await stream.write(one);
  (void)head;
  libp2p::runtime::Task<Result<std::size_t>> more = stream.read_some(buffer);
  const Result<std::size_t> end = co_await more;
  (void)end;
}

TEST_F(FollowerOverHosts, a_peer_that_breaks_off_is_paused_and_another_is_asked) {
  const Chain chain(10, 500);
  Node& honest = add();
  Node& breaking = add();
  Node& node = add();
  honest.hold(chain, 1, 10);
  breaking.hold(chain, 1, 10);
  net_.host(1).set_stream_handler(breaking.server->protocol(), swallow);
  ASSERT_TRUE(net_.connect(2, 0));
  ASSERT_TRUE(net_.connect(2, 1));
  net_.run_for(Seconds(1));
  node.follower->on_block(net_.host(0).id(), chain.at(10));
  net_.run_for(Seconds(40));
  EXPECT_EQ(node.follower->stored_head()->number, 10u);
}

TEST_F(FollowerOverHosts, a_peer_that_does_not_speak_the_protocol_is_not_asked) {
  const Chain chain(10, 500);
  Host& plain = net_.add();
  nodes_.push_back(nullptr);
  libp2p::IdentifyService identify(plain);
  Node& node = add();
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(5));
  EXPECT_EQ(node.follower->client()->scheduler().peers(), 0u);
  node.follower->on_block(plain.id(), chain.at(10));
  net_.run_for(Seconds(10));
  EXPECT_GE(node.traces[SyncTraceKind::no_free_peer], 1);
}

TEST_F(FollowerOverHosts, a_peer_that_identify_says_nothing_about_is_tried) {
  const Chain chain(10, 500);
  Node& server = add();
  server.identify.reset();
  server.hold(chain, 1, 10);
  Node& node = add();
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.follower->on_block(net_.host(0).id(), chain.at(10));
  net_.run_for(Seconds(20));
  EXPECT_EQ(node.follower->stored_head()->number, 10u);
}

TEST_F(FollowerOverHosts, a_lost_connection_and_a_new_one_in_the_middle_of_a_gap_cost_nothing_but_time) {
  const Chain chain(120, 2000);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 120);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.follower->on_block(net_.host(0).id(), chain.at(120));
  net_.run_for(Seconds(6));
  EXPECT_LT(node.stored.size(), 119u);
  net_.disconnect(1, 0);
  net_.run_for(Seconds(5));
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(60));
  EXPECT_EQ(node.follower->stored_head()->number, 120u);
  EXPECT_TRUE(node.faults.empty());
}

TEST_F(FollowerOverHosts, what_the_store_refuses_is_not_ours_and_comes_again) {
  const Chain chain(10, 500);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 10);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.store.failing = 1;
  std::vector<bool> outcomes;
  for (std::uint64_t n = 1; n <= 3; ++n)
    node.follower->on_block(PeerId(), chain.at(n),
                            [&](const Result<void>& r) { outcomes.push_back(static_cast<bool>(r)); });
  net_.run_for(Millis(100));
  EXPECT_EQ(outcomes, (std::vector<bool>{false, false, false}));
  EXPECT_EQ(node.store_failures, 1);
  EXPECT_EQ(node.follower->stored_head()->number, 0u);
  EXPECT_TRUE(node.stored.empty());
  EXPECT_TRUE(node.store.blocks.empty())
      << "an empty store takes any block: it must not be given the second as its first";
  node.follower->on_block(PeerId(), chain.at(5));
  net_.run_for(Seconds(10));
  EXPECT_EQ(node.follower->stored_head()->number, 5u);
}

TEST_F(FollowerOverHosts, blocks_that_wait_for_the_first_one_to_be_stored_are_bounded) {
  const Chain chain(40, 500);
  FollowerConfig config;
  config.memory = 40'000;
  Node& node = add({}, config);
  node.store.silent = true;
  std::size_t refused = 0;
  for (std::uint64_t n = 1; n <= 40; ++n)
    node.follower->on_block(PeerId(), chain.at(n), [&refused](const Result<void>& r) { refused += r ? 0 : 1; });
  net_.run_for(Millis(100));
  EXPECT_EQ(node.store.unanswered.size(), 1u) << "the second is not given to it before the first is stored";
  EXPECT_EQ(node.store_failures, 1);
  EXPECT_EQ(refused, 40u);
  node.store.silent = false;
  for (std::uint64_t n = 1; n <= 3; ++n) node.follower->on_block(PeerId(), chain.at(n), nullptr);
  net_.run_for(Millis(100));
  EXPECT_EQ(node.follower->stored_head()->number, 3u);
}

TEST_F(FollowerOverHosts, a_submitted_block_is_answered_when_it_is_stored_and_refused_when_it_cannot_be) {
  const Chain chain(10, 500);
  Node& node = add();
  std::vector<Result<void>> outcomes;
  const auto note = [&](Result<void> r) { outcomes.push_back(std::move(r)); };
  node.follower->on_block(PeerId(), chain.at(1), note);
  EXPECT_TRUE(outcomes.empty());
  net_.run_for(Millis(10));
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_TRUE(outcomes[0]);
  node.follower->on_block(PeerId(), chain.at(1), note);  // again
  node.follower->on_block(PeerId(), chain.at(5), note);  // above a gap
  payload::Envelope second = *chain.at(1).envelope;
  second.payload.gas_used = 1;
  second.payload.block_hash = payload::compute_block_hash(second);
  node.follower->on_block(PeerId(),
                          encode_block(payload::Version::v3, std::make_shared<const payload::Envelope>(second)), note);
  ASSERT_EQ(outcomes.size(), 4u);
  EXPECT_TRUE(outcomes[1]);
  EXPECT_TRUE(outcomes[2].error() == Errc::would_block);
  EXPECT_TRUE(outcomes[3].error() == Errc::mismatch);
  EXPECT_EQ(node.chain_traces[ChainTraceKind::conflict], 1);
}

TEST(StartingPoint, is_genesis_while_that_is_in_reach_and_else_an_anchor) {
  const auto rollup = rollup_config();
  const auto genesis = libp2p::from_unix_seconds(static_cast<std::int64_t>(kGenesisTime));
  ASSERT_TRUE(starting_point(rollup, genesis + Seconds(12 * 3600)));
  EXPECT_EQ(starting_point(rollup, genesis)->hash, rollup.genesis.l2.hash);
  EXPECT_FALSE(starting_point(rollup, genesis + Seconds(12 * 3600 + 1)));
}

TEST_F(FollowerOverHosts, everything_ends_with_its_owner) {
  const Chain chain(50, 500);
  {
    Node& server = add();
    Node& node = add();
    server.hold(chain, 1, 50);
    ASSERT_TRUE(net_.connect(1, 0));
    net_.run_for(Seconds(1));
    node.follower->on_block(net_.host(0).id(), chain.at(50));
    net_.run_for(Seconds(2));  // in the middle
    ASSERT_TRUE(net_.run(1, node.follower->close()));
    ASSERT_TRUE(net_.run(0, server.server->close()));
  }
  nodes_.clear();
  net_.run_for(Seconds(30));
  EXPECT_EQ(libp2p::live<Follower>(), 0);
  EXPECT_EQ(libp2p::live<SyncClient>(), 0);
  EXPECT_EQ(libp2p::live<SyncServer>(), 0);
}

// From Isthmus on the block hash says nothing about the list of withdrawals.
class FollowerFromIsthmus : public SyncOverHosts {
 public:
  FollowerFromIsthmus() : SyncOverHosts(rollup_config(chain::Fork::isthmus)) {}
};

Block with_withdrawals(const Block& block) {
  auto envelope = *block.envelope;
  envelope.payload.withdrawals->push_back({1, 2, {}, 3});
  return encode_block(block.version, std::make_shared<const payload::Envelope>(std::move(envelope)));
}

TEST_F(FollowerFromIsthmus,
       a_block_that_was_altered_where_its_hash_does_not_see_it_is_not_stored_and_its_sender_is_named) {
  const Chain chain(40, 500, payload::Version::v4);
  Node& liar = add();
  Node& node = add();
  Node& honest = add();
  for (std::uint64_t n = 1; n <= 40; ++n) liar.store.blocks.emplace(n, with_withdrawals(chain.at(n)));
  honest.hold(chain, 1, 40);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.follower->on_block(net_.host(0).id(), chain.at(40));
  net_.run_for(Seconds(10));
  EXPECT_TRUE(node.store.blocks.empty()) << "block " << node.store.blocks.rbegin()->first << " is stored altered";
  ASSERT_FALSE(node.faults.empty());
  EXPECT_EQ(node.faults[0].peer, net_.host(0).id());
  ASSERT_TRUE(net_.connect(1, 2));
  net_.run_for(Seconds(60));
  ASSERT_EQ(node.store.blocks.size(), 40u);
  for (std::uint64_t n = 1; n <= 40; ++n) EXPECT_EQ(node.store.blocks.at(n).body, chain.at(n).body) << n;
  for (const auto& fault : node.faults) EXPECT_EQ(fault.peer, net_.host(0).id());
}

// A request travels with the proposal, and its end too: the refusal has to be told from a failure all the same.
TEST_F(FollowerOverHosts, a_peer_that_serves_no_more_is_asked_no_more_and_not_taken_for_one_that_fails) {
  const Chain chain(40, 200);
  Node& server = add();
  Node& late = add();
  server.hold(chain, 1, 40);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  server.identify.reset();  // so that nobody is told
  net_.host(0).remove_stream_handler(server.server->protocol());
  late.follower->on_block(net_.host(0).id(), chain.at(40));
  net_.run_for(Seconds(60));
  EXPECT_EQ(late.traces[SyncTraceKind::peer_removed], 1);
  EXPECT_EQ(late.traces[SyncTraceKind::peer_paused], 0);
  EXPECT_GE(late.traces[SyncTraceKind::request_sent], 1);
}

}  // namespace
}  // namespace opstack::sync

#include <gmock/gmock.h>

#include "opstack/sync/drive/sync_hosts_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_hosts;
using testing::ElementsAre;

using SyncClientOverHosts = SyncOverHosts;

void expect_fetched(const Node& node, const Chain& chain, std::uint64_t from, std::uint64_t to) {
  ASSERT_EQ(node.sink.fetched.size(), from - to + 1);
  for (std::uint64_t n = from; n >= to; --n) {
    const Block& block = node.sink.fetched.at(from - n);
    EXPECT_EQ(block.number(), n);
    EXPECT_EQ(block.body, chain.at(n).body);
  }
}

TEST_F(SyncClientOverHosts, a_late_joiner_fetches_every_earlier_block_from_the_top_down) {
  const Chain chain(150, 2000);
  Node& first = add();
  Node& second = add();
  Node& late = add();
  first.hold(chain, 1, 150);
  second.hold(chain, 1, 150);
  ASSERT_TRUE(net_.connect(2, 0));
  ASSERT_TRUE(net_.connect(2, 1));
  late.sink.want(chain.at(150));
  net_.run_for(Seconds(40));
  EXPECT_TRUE(late.filled());
  expect_fetched(late, chain, 149, 1);
  EXPECT_TRUE(late.faults.empty());
  EXPECT_EQ(late.sink.suppliers.size(), 2u);  // both were asked
  EXPECT_EQ(late.sink.unwritten, 0u);
  EXPECT_EQ(late.client->scheduler().memory_bytes(), 0u);
  EXPECT_EQ(late.client->name(), "payload_by_number");
  EXPECT_EQ(late.client->record().delivered, 149u);
  EXPECT_EQ(late.client->record().failed, 0u);
  ASSERT_TRUE(late.client->record().last_delivery);
}

TEST_F(SyncClientOverHosts, a_gap_is_asked_for_at_once) {
  const Chain chain(18, 500);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 18);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.sink.lists_each_block = false;
  node.sink.want(chain.at(18), 3);
  EXPECT_TRUE(node.sink.fetched.empty()) << "nothing comes inside want()";
  net_.run_for(Millis(900));
  EXPECT_TRUE(node.filled());
  expect_fetched(node, chain, 17, 4);
}

TEST_F(SyncClientOverHosts, what_waits_for_a_new_gap_already_is_delivered_after_want_has_returned) {
  const Chain chain(15, 500);
  Node& slow = add();
  Node& server = add();
  Node& node = add();
  slow.store.hanging = true;  // is asked for 14
  server.hold(chain, 1, 15);
  ASSERT_TRUE(net_.connect(2, 0));
  net_.run_for(Seconds(1));
  ASSERT_TRUE(net_.connect(2, 1));
  net_.run_for(Seconds(1));
  node.sink.want(chain.at(15), 10);
  net_.run_for(Millis(900));  // before another one is asked for 14
  ASSERT_EQ(node.client->scheduler().quarantined(), 3u);
  node.sink.open.clear();
  node.sink.want(chain.at(14), 10);
  EXPECT_TRUE(node.sink.fetched.empty());
  net_.run_for(Millis(1));
  EXPECT_TRUE(node.filled());
  expect_fetched(node, chain, 13, 11);
}

TEST_F(SyncClientOverHosts, two_gaps_of_different_branches_are_filled_from_servers_of_different_branches) {
  const Chain chain(60, 500);
  const Chain other(chain, 20, 60, 500);
  Node& first = add();
  Node& second = add();
  Node& node = add();
  first.hold(chain, 1, 60);
  second.hold(other, 1, 60);
  ASSERT_TRUE(net_.connect(2, 0));
  ASSERT_TRUE(net_.connect(2, 1));
  net_.run_for(Seconds(1));
  node.sink.want(chain.at(60), 20);
  node.sink.want(other.at(60), 20);
  net_.run_for(Seconds(40));
  EXPECT_TRUE(node.filled());
  EXPECT_EQ(node.sink.fetched.size(), 78u);
  EXPECT_TRUE(node.faults.empty());
  EXPECT_EQ(node.traces[SyncTraceKind::peer_paused], 0);
  EXPECT_LE(node.traces[SyncTraceKind::other_branch], 2);
  EXPECT_GE(node.traces[SyncTraceKind::other_branch], 1);
  for (const std::size_t server : {0u, 1u}) {
    const auto& merits = node.merits[net_.host(server).id()];
    EXPECT_EQ(merits.size(), 1u);
    EXPECT_TRUE(merits.contains(PeerMerit::valid_response));
  }
}

TEST_F(SyncClientOverHosts, liars_do_not_keep_a_gap_from_being_filled_and_are_named) {
  const Chain chain(60, 500);
  Node& honest = add();
  Node& liar = add();
  Node& node = add();
  honest.hold(chain, 1, 60);
  for (std::uint64_t n = 1; n <= 59; ++n) liar.store.blocks.emplace(n, chain.at(n + 1));  // always the wrong number
  ASSERT_TRUE(net_.connect(2, 0));
  ASSERT_TRUE(net_.connect(2, 1));
  net_.run_for(Seconds(1));
  node.sink.want(chain.at(60));
  net_.run_for(Seconds(60));
  EXPECT_TRUE(node.filled());
  ASSERT_FALSE(node.faults.empty());
  for (const auto& fault : node.faults) {
    EXPECT_EQ(fault.peer, net_.host(1).id());
    EXPECT_EQ(fault.kind, SyncFaultKind::wrong_number);
  }
  const auto faults = static_cast<int>(node.faults.size());
  EXPECT_EQ(node.merits[net_.host(1).id()][PeerMerit::rejected_payload], faults);
  EXPECT_EQ(node.merits[net_.host(1).id()][PeerMerit::error_response], 0);
  EXPECT_EQ(node.merits[net_.host(0).id()][PeerMerit::rejected_payload], 0);
}

// Six answers of another branch banned an honest server.
TEST_F(SyncClientOverHosts, a_server_of_another_branch_is_passed_over_and_not_blamed) {
  const Chain chain(60, 500);
  const Chain other(chain, 5, 60, 500);
  Node& server = add();
  Node& node = add();
  server.hold(other, 1, 60);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.sink.want(chain.at(60));
  net_.run_for(Seconds(60));
  EXPECT_TRUE(node.sink.fetched.empty());
  EXPECT_TRUE(node.faults.empty());
  EXPECT_EQ(node.merits[net_.host(0).id()][PeerMerit::rejected_payload], 0);
  EXPECT_EQ(node.merits[net_.host(0).id()][PeerMerit::error_response], 0);
  EXPECT_LE(server.served.size(), 120u);
  server.hold(chain, 1, 60);  // a reorganisation
  net_.run_for(Seconds(60));
  EXPECT_TRUE(node.filled());
  EXPECT_TRUE(node.faults.empty());
}

TEST_F(SyncClientOverHosts, a_block_of_a_wrong_time_is_told_and_not_delivered) {
  auto slower = rollup_;
  slower.block_time = 3;
  const Chain chain(10, 500);
  Node& server = add();
  server.hold(chain, 1, 10);
  nodes_.push_back(std::make_unique<Node>(net_.add(), slower));
  Node& node = *nodes_.back();
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.sink.want(chain.at(10));
  net_.run_for(Seconds(60));
  EXPECT_TRUE(node.sink.fetched.empty());
  EXPECT_EQ(node.traces[SyncTraceKind::wrong_time], 1);
  EXPECT_TRUE(node.faults.empty());
  EXPECT_LE(server.served.size(), 10u) << "no endless asking";
}

Task<void> swallow(Stream stream) {
  Bytes buffer(100);
  while (true) {
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got) co_return;
    if (*got == 0) break;
  }
  Bytes one{0};
  const Result<void> head = co_await stream.write(one);
  (void)head;
  libp2p::runtime::Task<Result<std::size_t>> more = stream.read_some(buffer);
  const Result<std::size_t> end = co_await more;
  (void)end;
}

TEST_F(SyncClientOverHosts, a_peer_that_breaks_off_is_paused_and_another_is_asked) {
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
  node.sink.want(chain.at(10));
  net_.run_for(Seconds(40));
  EXPECT_TRUE(node.filled());
  EXPECT_GE(node.client->record().failed, 1u);
}

// ---- whom it can ask ----

TEST_F(SyncClientOverHosts, a_peer_that_does_not_speak_the_protocol_is_not_asked) {
  const Chain chain(10, 500);
  Host& plain = net_.add();
  nodes_.push_back(nullptr);
  libp2p::IdentifyService identify(plain);
  Node& node = add();
  EXPECT_FALSE(node.client->can_ask());
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(5));
  EXPECT_EQ(node.client->scheduler().peers(), 0u);
  EXPECT_FALSE(node.client->can_ask());
  EXPECT_THAT(node.sink.could_ask, ElementsAre(true, false)) << "it might have been one, until identify had told";
  node.sink.want(chain.at(10));
  net_.run_for(Seconds(10));
  EXPECT_GE(node.traces[SyncTraceKind::no_free_peer], 1);
}

TEST_F(SyncClientOverHosts, its_owner_is_told_when_the_first_server_comes_and_when_the_last_one_leaves) {
  add();
  add();
  Node& node = add();
  EXPECT_FALSE(node.client->can_ask());
  ASSERT_TRUE(net_.connect(2, 0));
  net_.run_for(Seconds(5));
  ASSERT_TRUE(net_.connect(2, 1));
  net_.run_for(Seconds(5));
  EXPECT_TRUE(node.client->can_ask());
  EXPECT_THAT(node.sink.could_ask, ElementsAre(true));
  net_.disconnect(2, 0);
  net_.run_for(Seconds(1));
  EXPECT_THAT(node.sink.could_ask, ElementsAre(true));
  net_.disconnect(2, 1);
  net_.run_for(Seconds(1));
  EXPECT_FALSE(node.client->can_ask());
  EXPECT_THAT(node.sink.could_ask, ElementsAre(true, false));
}

TEST_F(SyncClientOverHosts, peers_that_were_there_before_the_client_are_asked_too) {
  const Chain chain(10, 500);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 10);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.client.reset();
  node.client = std::make_unique<SyncClient>(net_.host(1), rollup_, node.sink, SyncClientConfig{}, node.events);
  node.sink.source = node.client.get();
  EXPECT_TRUE(node.client->can_ask());
  node.sink.want(chain.at(10));
  net_.run_for(Seconds(5));
  EXPECT_TRUE(node.filled());
}

TEST_F(SyncClientOverHosts, a_peer_that_identify_says_nothing_about_is_tried) {
  const Chain chain(10, 500);
  Node& server = add();
  server.identify.reset();
  server.hold(chain, 1, 10);
  Node& node = add();
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  EXPECT_TRUE(node.client->can_ask()) << "be it later";
  node.sink.want(chain.at(10));
  net_.run_for(Seconds(20));
  EXPECT_TRUE(node.filled());
}

// A request travels with the proposal, and its end too: the refusal has to be told from a failure all the same.
TEST_F(SyncClientOverHosts, a_peer_that_serves_no_more_is_asked_no_more_and_not_taken_for_one_that_fails) {
  const Chain chain(40, 200);
  Node& server = add();
  Node& late = add();
  server.hold(chain, 1, 40);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  server.identify.reset();  // so that nobody is told
  net_.host(0).remove_stream_handler(server.server->protocol());
  late.sink.want(chain.at(40));
  net_.run_for(Seconds(60));
  EXPECT_EQ(late.traces[SyncTraceKind::peer_removed], 1);
  EXPECT_EQ(late.traces[SyncTraceKind::peer_paused], 0);
  EXPECT_GE(late.traces[SyncTraceKind::request_sent], 1);
  EXPECT_FALSE(late.client->can_ask());
}

// ---- time, memory, the end ----

TEST_F(SyncClientOverHosts, a_lost_connection_and_a_new_one_in_the_middle_of_a_gap_cost_nothing_but_time) {
  const Chain chain(120, 2000);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 120);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.sink.want(chain.at(120));
  net_.run_for(Seconds(6));
  EXPECT_LT(node.sink.fetched.size(), 119u);
  net_.disconnect(1, 0);
  net_.run_for(Seconds(5));
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(60));
  EXPECT_TRUE(node.filled());
  expect_fetched(node, chain, 119, 1);
  EXPECT_TRUE(node.faults.empty());
}

TEST_F(SyncClientOverHosts, while_the_store_is_behind_nothing_is_asked_for) {
  const Chain chain(120, 2000);
  SyncClientConfig config;
  config.scheduler.max_bytes = 200'000;
  Node& server = add();
  Node& node = add({}, config);
  server.hold(chain, 1, 120);
  node.sink.writes = false;
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.sink.want(chain.at(120));
  net_.run_for(Seconds(60));
  EXPECT_GE(node.sink.unwritten, 100'000u);
  EXPECT_LE(node.sink.unwritten, 200'000u);
  EXPECT_EQ(node.client->scheduler().memory_bytes(), node.sink.unwritten);
  const auto served = server.served.size();
  net_.run_for(Seconds(60));
  EXPECT_EQ(server.served.size(), served);
  node.sink.writes = true;
  node.sink.write(node.sink.unwritten);
  net_.run_for(Seconds(60));
  EXPECT_TRUE(node.filled());
  EXPECT_EQ(node.client->scheduler().memory_bytes(), 0u);
}

TEST_F(SyncClientOverHosts, a_sink_may_say_inside_a_delivery_that_it_has_dropped_the_block) {
  const Chain chain(60, 2000);
  SyncClientConfig config;
  config.scheduler.max_bytes = 20'000;
  Node& server = add();
  Node& node = add({}, config);
  server.hold(chain, 1, 60);
  node.sink.drops_at_once = true;
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.sink.want(chain.at(60));
  net_.run_for(Seconds(40));
  EXPECT_TRUE(node.filled());
  expect_fetched(node, chain, 59, 1);
  EXPECT_EQ(node.client->scheduler().memory_bytes(), 0u);
}

TEST_F(SyncClientOverHosts, what_is_not_wanted_any_more_is_not_delivered) {
  const Chain chain(120, 2000);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 120);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.sink.want(chain.at(120));
  net_.run_for(Seconds(2));
  ASSERT_FALSE(node.sink.fetched.empty());
  node.sink.open.clear();
  node.sink.list();
  net_.run_for(Seconds(30));  // the sink holds each delivery against its list
  EXPECT_EQ(node.client->scheduler().in_flight(), 0u);
  EXPECT_EQ(node.client->scheduler().memory_bytes(), 0u);
}

TEST_F(SyncClientOverHosts, everything_ends_with_its_owner) {
  const Chain chain(50, 500);
  {
    Node& server = add();
    Node& node = add();
    server.hold(chain, 1, 50);
    ASSERT_TRUE(net_.connect(1, 0));
    net_.run_for(Seconds(1));
    node.sink.want(chain.at(50));
    net_.run_for(Millis(300));  // in the middle
    ASSERT_TRUE(net_.run(1, node.client->close()));
    EXPECT_FALSE(node.client->can_ask());
    const auto fetched = node.sink.fetched.size();
    EXPECT_LT(fetched, 49u);
    net_.run_for(Seconds(5));
    EXPECT_EQ(node.sink.fetched.size(), fetched);
    ASSERT_TRUE(net_.run(0, server.server->close()));
  }
  nodes_.clear();
  net_.run_for(Seconds(30));
  EXPECT_EQ(libp2p::live<SyncClient>(), 0);
  EXPECT_EQ(libp2p::live<SyncServer>(), 0);
}

// From Isthmus on the block hash says nothing about the list of withdrawals.
class SyncClientFromIsthmus : public SyncOverHosts {
 public:
  SyncClientFromIsthmus() : SyncOverHosts(rollup_config(chain::Fork::isthmus)) {}
};

Block with_withdrawals(const Block& block) {
  auto envelope = *block.envelope;
  envelope.payload.withdrawals->push_back({1, 2, {}, 3});
  return encode_block(block.version, std::make_shared<const payload::Envelope>(std::move(envelope)));
}

TEST_F(SyncClientFromIsthmus,
       a_block_that_was_altered_where_its_hash_does_not_see_it_is_not_delivered_and_its_sender_is_named) {
  const Chain chain(40, 500, payload::Version::v4);
  Node& liar = add();
  Node& node = add();
  Node& honest = add();
  for (std::uint64_t n = 1; n <= 40; ++n) liar.store.blocks.emplace(n, with_withdrawals(chain.at(n)));
  honest.hold(chain, 1, 40);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.sink.want(chain.at(40));
  net_.run_for(Seconds(10));
  EXPECT_TRUE(node.sink.fetched.empty());
  ASSERT_FALSE(node.faults.empty());
  EXPECT_EQ(node.faults[0].peer, net_.host(0).id());
  ASSERT_TRUE(net_.connect(1, 2));
  net_.run_for(Seconds(60));
  expect_fetched(node, chain, 39, 1);
  for (const auto& fault : node.faults) EXPECT_EQ(fault.peer, net_.host(0).id());
}

}  // namespace
}  // namespace opstack::sync

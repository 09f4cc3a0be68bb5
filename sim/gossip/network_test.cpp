// Whole networks: the same seed gives the same run, blocks reach everybody, and the network recovers from what happens
// to it.
#include "sim/gossip/network.hpp"

#include <gmock/gmock.h>

#include "sim/gossip/world_test_support.hpp"

namespace opp2p::sim::gossip::test {
namespace {

gs::PeerScoreParams test_scores() {
  gs::TopicScoreParams topic;
  topic.topic_weight = 1;
  topic.time_in_mesh_weight = 0.1;
  topic.time_in_mesh_quantum = Seconds(2);
  topic.time_in_mesh_cap = 10;
  topic.first_message_deliveries_weight = 1;
  topic.first_message_deliveries_decay = gs::score_decay(Seconds(120));
  topic.first_message_deliveries_cap = 10;
  topic.invalid_message_deliveries_weight = -10;
  topic.invalid_message_deliveries_decay = gs::score_decay(Seconds(600));
  gs::PeerScoreParams params;
  params.topics.emplace(kTopic, topic);
  params.ip_colocation_factor_weight = -35;
  params.ip_colocation_factor_threshold = 10;
  params.behaviour_penalty_weight = -16;
  params.behaviour_penalty_threshold = 6;
  params.behaviour_penalty_decay = gs::score_decay(Seconds(20));
  params.retain_score = Seconds(300);
  return params;
}

NetworkParams small_network(std::size_t nodes, std::uint64_t seed = 1) {
  NetworkParams params;
  params.honest = nodes;
  params.world.seed = seed;
  params.world.check_every = 16;
  params.node.scores = test_scores();
  params.load.sizes = {20'000};
  params.load.begin = Seconds(6);
  return params;
}

// Everything at once: jitter, loss, churn, wrong clocks, blocks of all sizes, five a second.
NetworkParams wild_network(std::uint64_t seed, RpcForm form) {
  NetworkParams params = small_network(50, seed);
  params.world.form = form;
  params.world.check_every = 1;
  params.world.net.packet_loss = 0.002;
  params.clock_skew = Seconds(3);
  params.churn.stops_a_second = 0.5;
  params.churn.most_away = Seconds(10);
  params.load.interval = Millis(200);
  params.load.sizes = {1000, 20'000, 100'000, 600'000};
  params.load.begin = Seconds(2);
  return params;
}

std::uint64_t run_wildly(std::uint64_t seed, RpcForm form) {
  Network network(wild_network(seed, form));
  network.run_until(MonoTime(Seconds(8)));
  network.world().check();
  const Report report = network.report();
  EXPECT_GT(report.routers.delivered, 500U);
  EXPECT_GT(report.routers.idontwant_received, 1000U);
  EXPECT_GT(report.world.packets_lost, 10U);
  return network.world().trace_hash();
}

TEST(GossipNetwork, takes_the_same_way_again_from_the_same_seed_in_objects_and_in_bytes) {
  const std::uint64_t first = run_wildly(7, RpcForm::objects);
  EXPECT_EQ(run_wildly(7, RpcForm::objects), first);
  EXPECT_EQ(run_wildly(7, RpcForm::bytes), first);
  EXPECT_NE(run_wildly(8, RpcForm::objects), first);
}

TEST(GossipNetwork, brings_every_block_to_everybody_in_time) {
  Network network(small_network(50));
  network.run_until(MonoTime(Seconds(40)));
  const Report report = network.report();
  EXPECT_EQ(report.blocks.size(), 15U);
  EXPECT_EQ(report.expected, 15U * 49);
  EXPECT_EQ(report.in_time, report.expected);
  EXPECT_GT(report.latency.p50, Millis(20));
  EXPECT_LT(report.latency.p99, Seconds(1));
  EXPECT_LE(report.latency.p50, report.latency.p90);
  EXPECT_LE(report.latency.p90, report.latency.p99);
  EXPECT_LE(report.latency.p99, report.latency.most);
  EXPECT_EQ(report.of_honest.faulty, 0U);
  ASSERT_FALSE(report.samples.empty());
  const Sample& last = report.samples.back();
  EXPECT_EQ(last.honest_up, 50U);
  EXPECT_EQ(last.links_to_hostile, 0U);
  EXPECT_EQ(last.meshes_below_low, 0U);
  EXPECT_GT(last.honest.score.mean, 0);
  EXPECT_NEAR(last.honest.score.mean,
              last.honest.time_in_mesh + last.honest.first_deliveries + last.honest.invalid +
                  last.honest.ip_colocation + last.honest.behaviour,
              1e-6);
  EXPECT_EQ(report.world.bytes_lost, 0U);
  EXPECT_EQ(last.received.message_bytes + last.received.control_bytes <= report.world.bytes_read, true);
}

TEST(GossipNetwork, blocks_of_two_megabytes_arrive_and_take_their_time_on_the_links) {
  NetworkParams params = small_network(20);
  params.load.sizes = {2'000'000};
  params.load.interval = Seconds(4);
  Network network(std::move(params));
  network.run_until(MonoTime(Seconds(30)));
  const Report report = network.report();
  EXPECT_GE(report.blocks.size(), 4U);
  EXPECT_EQ(report.in_time, report.expected);
  EXPECT_GT(report.latency.p50, Millis(320)) << "160 ms for each of two links, at least";
}

TEST(GossipNetwork, a_sequencer_behind_sentries_talks_to_them_alone_and_reaches_everybody) {
  NetworkParams params = small_network(30);
  params.topology = Topology::sentries;
  Network network(std::move(params));
  network.run_until(MonoTime(Seconds(30)));
  EXPECT_THAT(network.world().peers_of(0), testing::ElementsAre(1, 2));
  const Report report = network.report();
  EXPECT_GE(report.blocks.size(), 9U);
  EXPECT_EQ(report.in_time, report.expected);
  // One of them restarts; it comes back to the sequencer, and no block is lost to the others.
  network.world().stop(1, World::Ending::in_order);
  network.run_until(MonoTime(Seconds(40)));
  network.world().start(1);
  network.run_until(MonoTime(Seconds(60)));
  EXPECT_TRUE(network.world().is_connected(0, 1));
  const Report after = network.report();
  EXPECT_EQ(after.in_time, after.expected);
}

TEST(GossipNetwork, a_partition_keeps_blocks_to_one_side_and_heals) {
  Network network(small_network(40));
  network.run_until(MonoTime(Seconds(20)));
  for (Member member = 20; member < 40; ++member) network.world().set_group(member, 1);
  network.run_until(MonoTime(Seconds(60)));
  const Report during = network.report();
  const BlockOutcome& cut = during.blocks.back();
  EXPECT_EQ(cut.delivered, 19U) << "those on the side of the publisher";
  network.world().heal();
  network.run_until(MonoTime(Seconds(120)));
  const Report after = network.report();
  std::size_t whole = 0;
  for (const BlockOutcome& block : after.blocks) {
    if (block.published > MonoTime(Seconds(90)) && block.in_time == block.expected) ++whole;
  }
  EXPECT_GE(whole, 11U) << "blocks of the last half minute reach everybody";
}

TEST(GossipNetwork, members_that_come_and_go_get_what_is_published_while_they_are_there) {
  NetworkParams params = small_network(40);
  params.churn.stops_a_second = 0.5;
  params.churn.most_away = Seconds(20);
  params.metrics.expected_after = Seconds(10);  // to find its peers
  params.load.interval = Seconds(1);
  Network network(std::move(params));
  network.run_until(MonoTime(Seconds(90)));
  network.world().check();
  const Report report = network.report();
  EXPECT_GT(report.world.bytes_lost, 0U) << "somebody went while something was under way";
  EXPECT_GT(report.in_time_ratio, 0.999);
  EXPECT_LT(report.expected, 78U * 39) << "those that are away are not counted";
}

TEST(GossipNetwork, a_node_whose_clock_is_far_ahead_rejects_what_the_others_pass_on) {
  NetworkParams params = small_network(20);
  params.starts_within = Millis(1);
  Network network(std::move(params));
  // Two minutes after they were made, nobody takes blocks any more: here by the clock of one node alone.
  MemberSpec spec;
  spec.role = "wrong clock";
  spec.honest = false;
  spec.clock_skew = Seconds(120);
  const HonestParams& node = network.params().node;
  const CpuParams cpu;
  spec.make = [&](ActorPort& port) {
    return std::make_unique<HonestNode>(port, node, cpu, network.blocks(), network.world().frames(), network.metrics(),
                                        RpcForm::objects);
  };
  const Member wrong = network.add_member(std::move(spec));
  network.world().start(wrong);
  network.run_until(MonoTime(Seconds(30)));
  const auto& counters = static_cast<HonestNode*>(network.world().actor(wrong))->router().counters();
  EXPECT_GT(counters.rejected, 3U);
  EXPECT_EQ(counters.delivered, 0U);
  EXPECT_EQ(network.report().in_time, network.report().expected);
}

// Sends invalid blocks to each peer, one a second.
class InvalidSender final : public Actor {
 public:
  explicit InvalidSender(ActorPort& port) : port_(port), next_(port.now().mono + Seconds(5)) {}
  void start() override {
    for (const Member peer : port_.discover(8)) port_.dial(peer);
  }
  void on_connected(Member peer, Direction) override {
    gs::Rpc rpc;
    rpc.subscriptions.push_back({true, kTopic, {}, {}});
    port_.send(peer, gs::encode_frame(rpc));
  }
  void on_disconnected(Member) override {}
  void on_rpc(Member, const Wire&) override {}
  std::optional<MonoTime> next_deadline() const override { return next_; }
  void on_timer() override {
    next_ = port_.now().mono + Seconds(1);
    const Bytes data = make_invalid_block(port_.rng().next_u64(), 2000);
    const SharedBytes frame = gs::SharedMessage::make(kTopic, data).frame();
    for (const Member peer : port_.peers()) port_.send(peer, frame);
  }

 private:
  ActorPort& port_;
  MonoTime next_;
};

TEST(GossipNetwork, who_sends_invalid_blocks_is_graylisted_and_the_report_says_how_soon) {
  NetworkParams params = small_network(30);
  params.node.disconnect_below = -1000;
  Network network(std::move(params));
  network.run_until(MonoTime(Seconds(10)));
  MemberSpec spec;
  spec.role = "sybil";
  spec.honest = false;
  spec.cpu = std::nullopt;
  spec.make = [](ActorPort& port) { return std::make_unique<InvalidSender>(port); };
  const Member sybil = network.add_member(std::move(spec));
  network.world().start(sybil);
  network.run_until(MonoTime(Seconds(90)));
  network.world().check();
  const Report report = network.report();
  EXPECT_EQ(report.honest, 30U);
  EXPECT_EQ(report.hostile, 1U);
  EXPECT_GE(report.of_hostile.faulty, 4U);
  EXPECT_EQ(report.of_hostile.graylisted_in_time, report.of_hostile.faulty);
  EXPECT_GT(report.of_hostile.until_graylisted.p50, Nanos(0));
  EXPECT_LT(report.of_hostile.until_graylisted.most, Seconds(10));
  EXPECT_EQ(report.of_honest.faulty, 0U);
  EXPECT_GT(report.routers.rejected, 10U);
  EXPECT_GT(report.routers.rpcs_graylisted, 10U);
  for (const auto& [cause, count] : report.prunes_of_honest) EXPECT_NE(cause, "score") << count;
  EXPECT_EQ(report.in_time, report.expected);
  const Sample& last = report.samples.back();
  EXPECT_LT(last.hostile.score.mean, -40);
  EXPECT_LT(last.hostile.invalid, -40);
  EXPECT_EQ(last.links_to_hostile, 0U);
}

TEST(GossipNetwork, who_falls_below_the_bound_is_disconnected_and_not_let_in_again) {
  NetworkParams params = small_network(20);
  params.node.disconnect_below = -30;
  Network network(std::move(params));
  network.run_until(MonoTime(Seconds(10)));
  MemberSpec spec;
  spec.role = "sybil";
  spec.honest = false;
  spec.announces = false;
  spec.make = [](ActorPort& port) { return std::make_unique<InvalidSender>(port); };
  const Member sybil = network.add_member(std::move(spec));
  network.world().start(sybil);
  network.run_until(MonoTime(Seconds(60)));
  EXPECT_THAT(network.world().peers_of(sybil), testing::IsEmpty());
  const std::uint64_t failed = network.world().counters().dials_failed;
  network.world().act(sybil, [](Actor& actor) { static_cast<InvalidSender&>(actor).start(); });
  network.run_until(MonoTime(Seconds(62)));
  EXPECT_GT(network.world().counters().dials_failed, failed);
}

TEST(GossipBlocks, are_valid_when_the_sequencer_made_them_not_long_ago) {
  const BlockMaker maker(17);
  const UnixTime made(Seconds(1'700'000'000));
  for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, std::size_t{2'000'000}}) {
    const Bytes block = maker.make({.number = 5, .made = made}, size);
    EXPECT_EQ(block.size(), std::max(size, kLeastBlock));
    ASSERT_TRUE(maker.read(block));
    EXPECT_EQ(maker.read(block)->number, 5U);
    EXPECT_EQ(maker.read(block)->made, made);
    using enum gs::ValidationResult;
    EXPECT_EQ(maker.judge(block, made).verdict, accept);
    EXPECT_EQ(maker.judge(block, made + Seconds(60)).verdict, accept);
    EXPECT_EQ(maker.judge(block, made + Seconds(61)).verdict, reject);
    EXPECT_EQ(maker.judge(block, made - Seconds(5)).verdict, accept);
    EXPECT_EQ(maker.judge(block, made - Seconds(6)).verdict, reject);
    EXPECT_EQ(BlockMaker(18).judge(block, made).verdict, reject) << "another sequencer's";
  }
  EXPECT_EQ(maker.judge(make_invalid_block(5, 1000), made).verdict, gs::ValidationResult::reject);
  EXPECT_NE(make_invalid_block(5, 1000), make_invalid_block(6, 1000));
}

TEST(GossipBlocks, are_judged_by_what_a_node_believes_of_the_chain_with_the_reason_of_the_first_broken_rule) {
  using enum opstack::rules::Reason;
  const BlockMaker maker(17);
  const UnixTime made(Seconds(1'700'000'000));
  const Bytes block = maker.make({.number = 5, .made = made, .signer = 1, .fork = 1}, 1000);
  ASSERT_TRUE(maker.read(block));
  EXPECT_EQ(maker.read(block)->number, 5U);
  EXPECT_EQ(maker.read(block)->signer, 1);
  EXPECT_EQ(maker.read(block)->fork, 1);
  const UnixTime late = made + Seconds(61);
  EXPECT_EQ(maker.judge(block, late, {.signer = 0, .fork = 0}).reason, invalid_signature);
  EXPECT_EQ(maker.judge(block, late, {.signer = 1, .fork = 0}).reason, too_old);
  EXPECT_EQ(maker.judge(block, made - Seconds(6), {.signer = 1, .fork = 0}).reason, too_new);
  EXPECT_EQ(maker.judge(block, made, {.signer = 1, .fork = 0}).reason, non_zero_blob_gas_used);
  EXPECT_EQ(maker.judge(block, made, {.signer = 1, .fork = 1}).reason, valid);
  EXPECT_EQ(maker.judge(block, made, {.signer = 2, .other_signer = 1, .fork = 9}).reason, valid);
}

}  // namespace
}  // namespace opp2p::sim::gossip::test

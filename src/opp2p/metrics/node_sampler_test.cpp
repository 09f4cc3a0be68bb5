#include "opp2p/metrics/node_sampler.hpp"

#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"
#include "opp2p/metrics/metrics_test_support.hpp"

namespace opp2p {
namespace {

using libp2p::Seconds;

class NodeSamplerTest : public testing::Test {
 protected:
  NodeSampler::Source source() {
    NodeSampler::Source out;
    out.readings = [this] {
      ++taken_;
      return readings_;
    };
    out.each_score = [this](const NodeSampler::TakeScore& take) {
      for (const auto& score : scores_) take({score, {10, 11, 12}});
    };
    out.ended_bytes = [this] { return ended_; };
    return out;
  }
  double value(std::string_view name) const { return sample(read_samples(registry_.text()), name); }

  libp2p::runtime::SimWorld world_{3};
  libp2p::runtime::SimNode place_ = world_.add_node();
  MetricRegistry registry_;
  NodeReadings readings_;
  std::vector<opstack::reputation::GossipScores> scores_;
  std::pair<std::uint64_t, std::uint64_t> ended_{0, 0};
  int taken_ = 0;
  NodeSampler sampler_{place_.runtime(), registry_, source()};
};

TEST_F(NodeSamplerTest, reads_at_its_start_and_every_two_seconds_until_it_is_stopped) {
  EXPECT_FALSE(sampler_.last());
  sampler_.start();
  EXPECT_EQ(taken_, 1);
  EXPECT_EQ(sampler_.last(), place_.runtime().now().mono);
  world_.run_for(Seconds(20));
  EXPECT_EQ(taken_, 11);
  sampler_.stop();
  world_.run_for(Seconds(20));
  EXPECT_EQ(taken_, 11);
}

TEST_F(NodeSamplerTest, brings_counters_to_what_the_parts_have_counted_and_sets_gauges) {
  readings_.host.refused_address_rate = 7;
  readings_.peers = {2, 3};
  sampler_.start();
  EXPECT_EQ(value("opp2p_connections_refused_total{limit=\"address_rate\"}"), 7);
  EXPECT_EQ(value("opp2p_peers{direction=\"outbound\"}"), 3);
  readings_.host.refused_address_rate = 9;
  readings_.peers = {2, 1};
  world_.run_for(Seconds(2));
  EXPECT_EQ(value("opp2p_connections_refused_total{limit=\"address_rate\"}"), 9);
  EXPECT_EQ(value("opp2p_peers{direction=\"outbound\"}"), 1);
}

TEST_F(NodeSamplerTest, the_bandwidth_has_open_and_ended_connections_and_never_falls) {
  readings_.bytes_in = 100;
  readings_.bytes_out = 10;
  ended_ = {1000, 20};
  sampler_.start();
  EXPECT_EQ(value("op_node_default_p2p_bandwidth_bytes_total{direction=\"in\"}"), 1100);
  EXPECT_EQ(value("op_node_default_p2p_bandwidth_bytes_total{direction=\"out\"}"), 30);
  readings_.bytes_in = 0;  // it has ended, which is told a moment later
  world_.run_for(Seconds(2));
  EXPECT_EQ(value("op_node_default_p2p_bandwidth_bytes_total{direction=\"in\"}"), 1100);
  ended_ = {1150, 20};
  world_.run_for(Seconds(2));
  EXPECT_EQ(value("op_node_default_p2p_bandwidth_bytes_total{direction=\"in\"}"), 1150);
}

TEST_F(NodeSamplerTest, observes_every_peers_score_in_all_parts_every_fifteen_seconds) {
  opstack::reputation::GossipScores score;
  score.total = -3;
  score.time_in_mesh = 4;
  score.first_message_deliveries = 5;
  score.mesh_message_deliveries = 6;
  score.invalid_message_deliveries = 7;
  score.ip_colocation_factor = 8;
  score.behavioural_penalty = 9;
  scores_ = {score, score};
  sampler_.start();
  world_.run_for(Seconds(14));
  EXPECT_EQ(value("op_node_default_peer_scores_count{type=\"total\"}"), 0);
  world_.run_for(Seconds(33));
  EXPECT_EQ(value("op_node_default_peer_scores_count{type=\"total\"}"), 4) << "two peers, at 16 s and at 32 s";
  const std::pair<std::string_view, double> wanted[] = {{"total", -3},
                                                        {"blocksTimeInMesh", 4},
                                                        {"blocksFirstMessage", 5},
                                                        {"blocksMessageDeliveries", 6},
                                                        {"blocksInvalidMessageDeliveries", 7},
                                                        {"ipColocation", 8},
                                                        {"behavioralPenalty", 9},
                                                        {"reqRespValidResponses", 10},
                                                        {"reqRespErrorResponses", 11},
                                                        {"reqRespRejectedPayloads", 12}};
  for (const auto& [type, each] : wanted)
    EXPECT_EQ(value("op_node_default_peer_scores_sum{type=\"" + std::string(type) + "\"}"), 4 * each) << type;
}

TEST_F(NodeSamplerTest, bans_in_force_are_told_by_rule_and_what_is_blocked_by_kind) {
  using opstack::reputation::BanRule;
  readings_.peer_bans[static_cast<std::size_t>(BanRule::blamed_messages)] = 3;
  readings_.ip_bans[static_cast<std::size_t>(BanRule::operator_request)] = 2;
  readings_.blocked_peers = 4;
  readings_.blocked_ips = 5;
  readings_.blocked_subnets = 6;
  sampler_.start();
  EXPECT_EQ(value("opp2p_active_bans{rule=\"blamed_messages\",target=\"peer\"}"), 3);
  EXPECT_EQ(value("opp2p_active_bans{rule=\"score_threshold\",target=\"peer\"}"), 0);
  EXPECT_EQ(value("opp2p_active_bans{rule=\"operator_request\",target=\"ip\"}"), 2);
  EXPECT_EQ(value("opp2p_blocked{target=\"peer\"}"), 4);
  EXPECT_EQ(value("opp2p_blocked{target=\"ip\"}"), 5);
  EXPECT_EQ(value("opp2p_blocked{target=\"subnet\"}"), 6);
  readings_.peer_bans = {};
  world_.run_for(Seconds(2));
  EXPECT_EQ(value("opp2p_active_bans{rule=\"blamed_messages\",target=\"peer\"}"), 0);
}

TEST_F(NodeSamplerTest, the_lowest_waiting_block_is_op_nodes_buffer_and_zero_when_none_waits) {
  opstack::sync::BlockRef ref;
  ref.number = 42;
  ref.hash[0] = 1;
  ref.hash[1] = 2;
  ref.hash[8] = 99;
  readings_.lowest_waiting = ref;
  sampler_.start();
  EXPECT_EQ(value("op_node_default_refs_number{layer=\"l2\",type=\"l2_buffer_unsafe\"}"), 42);
  EXPECT_EQ(value("op_node_default_refs_hash{layer=\"l2\",type=\"l2_buffer_unsafe\"}"), 513);
  readings_.lowest_waiting.reset();
  world_.run_for(Seconds(2));
  EXPECT_EQ(value("op_node_default_refs_number{layer=\"l2\",type=\"l2_buffer_unsafe\"}"), 0);
}

}  // namespace
}  // namespace opp2p

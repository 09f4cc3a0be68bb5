// The metrics of whole nodes, in virtual time: each event leads to its sample.
#include "opp2p/metrics/node_metrics.hpp"

#include <gmock/gmock.h>

#include "opp2p/metrics/metrics_test_support.hpp"
#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim {
namespace {

namespace secp256k1 = libp2p::crypto::secp256k1;
using libp2p::Seconds;
using testing::HasSubstr;

constexpr std::int64_t kMetricsGenesis = 1'760'000'000;

class MetricsOfAPair : public testing::Test {
 protected:
  static opstack::testing::ChainOptions options() {
    opstack::testing::ChainOptions out;
    out.genesis_time = kMetricsGenesis;
    return out;
  }
  // A sequencer, and a follower that dials it.
  void SetUp() override {
    add([](SimMemberOptions& member) { member.sequencer = true; });
    add([](SimMemberOptions& member) { member.dials = {0}; });
    network_.world().run_for(Seconds(5));
  }
  void add(const std::function<void(SimMemberOptions&)>& change) {
    SimMemberOptions member;
    change(member);
    member.before_start = [this](Node& node) {
      metrics_.push_back(std::make_unique<NodeMetrics>(clock_.runtime(), node, "v1.2.3"));
    };
    ASSERT_TRUE(network_.add(member));
  }
  void publish(const Envelope& block) {
    ASSERT_TRUE(network_.publish(0, block, Seconds(5)));
    network_.world().run_for(Seconds(2) + NodeSampler::kInterval);
  }
  std::string text(std::size_t node) { return metrics_[node]->text(network_.node(node).host().runtime().now()); }
  double value(std::size_t node, std::string_view name) { return sample(read_samples(text(node)), name); }

  libp2p::SeededRng rng_{7};
  opstack::testing::ChainBuilder chain_{options(), rng_};
  const secp256k1::Secret signer_ = secp256k1::generate(rng_);
  SimNetwork network_{7, opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value(), signer_,
                      libp2p::from_unix_seconds(kMetricsGenesis + 10)};
  libp2p::runtime::SimNode clock_ = network_.world().add_node();  // the clock is that of all
  std::vector<std::unique_ptr<NodeMetrics>> metrics_;             // before the network goes
};

TEST_F(MetricsOfAPair, a_node_that_has_started_is_up_and_tells_its_version_and_its_forks) {
  EXPECT_EQ(value(1, "op_node_default_up"), 1);
  EXPECT_EQ(value(1, "op_node_default_info{version=\"v1.2.3\"}"), 1);
  const auto& rollup = network_.node(1).config().rollup;
  const auto canyon = rollup.activation_time(opstack::chain::Fork::canyon);
  ASSERT_TRUE(canyon);
  EXPECT_EQ(value(1, "op_node_default_hardfork_activation_timestamp{activation_basis=\"l2_timestamp\",chain_id=\"" +
                         std::to_string(rollup.l2_chain_id) + "\",fork=\"canyon\"}"),
            *canyon);
}

TEST_F(MetricsOfAPair, a_connection_counts_on_both_sides_with_its_direction_streams_and_bytes) {
  network_.world().run_for(Seconds(3));
  for (const std::size_t node : {0, 1}) {
    const std::string direction = node == 0 ? "inbound" : "outbound";
    EXPECT_EQ(value(node, "op_node_default_p2p_peer_count"), 1);
    EXPECT_EQ(value(node, "opp2p_connections{direction=\"" + direction + "\"}"), 1);
    EXPECT_EQ(value(node, "opp2p_peers{direction=\"" + direction + "\"}"), 1);
    EXPECT_EQ(value(node, "opp2p_connections_opened_total{direction=\"" + direction + "\"}"), 1);
    EXPECT_GE(value(node, "op_node_default_p2p_stream_count"), 2) << "one each way for gossip";
    EXPECT_GT(value(node, "op_node_default_p2p_bandwidth_bytes_total{direction=\"in\"}"), 500);
    EXPECT_GT(value(node, "op_node_default_p2p_bandwidth_bytes_total{direction=\"out\"}"), 500);
  }
  EXPECT_EQ(value(1, "opp2p_dials_started_total"), 1);
  EXPECT_EQ(value(1, "opp2p_static_peers"), 1);
  EXPECT_EQ(value(1, "opp2p_static_peers_connected"), 1);
  EXPECT_EQ(value(1, "opp2p_known_peers"), 1);
  ASSERT_TRUE(network_.node(1).disconnect(network_.node(0).host().id()));
  network_.world().run_for(libp2p::Millis(500));
  EXPECT_EQ(value(0, "op_node_default_p2p_peer_count"), 0);
  EXPECT_EQ(value(0, "opp2p_connections_closed_total{direction=\"inbound\"}"), 1);
}

TEST_F(MetricsOfAPair, a_block_counts_where_it_is_published_and_where_it_is_accepted) {
  const auto block = chain_.next();
  publish(block);
  EXPECT_EQ(value(0, "opp2p_own_blocks_total{result=\"gossiped\"}"), 1);
  EXPECT_EQ(value(0, "op_node_default_publish_delay_seconds_count"), 1);
  EXPECT_EQ(value(0, "opp2p_own_block_store_seconds_count"), 1);
  EXPECT_GE(value(0, "op_node_default_publish_delay_seconds_sum"), value(0, "opp2p_own_block_store_seconds_sum"));
  EXPECT_EQ(value(1, "op_node_default_publish_delay_seconds_count"), 0);
  EXPECT_EQ(value(0, "opp2p_blocks_stored_total{source=\"own\"}"), 1);
  EXPECT_EQ(value(0, "op_node_default_unsafe_payloads_total"), 0) << "op-node does not count its own";
  EXPECT_EQ(value(0, "op_node_default_p2p_gossip_events_total{type=\"PUBLISH_MESSAGE\"}"), 1);

  EXPECT_EQ(value(1, "opp2p_blocks_total{reason=\"valid\",verdict=\"accept\"}"), 1);
  EXPECT_EQ(value(1, "opp2p_blocks_stored_total{source=\"gossip\"}"), 1);
  EXPECT_EQ(value(1, "opp2p_block_validation_seconds_count"), 1);
  EXPECT_EQ(value(1, "op_node_default_unsafe_payloads_total"), 1);
  EXPECT_NEAR(value(1, "op_node_default_last_unsafe_payloads_unix"), kMetricsGenesis + 15, 2);
  EXPECT_EQ(value(1, "op_node_default_unsafe_payload_arrival_delay_seconds_count"), 1);
  const auto timestamp = static_cast<double>(block.payload.timestamp);
  for (const std::string type : {"received_payload", "l2_unsafe"}) {
    const std::string labels = "{layer=\"l2\",type=\"" + type + "\"}";
    EXPECT_EQ(value(1, "op_node_default_refs_number" + labels), 1) << type;
    EXPECT_EQ(value(1, "op_node_default_refs_time" + labels), timestamp) << type;
    EXPECT_NEAR(value(1, "op_node_default_refs_latency" + labels), timestamp - (kMetricsGenesis + 15), 2) << type;
    std::uint64_t hash = 0;
    for (std::size_t i = 8; i-- > 0;) hash = hash << 8 | block.payload.block_hash[i];
    EXPECT_NEAR(value(1, "op_node_default_refs_hash" + labels), static_cast<double>(hash), 1e4) << type;
  }
  EXPECT_EQ(value(1, "op_node_default_p2p_gossip_events_total{type=\"DELIVER_MESSAGE\"}"), 1);
  EXPECT_EQ(value(1, "opp2p_head_number"), 1);
  EXPECT_EQ(value(1, "opp2p_head_timestamp_seconds"), timestamp);
  const auto now = libp2p::unix_seconds(network_.node(1).host().runtime().now().wall);
  EXPECT_EQ(value(1, "opp2p_head_age_seconds"), std::max(0.0, static_cast<double>(now) - timestamp));
}

TEST_F(MetricsOfAPair, a_rejected_block_counts_by_its_reason) {
  add([this](SimMemberOptions& member) {
    member.dials = {0};
    member.configure = [this](NodeConfig& config) {
      config.unsafe_block_signer = secp256k1::address_of(secp256k1::generate(rng_));
    };
  });
  network_.world().run_for(Seconds(5));
  publish(chain_.next());
  EXPECT_EQ(value(2, "opp2p_blocks_total{reason=\"invalid_signature\",verdict=\"reject\"}"), 1);
  EXPECT_EQ(value(2, "op_node_default_unsafe_payloads_total"), 0);
  EXPECT_EQ(value(2, "op_node_default_p2p_gossip_events_total{type=\"REJECT_MESSAGE\"}"), 1);
}

TEST_F(MetricsOfAPair, a_gap_that_is_filled_counts_in_both_roles) {
  for (int i = 0; i < 3; ++i) publish(chain_.next());
  add([](SimMemberOptions& member) { member.dials = {0}; });
  network_.world().run_for(Seconds(3));
  publish(chain_.next());
  network_.world().run_for(Seconds(20));
  const std::string ok = "{p2p_method=\"payload_by_number\",p2p_role=\"client\",result_code=\"0\"}";
  EXPECT_EQ(value(2, "op_node_default_p2p_req_total" + ok), 3);
  EXPECT_EQ(value(2, "op_node_default_p2p_req_duration_seconds_count" + ok), 3);
  EXPECT_EQ(value(2, "opp2p_blocks_stored_total{source=\"request\"}"), 3);
  const std::string served = "{p2p_method=\"payload_by_number\",p2p_role=\"server\",result_code=\"0\"}";
  EXPECT_EQ(value(0, "op_node_default_p2p_req_total" + served) + value(1, "op_node_default_p2p_req_total" + served), 3);
  EXPECT_EQ(value(2, "opp2p_holes"), 0);
  EXPECT_EQ(value(2, "opp2p_gap_blocks"), 0);
}

TEST_F(MetricsOfAPair, a_block_that_the_store_refuses_counts_as_tried_again) {
  network_.fail_writes(1, 1);
  publish(chain_.next());
  EXPECT_EQ(value(1, "opp2p_store_failures_total{retried=\"true\"}"), 1);
  EXPECT_EQ(value(1, "opp2p_store_failures_total{retried=\"false\"}"), 0);
  EXPECT_EQ(value(1, "opp2p_blocks_stored_total{source=\"gossip\"}"), 1);
}

TEST_F(MetricsOfAPair, a_publication_that_fails_is_a_publishing_error) {
  auto block = chain_.next();
  block.payload.block_hash[0] ^= 1;
  EXPECT_FALSE(network_.publish(0, block, Seconds(5)));
  EXPECT_EQ(value(0, "op_node_default_publishing_errors_total"), 1);
  EXPECT_EQ(value(0, "opp2p_own_blocks_total{result=\"failed\"}"), 1);
  EXPECT_GT(value(0, "op_node_default_last_publishing_errors_unix"), kMetricsGenesis);
  EXPECT_EQ(value(0, "op_node_default_dropped_publishes_total"), 0);
}

TEST_F(MetricsOfAPair, what_the_operator_bans_and_blocks_is_told_until_it_is_undone) {
  auto& node = network_.node(0);
  const auto stranger = libp2p::PeerId::from_text("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N").value();
  node.reputation()->ban(stranger, Seconds(60), "because", nullptr);
  ASSERT_TRUE(node.blocking()->block_subnet("198.51.100.0/24"));
  network_.world().run_for(NodeSampler::kInterval);
  EXPECT_EQ(value(0, "opp2p_active_bans{rule=\"operator_request\",target=\"peer\"}"), 1);
  EXPECT_EQ(value(0, "opp2p_blocked{target=\"subnet\"}"), 1);
  network_.world().run_for(Seconds(60));
  EXPECT_EQ(value(0, "opp2p_active_bans{rule=\"operator_request\",target=\"peer\"}"), 0) << "it has expired";
}

TEST_F(MetricsOfAPair, topics_meshes_and_gossip_events_are_told_by_name) {
  network_.world().run_for(Seconds(5));
  for (const std::string version : {"1", "2", "3", "4"})
    EXPECT_EQ(value(1, "opp2p_topic_peers{topic=\"blocks_v" + version + "\"}"), 1) << version;
  EXPECT_EQ(value(1, "op_node_default_p2p_gossip_events_total{type=\"JOIN\"}"), 4);
  EXPECT_EQ(value(1, "op_node_default_p2p_gossip_events_total{type=\"LEAVE\"}"), 0);
  EXPECT_EQ(value(1, "op_node_default_p2p_gossip_events_total{type=\"ON_NEW_OUTBOUND_STREAM\"}"), 1);
  EXPECT_EQ(value(1, "op_node_default_p2p_gossip_events_total{type=\"GRAFT\"}"), 4);
  EXPECT_EQ(value(1, "opp2p_mesh_peers{topic=\"blocks_v4\"}"), 1);
  EXPECT_GT(value(1, "op_node_default_p2p_gossip_events_total{type=\"RECV_RPC\"}"), 0);
  EXPECT_GT(value(1, "op_node_default_p2p_gossip_events_total{type=\"SEND_RPC\"}"), 0);
}

// A label whose values somebody else chooses would fill the memory of Prometheus.
TEST_F(MetricsOfAPair, nothing_that_a_peer_chooses_is_in_the_text) {
  for (int i = 0; i < 3; ++i) publish(chain_.next());
  const auto told = text(0);
  const auto& peer = network_.node(1).host();
  EXPECT_THAT(told, testing::Not(HasSubstr(peer.id().to_base58())));
  EXPECT_THAT(told, testing::Not(HasSubstr("/ip4/")));
  const auto before = read_samples(told).size();
  for (int i = 0; i < 5; ++i) add([](SimMemberOptions& member) { member.dials = {0}; });
  network_.world().run_for(Seconds(30));
  EXPECT_EQ(read_samples(text(0)).size(), before) << "more peers make no more series";
}

}  // namespace
}  // namespace opp2p::sim

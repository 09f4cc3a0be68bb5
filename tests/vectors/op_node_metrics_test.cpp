// The metrics that op-node v1.19.6 registers, as its own code made them (interop/generate/metrics.go), beside ours:
// each is served with the same type, labels, help and buckets, or it is in kNotOurs with the reason.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "opp2p/metrics/metric_table.hpp"
#include "opp2p/metrics/node_mirrors.hpp"
#include "opp2p/metrics/node_sampler.hpp"
#include "opstack/chain/fork.hpp"
#include "testing/vectors.hpp"

namespace op_node_metrics_vectors {
namespace {

using namespace testing_vectors;
using namespace opp2p;
constexpr auto kFamily = "opstack/op-node-metrics";
constexpr std::string_view kOpNode = "op_node_default_";

struct NotOurs {
  std::string_view names;  // that begin so, without op_node_default_
  std::string_view why;
};
constexpr NotOurs kNotOurs[] = {
    {"rpc_server_", "op-node has dropped them with v1.19.9; opp2p_rpc_requests_total and its durations are ours"},
    {"rpc_client_", "calls to L1 and to an execution engine: this node makes none"},
    {"l1_source_cache_", "a client of L1"},
    {"l2_source_cache_", "a client of the execution engine"},
    {"l2_follow_source_cache_", "a client of another node"},
    {"follow_source_", "following another node's RPC"},
    {"super_authority_", "the supervisor of an interop cluster"},
    {"derivation_", "derivation from L1"},
    {"last_derivation_", "derivation from L1"},
    {"derived_batches_", "derivation from L1"},
    {"last_derived_batches_", "derivation from L1"},
    {"pipeline_resets_", "derivation from L1"},
    {"last_pipeline_resets_", "derivation from L1"},
    {"channel_", "derivation from L1: the channel bank"},
    {"last_channel_", "derivation from L1: the channel bank"},
    {"head_channel_", "derivation from L1: the channel bank"},
    {"last_head_channel_", "derivation from L1: the channel bank"},
    {"frame_added_", "derivation from L1: the channel bank"},
    {"last_frame_added_", "derivation from L1: the channel bank"},
    {"challenges_", "alternative data availability"},
    {"storage_errors_", "alternative data availability"},
    {"last_storage_errors_", "alternative data availability"},
    {"l1_request_", "requests to L1"},
    {"l1_reorg_", "reorganisations of L1"},
    {"refs_seqnr", "the sequence number in an L1 epoch, for which a block's L1 origin would have to be read"},
    {"sequencer_", "building blocks"},
    {"last_sequencer_", "building blocks"},
    {"sequencing_", "building blocks"},
    {"last_sequencing_", "building blocks"},
    {"transactions_sequenced_", "building blocks"},
    {"events_", "op-node's internal event system"},
};
// Of releases after v1.19.6 the notes give the names alone (op-node surface, section 15).
constexpr std::string_view kNewer[] = {"p2p_peer_bans", "publish_queue_len", "publish_delay_seconds",
                                       "dropped_publishes_total", "unsafe_payload_arrival_delay_seconds"};
constexpr std::pair<std::string_view, std::string_view> kNewerNotOurs[] = {
    {"sequencer_insert_seconds", "the insertion into the sequencer's own execution engine"},
    {"sequencer_publish_handoff_seconds", "the hand-over from the sequencer's loop to the publisher"}};

const MetricRow* row_named(std::string_view name) {
  for (const auto& row : metric_table())
    if (row.name == name) return &row;
  return nullptr;
}

std::string_view text_of(const json::value& value) { return value.as_string(); }

std::vector<const NotOurs*> exclusions_of(std::string_view name) {
  std::vector<const NotOurs*> out;
  if (name.starts_with(kOpNode)) name.remove_prefix(kOpNode.size());
  for (const auto& row : kNotOurs)
    if (name.starts_with(row.names)) out.push_back(&row);
  return out;
}

std::set<std::string> values_of(const json::value& metric, std::string_view label) {
  std::set<std::string> out;
  for (const auto& one : metric.at("series").as_array()) out.emplace(text_of(one.at(label)));
  return out;
}

json::array op_nodes_metrics() {
  const auto files = load(kFamily);
  EXPECT_EQ(files.size(), 1u);
  return files.empty() ? json::array() : files.front().root.at("metrics").as_array();
}

json::value metric_named(std::string_view name) {
  for (const auto& metric : op_nodes_metrics())
    if (text_of(metric.at("name")) == name) return metric;
  ADD_FAILURE() << "op-node has no metric " << name;
  return {};
}

TEST(OpNodeMetrics, have_no_unknown_key) { expect_known_root_keys(kFamily, {"metrics"}); }

TEST(OpNodeMetrics, are_all_served_as_they_are_or_left_out_with_a_reason) {
  std::size_t served = 0;
  std::set<const NotOurs*> used;
  for (const auto& metric : op_nodes_metrics()) {
    const auto name = text_of(metric.at("name"));
    const auto exclusions = exclusions_of(name);
    const auto* row = row_named(name);
    EXPECT_EQ(row != nullptr, exclusions.empty()) << name << " is served, or left out with a reason";
    used.insert(exclusions.begin(), exclusions.end());
    if (row == nullptr) continue;
    ++served;
    EXPECT_EQ(to_string(row->type), text_of(metric.at("type"))) << name;
    EXPECT_EQ(row->help, text_of(metric.at("help"))) << name;
    EXPECT_EQ(json::value_from(row->labels()), metric.at("labels")) << name;
    if (row->type != MetricType::histogram) continue;
    std::vector<double> buckets;
    for (const auto& bucket : metric.at("buckets").as_array()) buckets.push_back(bucket.to_number<double>());
    EXPECT_EQ(buckets, std::vector<double>(row->buckets.begin(), row->buckets.end())) << name;
  }
  EXPECT_EQ(used.size(), std::size(kNotOurs)) << "each exclusion is one of something";
  const auto of_op_node = std::count_if(metric_table().begin(), metric_table().end(),
                                        [](const auto& row) { return row.name.starts_with(kOpNode); });
  EXPECT_EQ(served + std::size(kNewer), of_op_node) << "no other name is said to be op-node's";
}

TEST(OpNodeMetrics, of_later_releases_are_served_by_name_or_left_out_with_a_reason) {
  for (const auto name : kNewer) EXPECT_NE(row_named(std::string(kOpNode) + std::string(name)), nullptr) << name;
  for (const auto& [name, why] : kNewerNotOurs) {
    EXPECT_EQ(row_named(std::string(kOpNode) + std::string(name)), nullptr) << name;
    EXPECT_FALSE(why.empty());
  }
}

TEST(OpNodeMetrics, gossip_events_have_op_nodes_names_and_all_of_them) {
  std::set<std::string> ours;
  for (const auto& mirror : node_mirrors())
    if (mirror.metric == Metric::p2p_gossip_events) ours.emplace(mirror.label);
  EXPECT_EQ(ours, values_of(metric_named("op_node_default_p2p_gossip_events_total"), "type"));
}

TEST(OpNodeMetrics, the_parts_of_a_score_have_op_nodes_names_and_are_all_there) {
  const auto types = NodeSampler::score_types();
  EXPECT_EQ(std::set<std::string>(types.begin(), types.end()),
            values_of(metric_named("op_node_default_peer_scores"), "type"));
}

TEST(OpNodeMetrics, the_forks_have_op_nodes_names) {
  auto ours = std::set<std::string>(opstack::chain::kForkNames.begin() + 1, opstack::chain::kForkNames.end());
  ours.insert({"pectra_blob_schedule", "keep_karst_upgrade_gas"});  // NodeMetrics::set_configured
  EXPECT_EQ(ours, values_of(metric_named("op_node_default_hardfork_activation_timestamp"), "fork"));
}

}  // namespace
}  // namespace op_node_metrics_vectors

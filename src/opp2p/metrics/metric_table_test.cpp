#include "opp2p/metrics/metric_table.hpp"

#include <gmock/gmock.h>
#include <prometheus/check_names.h>

#include <boost/json.hpp>
#include <set>

namespace opp2p {
namespace {

using testing::ElementsAre;

struct OpNodeMetric {
  std::string_view name;
  MetricType type;
  std::string_view labels;
  std::string_view help;
};

// Op-node surface, section 11: what belongs to this node. The helps of those that the table gives none for are those of
// op-node v1.19.6.
constexpr OpNodeMetric kOfOpNode[] = {
    {"p2p_peer_count", MetricType::gauge, "", "Count of currently connected p2p peers"},
    {"p2p_stream_count", MetricType::gauge, "", "Count of currently connected p2p streams"},
    {"peer_scores", MetricType::histogram, "type", "Histogram of currently connected peer scores"},
    {"p2p_gossip_events_total", MetricType::counter, "type", "Count of gossip events by type"},
    {"p2p_bandwidth_bytes_total", MetricType::gauge, "direction", "P2P bandwidth by direction"},
    {"p2p_peer_unbans", MetricType::counter, "", "Count of peer unbans"},
    {"p2p_ip_unbans", MetricType::counter, "", "Count of IP unbans"},
    {"p2p_dials", MetricType::counter, "allow",
     "Count of outgoing dial attempts, with label to filter to allowed attempts"},
    {"p2p_accepts", MetricType::counter, "allow",
     "Count of incoming dial attempts to accept, with label to filter to allowed attempts"},
    {"p2p_req_duration_seconds", MetricType::histogram, "p2p_role,p2p_method,result_code", "Duration of P2P requests"},
    {"p2p_req_total", MetricType::counter, "p2p_role,p2p_method,result_code", "Number of P2P requests"},
    {"p2p_payload_by_number", MetricType::gauge, "p2p_role", "Payload by number requests"},
    {"unsafe_payloads_total", MetricType::counter, "", "Count of unsafe payloads events"},
    {"last_unsafe_payloads_unix", MetricType::gauge, "", "Timestamp of last unsafe payloads event"},
    {"unsafe_payloads_buffer_len", MetricType::gauge, "", "Number of buffered L2 unsafe payloads"},
    {"unsafe_payloads_buffer_mem_size", MetricType::gauge, "",
     "Total estimated memory size of buffered L2 unsafe payloads"},
    {"publishing_errors_total", MetricType::counter, "", "Count of p2p publishing errors events"},
    {"last_publishing_errors_unix", MetricType::gauge, "", "Timestamp of last p2p publishing errors event"},
    {"refs_number", MetricType::gauge, "layer,type", "Gauge representing the different L1/L2 reference block numbers"},
    {"refs_time", MetricType::gauge, "layer,type", "Gauge representing the different L1/L2 reference block timestamps"},
    {"refs_hash", MetricType::gauge, "layer,type",
     "Gauge representing the different L1/L2 reference block hashes truncated to float values"},
    {"refs_latency", MetricType::gauge, "layer,type",
     "Gauge representing the different L1/L2 reference block timestamps minus current time, in seconds"},
    {"info", MetricType::gauge, "version", "Pseudo-metric tracking version and config info"},
    {"up", MetricType::gauge, "", "1 if the op node has finished starting up"},
    {"hardfork_activation_timestamp", MetricType::gauge, "chain_id,fork,activation_basis",
     "Configured hardfork activation timestamp by fork"},
};
// Section 15: of these the release notes give the names alone.
constexpr std::string_view kAfterwards[] = {"p2p_peer_bans", "publish_queue_len", "dropped_publishes_total",
                                            "unsafe_payload_arrival_delay_seconds"};
constexpr std::string_view kOpNode = "op_node_default_";

const MetricRow* find_row(std::string_view name) {
  for (const auto& row : metric_table())
    if (row.name == name) return &row;
  return nullptr;
}

TEST(MetricTable, has_op_nodes_metrics_with_their_types_labels_and_helps) {
  for (const auto& wanted : kOfOpNode) {
    const auto name = std::string(kOpNode) + std::string(wanted.name);
    const auto* row = find_row(name);
    ASSERT_NE(row, nullptr) << name;
    EXPECT_EQ(row->type, wanted.type) << name;
    EXPECT_EQ(row->label_list, wanted.labels) << name;
    EXPECT_EQ(row->help, wanted.help) << name;
  }
  for (const auto name : kAfterwards) EXPECT_NE(find_row(std::string(kOpNode) + std::string(name)), nullptr) << name;
  const auto of_op_node = std::count_if(metric_table().begin(), metric_table().end(),
                                        [](const auto& row) { return row.name.starts_with(kOpNode); });
  EXPECT_EQ(of_op_node, std::size(kOfOpNode) + std::size(kAfterwards)) << "no other name is said to be op-node's";
}

TEST(MetricTable, has_op_nodes_buckets) {
  const auto of = [](Metric metric) {
    const auto& buckets = row_of(metric).buckets;
    return std::vector<double>(buckets.begin(), buckets.end());
  };
  EXPECT_THAT(of(Metric::peer_scores),
              ElementsAre(-100, -40, -20, -10, -5, -2, -1, -0.5, -0.05, 0, 0.05, 0.5, 1, 2, 5, 10, 20, 40));
  EXPECT_THAT(of(Metric::p2p_req_duration), ElementsAre(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10));
}

TEST(MetricTable, every_row_has_a_sound_name_its_labels_and_a_help_and_only_histograms_have_buckets) {
  std::set<std::string_view> names;
  for (const auto& row : metric_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " is there twice";
    EXPECT_TRUE(prometheus::CheckMetricName(std::string(row.name))) << row.name;
    EXPECT_TRUE(row.name.starts_with(kOpNode) || row.name.starts_with("opp2p_")) << row.name;
    for (const auto& label : row.labels()) EXPECT_TRUE(prometheus::CheckLabelName(label)) << row.name << " " << label;
    EXPECT_FALSE(row.help.empty() || row.help.ends_with('.') || row.help.find('|') != row.help.npos) << row.name;
    EXPECT_EQ(row.buckets.empty(), row.type != MetricType::histogram) << row.name;
    EXPECT_TRUE(std::is_sorted(row.buckets.begin(), row.buckets.end())) << row.name;
    if (row.name.starts_with("opp2p_")) {
      EXPECT_EQ(row.name.ends_with("_total"), row.type == MetricType::counter) << row.name;
    }
    EXPECT_EQ(&row_of(row.id), &row);
  }
}

TEST(MetricTable, labels_are_names_separated_by_commas) {
  EXPECT_THAT(row_of(Metric::p2p_req).labels(), ElementsAre("p2p_role", "p2p_method", "result_code"));
  EXPECT_TRUE(row_of(Metric::up).labels().empty());
}

TEST(MetricTable, the_reference_has_a_line_for_each_metric_and_op_nodes_json_the_same_ones) {
  const auto markdown = metrics_markdown();
  EXPECT_NE(markdown.find("| `op_node_default_p2p_accepts` | Count of incoming dial attempts to accept, with label to "
                          "filter to allowed attempts | allow | counter |\n"),
            markdown.npos)
      << markdown;
  EXPECT_NE(markdown.find("| `process_open_fds` | Number of open file descriptors. | | gauge |\n"), markdown.npos);
  const auto json = boost::json::parse(metrics_json()).as_array();
  EXPECT_EQ(json.size() + 2, std::count(markdown.begin(), markdown.end(), '\n'));
  EXPECT_EQ(boost::json::serialize(json[1]),
            R"({"type":"gauge","name":"op_node_default_up","help":"1 if the op node has finished starting up",)"
            R"("labels":null})");
}

}  // namespace
}  // namespace opp2p

#include "opp2p/metrics/metric_table.hpp"

#include <gmock/gmock.h>
#include <prometheus/check_names.h>

#include <boost/json.hpp>
#include <set>

namespace opp2p {
namespace {

using testing::ElementsAre;

constexpr std::string_view kOpNode = "op_node_default_";

// tests/vectors/op_node_metrics_test.cpp compares the rows of op-node with its own.
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

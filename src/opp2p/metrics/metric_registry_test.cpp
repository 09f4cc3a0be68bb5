#include "opp2p/metrics/metric_registry.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "opp2p/metrics/metrics_test_support.hpp"

namespace opp2p {
namespace {

TEST(MetricRegistry, tells_series_with_help_type_and_labels_in_the_text_format) {
  MetricRegistry registry;
  registry.counter(Metric::blocks, {"reject", "bad_block_hash"}).Increment(3);
  registry.counter(Metric::blocks, {"accept", "valid"}).Increment();
  registry.gauge(Metric::up).Set(1);
  const auto text = registry.text();
  EXPECT_NE(text.find("# HELP opp2p_blocks_total Gossiped blocks of peers by verdict and reason\n"
                      "# TYPE opp2p_blocks_total counter\n"
                      "opp2p_blocks_total{reason=\"bad_block_hash\",verdict=\"reject\"} 3\n"
                      "opp2p_blocks_total{reason=\"valid\",verdict=\"accept\"} 1\n"),
            text.npos)
      << text;
  EXPECT_NE(text.find("# TYPE op_node_default_up gauge\nop_node_default_up 1\n"), text.npos) << text;
  EXPECT_EQ(text.find("opp2p_holes"), text.npos) << "a metric without series is not told";
}

TEST(MetricRegistry, gives_the_same_series_for_the_same_labels) {
  MetricRegistry registry;
  auto& first = registry.counter(Metric::p2p_dials, {"true"});
  EXPECT_EQ(&registry.counter(Metric::p2p_dials, {"true"}), &first);
  EXPECT_NE(&registry.counter(Metric::p2p_dials, {"false"}), &first);
}

TEST(MetricRegistry, counts_observations_in_cumulative_buckets) {
  MetricRegistry registry;
  auto& scores = registry.histogram(Metric::peer_scores, {"total"});
  for (const double score : {-101.0, -0.5, 0.0, 41.0}) scores.Observe(score);
  const auto samples = read_samples(registry.text());
  const std::string name = "op_node_default_peer_scores";
  EXPECT_EQ(sample(samples, name + "_bucket{type=\"total\",le=\"-100\"}"), 1);
  EXPECT_EQ(sample(samples, name + "_bucket{type=\"total\",le=\"-0.5\"}"), 2);
  EXPECT_EQ(sample(samples, name + "_bucket{type=\"total\",le=\"0\"}"), 3);
  EXPECT_EQ(sample(samples, name + "_bucket{type=\"total\",le=\"40\"}"), 3);
  EXPECT_EQ(sample(samples, name + "_bucket{type=\"total\",le=\"+Inf\"}"), 4);
  EXPECT_EQ(sample(samples, name + "_count{type=\"total\"}"), 4);
  EXPECT_EQ(sample(samples, name + "_sum{type=\"total\"}"), -60.5);
}

TEST(MetricRegistry, tells_families_by_name_and_numbers_to_sixteen_digits) {
  MetricRegistry registry;
  registry.gauge(Metric::head_number).Set(1'300'000'000'000'001);
  registry.gauge(Metric::refs_hash, {"l2", "l2_unsafe"}).Set(1.8446744073709552e19);
  const auto text = registry.text();
  const auto samples = read_samples(text);
  EXPECT_EQ(sample(samples, "opp2p_head_number"), 1'300'000'000'000'001);
  EXPECT_NEAR(sample(samples, "op_node_default_refs_hash{layer=\"l2\",type=\"l2_unsafe\"}"), 1.8446744073709552e19,
              1e4);
  EXPECT_LT(text.find("op_node_default_refs_hash"), text.find("opp2p_head_number"));
  EXPECT_LT(text.find("opp2p_head_number"), text.find("process_cpu_seconds_total"));
}

TEST(MetricRegistryDeathTest, a_label_without_a_value_and_a_metric_of_another_type_are_defects) {
  MetricRegistry registry;
  EXPECT_DEATH(registry.counter(Metric::p2p_dials), "each label has a value");
  EXPECT_DEATH(registry.gauge(Metric::p2p_dials, {"true"}), "a metric is used as what it is");
}

}  // namespace
}  // namespace opp2p

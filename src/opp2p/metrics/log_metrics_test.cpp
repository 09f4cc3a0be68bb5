#include "opp2p/metrics/log_metrics.hpp"

#include <gtest/gtest.h>

#include "opp2p/metrics/metrics_test_support.hpp"

namespace opp2p {
namespace {

// Takes nothing.
class RefusingSink final : public LogSink {
 public:
  bool write(std::string_view, const std::atomic<bool>&) override { return false; }
};

LogOptions log_options(std::size_t lines, bool own_thread) {
  LogOptions out;
  out.own_thread = own_thread;
  out.sink = std::make_shared<RefusingSink>();
  out.queue.lines = lines;
  return out;
}

class LogMetricsTest : public testing::Test {
 protected:
  double value(std::string_view name) const { return sample(read_samples(registry_.text()), name); }
  MetricRegistry registry_;
};

TEST_F(LogMetricsTest, a_line_that_is_not_written_counts_by_its_cause_and_once) {
  Log log(log_options(0, true));
  LogMetrics metrics(registry_, log);
  metrics.read();
  EXPECT_EQ(value("opp2p_log_lines_dropped_total{cause=\"no_room\"}"), 0);
  for (int i = 0; i < 3; ++i) log.info(Component::node, "a line that there is no room for");
  metrics.read();
  metrics.read();
  EXPECT_EQ(value("opp2p_log_lines_dropped_total{cause=\"no_room\"}"), 3);
  EXPECT_EQ(value("opp2p_log_lines_dropped_total{cause=\"displaced\"}"), 0);
  EXPECT_EQ(value("opp2p_log_lines_dropped_total{cause=\"unwritten\"}"), 0);
  EXPECT_EQ(value("opp2p_queue_items{queue=\"log\"}"), 0);
}

TEST_F(LogMetricsTest, a_line_that_the_reader_refuses_counts_as_unwritten) {
  Log log(log_options(10, true));
  LogMetrics metrics(registry_, log);
  log.info(Component::node, "a line that nobody takes");
  ASSERT_TRUE(log.flush(libp2p::Seconds(20)));
  metrics.read();
  EXPECT_EQ(value("opp2p_log_lines_dropped_total{cause=\"unwritten\"}"), 1);
}

TEST_F(LogMetricsTest, a_log_without_a_thread_has_no_queue) {
  Log log(log_options(10, false));
  LogMetrics metrics(registry_, log);
  log.info(Component::node, "a line");
  metrics.read();
  EXPECT_EQ(value("opp2p_log_lines_dropped_total{cause=\"unwritten\"}"), 0);
  EXPECT_EQ(value("opp2p_queue_items{queue=\"log\"}"), 0);
}

}  // namespace
}  // namespace opp2p

#include "opp2p/metrics/process_metrics.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace opp2p {
namespace {

constexpr std::string_view kStat =
    "4321 (a (b) c) S 1 4321 4321 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 5 0 777 104857600 2560 18446744073709551615 1 "
    "1 0 0\n";

TEST(ProcessMetrics, reads_the_kernels_line_of_a_process_whatever_its_name) {
  const auto stat = parse_process_stat(kStat, 100, 4096);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->cpu_seconds, 3);
  EXPECT_EQ(stat->start_ticks, 777);
  EXPECT_EQ(stat->virtual_bytes, 104857600);
  EXPECT_EQ(stat->resident_bytes, 2560 * 4096);
}

TEST(ProcessMetrics, refuses_a_line_that_is_cut_or_has_other_words) {
  for (const std::string_view line : {"", "4321 (a", "4321 (a) S 1 2 3",
                                      "4321 (a) S 1 4321 4321 0 -1 4194304 100 0 0 "
                                      "0 x 50 0 0 20 0 5 0 777 104857600 2560 1"})
    EXPECT_FALSE(parse_process_stat(line, 100, 4096)) << line;
  EXPECT_FALSE(parse_process_stat(kStat, 0, 4096));
}

TEST(ProcessMetrics, tells_of_this_process) {
  const auto families = collect_process_metrics();
  ASSERT_EQ(families.size(), process_metric_rows().size());
  const auto value = [&](std::size_t i) {
    const auto& metric = families[i].metric.at(0);
    return metric.counter.value + metric.gauge.value;
  };
  for (std::size_t i = 0; i < families.size(); ++i) {
    EXPECT_EQ(families[i].name, process_metric_rows()[i].name);
    if (i == 0) continue;  // the processor time may be 0 still
    EXPECT_GT(value(i), 0) << families[i].name;
  }
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(value(4), now, 3600) << "started just now";
  EXPECT_GE(value(1), value(2)) << "no more descriptors than are allowed";
}

}  // namespace
}  // namespace opp2p

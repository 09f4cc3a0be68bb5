#include "opp2p/log/log_queue.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

LogRecord line(LogLevel level, std::string_view text) { return LogRecord({}, level, Component::node, text, {}); }

std::string text_of(const LogRecord& record) {
  const auto whole = to_line(LogFormat::text, record);
  const auto from = whole.find("msg=\"") + 5;
  return whole.substr(from, whole.size() - from - 1);
}

std::vector<std::string> all_of(LogQueue& queue) {
  std::vector<std::string> out;
  queue.check();
  for (const auto& record : queue.take(1 << 30)) out.push_back(text_of(record));
  queue.check();
  return out;
}

TEST(LogQueue, keeps_the_order_over_all_levels) {
  LogQueue queue({10, 1 << 20});
  for (const auto level : {LogLevel::warn, LogLevel::debug, LogLevel::crit, LogLevel::info})
    queue.push(line(level, to_string(level)));
  EXPECT_EQ(all_of(queue), (std::vector<std::string>{"warn", "debug", "crit", "info"}));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(LogQueue, when_full_drops_the_newcomer_unless_a_lower_level_can_go_and_counts_each) {
  LogQueue queue({4, 1 << 20});
  queue.push(line(LogLevel::info, "info 1"));
  queue.push(line(LogLevel::debug, "debug 1"));
  queue.push(line(LogLevel::info, "info 2"));
  queue.push(line(LogLevel::debug, "debug 2"));
  queue.push(line(LogLevel::debug, "debug 3"));  // no lower one
  queue.push(line(LogLevel::error, "error 1"));  // debug 2 goes
  queue.push(line(LogLevel::warn, "warn 1"));    // debug 1 goes
  queue.push(line(LogLevel::error, "error 2"));  // info 2 goes
  queue.push(line(LogLevel::info, "info 3"));
  EXPECT_EQ(queue.drops().total(), 5u);
  EXPECT_EQ(queue.drops().no_room, 2u);
  EXPECT_EQ(queue.drops().displaced, 3u);
  EXPECT_EQ(queue.drops().of(LogLevel::debug), 3u);
  EXPECT_EQ(queue.drops().of(LogLevel::info), 2u);
  EXPECT_EQ(queue.drops().of(LogLevel::error), 0u);
  EXPECT_EQ(all_of(queue), (std::vector<std::string>{"info 1", "error 1", "warn 1", "error 2"}));
}

TEST(LogQueue, is_bounded_in_bytes_too) {
  const std::string text(kMaxFieldBytes, 'x');
  const std::size_t one = line(LogLevel::info, text).memory_bytes();
  LogQueue queue({1000, 3 * one});
  for (int i = 0; i < 10; ++i) queue.push(line(LogLevel::info, text));
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue.drops().no_room, 7u);
  queue.push(line(LogLevel::error, text));
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue.drops().displaced, 1u);
  EXPECT_LE(queue.bytes(), 3 * one);
}

TEST(LogQueue, takes_a_batch_by_bytes_and_one_line_at_least) {
  LogQueue queue({10, 1 << 20});
  for (const auto* text : {"1", "2", "3"}) queue.push(line(LogLevel::info, text));
  EXPECT_EQ(queue.take(1).size(), 1u);
  EXPECT_EQ(queue.last_taken(), 1u);
  EXPECT_EQ(queue.take(1 << 20).size(), 2u);
  EXPECT_EQ(queue.last_taken(), queue.last_number());
  EXPECT_TRUE(queue.take(1).empty());
}

TEST(LogQueue, tells_drops_once) {
  LogQueue queue({1, 1 << 20});
  for (int i = 0; i < 3; ++i) queue.push(line(LogLevel::info, "x"));
  queue.drops_were_told(queue.untold_drops());
  EXPECT_EQ(queue.untold_drops().total(), 0u);
  queue.count_unwritten(queue.take(1));
  EXPECT_EQ(queue.untold_drops().total(), 1u);
  EXPECT_EQ(queue.untold_drops().unwritten, 1u);
  EXPECT_EQ(queue.drops().of(LogLevel::info), 3u);
}

}  // namespace
}  // namespace opp2p

// The lines that wait for the log's thread, oldest first.
//
// Policy when there is no room: a line makes newer lines of the lowest level below its own go, so that errors are lost
// after warnings, and these after info and debug; a line that finds no lower one is dropped itself. Lines that are
// there keep their order, and the oldest of a level, which tell how things began, are kept. Every drop is counted by
// level and by cause.
//
// A pure container; LogWriter guards it. Bounds: LogQueueLimits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "opp2p/log/log_line.hpp"

namespace opp2p {

struct LogQueueLimits {
  std::size_t lines = 8192;
  std::size_t bytes = 2 << 20;  // of LogRecord::memory_bytes
};

// Lines that were not written.
struct LogDrops {
  std::array<std::uint64_t, kLogLevels> by_level{};
  std::uint64_t no_room = 0;    // LogQueueLimits
  std::uint64_t displaced = 0;  // had room, and lost it to a line of a higher level
  std::uint64_t unwritten = 0;  // the descriptor refused them
  std::uint64_t total() const { return no_room + displaced + unwritten; }
  std::uint64_t of(LogLevel level) const { return by_level[static_cast<std::size_t>(level)]; }
};
LogDrops operator+(const LogDrops& a, const LogDrops& b);
LogDrops operator-(const LogDrops& a, const LogDrops& b);

class LogQueue {
 public:
  explicit LogQueue(LogQueueLimits limits) : limits_(limits) {}

  void push(LogRecord record);
  // At most `max_bytes` of the oldest, and one at least when there is one.
  std::vector<LogRecord> take(std::size_t max_bytes);
  void count_unwritten(const std::vector<LogRecord>& lines);

  bool empty() const { return lines_ == 0; }
  std::size_t size() const { return lines_; }
  std::size_t bytes() const { return bytes_; }
  bool at_most_half_full() const { return lines_ <= limits_.lines / 2 && bytes_ <= limits_.bytes / 2; }
  // Numbers of lines, which only grow: of the last one that got in, and of the last one that was taken.
  std::uint64_t last_number() const { return last_number_; }
  std::uint64_t last_taken() const { return last_taken_; }

  // All drops; and those that the log does not tell of yet.
  const LogDrops& drops() const { return drops_; }
  LogDrops untold_drops() const { return drops_ - told_; }
  void drops_were_told(const LogDrops& told);
  // Asserts bounds, order and counts. It walks over all lines.
  void check() const;

 private:
  struct Waiting {
    std::uint64_t number = 0;
    LogRecord record;
  };
  bool fits(std::size_t bytes) const { return lines_ < limits_.lines && bytes_ + bytes <= limits_.bytes; }
  bool displace_below(LogLevel level);

  LogQueueLimits limits_;
  std::array<std::deque<Waiting>, kLogLevels> by_level_;
  std::size_t lines_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t last_number_ = 0;
  std::uint64_t last_taken_ = 0;
  std::uint64_t pushed_ = 0;  // lines that came
  std::uint64_t taken_ = 0;   // lines that left in order
  LogDrops drops_;
  LogDrops told_;
};

}  // namespace opp2p

#include "opp2p/log/log_queue.hpp"

#include <functional>

namespace opp2p {
namespace {

template <class Operation>
LogDrops combined(const LogDrops& a, const LogDrops& b, Operation operation) {
  LogDrops out;
  for (std::size_t i = 0; i < kLogLevels; ++i) out.by_level[i] = operation(a.by_level[i], b.by_level[i]);
  out.no_room = operation(a.no_room, b.no_room);
  out.displaced = operation(a.displaced, b.displaced);
  out.unwritten = operation(a.unwritten, b.unwritten);
  return out;
}

}  // namespace

LogDrops operator+(const LogDrops& a, const LogDrops& b) { return combined(a, b, std::plus<std::uint64_t>()); }
LogDrops operator-(const LogDrops& a, const LogDrops& b) { return combined(a, b, std::minus<std::uint64_t>()); }

void LogQueue::push(LogRecord record) {
  const auto level = static_cast<std::size_t>(record.level);
  const std::size_t bytes = record.memory_bytes();
  while (!fits(bytes)) {
    if (displace_below(record.level)) continue;
    ++drops_.by_level[level];
    ++drops_.no_room;
    return;
  }
  ++lines_;
  bytes_ += bytes;
  by_level_[level].push_back(Waiting{++last_number_, std::move(record)});
}

bool LogQueue::displace_below(LogLevel level) {
  for (std::size_t lower = 0; lower < static_cast<std::size_t>(level); ++lower) {
    auto& lines = by_level_[lower];
    if (lines.empty()) continue;
    --lines_;
    bytes_ -= lines.back().record.memory_bytes();
    lines.pop_back();
    ++drops_.by_level[lower];
    ++drops_.displaced;
    return true;
  }
  return false;
}

std::vector<LogRecord> LogQueue::take(std::size_t max_bytes) {
  std::vector<LogRecord> out;
  std::size_t taken = 0;
  while (lines_ > 0) {
    std::deque<Waiting>* oldest = nullptr;
    for (auto& lines : by_level_)
      if (!lines.empty() && (oldest == nullptr || lines.front().number < oldest->front().number)) oldest = &lines;
    const std::size_t bytes = oldest->front().record.memory_bytes();
    if (!out.empty() && taken + bytes > max_bytes) break;
    taken += bytes;
    --lines_;
    bytes_ -= bytes;
    last_taken_ = oldest->front().number;
    out.push_back(std::move(oldest->front().record));
    oldest->pop_front();
  }
  return out;
}

void LogQueue::count_unwritten(const std::vector<LogRecord>& lines) {
  for (const auto& line : lines) ++drops_.by_level[static_cast<std::size_t>(line.level)];
  drops_.unwritten += lines.size();
}

}  // namespace opp2p

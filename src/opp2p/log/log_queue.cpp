#include "opp2p/log/log_queue.hpp"

#include <functional>
#include <numeric>

#include "libp2p/base/assert.hpp"

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
  ++pushed_;
  while (!fits(bytes)) {
    if (displace_below(record.level)) continue;
    ++drops_.by_level[level];
    ++drops_.no_room;
    return;
  }
  ++lines_;
  bytes_ += bytes;
  by_level_[level].push_back(Waiting{++last_number_, std::move(record)});
  OPP2P_ASSERT(lines_ <= limits_.lines && bytes_ <= limits_.bytes, "the queue keeps its bounds", lines_, bytes_);
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
    OPP2P_ASSERT(last_taken_ < oldest->front().number, "lines leave in the order in which they came", last_taken_,
                 oldest->front().number);
    last_taken_ = oldest->front().number;
    ++taken_;
    out.push_back(std::move(oldest->front().record));
    oldest->pop_front();
  }
  return out;
}

void LogQueue::count_unwritten(const std::vector<LogRecord>& lines) {
  for (const auto& line : lines) ++drops_.by_level[static_cast<std::size_t>(line.level)];
  drops_.unwritten += lines.size();
}

void LogQueue::drops_were_told(const LogDrops& told) {
  told_ = told_ + told;
  OPP2P_ASSERT(told_.total() <= drops_.total(), "no more drops are told than there were", told_.total(),
               drops_.total());
}

void LogQueue::check() const {
  std::size_t lines = 0, bytes = 0;
  for (const auto& waiting : by_level_) {
    std::uint64_t before = last_taken_;
    for (const Waiting& line : waiting) {
      OPP2P_CHECK(before < line.number && line.number <= last_number_, "the lines of a level keep their order", before,
                  line.number, last_number_);
      before = line.number;
      bytes += line.record.memory_bytes();
    }
    lines += waiting.size();
  }
  OPP2P_CHECK(lines == lines_ && bytes == bytes_, "lines and bytes are counted", lines, lines_, bytes, bytes_);
  OPP2P_CHECK(lines_ <= limits_.lines && bytes_ <= limits_.bytes, "the queue keeps its bounds", lines_, bytes_);
  OPP2P_CHECK(pushed_ == taken_ + lines_ + drops_.no_room + drops_.displaced,
              "each line is taken, waits or is counted as dropped", pushed_, taken_, lines_, drops_.no_room,
              drops_.displaced);
  const auto by_level = std::accumulate(drops_.by_level.begin(), drops_.by_level.end(), std::uint64_t{0});
  OPP2P_CHECK(by_level == drops_.total(), "each drop has a level and a cause", by_level, drops_.total());
}

}  // namespace opp2p

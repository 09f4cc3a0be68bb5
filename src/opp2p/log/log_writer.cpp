#include "opp2p/log/log_writer.hpp"

#include <utility>

#include "libp2p/base/signals_blocked.hpp"

namespace opp2p {

LogWriter::LogWriter(std::shared_ptr<LogSink> sink, LogFormat format, LogQueueLimits limits, libp2p::Nanos close_limit)
    : close_limit_(close_limit), core_(std::make_shared<Core>(std::move(sink), format, limits)) {
  const libp2p::SignalsBlocked inherited;
  thread_ = std::thread([core = core_] { core->run(); });
}

LogWriter::~LogWriter() {
  std::unique_lock lock(core_->mutex);
  core_->stopping = true;
  core_->work.notify_one();
  const bool ended = core_->progress.wait_for(lock, close_limit_, [this] { return core_->ended; });
  if (!ended) core_->give_up = true;
  lock.unlock();
  if (ended)
    thread_.join();
  else
    thread_.detach();
}

void LogWriter::push(LogRecord record) {
  bool wake = false;
  {
    const std::lock_guard lock(core_->mutex);
    core_->queue.push(std::move(record));
    core_->count_waiting();
    wake = std::exchange(core_->idle, false);
  }
  if (wake) core_->work.notify_one();
}

bool LogWriter::flush(libp2p::Nanos limit) {
  std::unique_lock lock(core_->mutex);
  const auto number = core_->queue.last_number();
  return core_->progress.wait_for(lock, limit, [&] { return core_->written_up_to(number); });
}

LogDrops LogWriter::drops() const {
  const std::lock_guard lock(core_->mutex);
  return core_->queue.drops();
}

void LogWriter::Core::run() {
  std::unique_lock lock(mutex);
  while (!give_up) {
    idle = queue.empty();
    work.wait(lock, [this] { return stopping || !queue.empty(); });
    idle = false;
    if (queue.empty()) break;
    const auto batch = queue.take(kBatchBytes);
    const auto number = queue.last_taken();
    const auto drops = queue.at_most_half_full() ? queue.untold_drops() : LogDrops();
    being_written = batch.size();
    lock.unlock();
    const bool all = sink->write(text_of(batch, drops), give_up);
    lock.lock();
    being_written = 0;
    count_waiting();
    written = number;
    if (all)
      queue.drops_were_told(drops);
    else
      queue.count_unwritten(batch);
    progress.notify_all();
  }
  ended = true;
  progress.notify_all();
}

std::string LogWriter::Core::text_of(const std::vector<LogRecord>& batch, const LogDrops& drops) const {
  std::string out;
  for (const auto& record : batch) {
    out.append(to_line(format, record));
    out.push_back('\n');
  }
  if (drops.total() > 0) {
    const LogRecord notice(batch.back().wall, LogLevel::warn, Component::node, "log lines dropped",
                           {{"count", drops.total()},
                            {"no_room", drops.no_room},
                            {"displaced", drops.displaced},
                            {"unwritten", drops.unwritten},
                            {"error", drops.of(LogLevel::error) + drops.of(LogLevel::crit)},
                            {"warn", drops.of(LogLevel::warn)},
                            {"info", drops.of(LogLevel::info)},
                            {"debug", drops.of(LogLevel::debug) + drops.of(LogLevel::trace)}});
    out.append(to_line(format, notice)).push_back('\n');
  }
  return out;
}

}  // namespace opp2p

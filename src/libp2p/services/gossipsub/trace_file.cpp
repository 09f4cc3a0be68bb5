#include "libp2p/services/gossipsub/trace_file.hpp"

#include <utility>

#include "libp2p/base/signals_blocked.hpp"

namespace libp2p {

using gossipsub::TraceEvent;
using gossipsub::TraceLoss;

Result<std::shared_ptr<GossipTraceFile>> GossipTraceFile::open(const GossipTraceFileConfig& config) {
  OPP2P_TRY(auto output, TraceFileOutput::open(config.path));
  return std::make_shared<GossipTraceFile>(std::move(output), config);
}

GossipTraceFile::GossipTraceFile(std::unique_ptr<TraceOutput> output, GossipTraceFileConfig config)
    : core_(std::make_shared<Core>(std::move(output), std::move(config))) {
  const SignalsBlocked inherited;
  thread_ = std::thread([core = core_] { core->run(); });
}

GossipTraceFile::~GossipTraceFile() {
  std::unique_lock lock(core_->mutex);
  core_->stopping = true;
  core_->work.notify_one();
  const bool ended = core_->progress.wait_for(lock, core_->config.close_limit, [this] { return core_->ended; });
  if (!ended) core_->give_up = true;
  lock.unlock();
  ended ? thread_.join() : thread_.detach();
}

void GossipTraceFile::on_event(TraceEvent event) {
  const std::size_t bytes = event.memory_bytes();
  bool wake = false;
  {
    const std::lock_guard lock(core_->mutex);
    Core& core = *core_;
    wake = core.queue.empty();
    ++core.last_queued;
    if (core.queue.size() >= core.config.max_events || core.queued_bytes + bytes > core.config.max_bytes) {
      core.dropped.at = event.at;
      ++core.dropped.no_room;
      ++core.counts.no_room;
    } else {
      core.queued_bytes += bytes;
      core.queue.push_back(std::move(event));
    }
  }
  if (wake) core_->work.notify_one();
}

bool GossipTraceFile::flush(Nanos limit) {
  std::unique_lock lock(core_->mutex);
  const std::uint64_t number = core_->last_queued;
  return core_->progress.wait_for(lock, limit, [&] { return core_->last_written >= number; });
}

GossipTraceCounts GossipTraceFile::counts() const {
  const std::lock_guard lock(core_->mutex);
  return core_->counts;
}

void GossipTraceFile::Core::run() {
  std::unique_lock lock(mutex);
  while (!give_up) {
    work.wait(lock, [this] { return stopping || last_queued != last_written; });
    if (last_queued == last_written) break;
    const auto batch = std::exchange(queue, {});
    const TraceLoss loss = std::exchange(dropped, {});
    const std::uint64_t number = last_queued;
    queued_bytes = 0;
    lock.unlock();
    write(batch, loss);
    lock.lock();
    last_written = number;
    progress.notify_all();
  }
  ended = true;
  progress.notify_all();
}

void GossipTraceFile::Core::write(const std::vector<TraceEvent>& batch, const TraceLoss& loss) {
  std::string records;
  std::uint64_t events = 0;
  for (const TraceEvent& event : batch) {
    append_trace(records, event, config.format);
    ++events;
    if (records.size() >= kWriteBytes) write_part(records, std::exchange(events, 0), event.at);
  }
  if (events != 0) write_part(records, events, batch.back().at);
  if (loss.no_room == 0) return;
  untold.at = loss.at;
  untold.no_room += loss.no_room;
  write_part(records, 0, loss.at);
}

// Behind what is missing before them. Leaves `records` empty.
void GossipTraceFile::Core::write_part(std::string& records, std::uint64_t events, UnixTime last) {
  if (untold.total() != 0) {
    std::string told;
    append_trace(told, untold, config.format);
    records.insert(0, told);
  }
  const Result<void> written = output->write(records);
  records.clear();
  if (written) {
    untold = TraceLoss();
    failing = false;
    const std::lock_guard lock(mutex);
    counts.written += events;
    return;
  }
  untold.at = last;
  untold.unwritten += events;
  bool alone = false;
  {
    const std::lock_guard lock(mutex);
    counts.unwritten += events;
    alone = give_up;
  }
  if (!std::exchange(failing, true) && config.on_error && !alone) config.on_error(written.error());
}

}  // namespace libp2p

// The thread that writes the log, and the queue before it. push() takes a lock for the time of a move and never waits
// for the sink, so a full pipe or a slow disk costs lines (log_queue.hpp says which) and not the network thread's time.
// When there is room again, a line "log lines dropped" tells how many are missing and why.
//
// Owner: Log. Thread: any. Bounds: LogQueueLimits, and kBatchBytes that are being written. The destructor waits for
// what is queued, `close_limit` at most; a thread that is stuck in the sink is left behind with what it uses.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "opp2p/base/log_sink.hpp"
#include "opp2p/log/log_queue.hpp"

namespace opp2p {

class LogWriter {
 public:
  static constexpr std::size_t kBatchBytes = 64 << 10;
  static constexpr auto kFlushLimit = libp2p::Seconds(1);

  LogWriter(std::shared_ptr<LogSink> sink, LogFormat format, LogQueueLimits limits, libp2p::Nanos close_limit);
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  void push(LogRecord record);
  // Waits until what is queued now is written; false when `limit` passed first.
  bool flush(libp2p::Nanos limit);
  LogDrops drops() const;
  // Lines that are queued or being written. For a handler of signals: lock-free, and valid as long as this object.
  const std::atomic<std::size_t>& waiting() const { return core_->waiting; }

 private:
  // What the thread uses; it may outlive the writer.
  struct Core {
    Core(std::shared_ptr<LogSink> to, LogFormat how, LogQueueLimits limits)
        : sink(std::move(to)), format(how), queue(limits) {}
    void run();
    std::string text_of(const std::vector<LogRecord>& batch, const LogDrops& drops) const;
    void count_waiting() { waiting.store(queue.size() + being_written, std::memory_order_relaxed); }
    bool written_up_to(std::uint64_t number) const {
      return written >= number || (queue.empty() && being_written == 0);
    }

    const std::shared_ptr<LogSink> sink;
    const LogFormat format;
    std::atomic<std::size_t> waiting{0};
    std::atomic<bool> give_up{false};
    mutable std::mutex mutex;  // guards what follows
    std::condition_variable work, progress;
    LogQueue queue;
    std::size_t being_written = 0;  // lines
    bool idle = false;              // the thread sleeps until it is woken
    bool stopping = false;
    bool ended = false;
    std::uint64_t written = 0;  // the number of the last line
  };

  const libp2p::Nanos close_limit_;
  std::shared_ptr<Core> core_;
  std::thread thread_;
};

}  // namespace opp2p

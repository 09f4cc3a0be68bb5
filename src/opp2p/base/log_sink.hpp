// The output of the log. DescriptorSink writes to a descriptor, which may be a pipe that nobody reads, a stopped
// terminal or a file on a slow disk. Owner: the log. Thread: the one that writes; one at a time.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>

namespace opp2p {

// Writes all of `text` to a descriptor and blocks for as long as the reader takes; `give_up` is asked about every 50 ms
// while it waits, and after a signal. The errno that ended it: 0 when all is written, ECANCELED when it gave up. For a
// program that ignores SIGPIPE, or a thread that blocks it.
int write_all(int descriptor, std::string_view text, const std::function<bool()>& give_up);

class LogSink {
 public:
  virtual ~LogSink() = default;
  // Writes whole lines, each with its end, and may block. False when not all of it could be written. Returns soon after
  // `give_up` has become true, if it can.
  virtual bool write(std::string_view lines, const std::atomic<bool>& give_up) = 0;
};

class DescriptorSink final : public LogSink {
 public:
  // The descriptor stays the caller's. Its flags are left alone: it is shared with other processes.
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}
  bool write(std::string_view lines, const std::atomic<bool>& give_up) override;

  // The errno of the last write: 0 when it went well. Thread: any.
  int last_error() const { return last_error_.load(std::memory_order_relaxed); }

 private:
  int descriptor_;
  std::atomic<int> last_error_{0};
};

}  // namespace opp2p

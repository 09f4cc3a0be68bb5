// Where the log's lines go. DescriptorSink writes to a descriptor, which may be a pipe that nobody reads, a stopped
// terminal or a file on a slow disk. Owner: the log. Thread: the one that writes, which is one at a time.
#pragma once

#include <atomic>
#include <string_view>

namespace opp2p::node {

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

 private:
  int descriptor_;
};

}  // namespace opp2p::node

// The program's log: one line an event, with a component, a level, a message and named values. Two formats that op-node
// has too: text (logfmt: t=… lvl=info msg="…" key=value) and json (an object a line). Each component's level can be set
// alone.
//
// A daemon's log has a thread of its own (LogOptions::own_thread, log_writer.hpp): write() then queues the line and
// never waits for where it goes. Without one a line is written before write() returns, as tests and simulations want
// it; with a clock given, the log reads no other, so a simulated node's lines bear virtual time.
//
// Thread: any; lines are written whole and in the order of their calls. Engines do not log: they emit traces, and the
// node turns those into lines here.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string_view>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "opp2p/log/log_line.hpp"
#include "opp2p/log/log_writer.hpp"

namespace opp2p {

struct LogOptions {
  LogFormat format = LogFormat::text;
  LogLevel level = LogLevel::info;
  bool own_thread = false;
  std::shared_ptr<LogSink> sink;                       // none: the standard error stream
  std::function<libp2p::UnixTime()> clock;             // none: the system's
  LogQueueLimits queue;                                // of a log with its own thread
  libp2p::Nanos close_limit = LogWriter::kFlushLimit;  // how long its destructor waits for a sink that is stuck
};

class Log {
 public:
  explicit Log(LogOptions options);
  // Without a thread, to the standard error stream.
  Log(LogFormat format, LogLevel level);
  // Writes what is queued, within LogOptions::close_limit.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // "info", or a general level with exceptions: "info,gossip=debug,sync=trace".
  libp2p::Result<void> set_levels(std::string_view spec);
  bool enabled(Component component, LogLevel level) const {
    return level >= levels_[static_cast<std::size_t>(component)].load(std::memory_order_relaxed);
  }
  void write(LogLevel level, Component component, std::string_view message, std::initializer_list<Field> fields = {}) {
    if (enabled(component, level)) write_enabled(level, component, message, fields);
  }

  void debug(Component c, std::string_view m, std::initializer_list<Field> f = {}) { write(LogLevel::debug, c, m, f); }
  void info(Component c, std::string_view m, std::initializer_list<Field> f = {}) { write(LogLevel::info, c, m, f); }
  void warn(Component c, std::string_view m, std::initializer_list<Field> f = {}) { write(LogLevel::warn, c, m, f); }
  void error(Component c, std::string_view m, std::initializer_list<Field> f = {}) { write(LogLevel::error, c, m, f); }

  // Waits until all lines so far are written; false when that takes longer than the limit. For what is about to end the
  // process or to write to the same stream.
  bool flush(libp2p::Nanos limit = LogWriter::kFlushLimit);
  // Lines that were not written; none are counted without a thread.
  LogDrops drops() const;
  // How many lines wait for the thread; null without one.
  const std::atomic<std::size_t>* waiting() const { return writer_ ? &writer_->waiting() : nullptr; }

 private:
  void write_enabled(LogLevel level, Component component, std::string_view message,
                     std::initializer_list<Field> fields);

  const LogFormat format_;
  const std::function<libp2p::UnixTime()> clock_;
  const std::shared_ptr<LogSink> sink_;
  std::array<std::atomic<LogLevel>, kComponents> levels_;
  std::mutex mutex_;  // of the sink, without a thread
  std::unique_ptr<LogWriter> writer_;
};

}  // namespace opp2p

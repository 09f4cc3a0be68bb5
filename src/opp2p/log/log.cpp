#include "opp2p/log/log.hpp"

#include <unistd.h>

#include <string>

namespace opp2p {
namespace {

LogOptions plain(LogFormat format, LogLevel level) {
  LogOptions out;
  out.format = format;
  out.level = level;
  return out;
}

libp2p::UnixTime system_time() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return libp2p::UnixTime(std::chrono::duration_cast<libp2p::Nanos>(since));
}

}  // namespace

Log::Log(LogOptions options)
    : format_(options.format),
      clock_(options.clock ? std::move(options.clock) : system_time),
      sink_(options.sink ? std::move(options.sink) : std::make_shared<DescriptorSink>(STDERR_FILENO)) {
  for (auto& one : levels_) one.store(options.level, std::memory_order_relaxed);
  if (options.own_thread) writer_ = std::make_unique<LogWriter>(sink_, format_, options.queue, options.close_limit);
}

Log::Log(LogFormat format, LogLevel level) : Log(plain(format, level)) {}

Log::~Log() = default;

libp2p::Result<void> Log::set_levels(std::string_view spec) {
  std::array<std::optional<LogLevel>, kComponents> chosen;
  std::string_view rest = spec;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto part = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const auto equals = part.find('=');
    const auto name = equals == std::string_view::npos ? std::string_view() : part.substr(0, equals);
    const auto level = parse_log_level(equals == std::string_view::npos ? part : part.substr(equals + 1));
    if (!level)
      return libp2p::fail(libp2p::Errc::invalid_argument,
                          "log level '" + std::string(part) +
                              "' is not known; use trace, debug, info, warn, error or crit, or COMPONENT=LEVEL");
    bool found = false;
    for (std::size_t i = 0; i < kComponents; ++i) {
      if (!name.empty() && name != to_string(static_cast<Component>(i))) continue;
      found = true;
      // A level for all does not undo one that was given for a component.
      if (!name.empty() || !chosen[i]) chosen[i] = level;
    }
    if (!found)
      return libp2p::fail(libp2p::Errc::invalid_argument,
                          "there is no log component '" + std::string(name) +
                              "'; they are node, host, gossip, sync, store, rpc and devnet");
  }
  for (std::size_t i = 0; i < kComponents; ++i)
    if (chosen[i]) levels_[i].store(*chosen[i], std::memory_order_relaxed);
  return {};
}

void Log::write_enabled(LogLevel level, Component component, std::string_view message,
                        std::initializer_list<Field> fields) {
  LogRecord record(clock_(), level, component, message, fields);
  if (writer_) return writer_->push(std::move(record));
  static constexpr std::atomic<bool> kNever{false};
  auto line = to_line(format_, record);
  line.push_back('\n');
  const std::lock_guard lock(mutex_);
  sink_->write(line, kNever);
}

bool Log::flush(libp2p::Nanos limit) { return !writer_ || writer_->flush(limit); }

LogDrops Log::drops() const { return writer_ ? writer_->drops() : LogDrops(); }

}  // namespace opp2p

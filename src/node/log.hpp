// The program's log: one line an event, with a component, a level, a message and named values. Two formats that op-node has
// too: text (logfmt: t=… lvl=info msg="…" key=value) and json (an object a line). Each component's level can be set alone.
//
// Thread: any; lines are written whole. Engines do not log: they emit traces, and the node turns those into lines here.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/result.hpp"
#include "base/time.hpp"

namespace spdlog {
class logger;
}

namespace opp2p::node {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, crit };
std::string_view to_string(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view text);

enum class Component : std::uint8_t { node, host, gossip, sync, store, rpc, devnet };
inline constexpr std::size_t kComponents = 7;
std::string_view to_string(Component component);

enum class LogFormat : std::uint8_t { text, json };

// A named value of a line. Numbers and booleans stay what they are in JSON.
struct Field {
  template <class T>
  Field(std::string_view name, const T& v) : key(name) {
    if constexpr (std::is_same_v<T, bool>) value = v;
    else if constexpr (std::is_floating_point_v<T>) value = static_cast<double>(v);
    else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) value = static_cast<std::int64_t>(v);
    else if constexpr (std::is_integral_v<T>) value = static_cast<std::uint64_t>(v);
    else value = std::string(v);
  }
  std::string_view key;
  std::variant<std::string, std::int64_t, std::uint64_t, double, bool> value;
};

// One line without its end, as it is written. Pure, for tests. `wall` is printed in UTC with milliseconds.
std::string format_line(LogFormat format, libp2p::UnixTime wall, LogLevel level, Component component,
                        std::string_view message, std::initializer_list<Field> fields);

class Log {
 public:
  // Writes to the standard error stream.
  Log(LogFormat format, LogLevel level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // "info", or a general level with exceptions: "info,gossip=debug,sync=trace".
  libp2p::Result<void> set_levels(std::string_view spec);
  bool enabled(Component component, LogLevel level) const {
    return level >= levels_[static_cast<std::size_t>(component)].load(std::memory_order_relaxed);
  }
  void write(LogLevel level, Component component, std::string_view message, std::initializer_list<Field> fields = {});

  void debug(Component c, std::string_view m, std::initializer_list<Field> f = {}) { write(LogLevel::debug, c, m, f); }
  void info(Component c, std::string_view m, std::initializer_list<Field> f = {}) { write(LogLevel::info, c, m, f); }
  void warn(Component c, std::string_view m, std::initializer_list<Field> f = {}) { write(LogLevel::warn, c, m, f); }
  void error(Component c, std::string_view m, std::initializer_list<Field> f = {}) { write(LogLevel::error, c, m, f); }

 private:
  LogFormat format_;
  std::array<std::atomic<LogLevel>, kComponents> levels_;
  std::shared_ptr<spdlog::logger> sink_;
};

}  // namespace opp2p::node

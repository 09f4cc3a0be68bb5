// A line of the log between the call that writes it and the bytes that are written. Field takes a named value by
// reference, without a copy, so a line that its level switches off costs nothing. LogRecord is the line while it waits:
// its values packed into one string, one allocation; to_line() makes the text of it, off the network thread where the
// log has a thread of its own.
//
// Values. Thread: any. Bounds: kMaxFieldBytes for the message and for each value; what is longer is cut and says so.
// What peers say cannot break or forge a line: control characters of ASCII and Unicode are escaped, bytes that are no
// UTF-8 replaced. A field without a value (an optional that is empty, an empty text or id) is left out of its line.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace opp2p {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, crit };
inline constexpr std::size_t kLogLevels = 6;
std::string_view to_string(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view text);

enum class Component : std::uint8_t { node, host, gossip, sync, store, rpc, devnet };
inline constexpr std::size_t kComponents = 7;
std::string_view to_string(Component component);

enum class LogFormat : std::uint8_t { text, json };

inline constexpr std::size_t kMaxFieldBytes = 512;

// A named value of a line; it refers to the value and lives no longer than the call. Numbers and booleans stay what
// they are in JSON; bytes are written in hexadecimal, durations as Go writes them ("1m30s").
struct Field {
  template <class T>
  Field(std::string_view name, const T& v) : key(name) {
    refer(v);
  }
  template <class T>
  Field(std::string_view name, const std::optional<T>& v) : key(name) {
    if (v) refer(*v);
  }
  bool has_value() const;
  std::string_view key;
  std::variant<std::monostate, std::string_view, std::int64_t, std::uint64_t, double, bool, libp2p::Nanos,
               libp2p::ByteView, const libp2p::PeerId*, const libp2p::Multiaddr*, const libp2p::Error*>
      value;

 private:
  template <class T>
  void refer(const T& v) {
    using libp2p::ByteView;
    if constexpr (std::is_same_v<T, bool>)
      value = v;
    else if constexpr (std::is_floating_point_v<T>)
      value = static_cast<double>(v);
    else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
      value = static_cast<std::int64_t>(v);
    else if constexpr (std::is_integral_v<T>)
      value = static_cast<std::uint64_t>(v);
    else if constexpr (std::is_same_v<T, libp2p::Nanos>)
      value = v;
    else if constexpr (std::is_same_v<T, libp2p::PeerId> || std::is_same_v<T, libp2p::Multiaddr> ||
                       std::is_same_v<T, libp2p::Error>)
      value = &v;
    else if constexpr (std::convertible_to<const T&, std::string_view>)
      value = std::string_view(v);
    else
      value = ByteView(v);
  }
};

struct LogRecord {
  libp2p::UnixTime wall;
  LogLevel level = LogLevel::info;
  Component component = Component::node;
  std::string packed;  // the message and the fields

  LogRecord(libp2p::UnixTime when, LogLevel its_level, Component its_component, std::string_view message,
            std::initializer_list<Field> fields);
  std::size_t memory_bytes() const { return sizeof(LogRecord) + packed.capacity(); }
};

// The line without its end. `wall` is printed in UTC with milliseconds.
std::string to_line(LogFormat format, const LogRecord& record);

}  // namespace opp2p

#include "opp2p/log/log_line.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <ctime>
#include <iterator>

#include "libp2p/base/peer_text.hpp"
#include "opp2p/base/go_values.hpp"

namespace opp2p {
namespace {

using libp2p::ByteView;

constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error", "crit"};
constexpr std::string_view kShortLevels[] = {"trce", "dbug", "info",
                                             "warn", "eror", "crit"};  // op-node takes these too
constexpr std::string_view kComponentNames[] = {"node", "host", "gossip", "sync", "store", "rpc", "devnet"};
constexpr std::size_t kMaxKeyBytes = 255;
constexpr std::size_t kUsualBytes = 224;

// How a value lies in LogRecord::packed. Numbers as they are in memory, all else with its length before it.
enum class Packed : char { text, signed_number, unsigned_number, real, truth, duration, bytes, peer, address };

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

void pack_bytes(std::string& out, std::string_view bytes) {
  const auto size = static_cast<std::uint16_t>(bytes.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(bytes);
}

// Cuts between characters, and says how much is missing.
void pack_text(std::string& out, std::string_view text) {
  if (text.size() <= kMaxFieldBytes) return pack_bytes(out, text);
  std::size_t kept = kMaxFieldBytes;
  while (kept > kMaxFieldBytes - 3 && continues_character(text[kept])) --kept;
  pack_bytes(out, fmt::format("{}... ({} more bytes)", text.substr(0, kept), text.size() - kept));
}

template <class Number>
void pack_number(std::string& out, Packed kind, Number value) {
  out.push_back(static_cast<char>(kind));
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

struct Packer {
  std::string& out;
  void operator()(std::monostate) const {}
  void operator()(std::string_view text) const { tagged_text(text); }
  void operator()(std::int64_t value) const { pack_number(out, Packed::signed_number, value); }
  void operator()(std::uint64_t value) const { pack_number(out, Packed::unsigned_number, value); }
  void operator()(double value) const { pack_number(out, Packed::real, value); }
  void operator()(bool value) const { pack_number(out, Packed::truth, value); }
  void operator()(libp2p::Nanos value) const { pack_number(out, Packed::duration, value.count()); }
  void operator()(ByteView bytes) const { tagged_bytes(Packed::bytes, bytes); }
  void operator()(const libp2p::PeerId* peer) const { tagged_bytes(Packed::peer, peer->bytes()); }
  void operator()(const libp2p::Multiaddr* address) const {
    if (address->bytes().size() > kMaxFieldBytes)
      tagged_text(address->text());
    else
      tagged_bytes(Packed::address, address->bytes());
  }
  void operator()(const libp2p::Error* error) const { tagged_text(error->message()); }

 private:
  void tagged_text(std::string_view text) const {
    out.push_back(static_cast<char>(Packed::text));
    pack_text(out, text);
  }
  void tagged_bytes(Packed kind, ByteView bytes) const {
    out.push_back(static_cast<char>(kind));
    pack_bytes(out, libp2p::as_text(bytes.first(std::min(bytes.size(), kMaxFieldBytes))));
  }
};

// Reads what the Packer wrote.
class Unpacker {
 public:
  explicit Unpacker(std::string_view packed) : rest_(packed) {}
  bool done() const { return rest_.empty(); }
  template <class Number>
  Number number() {
    Number out;
    std::memcpy(&out, take(sizeof out).data(), sizeof out);
    return out;
  }
  std::string_view text() { return take(number<std::uint16_t>()); }

 private:
  std::string_view take(std::size_t size) {
    const auto out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  std::string_view rest_;
};

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const auto [point, bytes] = libp2p::first_utf8_character(text);
    if (bytes == 0)
      out.append("\\ufffd");
    else if (point == '"' || point == '\\')
      out.append({'\\', static_cast<char>(point)});
    else if (point == '\n')
      out.append("\\n");
    else if (libp2p::is_control_character(point))
      libp2p::append_escape(out, point);
    else
      out.append(text.substr(0, bytes));
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  out.push_back('"');
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return true;
  }
  return false;
}

void append_text(std::string& out, std::string_view text, LogFormat format) {
  if (format == LogFormat::json || needs_quotes(text))
    append_quoted(out, text);
  else
    out.append(text);
}

void append_number(std::string& out, double value) {
  // JSON has no word for infinity or not-a-number.
  if (value - value == 0)
    fmt::format_to(std::back_inserter(out), "{:.6g}", value);
  else
    append_quoted(out, fmt::format("{}", value));
}

// As Go writes durations, rounded down to what a reader of a log needs: whole seconds from a minute on, tenths of a
// second below. What is under a millisecond has "us", which needs no quotes.
std::string rounded_duration(libp2p::Nanos value) {
  const auto magnitude = value < libp2p::Nanos(0) ? -value : value;
  if (magnitude < libp2p::Millis(1)) return fmt::format("{:.4g}us", static_cast<double>(value.count()) / 1e3);
  if (magnitude < libp2p::Seconds(1)) return fmt::format("{:.4g}ms", static_cast<double>(value.count()) / 1e6);
  const libp2p::Nanos unit = magnitude < libp2p::Seconds(60) ? libp2p::Millis(100) : libp2p::Seconds(1);
  return duration_text(value / unit * unit);
}

void append_value(std::string& out, Unpacker& in, LogFormat format) {
  const auto bytes = [&in] { return libp2p::as_bytes(in.text()); };
  switch (static_cast<Packed>(in.number<char>())) {
    case Packed::text: return append_text(out, in.text(), format);
    case Packed::signed_number: out.append(fmt::format_int(in.number<std::int64_t>()).c_str()); return;
    case Packed::unsigned_number: out.append(fmt::format_int(in.number<std::uint64_t>()).c_str()); return;
    case Packed::real: return append_number(out, in.number<double>());
    case Packed::truth: out.append(in.number<bool>() ? "true" : "false"); return;
    case Packed::duration:
      return append_text(out, rounded_duration(libp2p::Nanos(in.number<libp2p::Nanos::rep>())), format);
    case Packed::bytes: return append_text(out, libp2p::to_hex0x(bytes()), format);
    case Packed::peer: {
      const auto id = libp2p::PeerId::from_bytes(bytes());
      return append_text(out, id ? id->to_base58() : std::string(), format);
    }
    case Packed::address: {
      const auto address = libp2p::Multiaddr::from_bytes(bytes());
      return append_text(out, address ? address->text() : std::string(), format);
    }
  }
}

std::string utc(libp2p::UnixTime wall) {
  const auto since = wall.time_since_epoch();
  const auto millis = std::chrono::floor<libp2p::Millis>(since).count();
  const std::time_t seconds = static_cast<std::time_t>(millis / 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), millis % 1000);
}

}  // namespace

std::string_view to_string(LogLevel level) { return kLevels[static_cast<std::size_t>(level)]; }
std::string_view to_string(Component component) { return kComponentNames[static_cast<std::size_t>(component)]; }

std::optional<LogLevel> parse_log_level(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (std::size_t i = 0; i < std::size(kLevels); ++i)
    if (lower == kLevels[i] || lower == kShortLevels[i]) return static_cast<LogLevel>(i);
  return std::nullopt;
}

bool Field::has_value() const {
  struct HasValue {
    bool operator()(std::monostate) const { return false; }
    bool operator()(std::string_view text) const { return !text.empty(); }
    bool operator()(libp2p::ByteView bytes) const { return !bytes.empty(); }
    bool operator()(const libp2p::PeerId* peer) const { return !peer->bytes().empty(); }
    bool operator()(const libp2p::Multiaddr* address) const { return !address->bytes().empty(); }
    bool operator()(const libp2p::Error*) const { return true; }
    bool operator()(std::int64_t) const { return true; }
    bool operator()(std::uint64_t) const { return true; }
    bool operator()(double) const { return true; }
    bool operator()(bool) const { return true; }
    bool operator()(libp2p::Nanos) const { return true; }
  };
  return std::visit(HasValue(), value);
}

LogRecord::LogRecord(libp2p::UnixTime when, LogLevel its_level, Component its_component, std::string_view message,
                     std::initializer_list<Field> fields)
    : wall(when), level(its_level), component(its_component) {
  packed.reserve(kUsualBytes);
  pack_text(packed, message);
  for (const auto& field : fields) {
    if (!field.has_value()) continue;
    pack_bytes(packed, field.key.substr(0, kMaxKeyBytes));
    std::visit(Packer{packed}, field.value);
  }
}

std::string to_line(LogFormat format, const LogRecord& record) {
  std::string out;
  out.reserve(160 + record.packed.size());
  Unpacker in(record.packed);
  const bool json = format == LogFormat::json;
  if (json) {
    fmt::format_to(std::back_inserter(out), R"({{"t":"{}","lvl":"{}","component":"{}","msg":)", utc(record.wall),
                   to_string(record.level), to_string(record.component));
  } else {
    fmt::format_to(std::back_inserter(out), "t={} lvl={} component={} msg=", utc(record.wall), to_string(record.level),
                   to_string(record.component));
  }
  append_quoted(out, in.text());
  while (!in.done()) {
    out.push_back(json ? ',' : ' ');
    if (json)
      append_quoted(out, in.text());
    else
      out.append(in.text());
    out.push_back(json ? ':' : '=');
    append_value(out, in, format);
  }
  if (json) out.push_back('}');
  return out;
}

}  // namespace opp2p

#include "node/log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <ctime>

namespace opp2p::node {
namespace {

constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error", "crit"};
constexpr std::string_view kComponentNames[] = {"node", "host", "gossip", "sync", "store", "rpc", "devnet"};

std::string utc(libp2p::UnixTime wall) {
  const auto since = wall.time_since_epoch();
  const auto millis = std::chrono::floor<libp2p::Millis>(since).count();
  const std::time_t seconds = static_cast<std::time_t>(millis / 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), millis % 1000);
}

void append_json_text(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text)
    if (c == ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  return false;
}

void append_text(std::string& out, std::string_view text) {
  if (needs_quotes(text)) append_json_text(out, text);
  else out.append(text);
}

void append_value(std::string& out, const Field& field, LogFormat format) {
  struct Visitor {
    std::string& out;
    LogFormat format;
    void operator()(const std::string& text) const {
      if (format == LogFormat::json) append_json_text(out, text);
      else append_text(out, text);
    }
    void operator()(bool value) const { out.append(value ? "true" : "false"); }
    void operator()(std::int64_t value) const { out.append(fmt::format_int(value).c_str()); }
    void operator()(std::uint64_t value) const { out.append(fmt::format_int(value).c_str()); }
    void operator()(double value) const {
      // JSON has no word for infinity or not-a-number.
      if (value - value == 0) fmt::format_to(std::back_inserter(out), "{:.6g}", value);
      else append_json_text(out, fmt::format("{}", value));
    }
  };
  std::visit(Visitor{out, format}, field.value);
}

}  // namespace

std::string_view to_string(LogLevel level) { return kLevels[static_cast<std::size_t>(level)]; }
std::string_view to_string(Component component) { return kComponentNames[static_cast<std::size_t>(component)]; }

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kLevels); ++i)
    if (text == kLevels[i]) return static_cast<LogLevel>(i);
  return std::nullopt;
}

std::string format_line(LogFormat format, libp2p::UnixTime wall, LogLevel level, Component component,
                        std::string_view message, std::initializer_list<Field> fields) {
  std::string out;
  out.reserve(160);
  if (format == LogFormat::json) {
    fmt::format_to(std::back_inserter(out), R"({{"t":"{}","lvl":"{}","component":"{}","msg":)", utc(wall), to_string(level),
                   to_string(component));
    append_json_text(out, message);
    for (const auto& field : fields) {
      out.push_back(',');
      append_json_text(out, field.key);
      out.push_back(':');
      append_value(out, field, format);
    }
    out.push_back('}');
    return out;
  }
  fmt::format_to(std::back_inserter(out), "t={} lvl={} component={} msg=", utc(wall), to_string(level),
                 to_string(component));
  append_json_text(out, message);
  for (const auto& field : fields) {
    out.push_back(' ');
    out.append(field.key);
    out.push_back('=');
    append_value(out, field, format);
  }
  return out;
}

Log::Log(LogFormat format, LogLevel level)
    : format_(format), sink_(std::make_shared<spdlog::logger>("opp2p", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  for (auto& one : levels_) one.store(level, std::memory_order_relaxed);
  sink_->set_pattern("%v");
  sink_->set_level(spdlog::level::trace);
  sink_->flush_on(spdlog::level::trace);
}

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
      return libp2p::fail(libp2p::Errc::invalid_argument, "log level '" + std::string(part) +
                              "' is not known; use trace, debug, info, warn, error or crit, or COMPONENT=LEVEL");
    bool found = false;
    for (std::size_t i = 0; i < kComponents; ++i) {
      if (!name.empty() && name != kComponentNames[i]) continue;
      found = true;
      // A level for all does not undo one that was given for a component.
      if (!name.empty() || !chosen[i]) chosen[i] = level;
    }
    if (!found)
      return libp2p::fail(libp2p::Errc::invalid_argument, "there is no log component '" + std::string(name) +
                              "'; they are node, host, gossip, sync, store, rpc and devnet");
  }
  for (std::size_t i = 0; i < kComponents; ++i)
    if (chosen[i]) levels_[i].store(*chosen[i], std::memory_order_relaxed);
  return {};
}

void Log::write(LogLevel level, Component component, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(component, level)) return;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const libp2p::UnixTime wall(std::chrono::duration_cast<libp2p::Nanos>(since));
  sink_->log(spdlog::level::info, format_line(format_, wall, level, component, message, fields));
}

}  // namespace opp2p::node

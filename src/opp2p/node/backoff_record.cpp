#include "opp2p/node/backoff_record.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace opp2p {
namespace {

using libp2p::Nanos;
using libp2p::Seconds;
using libp2p::UnixTime;
using libp2p::gossipsub::BackoffLeft;

constexpr std::int64_t kLongest = 7200;        // seconds; what GossipSub takes is shorter
constexpr std::size_t kMostText = 384U << 10;  // of the topics in a record
constexpr std::string_view kForm = "1 ";

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What stands before the separator; `text` is what follows it.
std::string_view take(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const std::string_view out = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return out;
}

std::optional<BackoffLeft> read_line(std::string_view line, Seconds passed) {
  const auto seconds = number(take(line, ' '));
  const auto peer = libp2p::PeerId::from_text(take(line, ' '));
  if (!seconds || !peer || line.empty() || *seconds <= passed.count() || *seconds > kLongest) return std::nullopt;
  return BackoffLeft{std::string(line), *peer, Seconds(*seconds) - passed};
}

}  // namespace

std::string backoff_record(std::vector<BackoffLeft> left, UnixTime now) {
  if (left.empty()) return {};
  std::stable_sort(left.begin(), left.end(), [](const auto& a, const auto& b) { return a.left < b.left; });
  left.resize(std::min(left.size(), kMostBackoffs));
  std::string out = std::string(kForm) + std::to_string(libp2p::unix_seconds(now)) + "\n";
  std::size_t topics = 0;
  for (const BackoffLeft& one : left) {
    topics += one.topic.size();
    if (one.topic.empty() || one.topic.find('\n') != std::string::npos || topics > kMostText) continue;
    out += std::to_string(std::chrono::ceil<Seconds>(one.left).count()) + " " + one.peer.to_base58() + " " + one.topic +
           "\n";
  }
  return out;
}

std::vector<BackoffLeft> read_backoff_record(std::string_view text, UnixTime now) {
  std::vector<BackoffLeft> out;
  if (!text.starts_with(kForm)) return out;
  text.remove_prefix(kForm.size());
  const auto written = number(take(text, '\n'));
  if (!written) return out;
  const std::int64_t at = libp2p::unix_seconds(now);
  const bool was_set_back = at < *written;
  const Seconds passed(was_set_back ? 0 : std::min(at - std::max<std::int64_t>(*written, 0), kLongest));
  while (!text.empty() && out.size() < kMostBackoffs) {
    if (auto backoff = read_line(take(text, '\n'), passed)) out.push_back(std::move(*backoff));
  }
  return out;
}

}  // namespace opp2p

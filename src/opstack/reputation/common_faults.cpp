#include "opstack/reputation/common_faults.hpp"

#include <algorithm>
#include <string>

#include "libp2p/base/assert.hpp"

namespace opstack::reputation {
namespace {

constexpr std::size_t kEnough = 3;     // peers of which more than half decide
constexpr std::size_t kMostAsked = 6;  // of those that are connected

}  // namespace

CommonFaults::CommonFaults(Nanos recent) : recent_(recent) {}

void CommonFaults::forget_old(Peers& peers, MonoTime now) {
  while (!peers.empty()) {
    const auto oldest = std::prev(peers.end());
    if (now - oldest->second < kCommonWindow) return;
    peers.erase(PeerId(oldest->first));
  }
}

// What was found, when it is ours. Nothing about the connected peers is known where an accepted block is judged, and
// then somebody has brought one.
std::optional<CommonFaults::Finding> CommonFaults::judge(Kind& kind, std::optional<std::size_t> connected,
                                                         MonoTime now) {
  forget_old(bringers_, now);
  forget_old(kind.peers, now);
  Finding found;
  if (bringers_.empty()) {
    found.peers = kind.peers.size();
    found.of = std::max(std::min(connected.value_or(0), kMostAsked), found.peers);
    if (found.peers < kEnough || 2 * found.peers <= found.of) return std::nullopt;
    return found;
  }
  const MonoTime newest = bringers_.begin()->second;
  for (const auto& [peer, when] : bringers_) {
    if (found.of == kMostBringers || newest - when > recent_) break;
    ++found.of;
    found.peers += kind.peers.contains(peer) ? 1 : 0;
  }
  const bool ours = found.of < kEnough ? found.peers == found.of : 2 * found.peers > found.of;
  if (!ours) return std::nullopt;
  return found;
}

bool CommonFaults::on_first(const PeerId& peer) {
  firsts_.push_back(peer);
  if (firsts_.size() > kMostBringers) firsts_.pop_front();
  return firsts_.size() == 1;
}

std::optional<CommonFaults::Finding> CommonFaults::judge_silence(const Kind& kind, MonoTime now) const {
  if (!kind.since || now - *kind.since < recent_) return std::nullopt;
  if (bringers_.empty() && kind.peers.size() > 1) return Finding{kind.peers.size(), kind.peers.size()};
  const auto committed =
      std::count_if(firsts_.begin(), firsts_.end(), [&kind](const PeerId& peer) { return kind.peers.contains(peer); });
  if (2 * static_cast<std::size_t>(committed) <= firsts_.size()) return std::nullopt;
  return Finding{static_cast<std::size_t>(committed), firsts_.size()};
}

std::vector<FaultKind> CommonFaults::on_accepted(const PeerId& peer, MonoTime now) {
  bringers_.put(peer, now);
  std::vector<FaultKind> ended;
  for (std::size_t at = 0; at < kinds_.size(); ++at) {
    Kind& kind = kinds_[at];
    kind.since.reset();
    if (!kind.is_ours || judge(kind, std::nullopt, now)) continue;
    kind.is_ours = false;
    ended.push_back(static_cast<FaultKind>(at));
  }
  return ended;
}

std::optional<CommonFaults::Finding> CommonFaults::on_fault(const PeerId& peer, FaultKind which, std::size_t connected,
                                                            MonoTime now) {
  Kind& kind = kinds_[static_cast<std::size_t>(which)];
  kind.peers.put(peer, now);
  if (!kind.since) kind.since = now;
  if (kind.is_ours) return std::nullopt;
  auto found = judge(kind, connected, now);
  if (!found) found = judge_silence(kind, now);
  kind.is_ours = found.has_value();
  return found;
}

std::string CommonFaults::text(FaultKind kind, const Finding& finding) {
  return std::to_string(finding.peers) + " of the " + std::to_string(finding.of) +
         " peers that bring this node's blocks send what it takes for a fault (" + std::string(fault_id(kind)) +
         "), so probably this node is wrong; nobody is blamed for it. Check the unsafe block signer, the forks in the "
         "rollup configuration, and the clock";
}

void CommonFaults::check() const {
  bringers_.check();
  OPP2P_CHECK(firsts_.size() <= kMostBringers, "the first bringers are bounded", firsts_);
  for (const Kind& kind : kinds_) kind.peers.check();
}

}  // namespace opstack::reputation

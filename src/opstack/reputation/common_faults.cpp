#include "opstack/reputation/common_faults.hpp"

#include <algorithm>
#include <string>

#include "libp2p/base/assert.hpp"

namespace opstack::reputation {
namespace {

constexpr std::size_t kEnough = 3;     // peers of which more than half decide
constexpr std::size_t kMostAsked = 6;  // of those that are connected

}  // namespace

CommonFaults::CommonFaults() = default;

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
    if (newest - when > kBringersWindow) break;
    ++found.of;
    found.peers += kind.peers.contains(peer) ? 1 : 0;
  }
  const bool ours = found.of < kEnough ? found.peers == found.of : 2 * found.peers > found.of;
  if (!ours) return std::nullopt;
  return found;
}

std::vector<FaultKind> CommonFaults::on_accepted(const PeerId& peer, MonoTime now) {
  bringers_.put(peer, now);
  std::vector<FaultKind> ended;
  for (std::size_t at = 0; at < kinds_.size(); ++at) {
    Kind& kind = kinds_[at];
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
  if (kind.is_ours) return std::nullopt;
  const auto found = judge(kind, connected, now);
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
  for (const Kind& kind : kinds_) kind.peers.check();
}

}  // namespace opstack::reputation

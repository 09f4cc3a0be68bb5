#include "opstack/reputation/common_faults.hpp"

#include <algorithm>
#include <string>

#include "libp2p/base/assert.hpp"

namespace opstack::reputation {
namespace {

constexpr std::size_t kEnough = 3;     // peers of which more than half decide
constexpr std::size_t kMostAsked = 6;  // of those that are connected
constexpr int kSilence = 5;            // block times without an accepted block
constexpr int kGap = 2;                // as many after which an accepted block excuses
constexpr Nanos kLeastGap = libp2p::Seconds(1);
// Blocks may come so much faster than one in a block time: late ones, and what gossip offers of the last heartbeats.
constexpr std::int64_t kBlocksAhead = 3;
constexpr Nanos kOffered = libp2p::Seconds(3);

}  // namespace

CommonFaults::CommonFaults(Nanos block_time) : block_time_(block_time) {
  OPP2P_ASSERT(block_time > Nanos(0), "a chain has a block time", block_time.count());
}

void CommonFaults::forget_old(Peers& peers, MonoTime now) {
  while (!peers.empty()) {
    const auto oldest = std::prev(peers.end());
    if (now - oldest->second < kCommonWindow) return;
    peers.erase(PeerId(oldest->first));
  }
}

bool CommonFaults::were_mostly_first(const Peers& peers) const {
  const auto some =
      std::count_if(firsts_.begin(), firsts_.end(), [&peers](const PeerId& peer) { return peers.contains(peer); });
  return 2 * static_cast<std::size_t>(some) > firsts_.size();
}

std::optional<CommonFaults::Finding> CommonFaults::judge_peers(Kind& kind, std::size_t connected, MonoTime now) {
  forget_old(bringers_, now);
  forget_old(kind.peers, now);
  Finding found;
  if (bringers_.empty()) {
    found.peers = kind.peers.size();
    found.of = std::max(std::min(connected, kMostAsked), found.peers);
    if (found.peers < kEnough) return std::nullopt;
  } else {
    for (const auto& [peer, when] : bringers_) {
      if (found.of == kMostBringers) break;
      ++found.of;
      found.peers += kind.peers.contains(peer) ? 1 : 0;
    }
    if (found.of < kEnough || !were_mostly_first(kind.peers)) return std::nullopt;
  }
  if (2 * found.peers <= found.of) return std::nullopt;
  return found;
}

CommonFaults::First CommonFaults::on_first(const PeerId& peer, MonoTime now) {
  First out;
  out.is_very_first = firsts_.empty();
  firsts_.push_back(peer);
  if (firsts_.size() > kMostBringers) firsts_.pop_front();
  for (std::size_t at = 0; at < kinds_.size(); ++at) {
    Kind& kind = kinds_[at];
    if (!kind.is_ours && is_silent(kind, std::max<Nanos>(kGap * block_time_, kLeastGap), now))
      out.excused.push_back({static_cast<FaultKind>(at), *kind.since});
    kind.since.reset();
    kind.refused = 0;
  }
  return out;
}

void CommonFaults::on_published() {
  has_published_ = true;
  for (Kind& kind : kinds_) kind.is_ours = false;
}

// No block was accepted for so long, and what was refused meanwhile came no faster than blocks do.
bool CommonFaults::is_silent(const Kind& kind, Nanos least, MonoTime now) const {
  if (!kind.since || now - *kind.since < least) return false;
  return kind.refused <= (now - *kind.since + kOffered) / block_time_ + kBlocksAhead;
}

std::optional<CommonFaults::Finding> CommonFaults::judge(Kind& kind, std::size_t connected, MonoTime now) {
  const auto found = judge_peers(kind, connected, now);
  if (found || !is_silent(kind, kSilence * block_time_, now)) return found;
  return Finding{kind.peers.size(), kind.peers.size()};
}

void CommonFaults::on_refused(FaultKind which, MonoTime now) {
  Kind& kind = kinds_[static_cast<std::size_t>(which)];
  if (!kind.since) kind.since = now;
  ++kind.refused;
}

std::vector<FaultKind> CommonFaults::on_accepted(const PeerId& peer, MonoTime now) {
  bringers_.put(peer, now);
  std::vector<FaultKind> ended;
  for (std::size_t at = 0; at < kinds_.size(); ++at) {
    Kind& kind = kinds_[at];
    if (!kind.is_ours || judge(kind, 0, now)) continue;
    kind.is_ours = false;
    ended.push_back(static_cast<FaultKind>(at));
  }
  return ended;
}

std::optional<CommonFaults::Finding> CommonFaults::on_fault(const PeerId& peer, FaultKind which, std::size_t connected,
                                                            MonoTime now) {
  Kind& kind = kinds_[static_cast<std::size_t>(which)];
  kind.peers.put(peer, now);
  if (kind.is_ours || has_published_) return std::nullopt;
  const auto found = judge(kind, connected, now);
  kind.is_ours = found.has_value();
  return found;
}

void CommonFaults::on_learned(FaultKind which) {
  Kind& kind = kinds_[static_cast<std::size_t>(which)];
  kind.peers.clear();
  kind.since.reset();
  kind.refused = 0;
  kind.is_ours = false;
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

#include "opp2p/rpc/part_ports.hpp"

#include <memory>

#include "libp2p/storage/records/peer_keys.hpp"

namespace opp2p {

using libp2p::Result;
using opstack::reputation::Reputation;

namespace {

libp2p::Error not_running() { return {libp2p::Errc::closed, "the node is not running"}; }

// A rule is told to be durable inside the call that makes it, or later; whether it changed something is known when that
// call returns.
struct Pending {
  PortDone done;
  std::optional<bool> changed;
  std::optional<Result<void>> durable;

  void settle() {
    if (!changed || !durable) return;
    if (*durable)
      done(*changed);
    else
      done(durable->error());
  }
};

template <class Change>
void change_rule(PortDone done, Change change) {
  auto pending = std::make_shared<Pending>();
  pending->done = std::move(done);
  const Result<bool> changed = change([pending](const Result<void>& durable) {
    pending->durable = durable;
    pending->settle();
  });
  if (!changed) return pending->done(changed.error());
  pending->changed = *changed;
  pending->settle();
}

}  // namespace

void BlockingGaterPort::block(const GateTarget& target, PortDone done) {
  auto* gater = find_();
  if (gater == nullptr) return done(not_running());
  change_rule(std::move(done), [gater, &target](libp2p::BlockingGater::Durable durable) -> Result<bool> {
    switch (target.kind) {
      case GateTarget::Kind::peer: return gater->block_peer(target.peer, std::move(durable));
      case GateTarget::Kind::ip: return gater->block_ip(target.text, std::move(durable));
      case GateTarget::Kind::subnet: break;
    }
    return gater->block_subnet(target.text, std::move(durable));
  });
}

void BlockingGaterPort::unblock(const GateTarget& target, PortDone done) {
  auto* gater = find_();
  if (gater == nullptr) return done(not_running());
  change_rule(std::move(done), [gater, &target](libp2p::BlockingGater::Durable durable) -> Result<bool> {
    switch (target.kind) {
      case GateTarget::Kind::peer: return gater->unblock_peer(target.peer, std::move(durable));
      case GateTarget::Kind::ip: return gater->unblock_ip(target.text, std::move(durable));
      case GateTarget::Kind::subnet: break;
    }
    return gater->unblock_subnet(target.text, std::move(durable));
  });
}

BlockedSnapshot BlockingGaterPort::blocked() const {
  const auto* gater = find_();
  if (gater == nullptr) return {};
  return {gater->blocked_peers(), gater->blocked_ips(), gater->blocked_subnets()};
}

bool BlockingGaterPort::is_blocked(const libp2p::PeerId& peer) const {
  const auto* gater = find_();
  return gater != nullptr && gater->is_blocked(peer);
}

opstack::reputation::BanList ReputationPartPort::bans() const {
  const auto* part = find_();
  return part == nullptr ? opstack::reputation::BanList() : part->bans();
}

std::optional<opstack::reputation::Ban> ReputationPartPort::ban_of(const libp2p::PeerId& peer) const {
  const auto* part = find_();
  return part == nullptr ? std::nullopt : part->ban_of(peer);
}

void ReputationPartPort::ban(const GateTarget& target, libp2p::Nanos duration, std::string why, PortDone done) {
  auto* part = find_();
  if (part == nullptr) return done(not_running());
  if (target.kind == GateTarget::Kind::peer)
    part->ban(target.peer, duration, std::move(why), std::move(done));
  else
    part->ban_ip(target.text, duration, std::move(why), std::move(done));
}

void ReputationPartPort::unban(const GateTarget& target, PortDone done) {
  auto* part = find_();
  if (part == nullptr) return done(not_running());
  if (target.kind == GateTarget::Kind::peer)
    part->unban(target.peer, std::move(done));
  else
    part->unban_ip(target.text, std::move(done));
}

std::vector<opstack::reputation::Fault> ReputationPartPort::faults_of(const libp2p::PeerId& peer) const {
  const auto* part = find_();
  return part == nullptr ? std::vector<opstack::reputation::Fault>() : part->faults_of(peer);
}

std::optional<opstack::reputation::PeerScoreRecord> ReputationPartPort::scores_of(const libp2p::PeerId& peer) const {
  const auto* part = find_();
  return part == nullptr ? std::nullopt : part->scores_of(peer);
}

std::optional<opstack::reputation::PeerMetadata> ReputationPartPort::metadata_of(const libp2p::PeerId& peer) const {
  namespace reputation = opstack::reputation;
  constexpr libp2p::Nanos kBelieved = std::chrono::hours(24 * 7);
  const auto* records = records_();
  if (records == nullptr) return std::nullopt;
  const auto bytes = records->get(libp2p::storage::peer_key(reputation::kPeerMetadataBase, peer));
  if (!bytes || !*bytes) return std::nullopt;
  const auto entry = reputation::decode_metadata(**bytes);
  if (!entry || runtime_.now().wall - entry->last_update > kBelieved) return std::nullopt;
  return entry->metadata;
}

ScoreStandingSnapshot ReputationPartPort::standing_of(const libp2p::PeerId& peer) const {
  ScoreStandingSnapshot out;
  out.is_scored = settings_.is_scored;
  out.topics = settings_.topics;
  out.thresholds = settings_.thresholds;
  out.ban_threshold = settings_.ban_threshold;
  out.gater_min_score = settings_.gater_min_score;
  out.live = live_(peer);
  out.stored = scores_of(peer);
  return out;
}

std::optional<std::string> ReputationPartPort::kept_out(const libp2p::PeerId& peer) const {
  const auto* part = find_();
  auto refusal = part == nullptr ? std::nullopt : part->score_refusal(peer);
  return refusal ? std::optional(std::move(refusal->why)) : std::nullopt;
}

std::vector<StaticPeerSnapshot> StaticPeersPartPort::list() const {
  std::vector<StaticPeerSnapshot> out;
  const auto* part = find_();
  if (part == nullptr) return out;
  const auto now = runtime_.now().mono;
  for (auto& entry : part->list()) {
    StaticPeerSnapshot peer;
    peer.by_flag = entry.by_flag;
    if (entry.status.next_attempt) peer.next_attempt_in = *entry.status.next_attempt - now;
    peer.status = std::move(entry.status);
    out.push_back(std::move(peer));
  }
  return out;
}

void StaticPeersPartPort::add(const libp2p::Multiaddr& address, PortDone done) {
  auto* part = find_();
  if (part == nullptr) return done(not_running());
  part->add(address, std::move(done));
}

void StaticPeersPartPort::remove(const libp2p::PeerId& peer, PortDone done) {
  auto* part = find_();
  if (part == nullptr) return done(not_running());
  part->remove(peer, std::move(done));
}

}  // namespace opp2p

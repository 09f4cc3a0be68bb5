#include "opstack/reputation/reputation.hpp"

#include <map>
#include <utility>

#include "libp2p/base/life_token.hpp"
#include "libp2p/host/blocking_gater.hpp"

namespace opstack::reputation {

using libp2p::gossipsub::PeerScorer;

struct Reputation::Parts {
  Parts(libp2p::runtime::Runtime& r, ReputationConfig c, std::shared_ptr<libp2p::Gater> g)
      : runtime(r), config(std::move(c)), gater(std::move(g)) {
    if (!gater) gater = std::make_shared<libp2p::BlockingGater>();
    if (config.scoring.params)
      scorer = std::make_unique<PeerScorer>(*config.scoring.params, runtime.rng().next_u64(), runtime.now());
  }
  void answer(Done done, Result<bool> result) {
    if (done) runtime.post([done = std::move(done), result] { done(result); });
  }

  libp2p::runtime::Runtime& runtime;
  ReputationConfig config;
  std::shared_ptr<libp2p::Gater> gater;
  libp2p::gossipsub::NeutralScores neutral;
  std::unique_ptr<PeerScorer> scorer;
  std::map<PeerId, Ban> peer_bans;
  std::map<std::string, Ban> ip_bans;
  libp2p::EventSource<ReputationEvent> events;
};

Reputation::Reputation(libp2p::runtime::Runtime& runtime, ReputationConfig config,
                       std::shared_ptr<libp2p::storage::Datastore>, std::shared_ptr<libp2p::Gater> inner)
    : parts_(std::make_unique<Parts>(runtime, std::move(config), std::move(inner))) {}
Reputation::~Reputation() = default;

Result<void> Reputation::load() { return {}; }
std::shared_ptr<libp2p::Gater> Reputation::gater() const { return parts_->gater; }
libp2p::gossipsub::PeerScores& Reputation::scores() {
  if (parts_->scorer) return *parts_->scorer;
  return parts_->neutral;
}
const PeerScorer* Reputation::scorer() const { return parts_->scorer.get(); }
void Reputation::attach(libp2p::Host&, std::function<bool(const PeerId&)>) {}
void Reputation::listen_to(gossip::BlockGossip&) {}
void Reputation::listen_to(sync::Follower&) {}
void Reputation::start() {}
void Reputation::stop() {}
libp2p::runtime::Task<void> Reputation::close() { co_return; }

BanList Reputation::bans() const {
  BanList out;
  for (const auto& [peer, ban] : parts_->peer_bans) out.peers.push_back({peer, ban});
  for (const auto& [ip, ban] : parts_->ip_bans) out.ips.push_back({ip, ban});
  return out;
}

std::optional<Ban> Reputation::ban_of(const PeerId& peer) const {
  const auto at = parts_->peer_bans.find(peer);
  if (at == parts_->peer_bans.end()) return std::nullopt;
  return at->second;
}

std::optional<Ban> Reputation::ban_of_ip(std::string_view ip) const {
  const auto at = parts_->ip_bans.find(std::string(ip));
  if (at == parts_->ip_bans.end()) return std::nullopt;
  return at->second;
}

void Reputation::ban(const PeerId& peer, Nanos duration, std::string why, Done done) {
  const UnixTime now = parts_->runtime.now().wall;
  const Ban ban{now, now + duration, BanRule::operator_request, 0, {}, {}, std::move(why)};
  parts_->peer_bans[peer] = ban;
  parts_->events.emit(PeerBanned{peer, ban});
  parts_->answer(std::move(done), true);
}

void Reputation::ban_ip(std::string_view ip, Nanos duration, std::string why, Done done) {
  auto canonical = libp2p::canonical_ip(ip);
  if (!canonical) return parts_->answer(std::move(done), canonical.error());
  const UnixTime now = parts_->runtime.now().wall;
  const Ban ban{now, now + duration, BanRule::operator_request, 0, {}, {}, std::move(why)};
  parts_->ip_bans[*canonical] = ban;
  parts_->events.emit(IpBanned{*canonical, ban});
  parts_->answer(std::move(done), true);
}

void Reputation::unban(const PeerId& peer, Done done) {
  auto gone = parts_->peer_bans.extract(peer);
  if (!gone.empty()) parts_->events.emit(PeerUnbanned{peer, gone.mapped(), BanEnd::undone});
  parts_->answer(std::move(done), !gone.empty());
}

void Reputation::unban_ip(std::string_view ip, Done done) {
  auto canonical = libp2p::canonical_ip(ip);
  if (!canonical) return parts_->answer(std::move(done), canonical.error());
  auto gone = parts_->ip_bans.extract(*canonical);
  if (!gone.empty()) parts_->events.emit(IpUnbanned{*canonical, gone.mapped(), BanEnd::undone});
  parts_->answer(std::move(done), !gone.empty());
}

std::vector<Fault> Reputation::faults_of(const PeerId&) const { return {}; }
std::optional<PeerScoreRecord> Reputation::scores_of(const PeerId&) const { return std::nullopt; }
libp2p::Subscription Reputation::subscribe(std::function<void(const ReputationEvent&)> listener) {
  return parts_->events.subscribe(std::move(listener));
}
void Reputation::check() const {}

}  // namespace opstack::reputation

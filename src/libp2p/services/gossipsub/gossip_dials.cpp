#include "libp2p/services/gossipsub/gossip_dials.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/host/address_scope.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/multiformats/cidr.hpp"
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/services/peer_records.hpp"

namespace libp2p {

using runtime::Task;

namespace {

// An address that a peer tells of another, as go-libp2p-pubsub keeps it: long enough to be dialled.
constexpr Nanos kNamedAddress = std::chrono::minutes(2);
constexpr const char* kDirectTag = "gossipsub:<direct>";

}  // namespace

GossipDials::GossipDials(Host& host, const GossipsubConfig& config, GossipEvents& events, GossipsubCounters& counters)
    : host_(host), config_(config), events_(events), counters_(counters), scope_(host.runtime()) {
  for (const GossipDirectPeer& peer : config.direct) {
    auto& addresses = direct_[peer.peer];
    addresses.insert(addresses.end(), peer.addresses.begin(), peer.addresses.end());
  }
}

GossipDials::~GossipDials() = default;

void GossipDials::start() {
  if (std::exchange(started_, true)) return;
  for (const auto& [peer, addresses] : direct_) {
    for (const Multiaddr& address : addresses) {
      if (const auto ip = multiformats::ip_of(address)) host_.exempt(Cidr::single(*ip));
    }
    host_.exempt(peer);
    host_.protect(peer, kDirectTag);
    host_.peerstore().pin(peer);
  }
}

void GossipDials::stop() {
  waiting_.clear();
  if (!std::exchange(started_, false)) return;
  for (const auto& [peer, addresses] : direct_) {
    host_.unprotect(peer, kDirectTag);
    host_.stop_exempting(peer);
    host_.peerstore().unpin(peer);
  }
}

void GossipDials::dial(const gossipsub::Connect& wanted) {
  const PeerId& peer = wanted.peer;
  if (!started_ || peer == host_.id() || host_.connected(peer) || named_.contains(peer)) return;
  if (direct_.contains(peer)) {
    waiting_.push_front(peer);
  } else if (waiting_.size() >= config_.max_waiting_dials) {
    ++counters_.dials_dropped;
    return;
  } else {
    if (!learn(wanted)) return;
    waiting_.push_back(peer);
  }
  named_.insert(peer);
  begin_next();
}

// Whether there is something to dial. A record that is older than the one that is known says nothing new.
bool GossipDials::learn(const gossipsub::Connect& named) {
  const MonoTime now = host_.runtime().now().mono;
  if (!named.record.empty()) {
    const auto record = multiformats::PeerRecord::open(named.record);
    if (!record || record->peer_id != named.peer) {
      ++counters_.records_refused;
      events_.note_trouble(
          named.named_by, "reading a peer record of peer exchange",
          record ? fail(Errc::mismatch, "the record is of another peer than it was sent for") : record.error());
      return false;
    }
    const auto sources = host_.connections(named.named_by);
    if (!sources.empty() && keep_peer_record(host_.peerstore(), *record, named.record)) {
      const auto told = believable(record->addresses, sources.back().remote);
      host_.peerstore().add_addresses(named.peer, told, kNamedAddress, now);
    }
  }
  return !host_.peerstore().addresses(named.peer, now).empty();
}

void GossipDials::begin_next() {
  while (started_ && running_ < config_.max_dials && !waiting_.empty()) {
    ++running_;
    scope_.spawn(run(waiting_.front()));
    waiting_.pop_front();
  }
}

Task<void> GossipDials::run(PeerId peer) {
  const auto direct = direct_.find(peer);
  if (direct != direct_.end()) {
    host_.peerstore().add_addresses(peer, direct->second, kStaticAddress, host_.runtime().now().mono);
  }
  ++counters_.dials;
  PeerId target = peer;
  auto connecting = host_.connect(std::move(target));
  const Result<PeerId> dialled = co_await connecting;
  if (!dialled) events_.note_trouble(peer, "dialling a peer of gossip", dialled.error());
  --running_;
  named_.erase(peer);
  begin_next();
}

void GossipDials::check() const {
  OPP2P_CHECK(running_ <= config_.max_dials && waiting_.size() <= config_.max_waiting_dials + direct_.size(),
              "dials are bounded", running_, waiting_);
  OPP2P_CHECK(!started_ || named_.size() == running_ + waiting_.size(), "a peer waits or is dialled once", named_,
              running_, waiting_);
  OPP2P_CHECK(!started_ || waiting_.empty() || running_ == config_.max_dials, "who could be dialled does not wait",
              running_, waiting_);
}

}  // namespace libp2p

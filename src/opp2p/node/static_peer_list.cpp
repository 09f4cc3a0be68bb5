#include "opp2p/node/static_peer_list.hpp"

#include <algorithm>

#include "libp2p/base/peer_text.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "opp2p/config/config.hpp"

namespace opp2p {
namespace storage = libp2p::storage;
using libp2p::ByteView;
using libp2p::Errc;
using libp2p::fail;
using libp2p::Multiaddr;
using libp2p::PeerId;
using libp2p::Result;

namespace {

std::string joined(const std::vector<Multiaddr>& addresses) {
  std::string out;
  for (const auto& address : addresses) out += (out.empty() ? "" : ",") + address.text();
  return out;
}

}  // namespace

StaticPeerList::StaticPeerList(libp2p::Host& host, storage::BatchWriter& writer, std::set<PeerId>& ids,
                               NodeEvents& events)
    : host_(host), writer_(writer), ids_(ids), events_(events), peers_(host) {}

Result<void> StaticPeerList::load(const std::vector<Multiaddr>& of_flags) {
  for (const auto& address : of_flags) OPP2P_TRYV(add_of_flag(address));
  const auto visit = [this](std::string_view key, ByteView value) {
    if (const auto added = add_stored(key, value); !added) {
      const std::string name(key);
      events_.tell(StoredStaticPeerSkipped{name, added.error()});
    }
    return true;
  };
  return writer_.store()->scan(kBase, visit, [this](std::string_view key, const libp2p::Error& why) {
    const std::string name(key);
    events_.tell(StoredStaticPeerSkipped{name, why});
  });
}

Result<void> StaticPeerList::add_of_flag(const Multiaddr& address) {
  OPP2P_TRY(const auto added, peers_.add(address));
  if (!added) {
    events_.tell(StaticPeerSkipped{address});
    return {};
  }
  const auto peer = *address.peer_id();
  of_flags_.insert(peer);
  if (ids_.insert(peer).second) events_.tell(StaticPeerAdded{peer});
  return {};
}

Result<void> StaticPeerList::add_stored(std::string_view key, ByteView value) {
  OPP2P_TRY(const auto owner, storage::read_peer_key(kBase, key));
  if (!owner.name.empty()) return fail(Errc::malformed, "the key has something behind the peer id");
  const std::string text(reinterpret_cast<const char*>(value.data()), value.size());
  OPP2P_TRY(auto addresses, parse_peers(text));
  if (addresses.empty() || addresses.size() > kMostAddresses)
    return fail(Errc::malformed, "it has " + std::to_string(addresses.size()) + " addresses, not 1 to " +
                                     std::to_string(kMostAddresses));
  for (const auto& address : addresses)
    if (*address.peer_id() != owner.peer) return fail(Errc::mismatch, "an address is that of another peer");
  if (stored_.size() >= kMostStored)
    return fail(Errc::exhausted, std::to_string(kMostStored) + " stored static peers is the most");
  stored_[owner.peer] = addresses;
  if (of_flags_.contains(owner.peer)) return {};
  for (const auto& address : addresses) {
    OPP2P_TRY(const auto added, peers_.add(address));
    if (!added) events_.tell(StaticPeerSkipped{address});
    if (added && ids_.insert(owner.peer).second) events_.tell(StaticPeerAdded{owner.peer});
  }
  return {};
}

void StaticPeerList::add(const Multiaddr& address, Done done) {
  const auto peer = address.peer_id();
  if (!peer)
    return done(fail(Errc::invalid_argument, "the address '" + libp2p::peer_text(address.text()) +
                                                 "' names no peer; it must end with /p2p/ID"));
  if (*peer == host_.id()) return done(fail(Errc::invalid_argument, "this is the node's own peer id"));
  if (of_flags_.contains(*peer))
    return done(fail(Errc::denied, "the peer " + peer->to_base58() +
                                       " is in --p2p.static, which takes precedence; change its addresses there"));
  if (const auto usable = host_.can_dial(address); !usable) return done(usable.error());
  const auto known = stored_.find(*peer);
  std::vector<Multiaddr> addresses;
  if (known != stored_.end()) addresses = known->second;
  if (std::find(addresses.begin(), addresses.end(), address) != addresses.end()) return done(false);
  if (known == stored_.end() && stored_.size() >= kMostStored)
    return done(fail(Errc::exhausted, std::to_string(kMostStored) + " stored static peers is the most; remove one"));
  if (addresses.size() >= kMostAddresses)
    return done(fail(Errc::exhausted, std::to_string(kMostAddresses) + " addresses of a static peer is the most"));
  addresses.push_back(address);
  if (const auto added = peers_.add(address); !added) return done(added.error());
  const std::string value = joined(addresses);
  stored_[*peer] = std::move(addresses);
  if (ids_.insert(*peer).second) events_.tell(StaticPeerAdded{*peer});
  save(*peer, value, std::move(done));
}

void StaticPeerList::remove(const PeerId& peer, Done done) {
  if (of_flags_.contains(peer))
    return done(fail(Errc::denied, "the peer " + peer.to_base58() +
                                       " is in --p2p.static; take it out there and start the node again"));
  if (stored_.erase(peer) == 0)
    return done(fail(Errc::not_found, "the peer " + peer.to_base58() + " is not a static peer"));
  peers_.remove(peer);
  ids_.erase(peer);
  events_.tell(StaticPeerRemoved{peer});
  save(peer, std::nullopt, std::move(done));
}

void StaticPeerList::save(const PeerId& peer, std::optional<std::string> value, Done done) {
  storage::Change change{storage::peer_key(kBase, peer), std::nullopt};
  if (value) change.value = libp2p::Bytes(value->begin(), value->end());
  writer_.put_now(std::move(change), [done = std::move(done)](const Result<void>& kept) {
    if (kept) return done(true);
    done(kept.error());
  });
}

std::vector<StaticPeerEntry> StaticPeerList::list() const {
  std::vector<StaticPeerEntry> out;
  for (auto& status : peers_.status()) {
    const bool by_flag = of_flags_.contains(status.peer);
    out.push_back({std::move(status), by_flag});
  }
  return out;
}

}  // namespace opp2p

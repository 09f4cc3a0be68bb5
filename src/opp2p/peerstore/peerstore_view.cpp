#include "opp2p/peerstore/peerstore_view.hpp"

#include "libp2p/storage/records/gater_records.hpp"
#include "libp2p/storage/records/metadata_value.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "opp2p/peerstore/peerstore_move.hpp"
#include "opstack/reputation/ban_json.hpp"

namespace opp2p {

using libp2p::Bytes;
using libp2p::Result;
namespace reputation = opstack::reputation;
namespace storage = libp2p::storage;

namespace {

// The value of a result that check_record() has seen to be good.
template <typename T>
std::optional<T> good(Result<T> result) {
  return result ? std::optional<T>(std::move(*result)) : std::nullopt;
}

void add_metadata(PeerView& peer, std::string_view key, const Bytes& value) {
  const auto name = storage::read_peer_key(storage::kMetadataBase, key);
  auto decoded = storage::decode_metadata_value(value);
  if (!name || !decoded) return;
  if (auto* protocols = std::get_if<storage::StoredProtocols>(&*decoded)) {
    if (name->name == storage::kProtocolsName) peer.protocols = std::move(protocols->ids);
    return;
  }
  if (name->name == storage::kAgentName) peer.agent = std::get<std::string>(*decoded);
  if (name->name == storage::kProtocolVersionName) peer.protocol_version = std::get<std::string>(*decoded);
}

void add_to_peer(PeerView& peer, RecordKind kind, std::string_view key, const Bytes& value) {
  switch (kind) {
    case RecordKind::addresses: peer.addresses = good(storage::decode_address_record(value)); return;
    case RecordKind::public_key: peer.has_key = true; return;
    case RecordKind::metadata: return add_metadata(peer, key, value);
    case RecordKind::scores: peer.scores = good(reputation::decode_scores(value)); return;
    case RecordKind::peer_ban: peer.ban = good(reputation::decode_ban(value)); return;
    case RecordKind::peer_metadata: peer.metadata = good(reputation::decode_metadata(value)); return;
    case RecordKind::blocked_peer: peer.is_blocked = true; return;
    case RecordKind::private_key:
    case RecordKind::ip_ban:
    case RecordKind::blocked_ip:
    case RecordKind::blocked_subnet: return;  // of no peer, or not shown
  }
}

void add_to_store(PeerstoreView& view, RecordKind kind, std::string_view key, const Bytes& value) {
  if (kind == RecordKind::ip_ban) {
    const auto ip = reputation::read_ip_ban_key(key);
    const auto ban = reputation::decode_ban(value);
    if (ip && ban) view.ip_bans.emplace(*ip, *ban);
  }
  if (kind == RecordKind::blocked_ip)
    if (auto ip = good(storage::decode_blocked_ip(value))) view.blocked_ips.push_back(std::move(*ip));
  if (kind == RecordKind::blocked_subnet)
    if (auto subnet = good(storage::decode_blocked_subnet(value))) view.blocked_subnets.push_back(std::move(*subnet));
}

// What only we keep.
Result<void> add_own(const storage::Datastore& store, PeerstoreView& view) {
  const auto visit = [&](std::string_view key, libp2p::ByteView value) {
    if (const auto peer = storage::read_peer_key(reputation::kBanReasonBase, key))
      view.peers[peer->peer].ban_reason = std::string(libp2p::as_text(value));
    if (const auto peer = storage::read_peer_key(reputation::kStaticPeerBase, key))
      view.peers[peer->peer].is_static = true;
    return true;
  };
  return store.scan(reputation::kOwnBase, visit, [&view](std::string_view, const libp2p::Error&) { ++view.unread; });
}

// ---- what a node makes of records that cannot be read: their keys say whose they are ----

std::string_view behind(std::string_view key, std::string_view base) { return key.substr(base.size()); }

void add_unreadable(PeerstoreView& view, std::string_view base, std::string_view key) {
  if (base == reputation::kPeerBanBase) {
    if (const auto named = storage::read_peer_key(base, key)) view.peers[named->peer].has_unreadable_ban = true;
  } else if (base == reputation::kScoreBase) {
    if (const auto named = storage::read_peer_key(base, key)) view.peers[named->peer].has_unreadable_scores = true;
  } else if (base == reputation::kIpBanBase) {
    if (const auto ip = reputation::read_ip_ban_key(key)) view.unreadable_ip_bans.push_back(*ip);
  } else if (base == storage::kBlockedPeerBase) {
    if (const auto peer = libp2p::PeerId::from_text(behind(key, base))) view.peers[*peer].is_blocked = true;
  } else if (base == storage::kBlockedIpBase) {
    if (auto ip = storage::ip_record_text(behind(key, base))) view.blocked_ips.push_back(std::move(*ip));
  } else if (auto subnet = storage::decode_blocked_subnet(libp2p::as_bytes(behind(key, base)))) {
    view.blocked_subnets.push_back(std::move(*subnet));
  }
}

Result<void> add_unreadable(const storage::Datastore& store, PeerstoreView& view) {
  for (const auto base : {reputation::kPeerBanBase, reputation::kIpBanBase, reputation::kScoreBase,
                          storage::kBlockedPeerBase, storage::kBlockedIpBase, storage::kBlockedSubnetBase}) {
    const auto visit = [&](std::string_view key, libp2p::ByteView value) {
      if (!check_record(key, value)) add_unreadable(view, base, key);
      return true;
    };
    const auto on_damaged = [&](std::string_view key, const libp2p::Error&) { add_unreadable(view, base, key); };
    OPP2P_TRYV(store.scan(base, visit, on_damaged));
  }
  return {};
}

// A ban that cannot be read lasts as long as its reason says.
Result<void> end_by_reasons(const storage::Datastore& store, PeerstoreView& view) {
  for (auto& [id, peer] : view.peers) {
    if (!peer.has_unreadable_ban || !peer.ban_reason) continue;
    const auto reason = reputation::decode_ban_reason(libp2p::as_bytes(*peer.ban_reason));
    if (!reason) continue;
    peer.has_unreadable_ban = false;
    peer.ban = reputation::BanEntry{reason->until, reason->since};
  }
  const auto visit = [&view](std::string_view key, libp2p::ByteView value) {
    const std::string ip(behind(key, reputation::kIpBanReasonBase));
    const auto reason = reputation::decode_ban_reason(value);
    if (reason && std::erase(view.unreadable_ip_bans, ip) > 0)
      view.ip_bans.emplace(ip, reputation::BanEntry{reason->until, reason->since});
    return true;
  };
  return store.scan(reputation::kIpBanReasonBase, visit, [](std::string_view, const libp2p::Error&) {});
}

}  // namespace

Result<PeerstoreView> view_peerstore(const storage::Datastore& store) {
  OPP2P_TRY(const auto gathered, gather_records(store, record_bases()));
  PeerstoreView out;
  out.unread = gathered.moved.skipped;
  for (const auto& [change, checked] : gathered.records) {
    if (checked.peer)
      add_to_peer(out.peers[*checked.peer], checked.kind, change.key, *change.value);
    else
      add_to_store(out, checked.kind, change.key, *change.value);
  }
  OPP2P_TRYV(add_unreadable(store, out));
  OPP2P_TRYV(add_own(store, out));
  OPP2P_TRYV(end_by_reasons(store, out));
  return out;
}

}  // namespace opp2p

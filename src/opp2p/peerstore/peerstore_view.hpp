// Everything that a peerstore has on record, by peer, for `opp2p peerstore show`. Values; pure; any thread. Bounds:
// kMaxMoved bytes of records (peerstore_move.hpp).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/storage/datastore.hpp"
#include "libp2p/storage/records/address_record.hpp"
#include "opstack/reputation/records.hpp"

namespace opp2p {

struct PeerView {
  std::optional<libp2p::storage::AddressRecord> addresses;
  std::optional<std::string> agent;
  std::optional<std::string> protocol_version;
  std::vector<std::string> protocols;
  std::optional<opstack::reputation::ScoreEntry> scores;
  std::optional<opstack::reputation::BanEntry> ban;
  std::optional<opstack::reputation::MetadataEntry> metadata;
  std::optional<std::string> ban_reason;  // a JSON object (opstack/reputation)
  bool has_unreadable_ban = false;        // nor a reason of it: a node keeps it in force, as its key names the peer
  bool has_unreadable_scores = false;     // so a node keeps the peer out
  bool has_key = false;
  bool is_blocked = false;
  bool is_static = false;  // it was added while a node ran

  bool is_banned(libp2p::UnixTime now) const { return has_unreadable_ban || (ban && ban->expiry > now); }
};

struct PeerstoreView {
  std::map<libp2p::PeerId, PeerView> peers;
  std::map<std::string, opstack::reputation::BanEntry> ip_bans;
  std::vector<std::string> unreadable_ip_bans;
  std::vector<std::string> blocked_ips;
  std::vector<std::string> blocked_subnets;
  std::size_t unread = 0;  // records that are not sound
};
libp2p::Result<PeerstoreView> view_peerstore(const libp2p::storage::Datastore& store);

}  // namespace opp2p

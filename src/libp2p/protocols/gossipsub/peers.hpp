// The one table of everything that the router keeps per peer: erase the row and nothing of the peer is left but the
// backoffs, which have to outlive it. Rows are numbered in the order of arrival; the number is the peer's key in all
// sets, so that their order is the same in every run, and a peer that comes back is a new one. Owned by the router.
// `secret` keeps strangers from choosing where their ids land in the table.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libp2p/base/live_count.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/admission.hpp"
#include "libp2p/protocols/gossipsub/events.hpp"
#include "libp2p/protocols/gossipsub/id_table.hpp"
#include "libp2p/protocols/gossipsub/outbox.hpp"
#include "libp2p/protocols/gossipsub/peer_index.hpp"

namespace libp2p::gossipsub {

struct Peer : LiveCounted<Peer> {
  Peer(PeerId peer_id, ProtocolVersion agreed, Direction dialled, Outbox out, AdmissionRecord record)
      : id(std::move(peer_id)),
        version(agreed),
        direction(dialled),
        outbox(std::move(out)),
        admission(std::move(record)) {}

  bool speaks_mesh() const { return version >= ProtocolVersion::v1_0; }
  bool reads_backoff() const { return version >= ProtocolVersion::v1_1; }
  // Whether everything is sent to it.
  bool gets_all() const { return direct && !blacklisted; }
  // Whether messages can go to it without a place in a mesh.
  bool is_outside_meshes() const { return direct || version == ProtocolVersion::floodsub; }
  bool reads_idontwant() const { return version >= ProtocolVersion::v1_2; }

  // What is counted and remembered by heartbeats is brought up to date when it is next needed, so that a heartbeat need
  // not go over all peers.
  void enter_heartbeat(std::uint64_t tick) {
    if (tick == counted_in) return;
    counted_in = tick;
    ihave_rpcs = ids_asked = idontwant_rpcs = named_taken = partial_rpcs = 0;
    partial_flood_told = false;
    unwanted.erase_if([tick](std::uint64_t until) { return until <= tick; });
  }

  // What every RPC needs comes first: it stands in two lines of memory.
  PeerId id;
  ProtocolVersion version;
  Direction direction;
  bool direct = false;       // of Router::Config::direct
  bool blacklisted = false;  // Router::blacklist
  bool ready_said = false;   // SendReady is out and not yet answered with an empty outbox
  bool had_first_rpc = false;
  bool speaks_partial = false;      // the first RPC said so, and we speak it too
  bool partial_flood_told = false;  // this heartbeat
  std::uint64_t counted_in = 0;     // the heartbeat that the next ones are of
  std::size_t ihave_rpcs = 0;       // this heartbeat
  std::size_t ids_asked = 0;        // this heartbeat
  std::size_t idontwant_rpcs = 0;   // this heartbeat
  std::size_t named_taken = 0;      // this heartbeat: peers that its PRUNEs named
  Outbox outbox;
  AdmissionRecord admission;
  std::set<std::string, std::less<>> topics;
  IdTable<std::uint64_t> unwanted;       // IDONTWANT: until which heartbeat; without a secret, for it is small
  std::map<MessageId, unsigned> served;  // IWANT: answers given, while the message is cached
  MonoTime added{};
  MonoTime excused_until{};  // messages of it were dropped unnamed, so what it promised may be among them
  std::map<std::string, PartialUse, std::less<>> partial;  // of its topics, those with partial messages
  std::size_t partial_rpcs = 0;                            // this heartbeat
};

class PeerTable {
 public:
  explicit PeerTable(std::uint64_t secret) : by_id_(secret) {}
  PeerTable(const PeerTable&) = delete;
  PeerTable& operator=(const PeerTable&) = delete;

  // Null when the id is unknown.
  Peer* find(const PeerId& id, PeerKey* key = nullptr);
  const Peer* find(const PeerId& id) const;
  Peer* at(PeerKey key);
  const Peer* at(PeerKey key) const;
  // How many peers came before it; size() when there is no such peer.
  std::size_t place_of(PeerKey key) const;
  PeerKey add(Peer peer);  // the id must be new
  void erase(PeerKey key);
  std::map<PeerKey, Peer>& rows() { return rows_; }
  const std::map<PeerKey, Peer>& rows() const { return rows_; }
  std::size_t size() const { return rows_.size(); }
  void check() const;

 private:
  using Row = std::pair<const PeerKey, Peer>;

  PeerKey next_ = 1;
  std::map<PeerKey, Peer> rows_;
  struct IdOf {
    const PeerId& operator()(const Row& row) const { return row.second.id; }
  };
  struct Place {
    PeerKey key;
    Row* row;
  };
  std::vector<Place> in_order_;  // all of rows_, for a search in one block of memory
  PeerIndex<Row, IdOf> by_id_;
};

}  // namespace libp2p::gossipsub

// StaticPeerList: the peers that a node keeps connected: those of --p2p.static, and those that the operator added while
// it ran, which are stored in the peerstore. Flags win: a peer of a flag has the addresses of the flag alone, whatever
// is stored of it, and is not removed for good. libp2p::StaticPeers dials them.
//
// A stored peer is a record "/opp2p/static/<base32 of its id>", whose value is what --p2p.static would be: multiaddrs
// with /p2p/ID, separated by commas. A record that is no such list is left alone and told.
//
// Owner: the node's parts; destroyed before the host and the writer. Thread: the network thread. Bounds: kMostStored
// peers that are stored, kMostAddresses of each. Re-entrancy: `done` may do anything, also destroy the list.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "libp2p/services/static_peers/static_peers.hpp"
#include "libp2p/storage/batch_writer.hpp"
#include "opp2p/node/node_events.hpp"

namespace opp2p {

struct StaticPeerEntry {
  libp2p::StaticPeerStatus status;
  bool by_flag = false;  // else it is stored
};

class StaticPeerList {
 public:
  static constexpr std::size_t kMostStored = 1024;
  static constexpr std::size_t kMostAddresses = 16;
  static constexpr std::string_view kBase = "/opp2p/static/";
  // True when something changed; an error of the disk when the change is not durable yet, or was refused.
  using Done = std::function<void(libp2p::Result<bool>)>;

  // All outlive it. `ids` is kept to be those of the list, and stays when the list goes.
  StaticPeerList(libp2p::Host& host, libp2p::storage::BatchWriter& writer, std::set<libp2p::PeerId>& ids,
                 NodeEvents& events);
  StaticPeerList(const StaticPeerList&) = delete;
  StaticPeerList& operator=(const StaticPeerList&) = delete;

  // Those of the flags, then those that are stored. Once, first.
  libp2p::Result<void> load(const std::vector<libp2p::Multiaddr>& of_flags);

  // An address with /p2p/ID; one more for a peer that is there. `done` when it is durable. Errc::denied for a peer of a
  // flag, and otherwise as StaticPeers::add().
  void add(const libp2p::Multiaddr& address, Done done);
  // Its connection stays, without protection. Errc::denied for a peer of a flag, Errc::not_found for none.
  void remove(const libp2p::PeerId& peer, Done done);
  std::vector<StaticPeerEntry> list() const;  // by peer id

  libp2p::StaticPeers& peers() { return peers_; }

 private:
  libp2p::Result<void> add_of_flag(const libp2p::Multiaddr& address);
  libp2p::Result<void> add_stored(std::string_view key, libp2p::ByteView value);
  void save(const libp2p::PeerId& peer, std::optional<std::string> value, Done done);

  libp2p::Host& host_;
  libp2p::storage::BatchWriter& writer_;
  std::set<libp2p::PeerId>& ids_;
  NodeEvents& events_;
  libp2p::StaticPeers peers_;
  std::set<libp2p::PeerId> of_flags_;
  std::map<libp2p::PeerId, std::vector<libp2p::Multiaddr>> stored_;  // also of those that a flag has too
};

}  // namespace opp2p

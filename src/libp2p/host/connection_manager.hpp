// Which connections go when there are too many: a pure engine. Above the high water the least valuable are chosen down
// to the low water; protected and spared peers and young connections stay, and there is at most one trim in a period of
// silence, as in go-libp2p's connection manager. Its order is go-libp2p's too, with two keys of our own: proven peers
// go after all others, and of inbound connections of equal value those go first that share their address with most
// others. It also keeps who is protected, and why, and the values that services give. Owned by the host.
//
// Thread: the network thread. Bounds: values are dropped when the peer's last connection ends; protections are made by
// the operator and by services and stay until they are taken off.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libp2p/host/connection_info.hpp"
#include "libp2p/host/connection_manager_config.hpp"
#include "libp2p/multiformats/address_blocks.hpp"

namespace libp2p {

class ConnectionManager {
 public:
  explicit ConnectionManager(ConnectionManagerConfig config) : config_(config) {}

  void protect(const PeerId& peer, std::string tag);
  bool unprotect(const PeerId& peer, std::string_view tag);
  bool is_protected(const PeerId& peer) const { return protections_.contains(peer); }
  // A shield against the trimmer only: no protection against a newcomer when all places are taken. For what a stranger
  // can bring about itself, such as a place in a mesh.
  void spare(const PeerId& peer, std::string tag) { spared_[peer].insert(std::move(tag)); }
  void stop_sparing(const PeerId& peer, std::string_view tag);
  bool is_spared(const PeerId& peer) const { return is_protected(peer) || spared_.contains(peer); }
  void set_value(const PeerId& peer, std::string tag, int value);
  int value(const PeerId& peer) const;
  void mark_proven(const PeerId& peer) { proven_.insert(peer); }
  bool is_proven(const PeerId& peer) const { return proven_.contains(peer); }
  void on_peer_gone(const PeerId& peer) {
    spared_.erase(peer);
    values_.erase(peer);
    proven_.erase(peer);
  }

  // What to close now, the least valuable first: empty below the high water, during the silence, and when too few may
  // go to get below the high water.
  using BlocksOf = std::function<AddressBlocks(const Multiaddr& remote)>;
  std::vector<std::uint64_t> choose(const std::vector<ConnectionInfo>& open, const BlocksOf& blocks_of, MonoTime now);
  // When choose() is worth calling again without a new connection: above the high water, once grace and silence are
  // over.
  std::optional<MonoTime> next_check(const std::vector<ConnectionInfo>& open, MonoTime now) const;
  // `is_connected` says whether a peer has a connection.
  void check(const std::function<bool(const PeerId& peer)>& is_connected) const;

 private:
  ConnectionManagerConfig config_;
  using Tags = std::map<PeerId, std::set<std::string, std::less<>>>;
  static bool untag(Tags& tags, const PeerId& peer, std::string_view tag);  // true when another tag is left
  Tags protections_;
  Tags spared_;  // of those that are connected
  std::map<PeerId, std::map<std::string, int>> values_;
  std::set<PeerId> proven_;  // of those that are connected
  std::optional<MonoTime> last_trim_;
};

}  // namespace libp2p

// The addresses that have no address share: those that the configuration names, those that the application adds, and
// of chosen peers those that the application names and those to which their names lead. Says in which address blocks
// the use of any other address is counted.
//
// Owner: HostState. Thread: the network thread. Pure. Bounds: what the application exempts; for each peer the addresses
// of its last look-up, which the dialer bounds (Dialer::kAddressesPerName).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/multiformats/cidr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p {

class AddressExemptions {
 public:
  explicit AddressExemptions(std::vector<Cidr> addresses) : addresses_(std::move(addresses)) {}

  void add(const Cidr& addresses);
  // The addresses to which the peer's names lead, from its next look-up on.
  void add(const PeerId& peer) { of_peers_.try_emplace(peer); }
  // The same, and an address of the peer.
  void add(const PeerId& peer, const Cidr& address);
  void remove(const PeerId& peer) { of_peers_.erase(peer); }
  // A name in an address of the peer leads to these IPs ("fe80::1%eth0": with a zone), and no longer to those before.
  void on_resolved(const PeerId& peer, const std::vector<std::string>& ips);

  // Exempt, or those of multiformats::address_blocks().
  AddressBlocks blocks_of(const Multiaddr& remote) const;

 private:
  std::vector<Cidr> addresses_;
  struct OfPeer {
    std::vector<Cidr> named;
    std::vector<Cidr> resolved;
  };
  std::map<PeerId, OfPeer> of_peers_;
};

}  // namespace libp2p

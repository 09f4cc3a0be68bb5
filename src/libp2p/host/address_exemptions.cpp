#include "libp2p/host/address_exemptions.hpp"

#include <algorithm>

#include "libp2p/multiformats/ip_text.hpp"

namespace libp2p {

namespace {

void add_once(std::vector<Cidr>& list, const Cidr& addresses) {
  if (std::find(list.begin(), list.end(), addresses) == list.end()) list.push_back(addresses);
}

}  // namespace

void AddressExemptions::add(const Cidr& addresses) { add_once(addresses_, addresses); }
void AddressExemptions::add(const PeerId& peer, const Cidr& address) { add_once(of_peers_[peer].named, address); }

void AddressExemptions::on_resolved(const PeerId& peer, const std::vector<std::string>& ips) {
  const auto found = of_peers_.find(peer);
  if (found == of_peers_.end()) return;
  found->second.resolved.clear();
  for (const std::string& ip : ips) {
    // A share is counted by the IP alone. What is no IP cannot be dialled either: with_ip() tells the dialer so.
    const auto bytes = multiformats::parse_ip(std::string_view(ip).substr(0, ip.find('%')));
    if (bytes) found->second.resolved.push_back(Cidr::single(*bytes));
  }
}

AddressBlocks AddressExemptions::blocks_of(const Multiaddr& remote) const {
  const auto ip = multiformats::ip_of(remote);
  if (!ip) return multiformats::address_blocks(remote);
  const auto covers = [&ip](const std::vector<Cidr>& exempt) {
    return std::any_of(exempt.begin(), exempt.end(), [&ip](const Cidr& block) { return block.contains(*ip); });
  };
  if (covers(addresses_)) return AddressBlocks::exempt();
  const bool of_a_peer = std::any_of(of_peers_.begin(), of_peers_.end(), [&covers](const auto& entry) {
    return covers(entry.second.named) || covers(entry.second.resolved);
  });
  return of_a_peer ? AddressBlocks::exempt() : multiformats::address_blocks(remote);
}

}  // namespace libp2p

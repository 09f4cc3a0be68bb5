// Who may connect. A Gater is asked at five points of a connection's way, the same as go-libp2p's, so that op-node's
// gaters (S§3) have a place each; a refusal is an Error whose text says which rule it was. BasicGater keeps lists of
// blocked peers, addresses and subnets. Gaters are stacked by deriving from Gater and asking the inner one first.
//
// Thread: the network thread. Owner: the application; must outlive the host. Bounds: BasicGater's lists are as long as
// the operator makes them.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/connection/stream.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p {

class Gater {
 public:
  virtual ~Gater() = default;
  // Before a peer is dialled at all, and before each of its addresses (resolved: with an IP). `peer` is empty when
  // unknown.
  virtual Result<void> intercept_peer_dial(const PeerId& peer) = 0;
  virtual Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) = 0;
  // A connection came in, before a byte is read.
  virtual Result<void> intercept_accept(const Multiaddr& remote) = 0;
  // The peer has proved who it is.
  virtual Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) = 0;
  // The muxer is settled: the last word.
  virtual Result<void> intercept_upgraded(Direction direction, const PeerId& peer, const Multiaddr& remote) = 0;
};

// An IPv4 or IPv6 network, "10.0.0.0/8". IPv4 addresses mapped into IPv6 are taken as IPv4.
class Subnet {
 public:
  static Result<Subnet> from_text(std::string_view cidr);
  bool contains(std::string_view ip) const;
  // Canonical: host bits cleared.
  const std::string& text() const { return text_; }
  friend auto operator<=>(const Subnet& a, const Subnet& b) { return a.text_ <=> b.text_; }
  friend bool operator==(const Subnet& a, const Subnet& b) { return a.text_ == b.text_; }

 private:
  Bytes network_;  // 4 or 16 bytes
  unsigned bits_ = 0;
  std::string text_;
};

// The canonical text of an IP address ("::ffff:1.2.3.4" is 1.2.3.4); Errc::malformed for anything else.
Result<std::string> canonical_ip(std::string_view ip);

class BasicGater : public Gater {
 public:
  Result<void> intercept_peer_dial(const PeerId& peer) override;
  Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) override;
  Result<void> intercept_accept(const Multiaddr& remote) override;
  Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) override;
  Result<void> intercept_upgraded(Direction direction, const PeerId& peer, const Multiaddr& remote) override;

  // Blocking does not close connections that are open. The answers say whether something changed.
  bool block_peer(const PeerId& peer);
  bool unblock_peer(const PeerId& peer);
  std::vector<PeerId> blocked_peers() const;  // sorted, as the others
  Result<bool> block_ip(std::string_view ip);
  Result<bool> unblock_ip(std::string_view ip);
  std::vector<std::string> blocked_ips() const;
  Result<bool> block_subnet(std::string_view cidr);
  Result<bool> unblock_subnet(std::string_view cidr);
  std::vector<std::string> blocked_subnets() const;

 private:
  Result<void> check_ip(const Multiaddr& address) const;
  std::set<PeerId> peers_;
  std::set<std::string> ips_;
  std::set<Subnet> subnets_;
};

// The IP of a multiaddr that begins with /ip4 or /ip6, canonical; nothing for any other.
std::optional<std::string> ip_of(const Multiaddr& address);

}  // namespace libp2p

// Two gaters over an inner one, which is asked first: BanExpiryGater keeps out banned peers and addresses,
// ScoringGater peers with a bad score. What cannot be read denies. An address without an IP (memory, Unix) is not
// refused for that: no ban of an IP can be evaded by it.
//
// Owner: Reputation, and the host that they are given to. Thread: the network thread. Bounds: none of their own.
// Re-entrancy: the functions that they are given are called inside the hooks, and must not close connections. Source:
// op-node surface, section 3.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libp2p/host/gater.hpp"
#include "opstack/reputation/reputation_event.hpp"

namespace opstack::reputation {

using libp2p::Direction;
using libp2p::Multiaddr;
using libp2p::Result;

// Hears of each refusal.
using OnRefused = std::function<void(const GateRefused&)>;

// Asks the inner gater, and answers what that says.
class GaterDecorator : public libp2p::Gater {
 public:
  explicit GaterDecorator(std::shared_ptr<libp2p::Gater> inner, OnRefused on_refused);
  Result<void> intercept_peer_dial(const PeerId& peer) override { return inner_->intercept_peer_dial(peer); }
  Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) override {
    return inner_->intercept_addr_dial(peer, address);
  }
  Result<void> intercept_accept(const Multiaddr& remote) override { return inner_->intercept_accept(remote); }
  Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) override {
    return inner_->intercept_secured(direction, peer, remote);
  }
  Result<void> intercept_upgraded(Direction direction, const PeerId& peer, const Multiaddr& remote) override {
    return inner_->intercept_upgraded(direction, peer, remote);
  }

 protected:
  Result<void> refuse(GateHook hook, GateRule rule, const PeerId& peer, const Multiaddr& address, std::string why);

 private:
  std::shared_ptr<libp2p::Gater> inner_;
  OnRefused on_refused_;
};

// Who is banned now. A ban that has expired is ended by the look-up; an error is the store's.
class ActiveBans {
 public:
  virtual ~ActiveBans() = default;
  virtual Result<const Ban*> ban_of_peer(const PeerId& peer) = 0;
  virtual Result<const Ban*> ban_of_address(const std::string& canonical_ip) = 0;
};

class BanExpiryGater final : public GaterDecorator {
 public:
  // `bans` outlives it.
  BanExpiryGater(std::shared_ptr<libp2p::Gater> inner, ActiveBans& bans, OnRefused on_refused);
  Result<void> intercept_peer_dial(const PeerId& peer) override;
  Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) override;
  Result<void> intercept_accept(const Multiaddr& remote) override;
  // Outbound connections are always allowed: their dial was asked about.
  Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) override;

 private:
  Result<void> check_peer(GateHook hook, const PeerId& peer, const Multiaddr& address);
  Result<void> check_ip(GateHook hook, const PeerId& peer, const Multiaddr& address);
  ActiveBans& bans_;
};

class ScoringGater final : public GaterDecorator {
 public:
  // The score of a peer, 0 for one that is unknown; nothing for a peer whose score is not to be asked about.
  using Score = std::function<Result<std::optional<double>>(const PeerId&)>;

  ScoringGater(std::shared_ptr<libp2p::Gater> inner, double min_score, Score score, OnRefused on_refused);
  Result<void> intercept_peer_dial(const PeerId& peer) override;
  Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) override;
  Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) override;

 private:
  Result<void> check(GateHook hook, const PeerId& peer, const Multiaddr& address);
  double min_score_;
  Score score_;
};

}  // namespace opstack::reputation

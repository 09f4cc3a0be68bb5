// Two gaters over an inner one, which is asked first: BanExpiryGater keeps out banned peers and addresses,
// ScoringGater peers with a bad score. What cannot be read denies. An address without an IP (memory, Unix) is not
// refused for that: no ban of an IP can be evaded by it. Of an IPv6 address that leads to an IPv4 one both are asked
// about. A ban closes connections that are open (GaterStricter); a bad score does not.
//
// Owner: Reputation, and the host that they are given to. Thread: the network thread. Bounds: none of their own.
// Re-entrancy: the functions that they are given are called inside the hooks, and must not close connections. Source:
// op-node surface, section 3.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "libp2p/host/gater_decorators.hpp"
#include "opstack/reputation/reputation_event.hpp"

namespace opstack::reputation {

using libp2p::Direction;
using libp2p::Multiaddr;
using libp2p::Result;

// Hears of each refusal.
using OnRefused = std::function<void(const GateRefused&)>;

// A decorator that tells what it refuses.
class TellingGater : public libp2p::GaterDecorator {
 public:
  TellingGater(std::shared_ptr<libp2p::Gater> inner, OnRefused on_refused)
      : GaterDecorator(std::move(inner)), on_refused_(std::move(on_refused)) {}

 protected:
  Result<void> refuse(libp2p::GaterHook hook, GateRule rule, const PeerId& peer, const Multiaddr& address,
                      std::string why, std::optional<double> score = {});

 private:
  OnRefused on_refused_;
};

// Who is banned now. A ban that has expired is ended by the look-up; an error is the store's.
class ActiveBans {
 public:
  virtual ~ActiveBans() = default;
  virtual Result<const Ban*> ban_of_peer(const PeerId& peer) = 0;
  virtual Result<const Ban*> ban_of_address(const std::string& canonical_ip) = 0;
  // The ban in force of either; changes nothing.
  virtual const Ban* find(const PeerId& peer) const = 0;
  virtual const Ban* find_address(const std::string& canonical_ip) const = 0;
};

class BanExpiryGater final : public TellingGater {
 public:
  // `bans` outlives it.
  BanExpiryGater(std::shared_ptr<libp2p::Gater> inner, ActiveBans& bans, OnRefused on_refused);
  Result<void> intercept_peer_dial(const PeerId& peer) override;
  Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) override;
  Result<void> intercept_accept(const Multiaddr& remote) override;
  // Outbound connections are always allowed: their dial was asked about.
  Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) override;
  Result<void> permits(const PeerId& peer, const Multiaddr& remote) const override;

 private:
  Result<void> check_peer(libp2p::GaterHook hook, const PeerId& peer, const Multiaddr& address);
  Result<void> check_ip(libp2p::GaterHook hook, const PeerId& peer, const Multiaddr& address);
  ActiveBans& bans_;
};

class ScoringGater final : public TellingGater {
 public:
  // The score of a peer, 0 for one that is unknown; nothing for a peer whose score is not to be asked about.
  using Score = std::function<Result<std::optional<double>>(const PeerId&)>;

  ScoringGater(std::shared_ptr<libp2p::Gater> inner, double min_score, Score score, OnRefused on_refused);
  Result<void> intercept_peer_dial(const PeerId& peer) override;
  Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) override;
  Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) override;
  // Nothing for a peer that may connect.
  std::optional<ScoreRefusal> refusal_of(const PeerId& peer) const;

 private:
  Result<void> check(libp2p::GaterHook hook, const PeerId& peer, const Multiaddr& address);
  double min_score_;
  Score score_;
};

}  // namespace opstack::reputation

#include "opstack/reputation/gaters.hpp"

#include <utility>

#include "libp2p/base/assert.hpp"
#include "opstack/reputation/ban_text.hpp"

namespace opstack::reputation {

using libp2p::Errc;

GaterDecorator::GaterDecorator(std::shared_ptr<libp2p::Gater> inner, OnRefused on_refused)
    : inner_(std::move(inner)), on_refused_(std::move(on_refused)) {
  OPP2P_ASSERT(inner_ != nullptr, "a gater decorates another");
}

Result<void> GaterDecorator::refuse(GateHook hook, GateRule rule, const PeerId& peer, const Multiaddr& address,
                                    std::string why) {
  const libp2p::Error error(Errc::denied, std::move(why));
  if (on_refused_) on_refused_(GateRefused{hook, rule, peer, address, error});
  return error;
}

// ---- bans ----

BanExpiryGater::BanExpiryGater(std::shared_ptr<libp2p::Gater> inner, ActiveBans& bans, OnRefused on_refused)
    : GaterDecorator(std::move(inner), std::move(on_refused)), bans_(bans) {}

Result<void> BanExpiryGater::intercept_peer_dial(const PeerId& peer) {
  OPP2P_TRYV(GaterDecorator::intercept_peer_dial(peer));
  return check_peer(GateHook::peer_dial, peer, {});
}

Result<void> BanExpiryGater::intercept_addr_dial(const PeerId& peer, const Multiaddr& address) {
  OPP2P_TRYV(GaterDecorator::intercept_addr_dial(peer, address));
  if (!peer.empty()) OPP2P_TRYV(check_peer(GateHook::addr_dial, peer, address));
  return check_ip(GateHook::addr_dial, peer, address);
}

Result<void> BanExpiryGater::intercept_accept(const Multiaddr& remote) {
  OPP2P_TRYV(GaterDecorator::intercept_accept(remote));
  return check_ip(GateHook::accept, {}, remote);
}

Result<void> BanExpiryGater::intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) {
  OPP2P_TRYV(GaterDecorator::intercept_secured(direction, peer, remote));
  if (direction == Direction::outbound) return {};
  return check_peer(GateHook::secured, peer, remote);
}

Result<void> BanExpiryGater::check_peer(GateHook hook, const PeerId& peer, const Multiaddr& address) {
  const auto ban = bans_.ban_of_peer(peer);
  if (!ban) return refuse(hook, GateRule::unreadable, peer, address, ban.error().text());
  if (*ban == nullptr) return {};
  return refuse(hook, GateRule::peer_ban, peer, address, "the peer " + peer.to_base58() + " is " + ban_text(**ban));
}

Result<void> BanExpiryGater::check_ip(GateHook hook, const PeerId& peer, const Multiaddr& address) {
  const auto ip = libp2p::ip_of(address);  // and not multiformats::ip_of, which the argument brings in
  if (!ip) return {};
  const auto ban = bans_.ban_of_address(*ip);
  if (!ban) return refuse(hook, GateRule::unreadable, peer, address, ban.error().text());
  if (*ban == nullptr) return {};
  return refuse(hook, GateRule::ip_ban, peer, address, "the address " + *ip + " is " + ban_text(**ban));
}

// ---- scores ----

ScoringGater::ScoringGater(std::shared_ptr<libp2p::Gater> inner, double min_score, Score score, OnRefused on_refused)
    : GaterDecorator(std::move(inner), std::move(on_refused)), min_score_(min_score), score_(std::move(score)) {}

Result<void> ScoringGater::intercept_peer_dial(const PeerId& peer) {
  OPP2P_TRYV(GaterDecorator::intercept_peer_dial(peer));
  return check(GateHook::peer_dial, peer, {});
}

Result<void> ScoringGater::intercept_addr_dial(const PeerId& peer, const Multiaddr& address) {
  OPP2P_TRYV(GaterDecorator::intercept_addr_dial(peer, address));
  if (peer.empty()) return {};
  return check(GateHook::addr_dial, peer, address);
}

Result<void> ScoringGater::intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) {
  OPP2P_TRYV(GaterDecorator::intercept_secured(direction, peer, remote));
  return check(GateHook::secured, peer, remote);
}

Result<void> ScoringGater::check(GateHook hook, const PeerId& peer, const Multiaddr& address) {
  const auto score = score_(peer);
  if (!score) return refuse(hook, GateRule::unreadable, peer, address, score.error().text());
  if (!*score || **score >= min_score_) return {};
  return refuse(hook, GateRule::score, peer, address,
                "the score " + score_text(**score) + " of the peer " + peer.to_base58() + " is below the minimum of " +
                    score_text(min_score_));
}

}  // namespace opstack::reputation

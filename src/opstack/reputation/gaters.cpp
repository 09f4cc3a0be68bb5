#include "opstack/reputation/gaters.hpp"

#include <utility>

#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/multiformats/cidr.hpp"
#include "opstack/reputation/ban_text.hpp"

namespace opstack::reputation {

using libp2p::Errc;
using libp2p::GaterHook;

namespace {

std::vector<std::string> ips_of(const Multiaddr& address) {
  std::vector<std::string> out;
  for (const auto& ip : libp2p::multiformats::ips_to_judge(address)) out.push_back(libp2p::Cidr::single(ip).ip_text());
  return out;
}

std::string text_of(const PeerId& peer, const Ban& ban) {
  return "the peer " + peer.to_base58() + " is " + ban_text(ban);
}
std::string text_of(const std::string& ip, const Ban& ban) { return "the address " + ip + " is " + ban_text(ban); }

}  // namespace

std::string_view gate_rule_id(GateRule rule) {
  switch (rule) {
    case GateRule::peer_ban: return "peer_ban";
    case GateRule::ip_ban: return "ip_ban";
    case GateRule::score: return "score";
    case GateRule::unreadable: break;
  }
  return "unreadable";
}

Result<void> TellingGater::refuse(GaterHook hook, GateRule rule, const PeerId& peer, const Multiaddr& address,
                                  std::string why, std::optional<double> score) {
  const libp2p::Error error(Errc::denied, std::move(why));
  if (on_refused_) on_refused_(GateRefused{hook, rule, peer, address, error, score});
  return error;
}

// ---- bans ----

BanExpiryGater::BanExpiryGater(std::shared_ptr<libp2p::Gater> inner, ActiveBans& bans, OnRefused on_refused)
    : TellingGater(std::move(inner), std::move(on_refused)), bans_(bans) {}

Result<void> BanExpiryGater::intercept_peer_dial(const PeerId& peer) {
  OPP2P_TRYV(TellingGater::intercept_peer_dial(peer));
  return check_peer(GaterHook::peer_dial, peer, {});
}

Result<void> BanExpiryGater::intercept_addr_dial(const PeerId& peer, const Multiaddr& address) {
  OPP2P_TRYV(TellingGater::intercept_addr_dial(peer, address));
  if (!peer.empty()) OPP2P_TRYV(check_peer(GaterHook::addr_dial, peer, address));
  return check_ip(GaterHook::addr_dial, peer, address);
}

Result<void> BanExpiryGater::intercept_accept(const Multiaddr& remote) {
  OPP2P_TRYV(TellingGater::intercept_accept(remote));
  return check_ip(GaterHook::accept, {}, remote);
}

Result<void> BanExpiryGater::intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) {
  OPP2P_TRYV(TellingGater::intercept_secured(direction, peer, remote));
  if (direction == Direction::outbound) return {};
  return check_peer(GaterHook::secured, peer, remote);
}

Result<void> BanExpiryGater::check_peer(GaterHook hook, const PeerId& peer, const Multiaddr& address) {
  const auto ban = bans_.ban_of_peer(peer);
  if (!ban) return refuse(hook, GateRule::unreadable, peer, address, ban.error().text());
  if (*ban == nullptr) return {};
  return refuse(hook, GateRule::peer_ban, peer, address, text_of(peer, **ban));
}

Result<void> BanExpiryGater::check_ip(GaterHook hook, const PeerId& peer, const Multiaddr& address) {
  for (const std::string& ip : ips_of(address)) {
    const auto ban = bans_.ban_of_address(ip);
    if (!ban) return refuse(hook, GateRule::unreadable, peer, address, ban.error().text());
    if (*ban != nullptr) return refuse(hook, GateRule::ip_ban, peer, address, text_of(ip, **ban));
  }
  return {};
}

Result<void> BanExpiryGater::permits(const PeerId& peer, const Multiaddr& remote) const {
  OPP2P_TRYV(TellingGater::permits(peer, remote));
  if (const Ban* const ban = bans_.find(peer)) return libp2p::fail(Errc::denied, text_of(peer, *ban));
  for (const std::string& ip : ips_of(remote))
    if (const Ban* const ban = bans_.find_address(ip)) return libp2p::fail(Errc::denied, text_of(ip, *ban));
  return {};
}

// ---- scores ----

ScoringGater::ScoringGater(std::shared_ptr<libp2p::Gater> inner, double min_score, Score score, OnRefused on_refused)
    : TellingGater(std::move(inner), std::move(on_refused)), min_score_(min_score), score_(std::move(score)) {}

Result<void> ScoringGater::intercept_peer_dial(const PeerId& peer) {
  OPP2P_TRYV(TellingGater::intercept_peer_dial(peer));
  return check(GaterHook::peer_dial, peer, {});
}

Result<void> ScoringGater::intercept_addr_dial(const PeerId& peer, const Multiaddr& address) {
  OPP2P_TRYV(TellingGater::intercept_addr_dial(peer, address));
  if (peer.empty()) return {};
  return check(GaterHook::addr_dial, peer, address);
}

Result<void> ScoringGater::intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) {
  OPP2P_TRYV(TellingGater::intercept_secured(direction, peer, remote));
  return check(GaterHook::secured, peer, remote);
}

std::optional<ScoreRefusal> ScoringGater::refusal_of(const PeerId& peer) const {
  const auto score = score_(peer);
  if (!score)
    return ScoreRefusal{GateRule::unreadable,
                        {},
                        "the score of the peer " + peer.to_base58() + " cannot be read (" + score.error().text() +
                            "); an undo of its ban clears it"};
  if (!*score || **score >= min_score_) return std::nullopt;
  return ScoreRefusal{GateRule::score, *score,
                      "the score " + score_text(**score) + " of the peer " + peer.to_base58() +
                          " is below the minimum of " + score_text(min_score_)};
}

Result<void> ScoringGater::check(GaterHook hook, const PeerId& peer, const Multiaddr& address) {
  auto refusal = refusal_of(peer);
  if (!refusal) return {};
  return refuse(hook, refusal->rule, peer, address, std::move(refusal->why), refusal->score);
}

}  // namespace opstack::reputation

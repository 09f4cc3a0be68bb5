#include "sim/attacks/sybil.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opp2p::sim::attacks {

using libp2p::MonoTime;
using libp2p::Now;
using libp2p::gossipsub::Control;
using libp2p::gossipsub::Message;
using libp2p::gossipsub::Rpc;
using libp2p::gossipsub::SharedMessage;

Sybil::Sybil(Plot& plot, SybilWire& wire, libp2p::Rng& rng, Behaviours behaviours)
    : plot_(plot), wire_(wire), rng_(rng), behaviours_(std::move(behaviours)) {}

void Sybil::on_connected(Member peer, Now now) {
  peers_.insert_or_assign(peer, Peer{});
  send(peer, plot_.subscription());
  for (auto& behaviour : behaviours_) behaviour->on_connected(*this, peer, now);
}

void Sybil::on_disconnected(Member peer, Now now) {
  if (peers_.erase(peer) == 0) return;
  for (auto& behaviour : behaviours_) behaviour->on_disconnected(*this, peer, now);
}

void Sybil::on_rpc(Member from, const Rpc& rpc, Now now) {
  const auto peer = peers_.find(from);
  if (peer == peers_.end()) return;
  for (const auto& subscription : rpc.subscriptions) {
    if (!is_ours(subscription.topic)) continue;
    const bool subscribes = subscription.subscribe.value_or(false);
    const bool is_news = subscribes && !peer->second.subscribed;
    peer->second.subscribed = subscribes;
    if (!subscribes) peer->second.in_mesh = false;
    if (!is_news) continue;
    for (auto& behaviour : behaviours_) behaviour->on_subscribed(*this, from, now);
  }
  if (rpc.control) handle_control(from, *rpc.control, now);
  for (const auto& message : rpc.publish) handle_block(from, rpc, message, now);
}

void Sybil::handle_control(Member from, const Control& control, Now now) {
  for (const auto& graft : control.graft) {
    if (!is_ours(graft.topic)) continue;
    peers_[from].in_mesh = true;
    for (auto& behaviour : behaviours_) behaviour->on_graft(*this, from, now);
  }
  for (const auto& prune : control.prune) {
    if (!is_ours(prune.topic)) continue;
    peers_[from].in_mesh = false;
    for (auto& behaviour : behaviours_) behaviour->on_prune(*this, from, now);
  }
  for (const auto& iwant : control.iwant) {
    for (auto& behaviour : behaviours_) behaviour->on_iwant(*this, from, iwant.ids, now);
  }
}

void Sybil::handle_block(Member from, const Rpc& rpc, const Message& message, Now now) {
  if (!is_ours(message.topic) || !message.data) return;
  const auto id = plot_.name(*message.data);
  if (std::find(seen_.rbegin(), seen_.rend(), id) != seen_.rend()) return;
  if (seen_.size() == kMostIds) seen_.pop_front();
  seen_.push_back(id);
  const SeenBlock block{id, SharedMessage::from_received(rpc, message), now.mono};
  plot_.remember(block);
  for (auto& behaviour : behaviours_) behaviour->on_block(*this, from, block, now);
}

void Sybil::on_timeout(Now now) {
  for (auto& behaviour : behaviours_) {
    const auto due = behaviour->next_deadline();
    if (due && *due <= now.mono) behaviour->on_timeout(*this, now);
  }
}

std::optional<MonoTime> Sybil::next_deadline() const {
  std::optional<MonoTime> first;
  for (const auto& behaviour : behaviours_) {
    const auto due = behaviour->next_deadline();
    if (due && (!first || *due < *first)) first = due;
  }
  return first;
}

void Sybil::graft(Member peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  // It takes us into its mesh, or answers with a PRUNE.
  found->second.in_mesh = true;
  send(peer, plot_.graft());
}

void Sybil::send_to_all(const libp2p::SharedBytes& frame) {
  for (const auto& [peer, state] : peers_) send(peer, frame);
}

void Sybil::forward(const libp2p::SharedBytes& frame, Member except) {
  for (const auto& [peer, state] : peers_) {
    if (state.in_mesh && peer != except) send(peer, frame);
  }
}

void Sybil::check() const {
  OPP2P_CHECK(seen_.size() <= kMostIds, "a sybil remembers a bounded number of blocks", seen_);
}

}  // namespace opp2p::sim::attacks

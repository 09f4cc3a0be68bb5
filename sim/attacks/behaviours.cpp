#include "sim/attacks/behaviours.hpp"

#include <algorithm>
#include <cmath>

namespace opp2p::sim::attacks {

using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::Now;
using libp2p::gossipsub::MessageId;
using libp2p::gossipsub::Rpc;
using libp2p::gossipsub::SharedMessage;

// --- TakesPlaces ---

void TakesPlaces::on_subscribed(Sybil& sybil, Member peer, Now) { sybil.graft(peer); }

void TakesPlaces::on_prune(Sybil&, Member peer, Now now) {
  // One GRAFT for each PRUNE at most: a second PRUNE answers a GRAFT that came too early.
  std::erase_if(due_, [peer](const auto& entry) { return entry.second == peer; });
  due_.emplace_back(now.mono + again_, peer);
}

void TakesPlaces::on_disconnected(Sybil&, Member peer, Now) {
  std::erase_if(due_, [peer](const auto& entry) { return entry.second == peer; });
}

void TakesPlaces::on_timeout(Sybil& sybil, Now now) {
  while (!due_.empty() && due_.front().first <= now.mono) {
    const Member peer = due_.front().second;
    due_.pop_front();
    sybil.graft(peer);
  }
}

std::optional<MonoTime> TakesPlaces::next_deadline() const {
  if (due_.empty()) return std::nullopt;
  return due_.front().first;
}

// --- Forwards ---

bool Forwards::keeps_back(Sybil& sybil, const SeenBlock& block) const {
  if (options_.censors) return sybil.plot().is_censored(block.message.data());
  return options_.drop > 0 && sybil.rng().next_unit() < options_.drop;
}

void Forwards::on_block(Sybil& sybil, Member from, const SeenBlock& block, Now now) {
  const auto& frame = block.message.frame();
  if (!sybil.plot().is_attack(now)) return sybil.forward(frame, from);
  if (keeps_back(sybil, block)) return;
  if (options_.delay <= Nanos(0)) return sybil.forward(frame, from);
  if (held_.size() == kMostHeld) held_.pop_front();
  held_.push_back({now.mono + options_.delay, from, frame});
}

void Forwards::on_timeout(Sybil& sybil, Now now) {
  while (!held_.empty() && held_.front().due <= now.mono) {
    sybil.forward(held_.front().frame, held_.front().from);
    held_.pop_front();
  }
}

std::optional<MonoTime> Forwards::next_deadline() const {
  if (held_.empty()) return std::nullopt;
  return held_.front().due;
}

// --- Answers ---

void Answers::on_iwant(Sybil& sybil, Member from, const std::vector<libp2p::ByteView>& ids, Now now) {
  const bool attack = sybil.plot().is_attack(now);
  if (attack && !delay_) return;
  for (const auto& bytes : ids) {
    const auto id = MessageId::from(bytes);
    const SeenBlock* block = id ? sybil.plot().find(*id) : nullptr;
    if (block == nullptr) continue;
    if (!attack || *delay_ <= Nanos(0)) {
      sybil.send(from, block->message.frame());
      continue;
    }
    if (held_.size() == kMostHeld) held_.pop_front();
    held_.push_back({now.mono + *delay_, from, block->message.frame()});
  }
}

void Answers::on_timeout(Sybil& sybil, Now now) {
  while (!held_.empty() && held_.front().due <= now.mono) {
    const Held held = std::move(held_.front());
    held_.pop_front();
    if (sybil.peers().contains(held.to)) sybil.send(held.to, held.frame);
  }
}

std::optional<MonoTime> Answers::next_deadline() const {
  if (held_.empty()) return std::nullopt;
  return held_.front().due;
}

// --- Spams ---

Spams::Spams(double rate) : interval_(static_cast<std::int64_t>(std::llround(1e9 / rate))) {}

void Spams::on_connected(Sybil& sybil, Member, Now now) {
  if (due_) return;
  // Not all sybils at the same moment: somewhere within the first interval.
  const auto part = static_cast<std::int64_t>(sybil.rng().below(static_cast<std::uint64_t>(interval_.count())));
  due_ = std::max(now.mono, sybil.plot().times().attack) + Nanos(part);
}

void Spams::on_timeout(Sybil& sybil, Now now) {
  due_ = std::nullopt;
  if (sybil.peers().empty() || now.mono >= sybil.plot().times().end) return;
  due_ = now.mono + interval_;
  spam(sybil, now);
}

void FloodsGrafts::spam(Sybil& sybil, Now) {
  for (const auto& [peer, state] : sybil.peers()) sybil.graft(peer);
}

void InventsIds::spam(Sybil& sybil, Now) {
  std::vector<libp2p::ByteArray<20>> ids(kIds);
  for (auto& id : ids) sybil.rng().fill(id);
  Rpc rpc;
  auto& ihave = rpc.control.emplace().ihave.emplace_back();
  ihave.topic = sybil.plot().topic();
  ihave.ids.assign(ids.begin(), ids.end());
  sybil.send_to_all(libp2p::gossipsub::encode_frame(rpc));
}

void AsksAgain::spam(Sybil& sybil, Now now) {
  Rpc rpc;
  auto& iwant = rpc.control.emplace().iwant.emplace_back();
  for (const auto& block : sybil.plot().blocks()) {
    if (now.mono - block.seen <= kWindow) iwant.ids.push_back(block.id.bytes());
  }
  if (iwant.ids.empty()) return;
  sybil.send_to_all(libp2p::gossipsub::encode_frame(rpc));
}

void SendsBadBlocks::spam(Sybil& sybil, Now now) {
  const auto block = sybil.plot().bad_block(sybil.rng(), now);
  sybil.send_to_all(SharedMessage::make(sybil.plot().topic(), block).frame());
}

void Replays::spam(Sybil& sybil, Now now) {
  const SeenBlock* block =
      sybil.plot().any_block_until(now.mono - (old_next_ ? Nanos(kForgotten) : Nanos(0)), sybil.rng());
  old_next_ = !old_next_;
  if (block == nullptr) return;
  sybil.send_to_all(block->message.frame());
}

}  // namespace opp2p::sim::attacks

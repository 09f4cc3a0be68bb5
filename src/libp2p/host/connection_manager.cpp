#include "libp2p/host/connection_manager.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p {

void ConnectionManager::protect(const PeerId& peer, std::string tag) { protections_[peer].insert(std::move(tag)); }

bool ConnectionManager::untag(Tags& tags, const PeerId& peer, std::string_view tag) {
  const auto found = tags.find(peer);
  if (found == tags.end()) return false;
  const auto entry = found->second.find(tag);
  if (entry != found->second.end()) found->second.erase(entry);
  if (!found->second.empty()) return true;
  tags.erase(found);
  return false;
}

bool ConnectionManager::unprotect(const PeerId& peer, std::string_view tag) { return untag(protections_, peer, tag); }

void ConnectionManager::stop_sparing(const PeerId& peer, std::string_view tag) { (void)untag(spared_, peer, tag); }

void ConnectionManager::set_value(const PeerId& peer, std::string tag, int value) {
  values_[peer].insert_or_assign(std::move(tag), value);
}

int ConnectionManager::value(const PeerId& peer) const {
  const auto found = values_.find(peer);
  if (found == values_.end()) return 0;
  int sum = 0;
  for (const auto& [tag, value] : found->second) sum += value;
  return sum;
}

std::vector<std::uint64_t> ConnectionManager::choose(const std::vector<ConnectionInfo>& open, const BlocksOf& blocks_of,
                                                     MonoTime now) {
  if (open.size() <= config_.high) return {};
  if (last_trim_ && now < *last_trim_ + config_.silence) return {};
  std::vector<const ConnectionInfo*> candidates;
  for (const auto& info : open) {
    if (is_spared(info.peer) || now < info.opened + config_.grace) continue;
    candidates.push_back(&info);
  }
  // With too few that may go the trim would take the valuable among them, and the silence would put off the rest.
  if (candidates.size() < open.size() - config_.high) return {};
  last_trim_ = now;
  std::map<Bytes, std::ptrdiff_t, BlockOrder> crowd;  // inbound connections by address block
  std::map<std::uint64_t, Bytes> block_of;
  for (const auto& info : open) {
    if (info.direction != Direction::inbound) continue;
    const auto block = block_of.emplace(info.id, blocks_of(info.remote).narrow).first;
    if (!block->second.empty()) ++crowd[block->second];
  }
  const auto crowded = [&](const ConnectionInfo* info) {
    const auto block = block_of.find(info->id);
    return block == block_of.end() || block->second.empty() ? 0 : crowd.at(block->second);
  };
  // The unproven go first, then the less valuable, those without streams, the inbound, those that share their address
  // with most others, those with fewer streams, the younger.
  const auto streams = [this](const ConnectionInfo* info) { return config_.count_streams ? info->streams : 0; };
  const auto worth = [&](const ConnectionInfo* info) {
    return std::make_tuple(is_proven(info->peer), value(info->peer), streams(info) > 0,
                           info->direction == Direction::outbound, -crowded(info), streams(info), ~info->id);
  };
  std::sort(candidates.begin(), candidates.end(),
            [&worth](const ConnectionInfo* a, const ConnectionInfo* b) { return worth(a) < worth(b); });
  const std::size_t excess = open.size() - std::min(config_.low, open.size());
  if (candidates.size() > excess) candidates.resize(excess);
  std::vector<std::uint64_t> out;
  for (const auto* info : candidates) {
    OPP2P_ASSERT(!is_spared(info->peer) && info->opened + config_.grace <= now,
                 "protected and spared peers and young connections stay", info->id, info->peer);
    out.push_back(info->id);
  }
  OPP2P_ASSERT(out.size() <= excess, "no more go than are above the low water", out, excess);
  return out;
}

std::optional<MonoTime> ConnectionManager::next_check(const std::vector<ConnectionInfo>& open, MonoTime now) const {
  if (open.size() <= config_.high) return std::nullopt;
  std::vector<MonoTime> due;
  for (const auto& info : open) {
    if (!is_spared(info.peer)) due.push_back(info.opened + config_.grace);
  }
  if (due.size() < open.size() - config_.high) return std::nullopt;
  std::sort(due.begin(), due.end());
  // When as many may go as have to, or all that ever may; a second later, so that those of one burst are judged
  // together.
  MonoTime next = due[std::min(open.size() - std::min(config_.low, config_.high), due.size()) - 1] + Seconds(1);
  if (last_trim_) next = std::max(next, *last_trim_ + config_.silence);
  return std::max(next, now + Seconds(1));
}

void ConnectionManager::check(const std::function<bool(const PeerId& peer)>& is_connected) const {
  for (const Tags* tags : {&protections_, &spared_}) {
    for (const auto& [peer, of_peer] : *tags)
      OPP2P_CHECK(!of_peer.empty(), "who is protected or spared is so for a reason", peer);
  }
  for (const auto& [peer, values] : values_) OPP2P_CHECK(!values.empty(), "a value was given by somebody", peer);
  for (const PeerId& peer : proven_)
    OPP2P_CHECK(is_connected(peer), "what is known of a peer goes with its last connection", peer);
}

}  // namespace libp2p

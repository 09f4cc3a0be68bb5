#include "sim/attacks/plot.hpp"

#include <algorithm>

namespace opp2p::sim::attacks {

Plot::Plot(Config config) : config_(std::move(config)) {
  libp2p::gossipsub::Rpc subscription;
  subscription.subscriptions.push_back({true, config_.topic, {}, {}});
  subscription_ = libp2p::gossipsub::encode_frame(subscription);
  libp2p::gossipsub::Rpc graft;
  graft.control.emplace().graft.push_back({config_.topic});
  graft_ = libp2p::gossipsub::encode_frame(graft);
}

libp2p::gossipsub::MessageId Plot::name(libp2p::ByteView data) const {
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    const auto kept = block->message.data();
    if (kept.data() == data.data() && kept.size() == data.size()) return block->id;
  }
  return config_.name(data);
}

void Plot::remember(const SeenBlock& block) {
  if (find(block.id) != nullptr) return;
  if (blocks_.size() == kMostBlocks) blocks_.pop_front();
  blocks_.push_back(block);
}

const SeenBlock* Plot::find(const libp2p::gossipsub::MessageId& id) const {
  // The one that is looked for is nearly always one of the last.
  const auto found =
      std::find_if(blocks_.rbegin(), blocks_.rend(), [&](const SeenBlock& block) { return block.id == id; });
  return found == blocks_.rend() ? nullptr : &*found;
}

const SeenBlock* Plot::any_block_until(libp2p::MonoTime until, libp2p::Rng& rng) const {
  const auto past = std::upper_bound(blocks_.begin(), blocks_.end(), until,
                                     [](libp2p::MonoTime time, const SeenBlock& block) { return time < block.seen; });
  const auto count = static_cast<std::size_t>(past - blocks_.begin());
  return count == 0 ? nullptr : &blocks_[static_cast<std::size_t>(rng.below(count))];
}

}  // namespace opp2p::sim::attacks

#include "libp2p/services/gossipsub/gossip_drain.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p {

GossipDrain::GossipDrain(runtime::Runtime& runtime, gossipsub::Router& router, const LifeToken& life, Work& work)
    : runtime_(runtime), router_(router), life_(life), work_(work) {}

void GossipDrain::schedule() {
  if (stopped_ || std::exchange(scheduled_, true)) return;
  runtime_.post(life_.guard([this] { run(); }));
}

void GossipDrain::bury(std::unique_ptr<StreamHandler> stream) {
  if (stream == nullptr) return;
  buried_.push_back(std::move(stream));
  schedule();
}

void GossipDrain::stop() {
  stopped_ = true;
  buried_.clear();
}

void GossipDrain::check() const {
  OPP2P_CHECK(scheduled_ || stopped_ || (buried_.empty() && ready_.empty()), "what waits for a turn has one coming",
              buried_.size(), ready_.size());
  OPP2P_CHECK(scheduled_ || stopped_ || router_.waiting_actions() == 0, "actions that wait have a turn coming",
              router_.waiting_actions());
}

void GossipDrain::run() {
  OPP2P_ASSERT(scheduled_ && !stopped_, "a turn comes once for each time that one was scheduled");
  scheduled_ = false;
  buried_.clear();
  const LifeWatch alive = life_.watch();
  work_.tell_troubles();
  if (!alive) return;
  for (std::size_t done = 0; done < kActionsPerTurn || router_.waiting_actions() > kActionsWaiting; ++done) {
    auto action = router_.poll_action();
    if (!action) return pump_ready();
    work_.carry_out(*action);
    if (!alive) return;  // a callback has closed the service
  }
  schedule();
  pump_ready();
}

void GossipDrain::pump_ready() {
  // Streams that have more stand at the end of the list again, behind those that were there before.
  std::size_t turns = std::min(ready_.size(), std::max<std::size_t>(std::exchange(frames_, 0), 1));
  if (turns < ready_.size()) schedule();
  const LifeWatch alive = life_.watch();
  for (; turns > 0; --turns) {
    work_.pump(ready_.take_front());
    if (!alive) return;
  }
}

}  // namespace libp2p

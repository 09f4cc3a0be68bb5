#include "libp2p/services/gossipsub/score_inspector.hpp"

#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p {

ScoreInspector::ScoreInspector(runtime::Runtime& runtime, const gossipsub::PeerScores& scores, Nanos interval)
    : runtime_(runtime), scores_(scores), interval_(interval), timer_(runtime.make_timer([this] { on_timer(); })) {
  OPP2P_ASSERT(interval > Nanos(0), "time passes between two looks at the scores", interval);
}

Subscription ScoreInspector::subscribe(std::function<void(const gossipsub::ScoreSnapshot&)> listener) {
  Subscription subscription = source_.subscribe(std::move(listener));
  if (!stopped_ && !std::exchange(armed_, true)) arm();
  return subscription;
}

void ScoreInspector::stop() {
  stopped_ = true;
  timer_->disarm();
}

void ScoreInspector::arm() { timer_->arm(runtime_.now().mono + interval_); }

void ScoreInspector::on_timer() {
  if (!source_.has_listeners()) {
    armed_ = false;
    return;
  }
  arm();
  gossipsub::ScoreSnapshot shown = std::exchange(spare_, {});
  scores_.show(shown);
  const LifeWatch alive = life_.watch();
  source_.emit(shown);
  if (alive) spare_ = std::move(shown);
}

}  // namespace libp2p

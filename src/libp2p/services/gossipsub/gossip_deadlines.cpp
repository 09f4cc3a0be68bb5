#include "libp2p/services/gossipsub/gossip_deadlines.hpp"

#include <algorithm>

namespace libp2p {

GossipDeadlines::GossipDeadlines(runtime::Runtime& runtime, const GossipsubConfig& config, gossipsub::Router& router,
                                 gossipsub::PeerScores& scores, GossipPeers& peers, GossipTopics& topics,
                                 GossipDrain& drain, GossipsubCounters& counters)
    : runtime_(runtime),
      config_(config),
      router_(router),
      scores_(scores),
      peers_(peers),
      topics_(topics),
      drain_(drain),
      counters_(counters),
      timer_(runtime.make_timer([this] { on_timer(); })) {}

void GossipDeadlines::arm() {
  const MonoTime heartbeat = router_.next_deadline().value_or(MonoTime::max());
  const MonoTime next = std::min(heartbeat, scores_.next_deadline().value_or(MonoTime::max()));
  if (next != MonoTime::max()) timer_->arm(next);
}

void GossipDeadlines::on_timer() {
  const MonoTime now = runtime_.now().mono;
  scores_.on_timeout(runtime_.now());  // first: the heartbeat goes by the scores
  router_.on_timeout(runtime_.now());
  peers_.drop_stalled();
  peers_.reset_overdue_frames();
  ignore_overdue_validations(now);
  arm();
  drain_.schedule();
}

void GossipDeadlines::ignore_overdue_validations(MonoTime now) {
  while (const auto request = router_.oldest_validation(now - config_.validation_timeout)) {
    ++counters_.validations_timed_out;
    topics_.answer(*request, gossipsub::ValidationResult::ignore, gossipsub::Router::Blame::nobody);
  }
}

}  // namespace libp2p

#include "libp2p/services/gossipsub/gossip_deadlines.hpp"

namespace libp2p {

GossipDeadlines::GossipDeadlines(runtime::Runtime& runtime, const GossipsubConfig& config, gossipsub::Router& router,
                                 GossipPeers& peers, GossipTopics& topics, GossipDrain& drain,
                                 GossipsubCounters& counters)
    : runtime_(runtime),
      config_(config),
      router_(router),
      peers_(peers),
      topics_(topics),
      drain_(drain),
      counters_(counters),
      timer_(runtime.make_timer([this] { on_timer(); })) {}

void GossipDeadlines::arm() {
  if (const auto deadline = router_.next_deadline()) timer_->arm(*deadline);
}

void GossipDeadlines::on_timer() {
  const MonoTime now = runtime_.now().mono;
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

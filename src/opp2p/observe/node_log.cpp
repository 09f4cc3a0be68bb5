#include "opp2p/observe/node_log.hpp"

#include <algorithm>

#include "opp2p/observe/health.hpp"

namespace opp2p {

namespace {

BlockWatchConfig make_watch_config(const opstack::chain::RollupConfig& rollup, libp2p::UnixTime now) {
  BlockWatchConfig out;
  // A time or an interval from a file may be any number.
  constexpr std::uint64_t kMost = 1U << 30;
  out.patience = libp2p::Seconds(static_cast<std::int64_t>(std::min(kMost, stale_after(rollup.block_time))));
  const auto today = static_cast<std::uint64_t>(std::max<std::int64_t>(0, libp2p::unix_seconds(now)));
  if (const auto genesis = rollup.genesis.l2_time; genesis > today)
    out.begins_in = libp2p::Seconds(static_cast<std::int64_t>(std::min(genesis - today, kMost)));
  return out;
}

}  // namespace

NodeLog::NodeLog(libp2p::runtime::Runtime& runtime, Log& log, const NodeView& view)
    : view_(view),
      events_(runtime, log),
      peers_(runtime, events_, view),
      blocks_(runtime, events_, [this] { return surroundings(); }),
      sync_(events_, view.id()),
      chain_(events_, view.config().rollup),
      scores_(events_),
      bans_(events_) {}

void NodeLog::on(const NodeEvent& event, libp2p::Now now) {
  if (std::holds_alternative<NodeStarting>(event)) on_starting(now.wall);
  if (std::holds_alternative<NodeStopping>(event)) events_.tell_what_was_left_out();
  std::visit(
      [this](const auto& kind) {
        peers_.on(kind);
        blocks_.on(kind);
        sync_.on(kind);
        chain_.on(kind);
        scores_.on(kind);
        bans_.on(kind);
      },
      event);
}

void NodeLog::on_starting(libp2p::UnixTime now) {
  const auto& config = view_.config();
  if (!config.sequencer_key) blocks_.watch(make_watch_config(config.rollup, now));
}

Surroundings NodeLog::surroundings() const {
  Surroundings out;
  out.static_peers = view_.static_peers();
  out.static_present = peers_.static_present();
  out.peers = view_.connected_peers();
  out.topic_peers = view_.topic_peers();
  out.other_chain = peers_.of_other_chains();
  out.chain = std::to_string(view_.config().rollup.l2_chain_id);
  return out;
}

}  // namespace opp2p

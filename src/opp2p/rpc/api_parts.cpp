#include "opp2p/rpc/api_parts.hpp"

#include "libp2p/host/peerstore.hpp"

namespace opp2p {
namespace {

ScoreSettings score_settings(const NodeConfig& config) {
  ScoreSettings out;
  out.is_scored = config.scoring.params.has_value();
  if (out.is_scored)
    for (const auto& [topic, params] : config.scoring.params->topics) out.topics.push_back(topic);
  out.thresholds = config.scoring.thresholds;
  if (config.ban_peers) out.ban_threshold = config.ban_threshold;
  out.gater_min_score = config.gater_min_score;
  return out;
}

}  // namespace

ApiParts::ApiParts(libp2p::runtime::Runtime& runtime, Node& node)
    : runtime_(runtime),
      node_(node),
      peers_({[&node](const libp2p::PeerId& peer) { return node.view().is_static(peer); },
              [&node](const libp2p::PeerId& peer) { return node.host().peerstore().agent(peer); }}),
      gating_([&node] { return node.blocking(); }),
      reputation_(
          runtime, [&node] { return node.reputation(); }, [&node] { return node.datastore(); },
          [&node](const libp2p::PeerId& peer) { return node.snapshots().score_of(peer); },
          score_settings(node.config())),
      static_peers_(runtime, [&node] { return node.static_peers(); }),
      telling_peers_(node.add_sink(peers_)),
      telling_blocks_(node.add_sink(blocks_)),
      timer_(runtime.make_timer([this] { sample(); })) {}

ApiParts::~ApiParts() = default;

ApiPorts ApiParts::ports() { return {&gating_, &reputation_, &static_peers_, &peers_, &blocks_}; }

void ApiParts::start() { timer_->arm(runtime_.now().mono + kInterval); }

void ApiParts::stop() { timer_->disarm(); }

void ApiParts::sample() {
  const auto now = runtime_.now();
  for (const auto& peer : node_.host().connected_peers())
    if (const auto score = node_.snapshots().score_of(peer)) peers_.on_score(peer, score->score, now.wall);
  timer_->arm(now.mono + kInterval);
}

}  // namespace opp2p

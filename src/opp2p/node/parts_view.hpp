// PartsView: the NodeView over the parts of a node; before they are there, nobody is connected. Owner: the node, beside
// its parts and destroyed before them. Thread: the network thread.
#pragma once

#include "opp2p/node/node_parts.hpp"
#include "opp2p/node/node_view.hpp"

namespace opp2p {

class PartsView final : public NodeView {
 public:
  PartsView(const NodeParts& parts, const NodeConfig& config) : parts_(parts), config_(config) {}
  const NodeConfig& config() const override { return config_; }
  const libp2p::PeerId& id() const override { return parts_.id; }
  bool is_static(const libp2p::PeerId& peer) const override { return parts_.static_ids.contains(peer); }
  std::size_t static_peers() const override { return parts_.static_ids.size(); }
  bool is_proven(const libp2p::PeerId& peer) const override { return parts_.host && parts_.host->is_proven(peer); }
  bool dialled(const libp2p::PeerId& peer) const override;
  std::size_t connected_peers() const override { return parts_.host ? parts_.host->connected_peers().size() : 0; }
  std::size_t topic_peers() const override;

 private:
  const NodeParts& parts_;
  const NodeConfig& config_;
};

}  // namespace opp2p

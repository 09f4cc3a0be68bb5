// PartListener: hears what the parts of a node tell, each in its own way, and tells it as NodeEvents. A peer that
// brought a block is marked as proven before that is told.
//
// Owner: the node; destroyed before the parts. Thread: the network thread. Bounds: one subscription for each part.
#pragma once

#include <vector>

#include "opp2p/node/node_events.hpp"
#include "opp2p/node/node_parts.hpp"
#include "opp2p/node/node_view.hpp"

namespace opp2p {

class PartListener {
 public:
  // All outlive it.
  PartListener(NodeParts& parts, const NodeView& view, NodeEvents& events)
      : parts_(parts), view_(view), events_(events) {}
  PartListener(const PartListener&) = delete;
  PartListener& operator=(const PartListener&) = delete;

  // Each as soon as the part is there.
  void listen_to_host();
  void listen_to_ping();
  void listen_to_chain();  // and to its server
  void listen_to_blocks();
  void listen_to_static_peers();
  void listen_to_scores();
  void listen_to_reputation();
  void listen_to_writer();
  void listen_to_gater();
  // Hears of nothing more: the parts go.
  void stop() { subscriptions_.clear(); }

 private:
  // The event of a part, as the node tells it.
  void on(const opstack::gossip::BlockVerdict& verdict);
  void on(const opstack::sync::BlockStored& stored);
  void on(const libp2p::ConnectionRefused& refused);
  void on(const opstack::sync::StoreFailed& failed) {
    events_.tell(StoreRefused{failed.block.number, failed.why, failed.again});
  }
  void on(const libp2p::storage::WritesFailing& failing) { events_.tell(PeerstoreFailing{failing.error}); }
  void on(const libp2p::storage::WritesRecovered& well) { events_.tell(PeerstoreRecovered{well.refused}); }
  template <class Event>
  void on(const Event& event) {
    events_.tell(event);
  }
  template <class Part>
  void listen_to(Part& part);

  NodeParts& parts_;
  const NodeView& view_;
  NodeEvents& events_;
  std::vector<libp2p::Subscription> subscriptions_;
};

}  // namespace opp2p

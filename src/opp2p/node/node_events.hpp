// NodeEvents: tells what happens to a node. Each event goes to the sinks first, in the order in which they were added,
// then to the listeners in the order in which they subscribed.
//
// Owner: the node, before all of its parts. Thread: the network thread. Bounds: the sinks and listeners. Re-entrancy: a
// sink must not cause an event, which is asserted, so that all sinks see all events in the same order. A listener may:
// the event that it causes is told to all before the next listener hears of the first one.
#pragma once

#include <functional>

#include "libp2p/base/event_source.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "opp2p/node/node_event.hpp"

namespace opp2p {

class NodeEvents {
 public:
  explicit NodeEvents(libp2p::runtime::Runtime& runtime) : runtime_(runtime) {}
  NodeEvents(const NodeEvents&) = delete;
  NodeEvents& operator=(const NodeEvents&) = delete;

  // The sink hears of events until the subscription is dropped, and outlives it.
  libp2p::Subscription add_sink(NodeSink& sink);
  libp2p::Subscription subscribe(std::function<void(const NodeEvent&)> listener) {
    return listeners_.subscribe(std::move(listener));
  }
  void tell(const NodeEvent& event);

 private:
  struct Timed {
    const NodeEvent& event;
    libp2p::Now now;
  };
  libp2p::runtime::Runtime& runtime_;
  libp2p::EventSource<Timed> sinks_;
  libp2p::EventSource<NodeEvent> listeners_;
  bool telling_sinks_ = false;
};

}  // namespace opp2p

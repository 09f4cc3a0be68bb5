#include "opp2p/node/node_events.hpp"

#include "libp2p/base/assert.hpp"

namespace opp2p {

libp2p::Subscription NodeEvents::add_sink(NodeSink& sink) {
  return sinks_.subscribe([&sink](const Timed& told) { sink.on(told.event, told.now); });
}

void NodeEvents::tell(const NodeEvent& event) {
  OPP2P_ASSERT(!telling_sinks_, "a sink causes no event", event.index());
  telling_sinks_ = true;
  sinks_.emit(Timed{event, runtime_.now()});
  telling_sinks_ = false;
  listeners_.emit(event);
}

}  // namespace opp2p

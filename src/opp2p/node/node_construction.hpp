// NodeConstruction: begins the steps of a table in their order, and ends them in reverse. A step makes one part of a
// node, or starts something that the parts do. A step that fails undoes those before it, in reverse, and its error
// names it. The table (node_steps.hpp) is data: whoever makes a node may replace a step, leave one out or add one.
//
// Owner: the node, between its parts and what uses them. Thread: the network thread. Bounds: the steps; close() takes
// at most its limit. Re-entrancy: none; a step must not begin, close or drop the construction that it is in.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/runtime/task.hpp"
#include "opp2p/config/config.hpp"
#include "opp2p/node/node_events.hpp"
#include "opp2p/store/block_store.hpp"

namespace opp2p {

struct NodeParts;
class PartListener;

// What the steps of a node work on. All of it outlives the construction.
struct NodeWiring {
  libp2p::runtime::Runtime& runtime;
  NodeConfig& config;
  BlockStore& store;
  NodeParts& parts;
  NodeEvents& events;
  PartListener& listener;
};

struct NodeStep {
  std::string name;  // a noun, as errors have it: "cannot start the node's NAME: …"
  std::function<libp2p::Result<void>(NodeWiring&)> begin;
  // Ends in order what takes time, within the given time; whoever takes longer is cut off. May be empty.
  std::function<libp2p::runtime::Task<void>(NodeWiring&, libp2p::Nanos)> close = {};
  // Takes away what begin() has made, all or a part of it. Takes no time. May be empty.
  std::function<void(NodeWiring&)> drop = {};
};
using NodeSteps = std::vector<NodeStep>;

// The step of this name, to be replaced. It must be there.
NodeStep& step_named(NodeSteps& steps, std::string_view name);

class NodeConstruction {
 public:
  explicit NodeConstruction(NodeSteps steps) : steps_(std::move(steps)) {}
  NodeConstruction(const NodeConstruction&) = delete;
  NodeConstruction& operator=(const NodeConstruction&) = delete;

  // All steps, or the error of one and none. Once.
  libp2p::Result<void> begin(NodeWiring& wiring);
  // Closes what has begun, the last first. A step gets half of the time that is left, so that one that hangs leaves
  // some to the others; the last one gets all of it. Tells PartClosedLate of a step that was cut off. Nothing is taken
  // away: that is drop().
  libp2p::runtime::Task<void> close(NodeWiring& wiring, libp2p::Nanos limit);
  // Takes away what has begun, the last first.
  void drop(NodeWiring& wiring);

 private:
  NodeSteps steps_;
  std::size_t begun_ = 0;  // the first of steps_
};

}  // namespace opp2p

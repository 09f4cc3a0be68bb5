#include "opp2p/node/node_construction.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opp2p {

using libp2p::Nanos;
using libp2p::Result;
using libp2p::runtime::Event;
using libp2p::runtime::Runtime;
using libp2p::runtime::Task;
using libp2p::runtime::TaskScope;

namespace {

// A part may end exactly at the limit that it is given.
constexpr Nanos kMargin = libp2p::Millis(5);

Task<void> signal_after(Task<void> work, Event& ended) {
  co_await work;
  ended.signal();
}

// False when the work had not ended by the deadline: it is destroyed then.
Task<bool> ends_by(Runtime& runtime, Task<void> work, libp2p::MonoTime deadline) {
  Event ended(runtime);
  TaskScope scope(runtime);
  scope.spawn(signal_after(std::move(work), ended));
  auto waiting = ended.wait_until(deadline);
  const auto woken = co_await waiting;
  co_return woken.has_value();
}

}  // namespace

NodeStep& step_named(NodeSteps& steps, std::string_view name) {
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const NodeStep& step) { return step.name == name; });
  OPP2P_ASSERT(found != steps.end(), "the table has this step", name);
  return *found;
}

Result<void> NodeConstruction::begin(NodeWiring& wiring) {
  OPP2P_ASSERT(begun_ == 0, "a construction begins once", begun_);
  for (const auto& step : steps_) {
    const auto begun = step.begin(wiring);
    ++begun_;  // a step that failed may have made a part of it
    if (begun) continue;
    drop(wiring);
    return begun.error().within("cannot start the node's " + step.name);
  }
  return {};
}

Task<void> NodeConstruction::close(NodeWiring& wiring, Nanos limit) {
  const libp2p::MonoTime end = wiring.runtime.now().mono + limit;
  const auto closes = [](const NodeStep& step) { return static_cast<bool>(step.close); };
  auto left = std::count_if(steps_.begin(), steps_.begin() + static_cast<std::ptrdiff_t>(begun_), closes);
  for (std::size_t i = begun_; i-- > 0;) {
    const NodeStep& step = steps_[i];
    if (!closes(step)) continue;
    const auto now = wiring.runtime.now().mono;
    const Nanos rest = std::max(Nanos(0), end - now);
    const Nanos share = --left == 0 ? rest : rest / 2;
    auto closing = step.close(wiring, std::max(Nanos(0), share - kMargin));
    auto ending = ends_by(wiring.runtime, std::move(closing), now + share);
    const bool ended = co_await ending;
    if (!ended) wiring.events.tell(PartClosedLate{step.name});
  }
}

void NodeConstruction::drop(NodeWiring& wiring) {
  for (; begun_ > 0; --begun_) {
    const auto& step = steps_[begun_ - 1];
    if (step.drop) step.drop(wiring);
  }
}

}  // namespace opp2p

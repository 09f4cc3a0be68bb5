// The listeners of a host (Host::subscribe). Events are told from the runtime's queue, outside of any other call of the
// host, to those who had subscribed when they happened (host_event.hpp).
//
// Owner: HostState. Thread: the network thread. Bounds: a task in the runtime's queue for each event that somebody
// listens to; the changes of protocols of one turn are one event. Re-entrancy: a listener may destroy the host; then
// nobody hears more.
#pragma once

#include <functional>
#include <optional>

#include "libp2p/base/event_source.hpp"
#include "libp2p/base/life_token.hpp"
#include "libp2p/host/host_event.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p {

class HostObservers {
 public:
  explicit HostObservers(runtime::Runtime& runtime) : runtime_(runtime) {}
  HostObservers(const HostObservers&) = delete;
  HostObservers& operator=(const HostObservers&) = delete;

  Subscription subscribe(std::function<void(const HostEvent&)> listener);
  // Tells what has happened, and what that has brought about.
  void tell(HostEvent event, std::optional<HostEvent> next = std::nullopt);
  // Tells ProtocolsChanged, once for all changes of one turn.
  void on_protocols_changed();
  // Nobody hears anything any more.
  void close();
  void check() const { source_.check(); }

 private:
  runtime::Runtime& runtime_;
  EventSource<HostEvent> source_;
  bool change_posted_ = false;  // on_protocols_changed() is on its way
  LifeToken life_;
};

}  // namespace libp2p

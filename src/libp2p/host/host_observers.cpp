#include "libp2p/host/host_observers.hpp"

#include <utility>

namespace libp2p {

Subscription HostObservers::subscribe(std::function<void(const HostEvent&)> listener) {
  return source_.subscribe(std::move(listener));
}

void HostObservers::tell(HostEvent event, std::optional<HostEvent> next) {
  if (!source_.has_listeners()) return;
  runtime_.post(
      [this, alive = life_.watch(), happened = source_.mark(), event = std::move(event), next = std::move(next)] {
        if (!alive) return;
        source_.emit(event, happened);
        if (next && alive) source_.emit(*next, happened);  // a listener may have destroyed the host
      });
}

void HostObservers::on_protocols_changed() {
  if (std::exchange(change_posted_, true)) return;
  runtime_.post(life_.guard([this] {
    change_posted_ = false;
    tell(ProtocolsChanged());
  }));
}

void HostObservers::close() {
  life_.end();
  source_.close();
}

}  // namespace libp2p

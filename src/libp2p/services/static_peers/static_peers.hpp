// Keeps connections to configured peers: dials at once, again after every loss and every failure, with a back-off that
// doubles up to a bound and is spread by jitter. A peer that is not connected always has a dial under way or a time for
// the next one, which status() shows. Their addresses never expire, are put back into the peerstore before each dial,
// and the connection manager does not trim them (tag "static"). op-node forgets these addresses
// after seven days; opp2p does not. Source: S§2.
//
// Owner: the application, beside the host and destroyed before it. Thread: the network thread. Bounds: one coroutine a
// peer.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "libp2p/host/host.hpp"

namespace libp2p {

struct StaticPeersConfig {
  Nanos first_delay = Seconds(1);  // after a loss, and after the first failure
  Nanos longest_delay = Seconds(60);
  double jitter = 0.2;  // each delay is multiplied by a factor in [1 - jitter, 1 + jitter)
};

struct StaticPeerStatus {
  PeerId peer;
  std::vector<Multiaddr> addresses;
  bool connected = false;
  bool was_connected = false;  // at any time since it was added
  bool dialling = false;
  std::optional<MonoTime> next_attempt;
  unsigned failures = 0;  // in a row
  std::string last_error;
};

// What becomes of the peers, for logs and counters: told inside the runtime's queue, with how the peer stands now.
struct StaticDialStarted {
  StaticPeerStatus status;
};
struct StaticDialFailed {
  StaticPeerStatus status;
  Error why;
};
struct StaticPeerLost {
  StaticPeerStatus status;
};
using StaticPeerEvent = std::variant<StaticDialStarted, StaticDialFailed, StaticPeerLost>;

class StaticPeers final {
 public:
  explicit StaticPeers(Host& host, StaticPeersConfig config = {});
  // Takes the protections off; connections stay open.
  ~StaticPeers();
  StaticPeers(const StaticPeers&) = delete;
  StaticPeers& operator=(const StaticPeers&) = delete;

  // An address with /p2p/ID; several for one peer add up. False for the host's own id, which is skipped.
  // Errc::invalid_argument without an id, Errc::unsupported for an address that cannot be dialled.
  Result<bool> add(const Multiaddr& address);
  // A dial that is under way ends, too.
  bool remove(const PeerId& peer);
  std::vector<StaticPeerStatus> status() const;  // by peer id
  // A listener may remove peers, but must not destroy this object.
  Subscription subscribe(std::function<void(const StaticPeerEvent&)> listener) {
    return events_.subscribe(std::move(listener));
  }

 private:
  struct Peer {
    std::vector<Multiaddr> addresses;
    bool was_connected = false;
    bool dialling = false;
    std::optional<MonoTime> next_attempt;
    unsigned failures = 0;
    std::string last_error;
    std::unique_ptr<runtime::TaskScope> scope;  // of its dial, which ends with it
  };

  void on_peer_connected(const PeerId& peer);
  void on_peer_disconnected(const PeerId& peer);
  runtime::Task<void> dial(PeerId id);
  void attempt_due();
  void schedule(Peer& peer, Nanos delay);
  void arm();
  Nanos delay_after(unsigned failures);
  StaticPeerStatus status_of(const PeerId& id, const Peer& peer) const;

  Host& host_;
  StaticPeersConfig config_;
  EventSource<StaticPeerEvent> events_;
  std::unique_ptr<runtime::Timer> timer_;
  std::map<PeerId, Peer> peers_;  // the dials in it use everything above
  Subscription host_events_;
};

}  // namespace libp2p

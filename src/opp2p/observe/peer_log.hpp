// What the log tells of peers and connections: who came, who went and why, what was refused, and how the dials of
// static peers end. Static peers and peers that brought a block are told of at info and above, all others at debug
// level.
//
// A refused connection is one that a limit or the gater turned away. A connection that never became one, as of a port
// scan, is not: it is told at debug level.
//
// Owner: the node; destroyed before its host. Thread: the network thread. Bounds: a row for each connected peer.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libp2p/host/host.hpp"
#include "libp2p/services/static_peers/static_peers.hpp"
#include "opp2p/observe/event_log.hpp"
#include "opp2p/observe/repeats.hpp"

namespace opp2p {

class PeerLog final {
 public:
  static constexpr libp2p::Nanos kRefusalInterval = libp2p::Seconds(60);

  // Listens to `host` from here on; it and `events` outlive this.
  PeerLog(libp2p::Host& host, EventLog& events, std::uint64_t chain_id);
  ~PeerLog();
  PeerLog(const PeerLog&) = delete;
  PeerLog& operator=(const PeerLog&) = delete;

  // To the dials of the peers that are static; `peers` may go before this or after it.
  void listen_to(libp2p::StaticPeers& peers);
  void add_static(const libp2p::PeerId& peer) { static_.insert(peer); }
  // From now on nobody is dialled again.
  void on_stopping() { stopping_ = true; }
  bool is_static(const libp2p::PeerId& peer) const { return static_.contains(peer); }
  std::size_t static_peers() const { return static_.size(); }
  std::size_t static_present() const;  // of them, connected
  // Connected peers that serve another chain.
  std::size_t of_other_chains() const;

 private:
  void on(const libp2p::PeerConnected& event);
  void on(const libp2p::PeerIdentified& event);
  void on(const libp2p::ConnectionClosed& event);
  void on(const libp2p::PeerDisconnected& event);
  void on(const libp2p::ConnectionRefused& event);
  void on(const libp2p::StaticDialStarted& event);
  void on(const libp2p::StaticDialFailed& event);
  template <class Other>
  void on(const Other&) {}

  struct Present {
    libp2p::MonoTime since;
    bool of_other_chain = false;  // which is told once
  };
  void tell_of_peer(const libp2p::PeerId& peer, Told of_static, Told of_proven, std::string_view message,
                    std::initializer_list<Field> fields);
  void tell_refusals(std::uint64_t count);

  libp2p::Host& host_;
  EventLog& events_;
  const std::uint64_t chain_id_;
  std::set<libp2p::PeerId> static_;
  std::map<libp2p::PeerId, Present> present_;
  std::optional<libp2p::Error> last_reason_;  // of the connection that was closed last
  Repeats refusals_{kRefusalInterval};
  std::string refused_addr_, refused_reason_;  // the last one
  std::unique_ptr<libp2p::runtime::Timer> timer_;
  bool stopping_ = false;
  libp2p::Subscription host_events_, static_events_;
};

}  // namespace opp2p

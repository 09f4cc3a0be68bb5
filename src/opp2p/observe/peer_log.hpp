// PeerLog: the lines about peers and connections: where the node listens, who came, who went and why, which connections
// were refused, how the dials of static peers end, pings, and what the operator asked for. Lines about static peers and
// about peers that brought a block are written at info and above, those about all others at debug level.
//
// A refused connection is one that a limit or the gater turned away. A connection that never was one, as of a port
// scan, does not count as refused: its line is at debug level.
//
// Owner: NodeLog. Thread: the network thread. Bounds: a row for each connected peer.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "opp2p/node/node_event.hpp"
#include "opp2p/node/node_view.hpp"
#include "opp2p/observe/event_log.hpp"
#include "opp2p/observe/repeats.hpp"

namespace opp2p {

class PeerLog final {
 public:
  static constexpr libp2p::Nanos kRefusalInterval = libp2p::Seconds(60);

  // All outlive it.
  PeerLog(libp2p::runtime::Runtime& runtime, EventLog& events, const NodeView& view);
  ~PeerLog();
  PeerLog(const PeerLog&) = delete;
  PeerLog& operator=(const PeerLog&) = delete;

  void on(const ListeningAt& event);
  void on(const InterfacesUnreadable& event);
  void on(const StaticPeerSkipped& event);
  void on(const StaticPeerRemoved& event);
  void on(const StoredStaticPeerSkipped& event);
  void on(const NodeStopping&) { stopping_ = true; }
  void on(const PartClosedLate& event);
  void on(const libp2p::PeerConnected& event);
  void on(const libp2p::PeerIdentified& event);
  void on(const libp2p::ConnectionClosed& event);
  void on(const libp2p::PeerDisconnected& event);
  void on(const InboundRefused& event);
  void on(const libp2p::StaticDialStarted& event);
  void on(const libp2p::StaticDialFailed& event);
  void on(const PingEnded& event);
  void on(const ConnectedOnRequest& event);
  void on(const DisconnectingOnRequest& event);
  template <class Other>
  void on(const Other&) {}

  std::size_t static_present() const;  // static peers that are connected
  // Connected peers that serve another chain.
  std::size_t of_other_chains() const;

 private:
  struct Present {
    libp2p::MonoTime since;
    bool of_other_chain = false;  // which is told once
  };
  void tell_of_peer(const libp2p::PeerId& peer, Told of_static, Told of_proven, std::string_view message,
                    std::initializer_list<Field> fields);
  void tell_refusals(std::uint64_t count);

  EventLog& events_;
  const NodeView& view_;
  std::map<libp2p::PeerId, Present> present_;
  std::optional<libp2p::Error> last_reason_;  // of the connection that was closed last
  Repeats refusals_{kRefusalInterval};
  std::string refused_addr_, refused_reason_;  // of the last one
  RefusalKind refused_kind_{};
  std::unique_ptr<libp2p::runtime::Timer> timer_;
  bool stopping_ = false;  // nobody is dialled again
};

}  // namespace opp2p

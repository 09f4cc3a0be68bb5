// BanLog: the lines about bans, the faults that lead to them, and whom the gaters turn away for a ban or a score; and
// about the store of all this. Lines that strangers can cause have an allowance for each kind (event_log.hpp).
// Op-node's words where it has some (op-node surface, section 3).
//
// Owner: NodeLog. Thread: the network thread. Bounds: none of its own.
#pragma once

#include "opp2p/node/node_event.hpp"
#include "opp2p/observe/event_log.hpp"

namespace opp2p {

class BanLog final {
 public:
  explicit BanLog(EventLog& events) : events_(events) {}  // which outlives it
  BanLog(const BanLog&) = delete;
  BanLog& operator=(const BanLog&) = delete;

  void on(const opstack::reputation::PeerBanned& event);
  void on(const opstack::reputation::PeerUnbanned& event);
  void on(const opstack::reputation::IpBanned& event);
  void on(const opstack::reputation::IpUnbanned& event);
  void on(const opstack::reputation::PeerBlamed& event);
  void on(const opstack::reputation::CommonFaultFound& event);
  void on(const opstack::reputation::CommonFaultEnded& event);
  void on(const opstack::reputation::GateRefused& event);
  void on(const opstack::reputation::ReputationStoreFailed& event);
  void on(const BlockedListsRead& event);
  void on(const libp2p::GaterRuleChanged& event);
  void on(const KnownPeersRead& event);
  void on(const PeerstoreFailing& event);
  void on(const PeerstoreRecovered& event);
  template <class Other>
  void on(const Other&) {}

 private:
  EventLog& events_;
};

}  // namespace opp2p

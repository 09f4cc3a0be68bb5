// The turns in which a GossipsubService carries out what its router says. Inputs go to the router where they occur and
// call schedule(); the turn that follows comes from the runtime's queue. So no validator, subscriber or listener is
// called inside another call.
//
// A turn frees the buried streams, tells the troubles, carries out actions and at last pumps streams that are ready:
// one, or as many as frames have come since the last turn. What has arrived meanwhile is read before the next ones are
// pumped: an IDONTWANT saves a message that has not left yet, and other nodes on the thread hear of a message before
// all copies of it are sent. As much goes out as comes in, so that input never holds up output.
//
// Owner: GossipsubService. Thread: the network thread. Bounds: 256 actions in a turn, so that others get theirs in
// between; more only while more than 4096 wait, because peers could otherwise bring more than is carried out. The ready
// list has one entry for each peer (mark_ready), and one more for a peer that has gone and come back since. The buried
// streams are those that have ended since the last turn. Re-entrancy: each call of Work may end the service; the turn
// then ends too.
#pragma once

#include <memory>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/base/ring_queue.hpp"
#include "libp2p/connection/stream.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p {

class GossipDrain {
 public:
  // What a turn does, in this order.
  class Work {
   public:
    virtual ~Work() = default;
    virtual void tell_troubles() = 0;
    virtual void carry_out(gossipsub::Action& action) = 0;
    virtual void pump(const PeerId& peer) = 0;
  };

  // `life` is the service's. It ends when the service is closed or destroyed.
  GossipDrain(runtime::Runtime& runtime, gossipsub::Router& router, const LifeToken& life, Work& work);
  GossipDrain(const GossipDrain&) = delete;
  GossipDrain& operator=(const GossipDrain&) = delete;

  // Sees to it that a turn follows.
  void schedule();
  // A frame of a peer has come to the router.
  void on_frame() {
    ++frames_;
    schedule();
  }
  // Frees a stream in the next turn: it may have ended inside a call of its own. Nothing for null.
  void bury(std::unique_ptr<StreamHandler> stream);
  // Pumps the peer's stream at the end of this turn or, behind others that are ready, of a later one.
  void add_ready(const PeerId& peer) { ready_.push_back(peer); }
  // No turn follows any more.
  void stop();
  void check() const;

 private:
  static constexpr std::size_t kActionsPerTurn = 256;
  static constexpr std::size_t kActionsWaiting = 4096;

  void run();
  void pump_ready();

  runtime::Runtime& runtime_;
  gossipsub::Router& router_;
  const LifeToken& life_;
  Work& work_;
  RingQueue<PeerId> ready_;
  std::vector<std::unique_ptr<StreamHandler>> buried_;
  std::size_t frames_ = 0;  // that have come since the last turn
  bool scheduled_ = false;
  bool stopped_ = false;
};

}  // namespace libp2p

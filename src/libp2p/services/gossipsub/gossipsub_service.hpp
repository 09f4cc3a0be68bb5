// GossipSub on a host: drives the router (libp2p/protocols/gossipsub/router.hpp) with streams, a timer and the answers
// of validators. It opens one stream to every connected peer that speaks a gossip protocol and reads from the one that
// the peer opens; it pulls frames from the router only when a stream has room, so a peer that reads slowly holds back
// nobody else; it opens a lost stream again, later each time. Everything that it keeps of a peer goes when the peer
// does.
//
// Inputs go to the router where they occur; what the router says to do is done from the runtime's queue, so a
// validator, subscriber or listener is never called inside another call and may call anything.
//
// Owner: the application; destroyed before its Host. Thread: the network thread. Bounds: those of the router's Params;
// time and bytes of unfinished inbound frames (gossipsub_unfinished.hpp says who goes when they are too many); one
// stream each way per peer; troubles that wait to be told. Source: libp2p specifications pubsub and gossipsub; op-node
// surface, sections 5.1 and 14.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "libp2p/base/live_count.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/gossipsub/gossipsub_streams.hpp"

namespace libp2p {

struct GossipsubConfig {
  gossipsub::Router::Config router;
  Nanos write_timeout = Seconds(30);       // for one frame at the front of a peer's send queue
  Nanos validation_timeout = Seconds(30);  // an unanswered validation is an ignore; a safety net
  Nanos frame_timeout = Seconds(30);       // for an inbound frame from its first byte: op-node's time to write one
  std::size_t unfinished_bytes =
      128U << 20;                    // of all inbound frames; an IPv4 address or a /56 has a quarter, a /48 half
  Nanos reopen_first = Millis(100);  // a lost stream is opened again after this, then after twice that …
  Nanos reopen_most = Seconds(60);   // … and at most this
  Nanos reopen_forgiven =
      Seconds(60);  // a stream that has lived this long makes the next one start from the first again
};

// A stream could not be opened, was lost, or was reset by us.
struct GossipsubStreamTrouble {
  PeerId peer;
  std::string_view what;  // which of these; of static storage
  Error why;
};
// What the router traces, how peers break the protocol, and what happens to streams.
using GossipsubEvent = std::variant<gossipsub::Trace, gossipsub::Fault, GossipsubStreamTrouble>;

// What has been given up or passed over, by cause, since the start.
struct GossipsubCounters {
  std::uint64_t frames_timed_out = 0;  // GossipsubConfig::frame_timeout
  std::uint64_t frames_evicted = 0;    // GossipsubConfig::unfinished_bytes
  std::uint64_t validations_timed_out = 0;
  std::uint64_t troubles_not_told = 0;  // more than fit between two turns
};

class GossipsubService final : private GossipInbound::Owner,
                               private GossipOutbound::Owner,
                               LiveCounted<GossipsubService> {
 public:
  // Answers a validation, once, on the network thread; later answers, and those after the end of the service, do
  // nothing.
  using Done = std::function<void(gossipsub::ValidationResult)>;
  using Validator = std::function<void(const gossipsub::Validate&, Done)>;
  using Subscriber = std::function<void(const gossipsub::Deliver&)>;
  using PublishedFn = std::function<void(const gossipsub::Published&)>;

  // `scores` outlives the service.
  GossipsubService(libp2p::Host& host, GossipsubConfig config, gossipsub::PeerScores& scores);
  ~GossipsubService() override;
  GossipsubService(const GossipsubService&) = delete;
  GossipsubService& operator=(const GossipsubService&) = delete;

  // Without a validator every message is accepted. Errc::denied when the topic filter refuses, Errc::invalid_argument
  // for a topic that is joined already.
  Result<void> join(const std::string& topic, Validator validator, Subscriber subscriber);
  void leave(const std::string& topic);

  // See Router::publish. With LocalCheck::validate `published` hears of the end, unless the message was known already
  // (Publication::request is 0 then).
  Result<gossipsub::Publication> publish(std::string_view topic, ByteView data, gossipsub::LocalCheck check,
                                         PublishedFn published = nullptr);

  Subscription subscribe(std::function<void(const GossipsubEvent&)> listener) {
    return events_.subscribe(std::move(listener));
  }

  const gossipsub::Router& router() const { return router_; }
  // Peers with an outbound stream, in order.
  std::vector<PeerId> peers() const;
  // What has been pulled from the router and has not left yet, over all peers; and what is held of unfinished messages.
  std::size_t queued_bytes() const;
  std::size_t unfinished_bytes() const { return unfinished_.bytes(); }
  const GossipsubCounters& counters() const { return counters_; }

  // Lets go of all streams and ends every coroutine of the service.
  runtime::Task<void> close();

 private:
  struct Peer : LiveCounted<Peer> {
    std::uint64_t generation = 0;  // tells an answer for this row from one for a row that was here before
    libp2p::Direction direction = libp2p::Direction::inbound;
    std::unique_ptr<GossipOutbound> outbound;
    std::unique_ptr<GossipInbound> inbound;
    bool known_to_router = false;
    bool opening = false;
    bool ready = false;  // stands in ready_
    unsigned failures = 0;
  };
  struct Topic {
    Validator validator;
    Subscriber subscriber;
  };

  void on(const PeerConnected& event);
  void on(const PeerDisconnected& event);
  void on(const PeerIdentified& event);
  template <class Other>
  void on(const Other&) {}

  // --- streams ---
  Result<void> on_frame(const PeerId& peer, SharedBytes frame) override;
  Result<void> on_grown(GossipInbound& stream) override;
  void on_inbound_over(GossipInbound& stream, const std::optional<Error>& why) override;
  std::optional<SharedBytes> next_frame(const PeerId& peer) override;
  void on_outbound_lost(GossipOutbound& stream, const Error& why) override;

  GossipInbound* largest_unfinished(const GossipInbound& grown, ShareFull full);
  void reset_overdue_frames();

  void shut();
  Peer& row(const PeerId& peer);
  Peer* find(const PeerId& peer, std::uint64_t generation);
  void bury(std::unique_ptr<libp2p::StreamHandler> stream);
  void accept(libp2p::Stream stream);
  void begin_open(const PeerId& peer, Peer& row, Nanos delay);
  Nanos reopen_delay(Peer& row);
  runtime::Task<void> open(PeerId peer, std::uint64_t generation, Nanos delay);
  void opened(const PeerId& peer, Peer& row, libp2p::Stream stream);
  void drop_outbound(const PeerId& peer, Peer& row, std::string_view what, const Error& why);

  // --- the router's actions ---
  void on_timer();
  void arm();
  void schedule_drain();
  void drain();
  void act(const gossipsub::SendReady& action);
  void pump_ready();
  void act(const gossipsub::Validate& action);
  void act(const gossipsub::Deliver& action);
  void act(const gossipsub::Published& action);
  void act(gossipsub::Fault& action);
  void act(gossipsub::Trace& action);
  void answer(gossipsub::RequestId request, gossipsub::ValidationResult verdict,
              gossipsub::Router::Blame blame = gossipsub::Router::Blame::sender);
  void note_trouble(const PeerId& peer, std::string_view what, const Error& why);
  void tell_troubles();
  Now now() const { return host_.runtime().now(); }

  libp2p::Host& host_;
  GossipsubConfig config_;
  gossipsub::Router router_;
  std::map<std::string, Topic, std::less<>> topics_;
  std::map<gossipsub::RequestId, PublishedFn> publishing_;
  EventSource<GossipsubEvent> events_;
  std::vector<PeerId> ready_;             // to be sent to at the end of this turn
  std::vector<GossipsubEvent> troubles_;  // told from the queue
  UnfinishedFrames unfinished_;           // streams give back to it what they hold, when they go
  std::map<PeerId, Peer> peers_;
  std::vector<std::unique_ptr<libp2p::StreamHandler>>
      buried_;  // ended inside a call of theirs; destroyed from the queue
  GossipsubCounters counters_;
  std::uint64_t next_generation_ = 1;  // of rows and of inbound streams
  bool drain_scheduled_ = false;
  bool shut_ = false;
  std::unique_ptr<runtime::Timer> timer_;
  Subscription host_events_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // what callbacks that may come too late hold weakly
  runtime::TaskScope scope_;                               // last: its coroutines use the members above
};

}  // namespace libp2p

// GossipSub on a host: the router (libp2p/protocols/gossipsub/router.hpp) with streams, a timer and the answers of
// validators. An application joins topics, publishes, and subscribes to what happens.
//
// This is a façade. Its parts, each in a file of this folder: GossipPeers (the rows of peers and their streams),
// GossipTopics (validators and subscribers), GossipDials (peers to connect to), GossipDeadlines (timeouts), GossipDrain
// (turns) and GossipEvents (listeners). Inputs go to the router where they occur. What the router says to do is done
// from the runtime's queue, so a validator, subscriber or listener is never called inside another call and may call
// anything.
//
// Owner: the application; destroyed before its Host. Thread: the network thread. Bounds: those of the router's Params;
// the bytes of unfinished inbound frames (unfinished_frames.hpp says which of them are evicted) and their time; one
// stream each way per peer; dials (gossip_dials.hpp); troubles that wait to be told. Source: libp2p specifications
// pubsub and gossipsub; op-node surface, sections 5.1 and 14.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/live_count.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/gossipsub/gossipsub_callbacks.hpp"
#include "libp2p/services/gossipsub/gossipsub_config.hpp"
#include "libp2p/services/gossipsub/gossipsub_counters.hpp"
#include "libp2p/services/gossipsub/gossipsub_event.hpp"

namespace libp2p {

class GossipsubService final : LiveCounted<GossipsubService> {
 public:
  using Done = GossipsubDone;
  using Validator = GossipsubValidator;
  using Subscriber = GossipsubSubscriber;
  using PublishedFn = GossipsubPublishedFn;

  // `scores` outlives the service.
  GossipsubService(Host& host, GossipsubConfig config, gossipsub::PeerScores& scores);
  ~GossipsubService();
  GossipsubService(const GossipsubService&) = delete;
  GossipsubService& operator=(const GossipsubService&) = delete;

  // Without a validator every message is accepted. Errc::denied when the topic filter refuses, Errc::invalid_argument
  // for a topic that is joined already.
  Result<void> join(const std::string& topic, Validator validator, Subscriber subscriber);
  // Joins the topic to pass on what the validator accepts, without a subscriber. The errors are join()'s.
  Result<void> relay(const std::string& topic, Validator validator);
  void leave(const std::string& topic);

  // What the topic has of its own from now on, joined or not. See Router::set_topic_params.
  Result<void> set_topic_params(std::string_view topic, const gossipsub::TopicParams& params);

  // See Router::blacklist. The peer's connections are not touched.
  void blacklist(const PeerId& peer, std::optional<Nanos> duration = std::nullopt);
  void pardon(const PeerId& peer);

  // See Router. The backoffs that are not over are those of router().backoffs().
  void restore_backoffs(std::span<const gossipsub::BackoffLeft> before);

  // See Router::publish. With LocalCheck::validate `published` hears of the end, unless the message was known already
  // (Publication::request is 0 then).
  Result<gossipsub::Publication> publish(std::string_view topic, ByteView data, gossipsub::LocalCheck check,
                                         PublishedFn published = nullptr);

  // Partial messages (partial_messages.hpp), which Params::partial has to enable: Errc::unsupported otherwise. A topic
  // may be enabled before it is joined, and again with another handler. For the rest see Router::publish_partial and
  // Router::judge_partial; `parts` is called inside of publish_partial() and does not call the service.
  Result<void> enable_partial(const std::string& topic, GossipsubPartialHandler handler);
  void disable_partial(const std::string& topic);
  Result<std::size_t> publish_partial(std::string_view topic, ByteView group, const gossipsub::PartialPartsFn& parts);
  void judge_partial(const PeerId& peer, std::string_view topic, gossipsub::Router::PartialVerdict verdict);

  Subscription subscribe(std::function<void(const GossipsubEvent&)> listener);
  // The scores of all connected peers with each of their parts, every GossipsubConfig::inspect_interval. The snapshot
  // is empty where PeerScores shows nothing. Without a listener none is made.
  Subscription inspect_scores(std::function<void(const gossipsub::ScoreSnapshot&)> listener);

  const gossipsub::Router& router() const;
  // Peers with an outbound stream, in order.
  std::vector<PeerId> peers() const;
  // What has been pulled from the router and has not left yet, over all peers; and what is held of unfinished messages.
  std::size_t queued_bytes() const;
  std::size_t unfinished_bytes() const;
  const GossipsubCounters& counters() const;

  // Ends the process when an invariant of the service or of its router is violated (libp2p/base/assert.hpp). Outside of
  // the service's calls; for simulations and tests.
  void check() const;

  // Lets go of all streams and ends every coroutine of the service.
  runtime::Task<void> close();

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace libp2p

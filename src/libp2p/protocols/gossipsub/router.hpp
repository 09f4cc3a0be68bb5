// The GossipSub router (specifications gossipsub v1.0 to v1.3; of the extensions of v1.3 it speaks partial messages,
// partial_messages.hpp, where Params::partial enables them), behaving as
// go-libp2p-pubsub 0.17 does under op-node, and without signatures unless a policy wants them (signatures.hpp). A pure
// engine: RPC frames, validation verdicts and time go in; actions and frames come out. One object per node, owned by
// the service and used on its thread only. Bounds: Params.
//
// What the driver does:
//  - It offers protocol_ids() in that order for the one stream per peer that it writes to, and accepts all of them for
//    the one stream per peer that it reads from. A second inbound stream of a peer replaces (resets) the first.
//  - With the first stream of a peer, whichever it is: add_peer(), with ProtocolVersion::pending until the outbound
//    stream is agreed, then set_version(). When the outbound stream or the connection dies: remove_peer(), and
//    add_peer() again with a new stream. When only the inbound stream ends: forget_topics().
//  - Bytes of an inbound stream go through a FrameReader(params().rpc.max_rpc); each frame to on_frame(). An error of
//    either means: reset the stream. A graylisted peer's frames are no error, they are just not looked at.
//  - After every input, actions are drained with poll_action() until there is none.
//  - SendReady{peer}: pull next_frame(peer) whenever that peer's outbound stream can take bytes, until it answers
//    nothing; then wait for the next SendReady. Frames carry their length prefix and are shared: write them, never
//    change them. A frame should be written within 30 s, else reset the stream and remove_peer().
//  - Validate{request, …}: hand the data to the topic's validator (any thread, any order) and answer on_validation()
//    exactly once, under a deadline of the driver's own (op-node: 3 s, then ignore). The slice keeps its buffer alive.
//  - Connect{peer, …}: dial the peer, as often as it is said; the driver bounds its dials. Of one that another peer has
//    named the driver verifies the record before it uses it.
//  - PartialReceived and PartialGossip go to the application of the topic (partial_messages.hpp).
//  - Deliver goes to the topic's subscriber; Fault and PeerScores to the reputation; Trace to logs and metrics.
//  - One timer: on_timeout() at next_deadline(). A late call runs one heartbeat; heartbeats that were missed are not
//    made up.
#pragma once

#include <boost/container/flat_set.hpp>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/entry_mark.hpp"
#include "libp2p/base/lru_map.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/ring_queue.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/backoffs.hpp"
#include "libp2p/protocols/gossipsub/blacklist.hpp"
#include "libp2p/protocols/gossipsub/events.hpp"
#include "libp2p/protocols/gossipsub/iwant_promises.hpp"
#include "libp2p/protocols/gossipsub/message_cache.hpp"
#include "libp2p/protocols/gossipsub/params.hpp"
#include "libp2p/protocols/gossipsub/partial_groups.hpp"
#include "libp2p/protocols/gossipsub/partial_messages.hpp"
#include "libp2p/protocols/gossipsub/peers.hpp"
#include "libp2p/protocols/gossipsub/recent_messages.hpp"
#include "libp2p/protocols/gossipsub/router_counters.hpp"
#include "libp2p/protocols/gossipsub/scores.hpp"
#include "libp2p/protocols/gossipsub/seen_cache.hpp"
#include "libp2p/protocols/gossipsub/signatures.hpp"

namespace libp2p::gossipsub {

// "/meshsub/1.3.0" … "/floodsub/1.0.0", the preferred one first.
std::span<const std::string_view> protocol_ids();
std::optional<ProtocolVersion> version_of(std::string_view protocol_id);
// Empty while it is pending.
std::string_view protocol_of(ProtocolVersion version);

// Which topics may be subscribed to, by us and by peers; an empty function allows all.
using TopicFilter = std::function<bool(std::string_view topic)>;

// Whether an own message was judged by the caller, or is to go through Validate as another peer's would.
enum class LocalCheck : std::uint8_t { already_valid, validate };

struct Publication {
  MessageId id;
  RequestId request = 0;  // LocalCheck::validate: the request that Published will name; else 0
  bool sent = false;      // false: waits for validation, or was delivered before (then nothing is done)
};

class Router {
 public:
  struct Config {
    Params params;
    // None: author and number of a message that has them, the SHA-256 of the data of others.
    MessageIdFn message_id;
    TopicFilter topic_filter;
    // Bytes that message_id() would unpack: asked before, for the budget and for room. None: it unpacks nothing.
    std::function<std::size_t(std::string_view topic, ByteView data)> unpacked_size = nullptr;
    // Peers with an agreement of both sides ("explicit peers"): no score touches them, every message in a topic of
    // theirs goes to them, and they are in no mesh. Those that are away are dialled (Params::direct_connect_ticks).
    std::set<PeerId> direct = {};
    // The newest verified record of a peer, for PRUNEs that name it (MeshParams::peer_exchange); empty when none is
    // known. None: peers are named without records.
    std::function<Bytes(const PeerId&)> signed_record = nullptr;
    SignaturePolicies policies = {};
    Signatures* signatures = nullptr;  // outlives the router; may be null when no policy needs keys
    // Whole RPCs are told as RpcTrace, but for those of next_rpc(), and the version of a peer when it is agreed.
    bool tracing = false;
  };

  // `rng` and `scores` outlive the router.
  Router(Config config, Rng& rng, PeerScores& scores, Now now);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // Peers. Adding one that is there, and naming one that is not, does nothing.
  // `blocks`: the addresses in whose share what the peer sends is counted; empty for none.
  void add_peer(const PeerId& peer, ProtocolVersion version, Direction direction, Now now, AddressBlocks blocks = {});
  void set_version(const PeerId& peer, ProtocolVersion version, Now now);
  void remove_peer(const PeerId& peer, Now now);
  void forget_topics(const PeerId& peer, Now now);

  // One RPC with its length prefix. The error is the codec's.
  Result<void> on_frame(const PeerId& peer, SharedBytes frame, Now now);
  // The same, decoded.
  void on_rpc(const PeerId& peer, const Rpc& rpc, Now now);

  // Errc::denied when the topic filter refuses. Subscribing twice, or leaving what was not joined, does nothing.
  Result<void> subscribe(std::string_view topic, Now now);
  void unsubscribe(std::string_view topic, Now now);
  // Joins a topic to pass its messages on; none is handed to us as Deliver unless we subscribe too. Relays are counted:
  // the topic is left when the last one has stopped and nobody subscribes.
  Result<void> relay(std::string_view topic, Now now);
  void stop_relaying(std::string_view topic, Now now);

  // The backoffs that are not over, and those of the run before: a node that comes back within seconds of leaving would
  // break with its first GRAFTs those that it has itself told its peers. Topics that the filter refuses are left out.
  std::vector<BackoffLeft> backoffs(MonoTime now) const;
  std::uint64_t backoff_changes() const { return backoffs_.changes(); }  // the same number: no new one
  void restore_backoffs(std::span<const BackoffLeft> before, MonoTime now);

  // What the topic has of its own from now on, joined or not. A mesh that is too large or too small for it changes at
  // heartbeats. Errc::denied when the topic filter refuses, and what validate() answers.
  Result<void> set_topic_params(std::string_view topic, const TopicParams& params);

  // For `duration` (nothing: Params::blacklist_ttl) the peer is not listened to, and messages that name it as their
  // author are dropped, whoever brings them. It leaves our meshes, and nothing is sent to it but subscriptions. The end
  // is looked at at heartbeats. Direct peers are no exception.
  void blacklist(const PeerId& peer, Now now, std::optional<Nanos> duration = std::nullopt);
  void pardon(const PeerId& peer);
  bool is_blacklisted(const PeerId& peer) const { return blacklist_.contains(peer); }

  // Sends `data` to the mesh of `topic`, or to its fanout when the topic is not joined. Never handed back as Deliver.
  // Publishing what was delivered before, or is being validated, does nothing and is no error; what was ignored or
  // rejected before is taken up again. Errc::too_large above RpcLimits::max_rpc, Errc::exhausted without room at the
  // validator, Errc::denied for a refused topic, and what signing answers.
  Result<Publication> publish(std::string_view topic, ByteView data, LocalCheck check, Now now);

  // Answers whether the request was open. A verdict that says nothing of the message is not held against its sender:
  // ValidationResult::throttled, and any with Blame::nobody (the validator did not answer in time). With
  // ValidationResult::reject_unblamed only the work that the message made is counted, as it is for one that is ignored.
  enum class Blame : std::uint8_t { sender, nobody };
  bool on_validation(RequestId request, ValidationResult verdict, Now now, Blame blame = Blame::sender);
  // The open request that was made first, if that was at `until` or before.
  std::optional<RequestId> oldest_validation(MonoTime until) const;

  // Partial messages (partial_messages.hpp). Errc::unsupported unless PartialParams::enabled.
  // What we do with them in the topic, whether it is joined yet or not; peers are told. PartialUse::none ends its
  // groups.
  Result<void> set_partial(std::string_view topic, PartialUse use, Now now);
  // Asks `parts` for each peer of the group and sends what it answers; answers to how many. The peers: those that a
  // message of ours would go to and with whom partial messages of the topic are agreed; those that sent something of
  // the group; those that PartialGossip named. Errc::invalid_argument in a topic without partial messages,
  // Errc::exhausted beyond PartialParams::max_own_groups, Errc::too_large for an id, metadata or a message beyond its
  // bound: then that peer is sent nothing, and the others are. `parts` does not call the router.
  Result<std::size_t> publish_partial(std::string_view topic, ByteView group, const PartialPartsFn& parts, Now now);
  // What a partial message of the peer was worth: its score hears of it.
  enum class PartialVerdict : std::uint8_t { useful, invalid };
  void judge_partial(const PeerId& peer, std::string_view topic, PartialVerdict verdict, Now now);

  // What a peer has said on the stream that it writes to, to be carried over remove_peer() and add_peer() when only the
  // stream that we write to is a new one (router_heard.cpp).
  struct Heard {
    MonoTime since{};  // when the peer was added
    bool had_first_rpc = false;
    bool speaks_partial = false;
    std::map<std::string, PartialUse> topics;
  };
  Heard heard(const PeerId& peer) const;
  void restore(const PeerId& peer, const Heard& heard, Now now);

  void on_timeout(Now now);
  std::optional<MonoTime> next_deadline() const { return next_heartbeat_; }

  std::optional<Action> poll_action();
  std::size_t waiting_actions() const { return actions_.size(); }
  // The next frame for the peer's outbound stream; nothing when there is none or the peer is unknown.
  std::optional<SharedBytes> next_frame(const PeerId& peer);
  // Bytes of the message that next_frame() would answer, 0 when it would be control; nothing when it would answer none.
  std::optional<std::size_t> next_frame_size(const PeerId& peer) const;
  // The same, with control as an object: for drivers without a wire.
  std::optional<OutgoingRpc> next_rpc(const PeerId& peer);

  // What is known, for services, metrics and tests. Peers in the order of their arrival.
  const Params& params() const { return config_.params; }
  const Counters& counters() const { return counters_; }
  std::vector<std::string> topics() const;  // joined by us
  std::vector<PeerId> mesh(std::string_view topic) const;
  std::vector<PeerId> fanout(std::string_view topic) const;
  std::vector<PeerId> subscribers(std::string_view topic) const;  // peers known to be in the topic
  // What the peer does with partial messages of the topic; none unless it has agreed to the extension.
  PartialUse partial_use(const PeerId& peer, std::string_view topic) const;
  std::size_t peer_count() const { return peers_.size(); }
  bool in_backoff(std::string_view topic, const PeerId& peer, MonoTime now) const;
  // Whether the peer has delivered messages that were accepted (admission.hpp, Proof).
  bool is_proven(const PeerId& peer, MonoTime now) const;
  // Whether every table agrees with the others; for simulations, fuzzers and tests (router_check.cpp).
  void check() const;

  // Sizes of what is held, for metrics and for the test that nothing stays of a peer.
  struct Sizes {
    std::size_t peers = 0;
    std::size_t topics = 0;
    std::size_t subscriptions = 0;
    std::size_t mesh_links = 0;
    std::size_t fanout_links = 0;
    std::size_t backoffs = 0;
    std::size_t promises = 0;
    std::size_t seen = 0;
    std::size_t cached = 0;
    std::size_t cached_bytes = 0;
    std::size_t validating = 0;
    std::size_t validating_bytes = 0;
    std::size_t refusers = 0;
    std::size_t blacklisted = 0;
    std::size_t outbox_items = 0;
    std::size_t outbox_bytes = 0;
    std::size_t outbox_partials = 0;
    std::size_t partial_groups = 0;
    std::size_t partial_bytes = 0;  // of metadata
  };
  Sizes sizes() const;

 private:
  using Keys = boost::container::flat_set<PeerKey>;
  using Scores = std::vector<std::optional<double>>;  // by PeerTable::place_of()

  struct Topic {
    bool joined = false;  // it is subscribed or relayed
    bool subscribed = false;
    std::size_t relays = 0;
    Keys subscribers;
    Keys mesh;
    Keys newcomers;  // to the mesh since the last gossip: they missed what was forwarded before
    Keys fanout;
    std::optional<MonoTime> last_publication;  // while there is a fanout
    MeshSizes sizes;
    std::size_t max_message = 0;  // of its frame

    bool enter_mesh(PeerKey key) { return mesh.insert(key).second && newcomers.insert(key).second; }
    bool leave_mesh(PeerKey key) {
      newcomers.erase(key);
      return mesh.erase(key) != 0;
    }
  };
  using Topics = std::map<std::string, Topic, std::less<>>;

  struct Validation {
    std::string topic;
    MessageId id;
    SharedMessage message;
    PeerId from;
    PeerKey from_key = 0;  // 0 for our own
    Keys holders;          // sent it to us, first or again: nobody to forward to
    SharedBytes contents = nullptr;
    MonoTime begun{};
    std::size_t named_frame = 0;  // what naming it was paid for by
    std::size_t named_unpacked = 0;
    PeerId author = {};
    bool named_by_data = true;  // not by its author
    std::size_t bytes() const { return message.frame_size() + (contents ? contents->size() : 0); }
  };

  // router.cpp: peers, topics, outputs
  bool allowed(std::string_view topic) const;
  Topic& topic_state(std::string_view topic);
  Topic* joined_topic(std::string_view topic);
  void apply_topic_params(std::string_view name, Topic& topic) const;
  Topics::iterator drop_if_unused(Topics::iterator at);
  enum class Departure : std::uint8_t { left_topic, gone };
  Topics::iterator remove_from_topic(Topics::iterator at, PeerKey key, Peer& peer, Departure how, Now now);
  void enter(std::string_view name, Topic& topic, Now now);
  void leave_if_unwanted(Topics::iterator at, Now now);
  void join(const std::string& name, Topic& topic, Now now);
  void note_version(PeerKey key, const Peer& peer);
  void take_rpc(PeerKey key, Peer& peer, const Rpc& rpc, Now now);
  void say_ready(Peer& peer);
  void fault(const PeerId& peer, FaultKind kind, unsigned count = 1);
  Trace& trace(TraceKind kind, const PeerId& peer, std::string_view topic = {}, const MessageId& id = {});
  void trace_drop(DropCause cause, const PeerId& peer, std::string_view topic, const MessageId& id);
  void penalise(const PeerId& peer, FaultKind kind, unsigned count, Now now);
  double score_of(const Peer& peer) const {
    if (peer.blacklisted) return kBlacklistedScore;
    return peer.direct ? 0 : scores_.score(peer.id);
  }

  // router_messages.cpp: messages in and out
  void handle_subscriptions(PeerKey key, Peer& peer, const Rpc& rpc, Now now);
  void handle_message(PeerKey key, Peer& peer, const Rpc& rpc, const Message& message, Now now);
  // What the message is called; nothing when it cannot have a name.
  std::optional<Named> name(const Message& message) const;
  void refuse_author(Peer& peer, std::string_view topic, RejectCause cause, Now now);
  std::optional<RejectCause> check_author(const Message& message) const;
  std::size_t max_message_of(std::string_view topic) const;
  Result<SharedMessage> make_own(std::string_view topic, ByteView data, std::optional<Named>& named, PeerId& author);
  void charge_copy(const Peer& peer, const MessageId& id, Now now);
  bool is_copy(PeerKey key, const Peer& peer, std::string_view topic, const MessageId& id, Now now);
  bool admit(PeerKey key, Peer& peer, std::string_view topic, std::size_t frame, std::size_t unpacked, Now now);
  void excuse(Peer& peer, Now now) const;
  void drop_unnamed(DropCause cause, Peer& peer, std::string_view topic, Now now);
  void trace_drops(DropCause cause, const Peer& peer, std::string_view topic);
  RequestId begin_validation(Validation validation, bool seen, Now now);
  void send_idontwant(const Validation& validation);
  void finish(Validation& validation, ValidationResult verdict, Blame blame, RequestId request, Now now);
  void judge_senders(const Validation& validation, ValidationResult verdict, Blame blame, Now now);
  void refuse(const Validation& validation, RejectCause reason, Now now);
  void spread(const Validation& validation, Now now);
  Keys recipients(std::string_view topic, bool own, Now now);
  void queue_message(Peer& peer, const MessageId& id, const SharedMessage& message, Outbox::Kind kind);
  void forget_served(const std::vector<MessageId>& ids);
  void remember_seen(const MessageId& id, SeenCache::Entry entry, const AdmissionRecord* of, const PeerId& from,
                     Now now);
  void cache(const MessageId& id, std::string_view topic, const SharedMessage& message);

  // router_control.cpp: control in
  void handle_control(PeerKey key, Peer& peer, const Rpc& rpc, Now now);
  void handle_ihave(PeerKey key, Peer& peer, const Control& control, Now now);
  void ask_for(PeerKey key, Peer& peer, std::vector<MessageId> wanted, Now now);
  void handle_iwant(Peer& peer, const Control& control);
  void handle_graft(PeerKey key, Peer& peer, std::string_view topic, double score, Now now);
  void handle_prune(PeerKey key, Peer& peer, const Prune& prune, Now now);
  void handle_idontwant(Peer& peer, const Control& control);
  void handle_extensions(Peer& peer, const Rpc& rpc, Now now);

  // router_exchange.cpp: PRUNE out, and the peers that it names
  enum class Exchange : std::uint8_t { allowed, refused };
  void send_prune(PeerKey key, Peer& peer, std::string_view name, const Topic& topic, Nanos backoff, Exchange exchange);
  std::vector<NamedPeer> peers_to_name(PeerKey key, const Peer& peer, const Topic& topic);
  void take_named_peers(Peer& peer, const Prune& prune);

  // router_partial.cpp: partial messages
  PartialUse own_partial(std::string_view topic) const;
  static PartialUse partial_of(const Peer& peer, std::string_view topic);
  bool takes_parts(const Peer& peer, std::string_view topic) const;
  bool sends_parts(const Peer& peer, std::string_view topic) const;
  void announce_extensions(Peer& peer);
  static void hear_partial_uses(Peer& peer, const Rpc& rpc);
  void handle_partial(PeerKey key, Peer& peer, const Rpc& rpc, Now now);
  void refuse_partial(Peer& peer, std::string_view topic, DropCause cause, bool is_own_doing = true);
  void emit_partial_gossip(const std::string& name, std::vector<PeerKey>& chosen);
  struct PartialBatch;
  Result<bool> send_parts(PartialBatch& batch, PeerKey key, PartialGroups::Member& member);
  void queue_partial(PeerKey key, Peer& peer, PartialOutbox::Item item);
  void check_partial(PeerKey key, const Peer& peer) const;

  // router_heartbeat.cpp: what happens by time
  void heartbeat(Now now);
  void connect_direct_peers();
  void end_blacklisting(const std::vector<PeerId>& peers);
  void say_ready_to_told();
  void maintain_mesh(const std::string& name, Topic& topic, Scores& scores, Now now);
  void prune_excess(const std::string& name, Topic& topic, Scores& scores, Now now);
  void graft_opportunistically(const std::string& name, Topic& topic, Scores& scores, Now now);
  void maintain_fanouts(Scores& scores, Now now);
  void emit_gossip(const std::string& name, Topic& topic, const Keys& exclude, Scores& scores);
  double cached_score(PeerKey key, Scores& scores) const;
  using Fits = std::function<bool(PeerKey, const Peer&)>;
  std::vector<PeerKey> pick(const Topic& topic, std::size_t count, const Fits& fits);
  std::vector<PeerKey> pick_proven_first(const Topic& topic, std::size_t count, const Fits& fits, Now now);
  void graft(const std::string& name, Topic& topic, PeerKey key, Now now);
  void prune(const std::string& name, Topic& topic, PeerKey key, PruneCause cause, double score, Now now);
  bool may_graft(const std::string& name, const Topic& topic, PeerKey key, const Peer& peer, Now now) const;

  // router_trace.cpp: RPCs, when somebody traces them
  std::shared_ptr<RpcMeta> trace_received(const Peer& peer, const Rpc& rpc);
  void name_traced(RpcMeta& meta, const Rpc& rpc) const;
  void trace_sent(const Peer& peer, const SharedBytes& frame);

  // router_check.cpp
  void check_peer(PeerKey key, const Peer& peer) const;
  void check_topic(const std::string& name, const Topic& topic) const;
  void check_validations() const;

  static constexpr double kBlacklistedScore = -std::numeric_limits<double>::infinity();
  static constexpr std::string_view kNotFromCallbacks =
      "PeerScores and the functions of Config do not call the router that calls them";

  EntryMark entered_;
  Config config_;
  Rng& rng_;
  PeerScores& scores_;
  const std::uint64_t secret_;  // of the tables whose keys strangers choose
  PeerTable peers_;
  Keys outside_meshes_;  // peers that messages go to by subscription alone: direct ones, and those of floodsub
  Topics topics_;
  SeenCache seen_;
  RecentMessages recent_;
  MessageCache cache_;
  Backoffs backoffs_;
  IWantPromises promises_;
  Blacklist blacklist_;
  std::map<std::string, PartialUse, std::less<>> partial_topics_;  // ours
  PartialGroups partial_groups_;
  Admission admission_;
  LruMap<PeerId, Proof>
      proofs_;  // of peers that have gone: a reconnect takes no proof away, and no stranger gets in here
  std::map<RequestId, Validation> validating_;
  RequestId next_request_ = 1;
  MonoTime next_heartbeat_;
  std::uint64_t ticks_ = 0;
  std::vector<PeerKey> told_;       // peers with new control that say_ready_to_told() is to say ready for
  RingQueue<Action, 256> actions_;  // keeps the room of what a busy turn makes
  Counters counters_;
};

}  // namespace libp2p::gossipsub

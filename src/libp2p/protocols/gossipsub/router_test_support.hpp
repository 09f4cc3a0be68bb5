// For the tests of this folder: one router with peers that exist only as ids and frames (Bench), and a whole network of
// routers that exchange frames over links with delays (Network). Virtual time; every random choice comes from a seed.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "libp2p/crypto/hash.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub::test {

inline const std::string kTopic = "/optimism/10/3/blocks";

inline PeerId peer_id(std::uint32_t n) {
  Bytes multihash = {0x00, 0x04, 0, 0, 0, 0};
  store_be32(multihash.data() + 2, n);
  return PeerId::from_bytes(multihash).value();
}

inline MessageId id_of(std::string_view topic, ByteView data) {
  Bytes all = to_bytes(topic);
  append(all, data);
  return *MessageId::from(ByteView(crypto::sha256(all)).first(20));
}

inline Now at(Nanos since_start) { return Now{MonoTime(since_start), UnixTime(since_start)}; }

// Control RPCs as another implementation would send them.
inline Rpc subscription_rpc(std::string_view topic, bool subscribe = true) {
  Rpc rpc;
  rpc.subscriptions.push_back({subscribe, topic, {}, {}});
  return rpc;
}
inline Rpc graft_rpc(std::string_view topic) {
  Rpc rpc;
  rpc.control.emplace().graft.push_back({topic});
  return rpc;
}
inline Rpc prune_rpc(std::string_view topic, std::optional<std::uint64_t> backoff = {}) {
  Rpc rpc;
  rpc.control.emplace().prune.push_back({topic, {}, backoff});
  return rpc;
}
inline Rpc message_rpc(std::string_view topic, ByteView data) {
  Rpc rpc;
  Message message;
  message.topic = topic;
  message.data = data;
  rpc.publish.push_back(message);
  return rpc;
}
inline std::vector<ByteView> views(const std::vector<MessageId>& ids) {
  std::vector<ByteView> out;
  for (const auto& id : ids) out.push_back(id.bytes());
  return out;
}
inline Rpc ihave_rpc(std::string_view topic, const std::vector<MessageId>& ids) {
  Rpc rpc;
  rpc.control.emplace().ihave.push_back({topic, views(ids)});
  return rpc;
}
inline Rpc iwant_rpc(const std::vector<MessageId>& ids) {
  Rpc rpc;
  rpc.control.emplace().iwant.push_back({views(ids)});
  return rpc;
}
inline Rpc idontwant_rpc(const std::vector<MessageId>& ids) {
  Rpc rpc;
  rpc.control.emplace().idontwant.push_back({views(ids)});
  return rpc;
}

// Scores as a test sets them; remembers what it was told.
class FakeScores final : public PeerScores {
 public:
  double score(const PeerId& peer) const override {
    const auto found = values.find(peer);
    return found == values.end() ? 0 : found->second;
  }
  void on_graft(const PeerId& peer, std::string_view, Now) override {
    ++grafts[peer];
    if (graft_hook) graft_hook();
  }
  void on_prune(const PeerId& peer, std::string_view, Now) override { ++prunes[peer]; }
  void on_delivered(const PeerId& peer, std::string_view, const MessageId&, Now) override { ++delivered[peer]; }
  void on_rejected(const PeerId& peer, std::string_view, const MessageId&, RejectCause reason, Now) override {
    rejected.emplace_back(peer, reason);
  }
  void on_duplicate(const PeerId& peer, std::string_view, const MessageId&, Now) override { ++duplicates[peer]; }
  void on_penalty(const PeerId& peer, unsigned count, Now) override { penalties[peer] += count; }

  std::map<PeerId, double> values;
  std::map<PeerId, unsigned> grafts, prunes, delivered, duplicates, penalties;
  std::vector<std::pair<PeerId, RejectCause>> rejected;
  std::function<void()> graft_hook;
};

// All control and messages that a router sent to one peer, taken apart.
struct Sent {
  std::map<std::string, bool> subscriptions;
  std::vector<std::string> grafts;
  std::vector<std::pair<std::string, std::optional<std::uint64_t>>> prunes;
  std::vector<MessageId> ihave, iwant, idontwant;
  std::vector<std::pair<std::string, Bytes>> messages;
  std::size_t authored = 0;  // of them, with a field of an author
  std::vector<SharedBytes> frames;
};

class Bench {
 public:
  explicit Bench(Params params = {}, TopicFilter filter = {}, std::uint64_t seed = 1, MessageIdFn message_id = id_of)
      : Bench(Router::Config{params, std::move(message_id), std::move(filter)}, seed) {}
  explicit Bench(Router::Config config, std::uint64_t seed = 1)
      : rng(seed), router(std::move(config), rng, scores, now) {}

  void add(std::uint32_t n, ProtocolVersion version = ProtocolVersion::v1_2, Direction direction = Direction::inbound) {
    router.add_peer(peer_id(n), version, direction, now);
  }
  // A peer that is in the topic.
  void add_subscriber(std::uint32_t n, ProtocolVersion version = ProtocolVersion::v1_2,
                      Direction direction = Direction::inbound) {
    add(n, version, direction);
    send(n, subscription_rpc(kTopic));
  }
  // Through the codec, as from the stream.
  void send(std::uint32_t n, const Rpc& rpc) {
    const auto result = router.on_frame(peer_id(n), encode_frame(rpc), now);
    ASSERT_TRUE(result) << result.error().message();
  }
  void send_message(std::uint32_t n, std::string_view data) { send(n, message_rpc(kTopic, as_bytes(data))); }

  // Moves time on, with every heartbeat on the way.
  void pass(Nanos duration) {
    const MonoTime until = now.mono + duration;
    while (*router.next_deadline() <= until) {
      now = now + (*router.next_deadline() - now.mono);
      router.on_timeout(now);
    }
    now = now + (until - now.mono);
  }
  void heartbeat() { pass(*router.next_deadline() - now.mono); }

  // Drains the actions into `actions`.
  void drain() {
    while (auto action = router.poll_action()) actions.push_back(std::move(*action));
    router.check();
  }
  template <class T>
  std::vector<T> take() {
    drain();
    std::vector<T> out;
    for (const auto& action : actions) {
      if (const auto* value = std::get_if<T>(&action)) out.push_back(*value);
    }
    std::erase_if(actions, [](const Action& action) { return std::holds_alternative<T>(action); });
    return out;
  }
  std::vector<FaultKind> faults() {
    std::vector<FaultKind> kinds;
    for (const auto& fault : take<Fault>()) kinds.push_back(fault.kind);
    return kinds;
  }
  void answer_all(ValidationResult verdict) {
    for (const auto& request : take<Validate>()) EXPECT_TRUE(router.on_validation(request.request, verdict, now));
  }
  // Everything that waits for the peer.
  Sent sent(std::uint32_t n) {
    Sent out;
    while (const auto frame = router.next_frame(peer_id(n))) collect(*frame, out);
    if (!signs) {
      EXPECT_EQ(out.authored, 0U);
    }
    return out;
  }
  static void collect(const SharedBytes& frame, Sent& out) {
    out.frames.push_back(frame);
    const auto rpc = decode_frame(frame, RpcLimits{});
    ASSERT_TRUE(rpc) << rpc.error().message();
    for (const auto& s : rpc->subscriptions) out.subscriptions[std::string(*s.topic)] = *s.subscribe;
    for (const auto& m : rpc->publish) {
      out.messages.emplace_back(*m.topic, to_bytes(m.data.value_or(ByteView())));
      if (!m.anonymous()) ++out.authored;
    }
    if (!rpc->control) return;
    const auto add_ids = [](const std::vector<ByteView>& from, std::vector<MessageId>& to) {
      for (const auto& id : from) to.push_back(*MessageId::from(id));
    };
    for (const auto& entry : rpc->control->ihave) add_ids(entry.ids, out.ihave);
    for (const auto& entry : rpc->control->iwant) add_ids(entry.ids, out.iwant);
    for (const auto& entry : rpc->control->idontwant) add_ids(entry.ids, out.idontwant);
    for (const auto& entry : rpc->control->graft) out.grafts.emplace_back(*entry.topic);
    for (const auto& entry : rpc->control->prune) out.prunes.emplace_back(*entry.topic, entry.backoff);
  }

  Now now = at(Seconds(1000));
  SeededRng rng;
  FakeScores scores;
  Router router;
  std::vector<Action> actions;
  bool signs = false;  // messages with an author are in order
};

// A router in the topic whose mesh holds peers 1 to `peers`, with nothing waiting.
inline std::unique_ptr<Bench> joined(std::uint32_t peers, Params params = {},
                                     ProtocolVersion version = ProtocolVersion::v1_2) {
  auto bench = std::make_unique<Bench>(params);
  EXPECT_TRUE(bench->router.subscribe(kTopic, bench->now));
  for (std::uint32_t n = 1; n <= peers; ++n) {
    bench->add_subscriber(n, version);
    bench->send(n, graft_rpc(kTopic));
    bench->sent(n);
  }
  bench->drain();
  bench->actions.clear();
  return bench;
}

// N routers and the links between them.
class Network {
 public:
  struct Options {
    Params params;
    Nanos min_delay = Millis(1);
    Nanos max_delay = Millis(40);
    Nanos min_validation = Nanos(0);
    Nanos max_validation = Millis(30);
    // Whether a frame with messages gets lost on its way (a fault that TCP does not have: it stands for a full outbox).
    std::function<bool(std::size_t from, std::size_t to)> loses_messages;
    std::function<ValidationResult(std::size_t node, const Validate&)> judge;
  };

  struct Node {
    explicit Node(const Options& options, std::uint64_t seed)
        : rng(seed), router({options.params, id_of, {}}, rng, scores, at(Nanos(0))) {}
    SeededRng rng;
    FakeScores scores;
    Router router;
    std::vector<std::pair<MessageId, PeerId>> delivered;
  };

  Network(std::size_t count, Options options, std::uint64_t seed) : options_(std::move(options)), rng_(seed) {
    for (std::size_t i = 0; i < count; ++i) nodes_.push_back(std::make_unique<Node>(options_, rng_.next_u64()));
  }

  Router& router(std::size_t n) { return nodes_[n]->router; }
  Node& node(std::size_t n) { return *nodes_[n]; }
  std::size_t size() const { return nodes_.size(); }
  Now now() const { return now_; }
  static PeerId id(std::size_t n) { return peer_id(static_cast<std::uint32_t>(n)); }

  void connect(std::size_t a, std::size_t b, ProtocolVersion version = ProtocolVersion::v1_3) {
    if (a == b || !links_.insert(link_of(a, b)).second) return;
    router(a).add_peer(id(b), version, Direction::outbound, now_);
    router(b).add_peer(id(a), version, Direction::inbound, now_);
    settle(a);
    settle(b);
  }
  void disconnect(std::size_t a, std::size_t b) {
    if (links_.erase(link_of(a, b)) == 0) return;
    ++epoch_[link_of(a, b)];
    router(a).remove_peer(id(b), now_);
    router(b).remove_peer(id(a), now_);
    settle(a);
    settle(b);
  }
  // A random graph in which everybody has dialled `dials` others (and the chain that makes it connected).
  void connect_randomly(std::size_t dials) {
    for (std::size_t n = 1; n < size(); ++n) connect(n - 1, n);
    for (std::size_t n = 0; n < size(); ++n) {
      for (std::size_t i = 0; i < dials; ++i) connect(n, rng_.below(size()));
    }
  }
  void subscribe_all() {
    for (std::size_t n = 0; n < size(); ++n) {
      ASSERT_TRUE(router(n).subscribe(kTopic, now_));
      settle(n);
    }
  }
  void join(std::size_t n) {
    EXPECT_TRUE(router(n).subscribe(kTopic, now_));
    settle(n);
  }
  void leave(std::size_t n) {
    router(n).unsubscribe(kTopic, now_);
    settle(n);
  }
  MessageId publish(std::size_t n, std::string_view data) {
    const auto publication = router(n).publish(kTopic, as_bytes(data), LocalCheck::already_valid, now_);
    EXPECT_TRUE(publication);
    published_.insert({n, publication->id});
    settle(n);
    return publication->id;
  }
  std::size_t holders(const MessageId& message) const {
    return static_cast<std::size_t>(std::count_if(nodes_.begin(), nodes_.end(), [&](const auto& node) {
      return std::any_of(node->delivered.begin(), node->delivered.end(),
                         [&](const auto& entry) { return entry.first == message; });
    }));
  }

  void run(Nanos duration) {
    const MonoTime until = now_.mono + duration;
    for (;;) {
      MonoTime next = until;
      std::size_t who = size();
      for (std::size_t n = 0; n < size(); ++n) {
        if (*router(n).next_deadline() < next) {
          next = *router(n).next_deadline();
          who = n;
        }
      }
      if (!events_.empty() && events_.top().time <= next) {
        Event event = events_.top();
        events_.pop();
        now_ = now_ + (event.time - now_.mono);
        event.happen();
        continue;
      }
      now_ = now_ + (next - now_.mono);
      if (who == size()) return;
      router(who).on_timeout(now_);
      settle(who);
    }
  }

  // Pushes of a message from one node to another that were not answers to an IWANT.
  std::uint64_t max_pushes() const {
    std::uint64_t most = 0;
    for (const auto& [key, count] : pushes_) most = std::max(most, count);
    return most;
  }
  std::uint64_t pushes_to_source() const { return pushes_to_source_; }
  std::uint64_t self_deliveries() const { return self_deliveries_; }
  std::uint64_t lost() const { return lost_; }
  Rng& rng() { return rng_; }

 private:
  struct Event {
    MonoTime time;
    std::uint64_t serial;
    std::function<void()> happen;
    bool operator<(const Event& other) const {
      return std::tie(time, serial) > std::tie(other.time, other.serial);  // the earliest on top
    }
  };
  using Link = std::pair<std::size_t, std::size_t>;

  static Link link_of(std::size_t a, std::size_t b) { return {std::min(a, b), std::max(a, b)}; }
  Nanos between(Nanos low, Nanos high) {
    return low + Nanos(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>((high - low).count()) + 1)));
  }
  void after(MonoTime time, std::function<void()> happen) { events_.push({time, ++serial_, std::move(happen)}); }

  // What a driver does after every input.
  void settle(std::size_t n) {
    while (auto action = router(n).poll_action()) {
      if (auto* ready = std::get_if<SendReady>(&*action)) pump(n, index_of(ready->peer));
      if (auto* request = std::get_if<Validate>(&*action)) validate(n, *request);
      if (auto* deliver = std::get_if<Deliver>(&*action)) note_delivery(n, *deliver);
    }
    if (++settled_ % 16 == 0) router(n).check();  // a network of many routers settles a million times
  }
  static std::size_t index_of(const PeerId& peer) { return load_be32(peer.bytes().data() + 2); }

  void validate(std::size_t n, const Validate& request) {
    const ValidationResult verdict = options_.judge ? options_.judge(n, request) : ValidationResult::accept;
    after(now_.mono + between(options_.min_validation, options_.max_validation),
          [this, n, id = request.request, verdict] {
            EXPECT_TRUE(router(n).on_validation(id, verdict, now_));
            settle(n);
          });
  }
  void note_delivery(std::size_t n, const Deliver& deliver) {
    nodes_[n]->delivered.emplace_back(deliver.id, deliver.from);
    sources_[{n, deliver.id}] = deliver.from;
    if (published_by(n, deliver.id)) ++self_deliveries_;
  }
  bool published_by(std::size_t n, const MessageId& message) const { return published_.contains({n, message}); }

  void pump(std::size_t from, std::size_t to) {
    while (auto frame = router(from).next_frame(id(to))) {
      watch(from, to, *frame);
      auto& last = last_arrival_[{from, to}];
      last = std::max(last, now_.mono + between(options_.min_delay, options_.max_delay));
      const auto link = link_of(from, to);
      const auto epoch = epoch_[link];
      const bool has_message = !decode_frame(*frame, RpcLimits{}).value().publish.empty();
      if (has_message && options_.loses_messages && options_.loses_messages(from, to)) {
        ++lost_;
        continue;
      }
      after(last, [this, from, to, link, epoch, bytes = *frame] {
        if (!links_.contains(link) || epoch_[link] != epoch) return;
        EXPECT_TRUE(router(to).on_frame(id(from), bytes, now_));
        settle(to);
      });
    }
  }
  void watch(std::size_t from, std::size_t to, const SharedBytes& frame) {
    const auto rpc = decode_frame(frame, RpcLimits{}).value();
    for (const auto& message : rpc.publish) {
      const MessageId id = id_of(*message.topic, message.data.value_or(ByteView()));
      auto& asked = asked_[{to, from, id}];
      if (asked > 0) {
        --asked;
        continue;
      }
      ++pushes_[{from, to, id}];
      const auto source = sources_.find({from, id});
      if (source != sources_.end() && source->second == Network::id(to)) ++pushes_to_source_;
    }
    if (!rpc.control) return;
    for (const auto& iwant : rpc.control->iwant) {
      for (const auto& id : iwant.ids) ++asked_[{from, to, *MessageId::from(id)}];
    }
  }

  Options options_;
  SeededRng rng_;
  Now now_ = at(Nanos(0));
  std::vector<std::unique_ptr<Node>> nodes_;
  std::set<Link> links_;
  std::map<Link, std::uint64_t> epoch_;
  std::map<Link, MonoTime> last_arrival_;
  std::priority_queue<Event> events_;
  std::uint64_t serial_ = 0;
  std::uint64_t settled_ = 0;
  std::map<std::tuple<std::size_t, std::size_t, MessageId>, std::uint64_t> pushes_;
  std::map<std::tuple<std::size_t, std::size_t, MessageId>, std::uint64_t> asked_;  // who, whom, what
  std::map<std::pair<std::size_t, MessageId>, PeerId> sources_;
  std::set<std::pair<std::size_t, MessageId>> published_;
  std::uint64_t pushes_to_source_ = 0;
  std::uint64_t self_deliveries_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace libp2p::gossipsub::test

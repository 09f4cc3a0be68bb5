// The same events on the router and on the naive model: after each, what every peer is sent, what is validated and
// delivered, who is blamed, and the mesh must be what the specification says. All outboxes are emptied at every step,
// and the bounds are out of reach: what happens at them is for router_fuzz.cpp. This file drives: it reads the script,
// makes the calls and the RPCs, and compares. What is expected is in the headers router_model_*_test.hpp.
#include <algorithm>

#include "libp2p/protocols/gossipsub/router_model_heard_test.hpp"
#include "libp2p/protocols/gossipsub/router_model_speech_test.hpp"
#include "libp2p/protocols/gossipsub/router_model_time_test.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::gossipsub;
using namespace libp2p::gossipsub::model;

constexpr std::size_t kMaxSteps = 600;
const std::string kTopics[] = {"a", "b"};
// What a topic may have of its own: the sizes of its mesh, and a bound that every third message is above.
constexpr MeshSizes kMeshes[] = {{3, 2, 4, 1}, {1, 1, 2, 0}, {5, 3, 6, 2}, {2, 1, 2, 0}};
constexpr std::size_t kSmall = 10, kLarge = 1000;

std::size_t max_frame_of(const std::string& topic, std::size_t data_size) {
  return message_frame_size(message_of(topic, Bytes(data_size), 0));
}

// Calls of the application change the model here; RPCs and time in HeardReference and TimeReference.
class Run {
 public:
  explicit Run(ByteView bytes)
      : script_(bytes),
        model_{.params = small_params(bytes), .direct = kDirect, .scores = {}},
        scores_(model_),
        router_({small_params(bytes), id_of, {}, nullptr, kDirect, record_of, policies(), &signatures_}, rng_, scores_,
                now_) {
    for (const auto& name : kTopics) model_.topics[name].sizes = small_params(bytes).mesh;
  }

  void play() {
    for (std::size_t steps = 0; !script_.done() && steps < kMaxSteps; ++steps) {
      reference_.begin_step();
      fuzzing::count_event();
      step();
      compare(watch_.take(reference_.may_dial));
      router_.check();
      check_state();
    }
  }

 private:
  void step() {
    const std::uint8_t what = script_.next();
    const PeerId peer = peer_id(script_.next() % kPeers);
    const std::string& topic = kTopics[script_.next() % 4 == 3 ? 1 : 0];
    switch (what % 16) {
      case 0: return add_peer(peer);
      case 1:
        switch (script_.next() % 8) {
          case 0:
          case 1: return set_score(peer);
          case 2: return blacklist(script_.next() % 3 == 0 ? peer_id(200) : peer);
          case 3: return pardon(peer);
          case 4: return set_topic_params(topic);
          case 5: return set_partial(topic);
          default: return set_version(peer);
        }
      case 2:
        switch (script_.next() % 4) {
          case 0: router_.remove_peer(peer, now_); return model_.forget(peer);
          case 1: return renew(peer);
          default: return;
        }
      case 3: return join(topic);
      case 4:
        switch (script_.next() % 4) {
          case 0: return leave(topic);
          case 1:
          case 2: return publish_partial(topic);
          default: return script_.next() % 4 == 0 ? set_partial(topic) : publish_partial(topic);
        }
      case 5: return publish(topic);
      case 6:
      case 7: return judge();
      case 8:
      case 9: return beat();
      default:
        if (model_.peers.contains(peer)) rpc(peer, topic, script_.next());
    }
  }

  // ---- peers and topics ----

  void add_peer(const PeerId& peer) {
    const auto version = static_cast<ProtocolVersion>(script_.next() % 6);
    const auto direction = static_cast<Direction>(script_.next() % 2);
    router_.add_peer(peer, version, direction, now_);
    const auto [at, added] = model_.peers.try_emplace(peer);
    if (!added) return;
    at->second.version = version;
    at->second.direction = direction;
    at->second.added = now_.mono;
    reference_.expect_hello(peer);
  }
  // Our stream to it is a new one; what it said on its own is carried over.
  void renew(const PeerId& peer) {
    const auto known = model_.peers.find(peer);
    if (known == model_.peers.end()) return;
    const Router::Heard heard = router_.heard(peer);
    router_.remove_peer(peer, now_);
    router_.add_peer(peer, known->second.version, known->second.direction, now_);
    router_.restore(peer, heard, now_);
    const KnownPeer before = known->second;
    model_.forget(peer);
    KnownPeer& again = model_.peers[peer];
    again.version = before.version;
    again.direction = before.direction;
    again.added = before.added;
    again.topics = before.topics;
    again.spoke = before.spoke;
    again.speaks_partial = before.speaks_partial;
    again.partial = before.partial;
    std::erase_if(again.partial, [](const auto& entry) { return entry.second == PartialUse::none; });
    reference_.expect_hello(peer);
  }
  void set_version(const PeerId& peer) {
    const auto known = model_.peers.find(peer);
    if (known == model_.peers.end() || known->second.version != ProtocolVersion::pending) return;
    known->second.version = static_cast<ProtocolVersion>(1 + script_.next() % 5);
    router_.set_version(peer, known->second.version, now_);
    if (known->second.version == ProtocolVersion::v1_3) expected_.sent[peer].extensions = true;
    if (known->second.version != ProtocolVersion::floodsub) return;
    for (auto& [name, topic] : model_.topics) topic.mesh.erase(peer);
  }

  void blacklist(const PeerId& peer) {
    const Nanos length = Millis(script_.next() * 20);
    router_.blacklist(peer, now_, length);
    const bool is_new = !model_.blacklist.contains(peer);
    MonoTime& until = model_.blacklist[peer];
    until = std::max(until, now_.mono + length);
    if (!is_new || !model_.peers.contains(peer)) return;
    std::erase_if(model_.promises, [&](const auto& entry) { return entry.first.second == peer; });
    for (auto& [name, topic] : model_.topics) {
      topic.fanout.erase(peer);
      if (topic.mesh.erase(peer) == 0) continue;
      reference_.expect_prune(peer, name, model_.params.mesh.prune_backoff, false);
      model_.back_off(name, peer, model_.params.mesh.prune_backoff, now_.mono);
    }
  }
  void pardon(const PeerId& peer) {
    router_.pardon(peer);
    model_.blacklist.erase(peer);
  }
  void set_score(const PeerId& peer) { model_.scores[peer] = kScores[script_.below(std::size(kScores))]; }

  void set_topic_params(const std::string& name) {
    TopicParams own;
    own.mesh = kMeshes[script_.below(std::size(kMeshes))];
    const bool small = script_.next() % 4 == 0;
    if (small) own.max_message = max_frame_of(name, kSmall);
    require(router_.set_topic_params(name, own).has_value());
    KnownTopic& topic = model_.topics[name];
    topic.sizes = *own.mesh;
    topic.max_data = small ? kSmall : kLarge;
    const Peers left = watch_.fanout_of(name);  // of one that is too large the router chooses who stays
    require(std::includes(topic.fanout.begin(), topic.fanout.end(), left.begin(), left.end()));
    require(left.size() == std::min(topic.fanout.size(), topic.sizes.degree));
    topic.fanout = left;
  }
  void join(const std::string& name) {
    KnownTopic& topic = model_.topics[name];
    if (script_.next() % 4 == 0) {
      require(router_.relay(name, now_).has_value());
      ++topic.relays;
    } else {
      require(router_.subscribe(name, now_).has_value());
      topic.subscribed = true;
    }
    if (topic.joined) return;
    topic.joined = true;
    for (const auto& [id, peer] : model_.peers) {
      expected_.sent[id].subscriptions[name] = {true, model_.own_partial(name)};
    }
    const Peers possible = model_.graftable(name, now_.mono);
    const Peers chosen = watch_.mesh_of(name);
    require(chosen.size() == std::min(topic.sizes.degree, possible.size()));
    require(std::includes(possible.begin(), possible.end(), chosen.begin(), chosen.end()));
    for (const PeerId& id : topic.fanout) require(!possible.contains(id) || chosen.contains(id));
    for (const PeerId& id : chosen) expected_.sent[id].grafts.insert(name);
    topic.mesh = chosen;
    topic.newcomers = chosen;
    topic.fanout.clear();
    topic.published.reset();
  }
  void leave(const std::string& name) {
    KnownTopic& topic = model_.topics[name];
    if (script_.flip()) {
      router_.stop_relaying(name, now_);
      topic.relays -= std::min<std::size_t>(topic.relays, 1);
    } else {
      router_.unsubscribe(name, now_);
      topic.subscribed = false;
    }
    if (!topic.joined || topic.subscribed || topic.relays != 0) return;
    topic.joined = false;
    const Nanos length = model_.params.mesh.unsubscribe_backoff;
    for (const auto& [id, peer] : model_.peers) expected_.sent[id].subscriptions[name] = {false, PartialUse::none};
    for (const PeerId& id : topic.mesh) {
      reference_.expect_prune(id, name, length, true);
      model_.back_off(name, id, length, now_.mono);
    }
    topic.mesh.clear();
  }

  // ---- messages ----

  void publish(const std::string& name) {
    const Bytes data = data_of(script_.next() % 12);
    const bool validate = script_.flip();
    const MessageId id = id_of(name, data);
    const Seen* known = model_.find_seen(id, now_.mono);
    const bool fresh = known == nullptr || *known == Seen::refused;
    const auto result = router_.publish(name, data, validate ? LocalCheck::validate : LocalCheck::already_valid, now_);
    if (data.size() > model_.topics[name].max_data) return require(!result && result.error().code() == Errc::too_large);
    require(result.has_value() && result->id == id && result->sent == (fresh && !validate));
    if (!fresh) return;
    const Pending message{name, id, PeerId(), {}};
    model_.fulfil(id);
    if (validate) return reference_.expect_validation(message, result->request);
    model_.see(id, Seen::accepted, now_.mono);
    reference_.spread(message);
  }

  // ---- partial messages ----

  void set_partial(const std::string& name) {
    const auto use = static_cast<PartialUse>(script_.next() % 3);
    require(router_.set_partial(name, use, now_).has_value());
    if (model_.own_partial(name) == use) return;
    model_.partial[name] = use;
    if (use == PartialUse::none) std::erase_if(model_.groups, [&](const auto& e) { return e.first.first == name; });
    if (!model_.topics[name].joined) return;
    for (const auto& [id, peer] : model_.peers) expected_.sent[id].subscriptions[name] = {true, use};
  }
  void publish_partial(const std::string& name) {
    const Bytes group = group_of(script_.next());
    const std::uint8_t what = script_.next();
    const Bytes message(what & 1, 7), metadata(what >> 1 & 3, what >> 3 & 1);
    const auto becomes = (what & 64) != 0 ? std::optional<Bytes>(Bytes{what}) : std::nullopt;
    std::map<PeerId, std::tuple<bool, Bytes, Bytes>> asked;
    const auto parts = [&](const PartialPeer& peer) {
      require(
          asked.emplace(peer.peer, std::tuple(peer.wants_parts, to_bytes(peer.metadata), to_bytes(peer.told))).second);
      return PartialParts{message, metadata, becomes};
    };
    const auto result = router_.publish_partial(name, group, parts, now_);
    require(result.has_value() == (model_.own_partial(name) != PartialUse::none));
    if (!result) return;
    KnownGroup& known = model_.groups[{name, group}];
    known.is_own = true;
    known.ends = model_.ticks + model_.params.partial.group_ttl;
    reference_.choose_fanout(name);
    for (const PeerId& id : model_.reach(name)) {
      if (model_.takes_parts(id, name) || model_.sends_parts(id, name)) known.members.try_emplace(id);
    }
    std::size_t sent = 0, possible = 0;
    for (auto& [id, member] : known.members) {
      const KnownPeer& peer = model_.peers.at(id);
      if (!peer.speaks_partial || peer.version != ProtocolVersion::v1_3) continue;
      if (model_.score(id) < model_.params.thresholds.gossip) continue;
      ++possible;
      const bool wants = model_.partial_of(id, name) == PartialUse::requests;
      require(asked.at(id) == std::tuple(wants, member.first, member.second));
      const Bytes body = wants ? message : Bytes();
      if (body.empty() && (metadata.empty() || metadata == member.second)) continue;
      ++sent;
      expected_.sent[id].partials.emplace(name, group, body, metadata);
      if (!metadata.empty()) member.second = metadata;
      if (!body.empty() && becomes) member.first = *becomes;
    }
    require(*result == sent && asked.size() == possible);
  }

  void judge() {
    if (model_.pending.empty()) return;
    auto at = model_.pending.begin();
    std::advance(at, script_.below(model_.pending.size()));
    const Pending message = at->second;
    const RequestId request = at->first;
    model_.pending.erase(at);
    const std::uint8_t choice = script_.next() % 8;
    const ValidationResult verdict = choice == 0   ? ValidationResult::reject
                                     : choice == 1 ? ValidationResult::ignore
                                     : choice == 2 ? ValidationResult::throttled
                                     : choice == 3 ? ValidationResult::reject_unblamed
                                                   : ValidationResult::accept;
    require(router_.on_validation(request, verdict, now_) && !router_.on_validation(request, verdict, now_));
    if (Seen* known = model_.find_seen(message.id, now_.mono))
      *known = verdict == ValidationResult::accept ? Seen::accepted : Seen::refused;
    const bool own = message.from.empty();
    if (verdict == ValidationResult::reject && !own) expected_.faults.emplace(message.from, FaultKind::invalid_message);
    if (verdict != ValidationResult::accept || (!own && !model_.topics[message.topic].joined)) return;
    if (!own && model_.topics[message.topic].subscribed) expected_.deliveries.insert(message.id);
    reference_.spread(message);
  }

  // ---- what peers say ----

  void rpc(const PeerId& peer, const std::string& topic, std::uint8_t kind) {
    Speech speech;
    read_speech(speech, script_, topic, kind);
    require(router_.on_frame(peer, encode_frame(speech.rpc), now_).has_value());
    hear(peer, topic, speech);
  }
  void hear(const PeerId& peer, const std::string& topic, const Speech& speech) {
    const bool is_heard = model_.score(peer) >= model_.params.thresholds.graylist;
    if (speech.kind > 2 && !is_heard) return;
    if (is_heard) heard_.extensions(peer, speech.rpc);
    switch (speech.kind) {
      case 0: return model_.leave(peer, topic);
      case 1:
      case 2: return heard_.subscription(peer, topic, use_of(speech.extra));
      case 3:
      case 4:
      case 5: return heard_.graft(peer, topic);
      case 6: return heard_.prune(peer, topic, speech.rpc.control->prune[0].backoff.value_or(0), speech.named);
      case 7:
      case 8: return heard_.ihave(peer, topic, speech.id);
      case 9: return heard_.iwant(peer, speech.id);
      case 10: return heard_.idontwant(peer, speech.id);
      case 11: return heard_.partial(peer, topic, speech.rpc);
      default: return heard_.message(peer, topic, speech.id, speech.data.size(), speech.authorship);
    }
  }

  // ---- time ----

  void beat() {
    now_ = now_ + model_.params.heartbeat + Millis(script_.next() * 8);
    router_.on_timeout(now_);
    time_.heartbeat();
  }

  // ---- what the router did ----

  void compare(Outcome seen) {
    seen.drop_empty();
    expected_.drop_empty();
    require(seen.validations == expected_.validations && seen.deliveries == expected_.deliveries);
    require(seen.dials == expected_.dials && seen.partials == expected_.partials);
    require(seen.sent == expected_.sent);
    require(seen.faults == expected_.faults);
  }
  void check_state() {
    for (const auto& name : kTopics) {
      require(watch_.mesh_of(name) == model_.topics[name].mesh && watch_.fanout_of(name) == model_.topics[name].fanout);
      Peers known = model_.subscribers(name, true);
      known.merge(model_.subscribers(name, false));
      const auto told = router_.subscribers(name);
      require(known == Peers(told.begin(), told.end()));
    }
    require(router_.sizes().validating == model_.pending.size());
    require(router_.sizes().partial_groups == model_.groups.size());
  }

  ToySignatures signatures_;
  fuzzing::Script script_;
  SeededRng rng_{1};
  Now now_{MonoTime(Seconds(1)), UnixTime(Seconds(1))};
  Model model_;
  ModelScores scores_;
  Router router_;
  RouterWatch watch_{router_, model_};
  Reference reference_{model_, watch_, now_};
  Outcome& expected_ = reference_.expected;
  HeardReference heard_{reference_};
  TimeReference time_{reference_};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(ByteView(data, size)).play();
  return 0;
}

// The same events on the router and on the naive model: after each, what every peer is sent, what is validated and
// delivered, who is blamed, and the mesh must be what the specification says. All outboxes are emptied at every step,
// and the bounds are out of reach: what happens at them is for router_fuzz.cpp.
#include <algorithm>

#include "libp2p/protocols/gossipsub/router_model_support_test.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::gossipsub;
using namespace libp2p::gossipsub::model;

constexpr std::size_t kMaxSteps = 600;
constexpr std::size_t kPeers = 8;
const std::string kTopics[] = {"a", "b"};
// What a topic may have of its own: the sizes of its mesh, and a bound that every third message is above.
constexpr MeshSizes kMeshes[] = {{3, 2, 4, 1}, {1, 1, 2, 0}, {5, 3, 6, 2}, {2, 1, 2, 0}};
constexpr std::size_t kSmall = 10, kLarge = 1000;

std::size_t max_frame_of(const std::string& topic, std::size_t data_size) {
  return message_frame_size(message_of(topic, Bytes(data_size), 0));
}

class Run {
 public:
  explicit Run(ByteView bytes)
      : script_(bytes),
        model_{.params = small_params(), .direct = kDirect, .scores = {}},
        scores_(model_),
        router_({small_params(), id_of, {}, nullptr, kDirect, record_of, policies(), &signatures_}, rng_, scores_,
                now_) {
    for (const auto& name : kTopics) model_.topics[name].sizes = small_params().mesh;
  }

  void play() {
    for (std::size_t steps = 0; !script_.done() && steps < kMaxSteps; ++steps) {
      expected_.clear();
      faults_.clear();
      fuzzing::count_event();
      step();
      observe();
      require(sent_ == expected_);
      router_.check();
      require(seen_faults_ == faults_);
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
    expect_hello(peer);
  }
  void expect_hello(const PeerId& peer) {
    had_frame_.erase(peer);
    for (const auto& [name, topic] : model_.topics) {
      if (topic.joined) expected_[peer].subscriptions[name] = {true, model_.own_partial(name)};
    }
    expected_[peer].extensions = model_.peers.at(peer).version == ProtocolVersion::v1_3;
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
    again.topics = before.topics;
    again.spoke = before.spoke;
    again.speaks_partial = before.speaks_partial;
    again.partial = before.partial;
    std::erase_if(again.partial, [](const auto& entry) { return entry.second == PartialUse::none; });
    expect_hello(peer);
  }
  void set_version(const PeerId& peer) {
    const auto known = model_.peers.find(peer);
    if (known == model_.peers.end() || known->second.version != ProtocolVersion::pending) return;
    known->second.version = static_cast<ProtocolVersion>(1 + script_.next() % 5);
    router_.set_version(peer, known->second.version, now_);
    if (known->second.version == ProtocolVersion::v1_3) expected_[peer].extensions = true;
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
      expect_prune(peer, name, model_.params.mesh.prune_backoff, false);
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
    const Peers left = fanout_of(name);  // of one that is too large the router chooses who stays
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
      expected_[id].subscriptions[name] = {true, model_.own_partial(name)};
    }
    const Peers possible = model_.graftable(name, now_.mono);
    const Peers chosen = mesh_of(name);
    require(chosen.size() == std::min(topic.sizes.degree, possible.size()));
    require(std::includes(possible.begin(), possible.end(), chosen.begin(), chosen.end()));
    for (const PeerId& id : topic.fanout) require(!possible.contains(id) || chosen.contains(id));
    for (const PeerId& id : chosen) expected_[id].grafts.insert(name);
    topic.mesh = chosen;
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
    for (const auto& [id, peer] : model_.peers) expected_[id].subscriptions[name] = {false, PartialUse::none};
    for (const PeerId& id : topic.mesh) {
      expect_prune(id, name, length, true);
      model_.back_off(name, id, length, now_.mono);
    }
    topic.mesh.clear();
  }

  void expect_prune(const PeerId& to, const std::string& name, Nanos length, bool exchange) {
    const std::size_t nameable = exchange ? model_.nameable(name, to).size() : 0;
    expected_[to].prunes.emplace(name, model_.told_backoff(to, length),
                                 std::min(nameable, model_.params.mesh.prune_peers));
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
    if (validate) return expect_validation(message, result->request);
    model_.see(id, Seen::accepted, now_.mono);
    spread(message);
  }
  void expect_validation(const Pending& message, RequestId request) {
    model_.see(message.id, Seen::validating, now_.mono);
    model_.pending[request] = message;
    expected_validations_.insert(request);
  }
  void spread(const Pending& message) {
    choose_fanout(message.topic);
    model_.spread(message, expected_);
  }
  void choose_fanout(const std::string& name) {
    KnownTopic& topic = model_.topics[name];
    if (!topic.joined) {  // the fanout is the router's choice
      const Peers possible = model_.choosable(name, model_.params.thresholds.publish);
      const Peers chosen = fanout_of(name);
      const std::size_t wanted = std::min(topic.sizes.degree, possible.size());
      if (topic.fanout.empty()) {
        require(chosen.size() == wanted);
        require(std::includes(possible.begin(), possible.end(), chosen.begin(), chosen.end()));
      } else {
        require(chosen == topic.fanout);
      }
      topic.fanout = chosen;
      if (model_.has_subscribers(name)) topic.published = now_.mono;
    }
  }

  // ---- partial messages ----

  void set_partial(const std::string& name) {
    const auto use = static_cast<PartialUse>(script_.next() % 3);
    require(router_.set_partial(name, use, now_).has_value());
    if (model_.own_partial(name) == use) return;
    model_.partial[name] = use;
    if (use == PartialUse::none) std::erase_if(model_.groups, [&](const auto& e) { return e.first.first == name; });
    if (!model_.topics[name].joined) return;
    for (const auto& [id, peer] : model_.peers) expected_[id].subscriptions[name] = {true, use};
  }
  static Bytes group_of(std::uint8_t n) { return Bytes(n % 3, 9); }
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
    choose_fanout(name);
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
      expected_[id].partials.emplace(name, group, body, metadata);
      if (!metadata.empty()) member.second = metadata;
      if (!body.empty() && becomes) member.first = *becomes;
    }
    require(*result == sent && asked.size() == possible);
  }
  void received_partial(const PeerId& peer, const std::string& name, const Rpc& rpc) {
    const KnownPeer& known = model_.peers.at(peer);
    if (!known.speaks_partial || model_.own_partial(name) == PartialUse::none) return;
    const Bytes group = to_bytes(*rpc.partial->group), metadata = to_bytes(*rpc.partial->metadata);
    const bool has_message = !rpc.partial->message->empty();
    const auto at = model_.groups.find({name, group});
    const bool is_known =
        at != model_.groups.end() && at->second.members.contains(peer) && at->second.members.at(peer).first == metadata;
    if (!has_message && (metadata.empty() || is_known)) return;
    if (at == model_.groups.end()) {
      model_.groups[{name, group}].ends = model_.ticks + model_.params.partial.group_ttl;
    }
    Bytes& newest = model_.groups[{name, group}].members[peer].first;
    if (!metadata.empty()) newest = metadata;
    expected_partials_.emplace(peer, name, group, to_bytes(*rpc.partial->message), metadata);
  }
  void add_extensions(Rpc& rpc, std::uint8_t extra) {
    if (extra % 4 != 0) return;
    rpc.control = rpc.control.value_or(Control{});
    rpc.control->extensions.emplace().partial_messages = extra % 8 == 0;
  }
  void hear_extensions(const PeerId& peer, const Rpc& rpc) {
    KnownPeer& known = model_.peers.at(peer);
    const bool said = rpc.control && rpc.control->extensions;
    if (said && known.spoke) {
      for (unsigned i = 0; i < 10; ++i) faults_.emplace(peer, FaultKind::repeated_extensions);
    } else if (said) {
      known.speaks_partial = *rpc.control->extensions->partial_messages;
    }
    known.spoke = true;
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
                                                   : ValidationResult::accept;
    require(router_.on_validation(request, verdict, now_) && !router_.on_validation(request, verdict, now_));
    if (Seen* known = model_.find_seen(message.id, now_.mono))
      *known = verdict == ValidationResult::accept ? Seen::accepted : Seen::refused;
    const bool own = message.from.empty();
    if (verdict == ValidationResult::reject && !own) faults_.emplace(message.from, FaultKind::invalid_message);
    if (verdict != ValidationResult::accept || (!own && !model_.topics[message.topic].joined)) return;
    if (!own && model_.topics[message.topic].subscribed) expected_deliveries_.insert(message.id);
    spread(message);
  }

  // ---- what peers say ----

  void rpc(const PeerId& peer, const std::string& topic, std::uint8_t kind) {
    const Bytes data = data_of(script_.next() % 12);
    const MessageId id = id_of(topic, data);
    Rpc rpc;
    std::vector<PeerId> named;
    const std::uint8_t authorship = kind / 14;
    const std::uint8_t extra = script_.next();
    const Bytes group = group_of(extra / 4), metadata(extra >> 2 & 3, extra >> 4 & 1);
    switch (kind % 14) {
      case 0: rpc.subscriptions.push_back({false, topic, {}, {}}); break;
      case 1:
      case 2: rpc.subscriptions.push_back({true, topic, (extra & 16) != 0, (extra & 32) != 0}); break;
      case 3:
      case 4:
      case 5: rpc.control.emplace().graft.push_back({topic}); break;
      case 6: {
        const auto seconds = kind < 128 ? std::optional<std::uint64_t>(kind) : std::nullopt;
        Prune& prune = rpc.control.emplace().prune.emplace_back(Prune{topic, {}, seconds});
        for (std::size_t left = script_.next() % 4; left > 0; --left) {
          named.push_back(peer_id(script_.next() % (2 * kPeers)));
        }
        for (const PeerId& other : named) prune.peers.push_back({other.bytes(), other.bytes()});
        break;
      }
      case 7:
      case 8: rpc.control.emplace().ihave.push_back({topic, {id.bytes()}}); break;
      case 9: rpc.control.emplace().iwant.push_back({{id.bytes()}}); break;
      case 10: rpc.control.emplace().idontwant.push_back({{id.bytes()}}); break;
      case 11:
        rpc.partial = Partial{topic, ByteView(group), ByteView(data).first(authorship % 2), ByteView(metadata)};
        break;
      default: rpc.publish.push_back(message_of(topic, data, authorship)); break;
    }
    add_extensions(rpc, extra);
    require(router_.on_frame(peer, encode_frame(rpc), now_).has_value());
    KnownPeer& known = model_.peers.at(peer);
    const bool is_heard = model_.score(peer) >= model_.params.thresholds.graylist;
    if (kind % 14 > 2 && !is_heard) return;
    if (is_heard) hear_extensions(peer, rpc);
    switch (kind % 14) {
      case 0: return model_.leave(peer, topic);
      case 1:
      case 2: known.topics.insert(topic); return hear_use(known, topic, extra);
      case 3:
      case 4:
      case 5: return grafted(peer, topic);
      case 6: return pruned(peer, topic, rpc.control->prune[0].backoff.value_or(0), named);
      case 7:
      case 8: return offered(peer, topic, id);
      case 9: return asked(peer, id);
      case 10: known.unwanted[id] = model_.ticks; return;
      case 11: return received_partial(peer, topic, rpc);
      default: return received(peer, topic, id, data.size(), authorship);
    }
  }

  static void hear_use(KnownPeer& known, const std::string& topic, std::uint8_t extra) {
    const PartialUse use = (extra & 16) != 0   ? PartialUse::requests
                           : (extra & 32) != 0 ? PartialUse::supports
                                               : PartialUse::none;
    if (use != PartialUse::none || known.partial.contains(topic)) known.partial[topic] = use;
  }
  void grafted(const PeerId& peer, const std::string& name) {
    KnownTopic& topic = model_.topics[name];
    const KnownPeer& known = model_.peers.at(peer);
    if (!topic.joined || known.version == ProtocolVersion::floodsub || topic.mesh.contains(peer)) return;
    const Nanos length = model_.params.mesh.prune_backoff;
    if (model_.direct.contains(peer)) {
      faults_.emplace(peer, FaultKind::direct_graft);
      return expect_prune(peer, name, length, false);
    }
    const bool early = model_.in_backoff(name, peer, now_.mono, Nanos(0));
    const auto unproven = [&](const PeerId& id) { return !router_.is_proven(id, now_.mono); };
    const bool full = topic.mesh.size() >= topic.sizes.high && known.direction == Direction::inbound &&
                      (unproven(peer) || std::none_of(topic.mesh.begin(), topic.mesh.end(), unproven));
    if (early) {
      faults_.emplace(peer, FaultKind::graft_in_backoff);
      const MonoTime told = topic.backoff.at(peer) - length;
      if (now_.mono < told + model_.params.mesh.graft_flood_threshold) faults_.emplace(peer, FaultKind::graft_flood);
    }
    if (early || full || model_.score(peer) < 0) {
      expect_prune(peer, name, length, !early && model_.score(peer) >= 0);
      return model_.back_off(name, peer, length, now_.mono);
    }
    topic.mesh.insert(peer);
  }
  void pruned(const PeerId& peer, const std::string& name, std::uint64_t seconds, std::vector<PeerId> named) {
    KnownTopic& topic = model_.topics[name];
    if (!topic.joined) return;
    topic.mesh.erase(peer);
    model_.back_off(name, peer, seconds == 0 ? model_.params.mesh.prune_backoff : Nanos(Seconds(seconds)), now_.mono);
    KnownPeer& known = model_.peers.at(peer);
    const std::size_t most =
        model_.score(peer) < model_.params.thresholds.accept_px ? 0 : model_.params.mesh.max_named_taken - known.named;
    if (named.size() > most) {  // the router's choice, among those that are named
      for (const PeerId& other : named) may_dial_.insert(other);
      known.named += most;
      if (most != 0) return;
      return may_dial_.clear();
    }
    known.named += named.size();
    for (const PeerId& other : named) {
      if (!model_.peers.contains(other)) expected_dials_.insert(other);
    }
  }
  void offered(const PeerId& peer, const std::string& topic, const MessageId& id) {
    KnownPeer& known = model_.peers.at(peer);
    if (model_.score(peer) < model_.params.thresholds.gossip) return;
    if (++known.ihaves > model_.params.gossip.max_ihave_messages) {
      if (known.ihaves == model_.params.gossip.max_ihave_messages + 1) faults_.emplace(peer, FaultKind::ihave_flood);
      return;
    }
    if (!model_.topics[topic].joined || model_.find_seen(id, now_.mono) != nullptr) return;
    expected_[peer].iwant.insert(id);
    model_.promises.try_emplace({id, peer}, now_.mono + model_.params.gossip.iwant_followup);
  }
  void asked(const PeerId& peer, const MessageId& id) {
    KnownPeer& known = model_.peers.at(peer);
    if (model_.score(peer) < model_.params.thresholds.gossip) return;
    if (!model_.cached(id, model_.params.gossip.history_windows) || known.unwanted.contains(id)) return;
    if (known.served[id]++ < model_.params.gossip.retransmissions) expected_[peer].messages.insert(id);
  }
  void received(const PeerId& peer, const std::string& name, const MessageId& id, std::size_t size,
                std::uint8_t authorship) {
    if (!model_.topics[name].joined) return;
    const bool is_signed = name == kSigned;
    const bool by_author = authorship == 1 ? !is_signed : is_signed && authorship != 3;
    if (by_author && model_.blacklist.contains(peer_id(200))) return;
    if (authorship == 1) {
      faults_.emplace(peer, is_signed ? FaultKind::missing_signature : FaultKind::unexpected_author);
      return;
    }
    if (size > model_.topics[name].max_data) {
      faults_.emplace(peer, FaultKind::too_large_message);
      return;
    }
    if (model_.find_seen(id, now_.mono) != nullptr) {
      // Who has it need not get it from us; of several validations the last one counts.
      for (auto at = model_.pending.rbegin(); at != model_.pending.rend(); ++at) {
        if (at->second.id != id) continue;
        at->second.holders.insert(peer);
        break;
      }
      return;
    }
    if (is_signed && authorship == 2) {
      faults_.emplace(peer, FaultKind::invalid_signature);
      return;
    }
    if (is_signed && authorship == 3) return;
    model_.fulfil(id);
    if (size >= model_.params.gossip.idontwant_threshold) {
      Peers told = model_.topics[name].mesh;
      for (const PeerId& other : model_.direct) {
        if (!model_.gets_all(other) || !model_.peers.contains(other)) continue;
        if (model_.peers.at(other).topics.contains(name)) told.insert(other);
      }
      for (const PeerId& other : told) {
        if (other == peer || model_.peers.at(other).version < ProtocolVersion::v1_2) continue;
        if (!model_.sends_parts(other, name)) expected_[other].idontwant.insert(id);
      }
    }
    expect_validation({name, id, peer, {peer}}, ++last_request_);
  }

  // ---- time ----

  void beat() {
    now_ = now_ + model_.params.heartbeat + Millis(script_.next() * 8);
    router_.on_timeout(now_);
    std::erase_if(model_.blacklist, [&](const auto& entry) { return entry.second <= now_.mono; });
    if (model_.ticks % model_.params.direct_connect_ticks == 0) {
      for (const PeerId& id : model_.direct) {
        if (!model_.peers.contains(id) && !model_.blacklist.contains(id)) expected_dials_.insert(id);
      }
    }
    ++model_.ticks;
    for (auto& [id, peer] : model_.peers) {
      peer.ihaves = 0;
      peer.named = 0;
      std::erase_if(peer.unwanted, [&](const auto& entry) {
        return entry.second + model_.params.gossip.idontwant_ttl <= model_.ticks;
      });
    }
    std::erase_if(model_.promises, [&](const auto& entry) {
      if (now_.mono <= entry.second) return false;
      faults_.emplace(entry.first.second, FaultKind::broken_promise);
      return true;
    });
    std::erase_if(model_.groups, [&](const auto& entry) { return entry.second.ends <= model_.ticks; });
    --model_.ticks;  // gossip is of the windows before the shift
    for (auto& [name, topic] : model_.topics) {
      if (topic.joined) {
        mesh_upkeep(name, topic);
        gossip(name, topic.mesh);
      } else if (topic.published) {
        fanout_upkeep(name, topic);
      }
    }
    ++model_.ticks;
  }
  void mesh_upkeep(const std::string& name, KnownTopic& topic) {
    const MeshSizes& params = topic.sizes;
    const Nanos backoff = model_.params.mesh.prune_backoff;
    for (const PeerId& id : Peers(topic.mesh)) {
      if (model_.score(id) >= 0) continue;
      topic.mesh.erase(id);
      expect_prune(id, name, backoff, false);
      model_.back_off(name, id, backoff, now_.mono);
    }
    const Peers before = topic.mesh;
    const Peers after = mesh_of(name);
    const Peers possible = model_.graftable(name, now_.mono);
    Peers gone, come;
    std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::inserter(gone, gone.end()));
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::inserter(come, come.end()));
    require(std::includes(possible.begin(), possible.end(), come.begin(), come.end()));
    const std::size_t dialled = model_.outbound(possible);
    if (before.size() < params.low) {
      const std::size_t filled = std::min(params.degree - before.size(), possible.size());
      require(gone.empty() && come.size() >= filled && come.size() <= filled + params.outbound);
    } else {
      const bool excess = before.size() >= params.high;
      require(gone.size() == (excess ? before.size() - params.degree : 0) && come.size() <= params.outbound);
    }
    if (after.size() >= params.low) {
      require(model_.outbound(after) >= std::min(params.outbound, model_.outbound(before) + dialled));
    }
    for (const PeerId& id : gone) {
      expect_prune(id, name, backoff, true);
      model_.back_off(name, id, backoff, now_.mono);
    }
    for (const PeerId& id : come) expected_[id].grafts.insert(name);
    topic.mesh = after;
  }
  void fanout_upkeep(const std::string& name, KnownTopic& topic) {
    const Peers after = fanout_of(name);
    if (*topic.published + model_.params.mesh.fanout_ttl < now_.mono) {
      require(after.empty());
      topic.fanout.clear();
      topic.published.reset();
      return;
    }
    const Peers possible = model_.choosable(name, model_.params.thresholds.publish);
    std::erase_if(topic.fanout, [&](const PeerId& id) { return !possible.contains(id); });
    require(std::includes(after.begin(), after.end(), topic.fanout.begin(), topic.fanout.end()));
    require(std::includes(possible.begin(), possible.end(), after.begin(), after.end()));
    require(after.size() == std::min(topic.sizes.degree, possible.size()));
    topic.fanout = after;
    gossip(name, topic.fanout);
  }
  // The router chooses whom; what and how many is fixed.
  void gossip(const std::string& name, const Peers& excluded) {
    Ids ids;
    for (const auto& [id, entry] : model_.cache) {
      if (entry.topic == name && model_.cached(id, model_.params.gossip.gossip_windows)) ids.insert(id);
    }
    Peers possible = model_.choosable(name, model_.params.thresholds.gossip);
    std::erase_if(possible, [&](const PeerId& id) { return excluded.contains(id); });
    const auto share =
        static_cast<std::size_t>(model_.params.mesh.gossip_factor * static_cast<double>(possible.size()));
    const bool in_parts = !model_.groups.empty() && model_.own_partial(name) != PartialUse::none;
    std::size_t left =
        ids.empty() && !in_parts ? 0 : std::min(possible.size(), std::max(model_.params.mesh.lazy, share));
    look();
    const std::size_t told = in_parts ? partial_gossip(name, possible) : 0;
    require(told <= left);
    left -= told;
    std::size_t unseen = 0;  // may be among the chosen: there was nothing to say to them
    for (const PeerId& id : possible) {
      if (ids.empty() || (in_parts && model_.takes_parts(id, name))) {
        ++unseen;
        continue;
      }
      const auto found = sent_.find(id);
      if (left == 0 || found == sent_.end() || !found->second.ihave.contains(name)) continue;
      expected_[id].ihave[name] = ids;
      --left;
    }
    require(left <= unseen);
  }
  // Who is named by PartialGossip, each with all groups of ours that it has not heard of: it is in them now.
  std::size_t partial_gossip(const std::string& name, const Peers& possible) {
    std::map<PeerId, std::set<Bytes>> named;
    for (const Action& action : actions_) {
      const auto* gossip = std::get_if<PartialGossip>(&action);
      if (gossip == nullptr || gossip->topic != name) continue;
      for (const PeerId& id : gossip->peers) require(named[id].insert(gossip->group).second);
    }
    for (const auto& [id, groups] : named) {
      require(possible.contains(id) && model_.takes_parts(id, name));
      std::set<Bytes> missing;
      for (auto& [key, group] : model_.groups) {
        if (key.first == name && group.is_own && group.members.try_emplace(id).second) missing.insert(key.second);
      }
      require(groups == missing);
    }
    return named.size();
  }

  // ---- what the router did ----

  Peers mesh_of(const std::string& topic) const {
    const auto mesh = router_.mesh(topic);
    return {mesh.begin(), mesh.end()};
  }
  Peers fanout_of(const std::string& topic) const {
    const auto fanout = router_.fanout(topic);
    return {fanout.begin(), fanout.end()};
  }

  void look() {
    while (auto action = router_.poll_action()) actions_.push_back(std::move(*action));
    for (std::size_t n = 0; n < kPeers; ++n) {
      while (const auto frame = router_.next_frame(peer_id(n))) add_frame(peer_id(n), *frame);
    }
  }
  void add_frame(const PeerId& to, const SharedBytes& frame) {
    Sent& sent = sent_[to];
    const auto rpc = decode_frame(frame, RpcLimits{});
    require(rpc.has_value());
    for (const auto& s : rpc->subscriptions) {
      const PartialUse use = s.requests_partial.value_or(false)           ? PartialUse::requests
                             : s.supports_sending_partial.value_or(false) ? PartialUse::supports
                                                                          : PartialUse::none;
      sent.subscriptions[std::string(*s.topic)] = {*s.subscribe, use};
    }
    if (rpc->partial) {
      const Partial& partial = *rpc->partial;
      sent.partials.emplace(std::string(*partial.topic), to_bytes(*partial.group),
                            to_bytes(partial.message.value_or(ByteView())),
                            to_bytes(partial.metadata.value_or(ByteView())));
    }
    // While the version is pending there is no stream to write to; here it is drained all the same.
    const auto known = model_.peers.find(to);
    const bool is_open = known == model_.peers.end() || known->second.version != ProtocolVersion::pending;
    const bool is_first = !is_open || had_frame_.insert(to).second;
    if (rpc->control && rpc->control->extensions) {
      require(is_first && rpc->control->extensions->partial_messages == true);
      sent.extensions = true;
    }
    for (const auto& m : rpc->publish) {
      const bool is_signed = m.signature && equal(*m.signature, kSignature) && m.from && m.seqno;
      require(*m.topic == kSigned ? is_signed : m.anonymous());
      sent.messages.insert(id_of(*m.topic, *m.data));
    }
    if (!rpc->control) return;
    const auto add = [](Ids& to, const auto& entries) {
      for (const auto& entry : entries) {
        for (const auto& id : entry.ids) to.insert(*MessageId::from(id));
      }
    };
    add(sent.iwant, rpc->control->iwant);
    add(sent.idontwant, rpc->control->idontwant);
    for (const auto& ihave : rpc->control->ihave) add(sent.ihave[std::string(*ihave.topic)], std::vector{ihave});
    for (const auto& graft : rpc->control->graft) sent.grafts.emplace(*graft.topic);
    for (const auto& prune : rpc->control->prune) {
      sent.prunes.emplace(std::string(*prune.topic), prune.backoff, prune.peers.size());
      Peers nameable = prune.peers.empty() ? Peers() : model_.nameable(std::string(*prune.topic), to);
      for (const PeerInfo& info : prune.peers) {
        const PeerId named = PeerId::from_bytes(*info.peer_id).value();
        require(nameable.erase(named) == 1 && equal(*info.signed_peer_record, record_of(named)));
      }
    }
  }

  void observe() {
    seen_faults_.clear();
    std::set<RequestId> validations;
    std::multiset<MessageId> deliveries;
    std::multiset<PeerId> dials;
    PartialsOfStep partials;
    look();
    for (const Action& done : actions_) {
      const Action* const action = &done;
      if (const auto* got = std::get_if<PartialReceived>(&*action)) {
        partials.emplace(got->peer, got->topic, got->group, to_bytes(got->message.view()),
                         to_bytes(got->metadata.view()));
      }
      if (const auto* validate = std::get_if<Validate>(&*action)) {
        validations.insert(validate->request);
        last_request_ = std::max(last_request_, validate->request);
        const auto waiting = model_.pending.find(validate->request);
        require(waiting != model_.pending.end() && waiting->second.id == validate->id &&
                waiting->second.from == validate->from);
      }
      if (const auto* deliver = std::get_if<Deliver>(&*action)) deliveries.insert(deliver->id);
      if (const auto* connect = std::get_if<Connect>(&*action)) {
        if (!may_dial_.contains(connect->peer)) dials.insert(connect->peer);
        require(connect->named_by.empty() ? connect->record.empty() : equal(connect->record, record_of(connect->peer)));
      }
      if (const auto* fault = std::get_if<Fault>(&*action)) {
        for (unsigned i = 0; i < fault->count; ++i) seen_faults_.emplace(fault->peer, fault->kind);
      }
    }
    require(validations == expected_validations_ && deliveries == expected_deliveries_);
    require(dials == expected_dials_ && partials == expected_partials_);
    actions_.clear();
    expected_partials_.clear();
    expected_dials_.clear();
    may_dial_.clear();
    expected_validations_.clear();
    expected_deliveries_.clear();
    std::erase_if(sent_, [](const auto& entry) { return entry.second.empty(); });
    std::erase_if(expected_, [](const auto& entry) { return entry.second.empty(); });
  }

  void check_state() {
    sent_.clear();
    for (const auto& name : kTopics) {
      require(mesh_of(name) == model_.topics[name].mesh && fanout_of(name) == model_.topics[name].fanout);
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
  Output expected_, sent_;
  std::multiset<std::pair<PeerId, FaultKind>> faults_, seen_faults_;
  std::set<RequestId> expected_validations_;
  std::multiset<MessageId> expected_deliveries_;
  std::multiset<PeerId> expected_dials_;
  using PartialsOfStep = std::multiset<std::tuple<PeerId, std::string, Bytes, Bytes, Bytes>>;
  PartialsOfStep expected_partials_;
  std::vector<Action> actions_;  // of the step so far
  Peers had_frame_;
  Peers may_dial_;
  RequestId last_request_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(ByteView(data, size)).play();
  return 0;
}

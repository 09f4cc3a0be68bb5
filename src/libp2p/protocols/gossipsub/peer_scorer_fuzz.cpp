// The same events on the scorer and on a naive model, which keeps everything by name and computes each score from the
// text of the specification: after each event every score, what is shown of it, and who is kept must agree. Few peers,
// messages and addresses, and small bounds, so that they meet often.
#include <cmath>
#include <set>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "libp2p/protocols/gossipsub/peer_scorer_model_test.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::gossipsub;
using namespace libp2p::gossipsub::score_model;
using libp2p::fuzzing::require;
using libp2p::fuzzing::Script;

constexpr std::size_t kMaxSteps = 2000;
constexpr std::size_t kPeers = 7;
constexpr std::size_t kMessages = 12;
constexpr std::size_t kMaxRecords = 6;
constexpr std::size_t kCounts = 16;
constexpr std::size_t kMaxRetained = 2;
constexpr Nanos kRecordTtl = Seconds(9);
const std::string kTopics[] = {"a", "b", "unscored"};

PeerId peer_id(std::size_t n) { return PeerId::from_bytes(Bytes{0x00, 0x01, static_cast<std::uint8_t>(n)}).value(); }
MessageId message_id(std::size_t n) { return *MessageId::from(Bytes(20, static_cast<std::uint8_t>(n))); }

// Addresses and the places that count for each, by name.
struct KnownAddress {
  const char* text;
  bool limited;
  std::vector<std::string> places;
};
const KnownAddress kAddresses[] = {
    {"/ip4/198.51.100.1/tcp/1", false, {"198.51.100.1"}},
    {"/ip4/198.51.100.1/udp/1/quic-v1", false, {"198.51.100.1"}},
    {"/ip4/198.51.100.2/tcp/1", false, {"198.51.100.2"}},
    {"/ip6/2001:db8::1/tcp/1", false, {"2001:db8::1", "2001:db8::"}},
    {"/ip6/2001:db8::2/tcp/1", false, {"2001:db8::2", "2001:db8::"}},
    {"/ip6/2001:db8::/tcp/1", false, {"2001:db8::"}},
    {"/ip4/10.0.0.1/tcp/1", false, {}},  // allowed
    {"/ip4/127.0.0.1/tcp/1", false, {}},
    {"/ip4/198.51.100.1/tcp/1", true, {}},
};

TopicScoreParams topic_params(double scale) {
  TopicScoreParams t;
  t.topic_weight = scale;
  t.time_in_mesh_weight = 0.25;
  t.time_in_mesh_quantum = Millis(700);
  t.time_in_mesh_cap = 9;
  t.first_message_deliveries_weight = 2;
  t.first_message_deliveries_decay = 0.7;
  t.first_message_deliveries_cap = 5;
  t.mesh_message_deliveries_weight = -0.5;
  t.mesh_message_deliveries_decay = 0.8;
  t.mesh_message_deliveries_cap = 6;
  t.mesh_message_deliveries_threshold = 4;
  t.mesh_message_deliveries_window = Millis(300);
  t.mesh_message_deliveries_activation = Seconds(3);
  t.mesh_failure_penalty_weight = -0.25;
  t.mesh_failure_penalty_decay = 0.6;
  t.invalid_message_deliveries_weight = -3;
  t.invalid_message_deliveries_decay = 0.75;
  return t;
}

PeerScoreParams scorer_params() {
  PeerScoreParams p;
  p.topics["a"] = topic_params(1);
  p.topics["b"] = topic_params(0.5);
  p.topic_score_cap = 11;
  p.app_specific_weight = 0.5;
  p.ip_colocation_factor_weight = -1.5;
  p.ip_colocation_factor_threshold = 1;
  p.ip_colocation_factor_allow_list = {Cidr::from_text("10.0.0.0/8").value()};
  p.behaviour_penalty_weight = -2;
  p.behaviour_penalty_threshold = 3;
  p.behaviour_penalty_decay = 0.5;
  p.decay_to_zero = 0.1;
  p.retain_score = Seconds(6);
  p.seen_msg_ttl = kRecordTtl;
  p.max_delivery_records = kMaxRecords;
  p.max_retained = kMaxRetained;
  p.max_record_senders = kPeers;
  return p;
}

class Run : DeliveryObserver {
 public:
  explicit Run(ByteView bytes)
      : script_(bytes),
        model_(scorer_params()),
        scorer_(scorer_params(), 3, now_, [this](const PeerId&) { return asked_; }) {
    scorer_.set_observer(this);
  }

  void play() {
    for (std::size_t steps = 0; !script_.done() && steps < kMaxSteps; ++steps) {
      fuzzing::count_event();
      told_.clear();
      model_.told.clear();
      step();
      require(told_ == model_.told);
      scorer_.check();
      compare();
    }
  }

 private:
  void step() {
    const std::uint8_t what = script_.next();
    const PeerId peer = peer_id(script_.next() % kPeers);
    switch (what % 16) {
      case 0: return what < 192 ? set_addresses(peer) : set_topic_params();
      case 1: scorer_.on_peer_removed(peer, now_); return model_.remove(peer, now_.mono);
      case 2: return what < 192 ? penalise(peer) : clear(peer);
      case 3: return what < 192 ? set_application_score(peer) : take_back();
      case 4:
      case 5: now_ = now_ + Millis(script_.next() * 10); return;
      case 6:
      case 7: return decay();
      case 8:
      case 9: return add(peer);
      default: return in_topic(peer, kTopics[std::min<std::size_t>(script_.next() % 8 / 3, 2)]);
    }
  }

  void add(const PeerId& peer) {
    asked_ = script_.next() % 8 == 0 ? -4 : 0;
    const bool known = model_.peers.contains(peer) && model_.peers.at(peer).connected;
    if (known) asked_ = model_.peers.at(peer).application;
    scorer_.on_peer_added(peer, now_);
    model_.add(peer, asked_);
  }
  void set_addresses(const PeerId& peer) {
    std::vector<PeerAddress> addresses;
    std::set<std::string> places;
    for (std::size_t count = script_.next() % 4; count > 0; --count) {
      const KnownAddress& address = kAddresses[script_.next() % std::size(kAddresses)];
      addresses.push_back({Multiaddr::from_text(address.text).value(), address.limited});
      places.insert(address.places.begin(), address.places.end());
    }
    scorer_.on_addresses(peer, addresses, now_);
    const auto found = model_.peers.find(peer);
    if (found != model_.peers.end() && found->second.connected) found->second.places = places;
  }
  // Also of a topic that was not scored before. What breaks a rule changes nothing.
  void set_topic_params() {
    const std::string& name = kTopics[script_.next() % std::size(kTopics)];
    TopicScoreParams to = topic_params(static_cast<double>(1 + script_.next() % 3) / 2);
    to.first_message_deliveries_cap = 1 + script_.next() % 8;
    to.mesh_message_deliveries_cap = 2 + script_.next() % 8;  // below 4, the threshold, is not allowed
    const bool valid = to.mesh_message_deliveries_cap >= to.mesh_message_deliveries_threshold;
    require(scorer_.set_topic_params(name, to).has_value() == valid);
    if (valid) model_.set_topic(name, to);
  }
  void penalise(const PeerId& peer) {
    const unsigned count = script_.next() % 5;
    scorer_.on_penalty(peer, count, now_);
    if (model_.peers.contains(peer)) model_.peers.at(peer).penalty += count;
  }
  void set_application_score(const PeerId& peer) {
    const double value = static_cast<double>(script_.next()) / 8 - 20;
    scorer_.set_application_score(peer, value);
    if (model_.peers.contains(peer)) model_.peers.at(peer).application = value;
  }
  void clear(const PeerId& peer) {
    scorer_.clear(peer);
    model_.clear(peer);
  }
  void take_back() {
    if (counts_.empty()) return;
    const Count& count = counts_[script_.next() % counts_.size()];
    scorer_.take_back(count.count);
    model_.take_back(count.life, count.topic, count.decays);
  }
  void decay() {
    const auto due = scorer_.next_deadline();
    require(due.has_value());
    scorer_.on_timeout(now_);
    if (now_.mono >= *due) model_.decay(now_.mono);
    require(*scorer_.next_deadline() > now_.mono);
  }

  void in_topic(const PeerId& peer, const std::string& topic) {
    const std::uint8_t what = script_.next();
    const bool own = what >= 240;
    const PeerId from = own ? PeerId() : peer;
    const MessageId id = message_id(script_.next() % kMessages);
    switch (what % 8) {
      case 0: return graft(peer, topic);
      case 1: return prune(peer, topic);
      case 2:
        scorer_.on_validation_begun(peer, topic, id, now_);
        if (model_.params.topics.contains(topic)) model_.record(id, now_.mono);
        return;
      case 3:
      case 4: scorer_.on_delivered(from, topic, id, now_); return model_.deliver(from, topic, id, now_.mono);
      case 5: {
        const auto cause = static_cast<RejectCause>(script_.next() % 12);
        scorer_.on_rejected(from, topic, id, cause, now_);
        return model_.reject(from, topic, id, cause, now_.mono);
      }
      default: scorer_.on_duplicate(peer, topic, id, now_); return model_.duplicate(peer, topic, id, now_.mono);
    }
  }
  void graft(const PeerId& peer, const std::string& name) {
    scorer_.on_graft(peer, name, now_);
    if (!model_.peers.contains(peer) || !model_.peers.at(peer).connected) return;
    if (ModelTopic* topic = model_.topic_of(peer, name)) {
      topic->in_mesh = true;
      topic->active = false;
      topic->grafted = now_.mono;
      topic->mesh_time = Nanos(0);
    }
  }
  void prune(const PeerId& peer, const std::string& name) {
    scorer_.on_prune(peer, name, now_);
    if (ModelTopic* topic = model_.topic_of(peer, name)) {
      topic->failures += model_.shortfall(name, *topic);
      topic->in_mesh = false;
    }
  }

  void on_valid(const PeerId& peer, std::string_view, const MessageId&, Now) override { told_.emplace(peer, true); }
  void on_invalid(const PeerId& peer, std::string_view topic, const MessageId&, RejectCause, const InvalidCount& count,
                  Now) override {
    told_.emplace(peer, false);
    const ModelPeer& of = model_.peers.at(peer);
    if (counts_.size() == kCounts) counts_.erase(counts_.begin());
    counts_.push_back({count, of.life, std::string(topic), of.decays});
  }

  static bool same(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(1.0, std::abs(b)); }

  void compare() {
    const auto sizes = scorer_.sizes();
    require(sizes.connected + sizes.retained == model_.peers.size() && sizes.retained == model_.retained());
    for (std::size_t n = 0; n < kPeers; ++n) {
      const PeerId id = peer_id(n);
      require(same(scorer_.score(id), model_.score(id)));
      const auto shown = scorer_.snapshot_of(id);
      require(shown.has_value() == model_.peers.contains(id));
      if (shown) compare(*shown, model_.peers.at(id));
    }
    scorer_.snapshot(snapshot_);
    require(snapshot_.peers.size() == sizes.connected);
    scorer_.snapshot(snapshot_, PeerScorer::Shown::and_those_away);
    require(snapshot_.peers.size() == model_.peers.size() && snapshot_.topics.size() == model_.params.topics.size());
    for (const PeerScoreParts& peer : snapshot_.peers) {
      require(peer.score == scorer_.score(peer.peer));
      require(peer.topics.empty() || peer.topics.size() == snapshot_.topics.size());
    }
  }
  void compare(const PeerScoreParts& shown, const ModelPeer& peer) {
    require(shown.connected == peer.connected);
    require(same(shown.behaviour.value, peer.penalty) && shown.application.value == peer.application);
    require(same(shown.ip_colocation.value, model_.colocation(peer)));
    double topics = 0;
    for (std::size_t n = 0; n < shown.topics.size(); ++n) {
      const auto found = peer.topics.find(kTopics[n]);
      const ModelTopic topic = found == peer.topics.end() ? ModelTopic() : found->second;
      const TopicScoreParts& of = shown.topics[n];
      require(of.in_mesh == topic.in_mesh && of.time_in_mesh == (topic.in_mesh ? topic.mesh_time : Nanos(0)));
      require(same(of.first_deliveries.value, topic.first) && same(of.mesh_deliveries.value, topic.mesh));
      require(same(of.mesh_failures.value, topic.failures) && same(of.invalid_deliveries.value, topic.invalid));
      require(same(of.total, model_.topic_score(kTopics[n], topic)));
      topics += of.total;
    }
    require(same(shown.topics_total, std::min(topics, model_.params.topic_score_cap)));
    require(shown.score ==
            shown.topics_total + shown.application.weighted + shown.ip_colocation.weighted + shown.behaviour.weighted);
  }

  Script script_;
  Now now_{MonoTime(Seconds(1)), UnixTime(Seconds(1))};
  double asked_ = 0;
  Model model_;
  PeerScorer scorer_;
  ScoreSnapshot snapshot_;
  struct Count {
    InvalidCount count;
    std::size_t life;
    std::string topic;
    std::size_t decays;
  };
  std::vector<Count> counts_;  // of P4, the last ones
  std::multiset<std::pair<PeerId, bool>> told_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(ByteView(data, size)).play();
  return 0;
}

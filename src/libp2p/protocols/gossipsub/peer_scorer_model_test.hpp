// A naive model of the score function for peer_scorer_fuzz.cpp: everything is kept by name, and each score is computed
// anew from the text of the specification, with what go-libp2p-pubsub adds to it (peer_scorer.cpp).
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "libp2p/protocols/gossipsub/score_params.hpp"
#include "libp2p/protocols/gossipsub/scores.hpp"

namespace libp2p::gossipsub::score_model {

struct ModelTopic {
  bool in_mesh = false, active = false;
  MonoTime grafted{};
  Nanos mesh_time{};
  double first = 0, mesh = 0, failures = 0, invalid = 0;
};
struct ModelPeer {
  std::size_t life = 0;  // a peer that was forgotten and is back is another one
  bool connected = true;
  MonoTime expires{};
  double left_with = 0;
  double application = 0, penalty = 0;
  std::size_t decays = 0;
  std::set<std::string> places;
  std::map<std::string, ModelTopic> topics;
};
struct ModelRecord {
  MonoTime expires{};
  std::size_t age = 0;
  std::optional<RejectCause> refused;
  std::optional<MonoTime> validated;
  std::set<std::size_t> senders;  // lives
};

class Model {
 public:
  explicit Model(PeerScoreParams of) : params(std::move(of)) {}

  double topic_score(const std::string& name, const ModelTopic& topic) const {
    const TopicScoreParams& p = params.topics.at(name);
    double sum = 0;
    if (topic.in_mesh)
      sum += p.time_in_mesh_weight *
             std::min(static_cast<double>(topic.mesh_time / p.time_in_mesh_quantum), p.time_in_mesh_cap);
    sum += p.first_message_deliveries_weight * topic.first;
    sum += p.mesh_message_deliveries_weight * shortfall(name, topic);
    sum += p.mesh_failure_penalty_weight * topic.failures;
    sum += p.invalid_message_deliveries_weight * topic.invalid * topic.invalid;
    return sum * p.topic_weight;
  }
  double shortfall(const std::string& name, const ModelTopic& topic) const {
    const double threshold = params.topics.at(name).mesh_message_deliveries_threshold;
    return topic.active && topic.mesh < threshold ? (threshold - topic.mesh) * (threshold - topic.mesh) : 0;
  }
  double colocation(const ModelPeer& of) const {
    double sum = 0;
    for (const auto& place : of.places) {
      double there = 0;
      for (const auto& [id, peer] : peers) there += peer.places.contains(place) ? 1 : 0;
      const double surplus = there - static_cast<double>(params.ip_colocation_factor_threshold);
      if (surplus > 0) sum += surplus * surplus;
    }
    return sum;
  }
  double score(const PeerId& id) const {
    const auto found = peers.find(id);
    if (found == peers.end()) return 0;
    const ModelPeer& peer = found->second;
    double sum = 0;
    for (const auto& [name, topic] : peer.topics) sum += topic_score(name, topic);
    sum = std::min(sum, params.topic_score_cap);
    sum += params.app_specific_weight * peer.application;
    sum += params.ip_colocation_factor_weight * colocation(peer);
    const double excess = peer.penalty - params.behaviour_penalty_threshold;
    if (excess > 0) sum += params.behaviour_penalty_weight * excess * excess;
    return sum;
  }

  void add(const PeerId& id, double application) {
    const auto [at, fresh] = peers.try_emplace(id);
    if (fresh) at->second.life = ++lives;
    at->second.connected = true;
    at->second.application = application;
  }
  void remove(const PeerId& id, MonoTime now) {
    const auto found = peers.find(id);
    if (found == peers.end() || !found->second.connected) return;
    if (score(id) > 0) {
      peers.erase(found);
      return;
    }
    ModelPeer& peer = found->second;
    for (auto& [name, topic] : peer.topics) {
      topic.first = 0;
      if (topic.in_mesh) topic.failures += shortfall(name, topic);
      topic.in_mesh = false;
    }
    peer.connected = false;
    peer.expires = now + params.retain_score;
    peer.left_with = score(id);
    while (retained() > params.max_retained) peers.erase(first_to_forget());
  }
  std::size_t retained() const {
    std::size_t count = 0;
    for (const auto& [id, peer] : peers) count += peer.connected ? 0 : 1;
    return count;
  }

  ModelTopic* topic_of(const PeerId& id, const std::string& name) {
    const auto found = peers.find(id);
    if (found == peers.end() || !params.topics.contains(name)) return nullptr;
    return &found->second.topics[name];
  }
  void count_mesh(std::size_t life, const std::string& name) {
    for (auto& [id, peer] : peers) {
      const auto topic = peer.topics.find(name);
      if (peer.life != life || topic == peer.topics.end() || !topic->second.in_mesh) continue;
      topic->second.mesh = std::min(topic->second.mesh + 1, params.topics.at(name).mesh_message_deliveries_cap);
    }
  }
  void count_invalid(std::size_t life, const std::string& name) {
    for (auto& [id, peer] : peers) {
      if (peer.life != life) continue;
      peer.topics[name].invalid += 1;
      told.emplace(id, false);
    }
  }
  void tell_valid(std::size_t life) {
    for (const auto& [id, peer] : peers)
      if (peer.life == life) told.emplace(id, true);
  }
  void take_back(std::size_t life, const std::string& name, std::size_t decays) {
    for (auto& [id, peer] : peers) {
      const auto topic = peer.topics.find(name);
      if (peer.life != life || topic == peer.topics.end()) continue;
      double& invalid = topic->second.invalid;
      const double factor = params.topics.at(name).invalid_message_deliveries_decay;
      invalid = std::max(0.0, invalid - std::pow(factor, static_cast<double>(peer.decays - decays)));
      if (invalid < params.decay_to_zero) invalid = 0;
    }
  }
  void clear(const PeerId& id) {
    const auto found = peers.find(id);
    if (found == peers.end()) return;
    if (!found->second.connected) {
      peers.erase(found);
      return;
    }
    found->second.application = found->second.penalty = 0;
    for (auto& [name, topic] : found->second.topics) {
      topic.first = topic.mesh = topic.failures = topic.invalid = 0;
      topic.active = false;
    }
  }
  std::size_t life_of(const PeerId& id) const { return peers.contains(id) ? peers.at(id).life : 0; }

  ModelRecord& record(const MessageId& id, MonoTime now) {
    std::erase_if(records, [now](const auto& entry) { return entry.second.expires < now; });
    const auto found = records.find(id);
    if (found != records.end()) return found->second;
    if (records.size() == params.max_delivery_records) {
      auto oldest = records.begin();
      for (auto at = records.begin(); at != records.end(); ++at)
        if (at->second.age < oldest->second.age) oldest = at;
      records.erase(oldest);
    }
    ModelRecord fresh;
    fresh.expires = now + params.seen_msg_ttl;
    fresh.age = ++ages;
    return records.emplace(id, fresh).first->second;
  }
  void deliver(const PeerId& id, const std::string& name, const MessageId& message, MonoTime now) {
    if (!params.topics.contains(name)) return;
    const std::size_t life = life_of(id);
    if (ModelTopic* topic = topic_of(id, name)) {
      topic->first = std::min(topic->first + 1, params.topics.at(name).first_message_deliveries_cap);
      count_mesh(life, name);
      tell_valid(life);
    }
    ModelRecord& of = record(message, now);
    if (of.validated || of.refused) return;
    of.validated = now;
    for (const std::size_t sender : of.senders) {
      if (sender == life) continue;
      count_mesh(sender, name);
      tell_valid(sender);
    }
    of.senders.insert(life);
  }
  void reject(const PeerId& id, const std::string& name, const MessageId& message, RejectCause cause, MonoTime now) {
    if (!params.topics.contains(name) || cause == RejectCause::queue_full || cause == RejectCause::self_origin ||
        cause == RejectCause::blacklisted) {
      return;
    }
    if (cause == RejectCause::unexpected_author || cause == RejectCause::missing_signature ||
        cause == RejectCause::invalid_signature || cause == RejectCause::too_large) {
      return count_invalid(life_of(id), name);
    }
    ModelRecord& of = record(message, now);
    if (of.validated || of.refused) return;
    of.refused = cause;
    if (cause != RejectCause::invalid) return;
    count_invalid(life_of(id), name);
    for (const std::size_t sender : of.senders) count_invalid(sender, name);
  }
  void duplicate(const PeerId& id, const std::string& name, const MessageId& message, MonoTime now) {
    if (!params.topics.contains(name) || !peers.contains(id)) return;
    const std::size_t life = life_of(id);
    ModelRecord& of = record(message, now);
    if (of.refused == RejectCause::invalid) return count_invalid(life, name);
    if (of.validated) tell_valid(life);
    if (of.refused || of.senders.contains(life)) return;
    if (of.validated && now - *of.validated > params.topics.at(name).mesh_message_deliveries_window) return;
    of.senders.insert(life);
    if (of.validated) count_mesh(life, name);
  }

  void set_topic(const std::string& name, const TopicScoreParams& to) {
    params.topics[name] = to;
    for (auto& [id, peer] : peers) {
      const auto topic = peer.topics.find(name);
      if (topic == peer.topics.end()) continue;
      topic->second.first = std::min(topic->second.first, to.first_message_deliveries_cap);
      topic->second.mesh = std::min(topic->second.mesh, to.mesh_message_deliveries_cap);
    }
  }

  void decay(MonoTime now) {
    const auto shrink = [this](double& counter, double by) {
      counter *= by;
      if (counter < params.decay_to_zero) counter = 0;
    };
    std::erase_if(peers, [now](const auto& entry) { return !entry.second.connected && entry.second.expires < now; });
    for (auto& [id, peer] : peers) {
      if (!peer.connected) continue;
      ++peer.decays;
      shrink(peer.penalty, params.behaviour_penalty_decay);
      for (auto& [name, topic] : peer.topics) {
        const TopicScoreParams& p = params.topics.at(name);
        shrink(topic.first, p.first_message_deliveries_decay);
        shrink(topic.mesh, p.mesh_message_deliveries_decay);
        shrink(topic.failures, p.mesh_failure_penalty_decay);
        shrink(topic.invalid, p.invalid_message_deliveries_decay);
        if (!topic.in_mesh) continue;
        topic.mesh_time = now - topic.grafted;
        topic.active = topic.active || topic.mesh_time > p.mesh_message_deliveries_activation;
      }
    }
  }

  PeerScoreParams params;
  std::map<PeerId, ModelPeer> peers;
  std::map<MessageId, ModelRecord> records;
  std::multiset<std::pair<PeerId, bool>> told;  // of the last event: whom it counts for, and against
  std::size_t lives = 0;
  std::size_t ages = 0;

 private:
  std::map<PeerId, ModelPeer>::iterator first_to_forget() {
    auto best = peers.end();
    for (auto at = peers.begin(); at != peers.end(); ++at) {
      const ModelPeer& peer = at->second;
      if (peer.connected) continue;
      if (best == peers.end() || std::tuple(-peer.left_with, peer.expires, peer.life) <
                                     std::tuple(-best->second.left_with, best->second.expires, best->second.life))
        best = at;
    }
    return best;
  }
};

}  // namespace libp2p::gossipsub::score_model

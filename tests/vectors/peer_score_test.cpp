// Vectors gossipsub/peer-score.json: the score of each peer after every operation.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "testing/vectors.hpp"

namespace peer_score_vectors {
namespace {

using namespace testing_vectors;
using namespace libp2p;
using namespace libp2p::gossipsub;

constexpr const char* kFamily = "gossipsub/peer-score";

double number(const json::object& item, std::string_view key) {
  const auto* value = item.if_contains(key);
  if (value != nullptr && value->is_number()) return value->to_number<double>();
  ADD_FAILURE() << "field '" << key << "' is missing or no number";
  return 0;
}
Nanos millis(const json::object& item, std::string_view key) { return Millis(integer(item, key)); }

void expect_keys(const json::object& item, const std::map<std::string, bool>& known) {
  for (const auto& field : item)
    if (!known.contains(std::string(field.key()))) ADD_FAILURE() << "unknown key '" << field.key() << "'";
}

TopicScoreParams topic_params(const json::object& from) {
  TopicScoreParams to;
  to.topic_weight = number(from, "TopicWeight");
  to.time_in_mesh_weight = number(from, "TimeInMeshWeight");
  to.time_in_mesh_quantum = millis(from, "TimeInMeshQuantum_ms");
  to.time_in_mesh_cap = number(from, "TimeInMeshCap");
  to.first_message_deliveries_weight = number(from, "FirstMessageDeliveriesWeight");
  to.first_message_deliveries_decay = number(from, "FirstMessageDeliveriesDecay");
  to.first_message_deliveries_cap = number(from, "FirstMessageDeliveriesCap");
  to.mesh_message_deliveries_weight = number(from, "MeshMessageDeliveriesWeight");
  to.mesh_message_deliveries_decay = number(from, "MeshMessageDeliveriesDecay");
  to.mesh_message_deliveries_cap = number(from, "MeshMessageDeliveriesCap");
  to.mesh_message_deliveries_threshold = number(from, "MeshMessageDeliveriesThreshold");
  to.mesh_message_deliveries_window = millis(from, "MeshMessageDeliveriesWindow_ms");
  to.mesh_message_deliveries_activation = millis(from, "MeshMessageDeliveriesActivation_ms");
  to.mesh_failure_penalty_weight = number(from, "MeshFailurePenaltyWeight");
  to.mesh_failure_penalty_decay = number(from, "MeshFailurePenaltyDecay");
  to.invalid_message_deliveries_weight = number(from, "InvalidMessageDeliveriesWeight");
  to.invalid_message_deliveries_decay = number(from, "InvalidMessageDeliveriesDecay");
  EXPECT_EQ(from.size(), 17U) << "a parameter of a topic is not read";
  return to;
}

PeerScoreParams score_params(const json::object& from) {
  PeerScoreParams to;
  for (const auto& topic : from.at("Topics").as_object())
    to.topics[std::string(topic.key())] = topic_params(topic.value().as_object());
  to.topic_score_cap = number(from, "TopicScoreCap");
  to.app_specific_weight = number(from, "AppSpecificWeight");
  to.ip_colocation_factor_weight = number(from, "IPColocationFactorWeight");
  to.ip_colocation_factor_threshold = unsigned_integer(from, "IPColocationFactorThreshold");
  to.behaviour_penalty_weight = number(from, "BehaviourPenaltyWeight");
  to.behaviour_penalty_threshold = number(from, "BehaviourPenaltyThreshold");
  to.behaviour_penalty_decay = number(from, "BehaviourPenaltyDecay");
  to.decay_to_zero = number(from, "DecayToZero");
  to.retain_score = millis(from, "RetainScore_ms");
  EXPECT_EQ(from.size(), 10U) << "a parameter is not read";
  const auto lawful = validate(to);
  EXPECT_TRUE(lawful) << (lawful ? std::string() : lawful.error().text());
  return to;
}

RejectCause cause_of(const std::string& reason) {
  static const std::map<std::string, RejectCause> kCauses = {
      {"invalid signature", RejectCause::unexpected_author},  // counted without a record, as authors are
      {"validation failed", RejectCause::invalid},           {"validation ignored", RejectCause::ignored},
      {"validation throttled", RejectCause::throttled},      {"validation queue full", RejectCause::queue_full},
      {"blacklisted peer", RejectCause::not_to_blame},
  };
  const auto found = kCauses.find(reason);
  if (found != kCauses.end()) return found->second;
  ADD_FAILURE() << "unknown reason '" << reason << "'";
  return RejectCause::invalid;
}

class Play {
 public:
  explicit Play(const json::object& params) : scorer_(score_params(params), 1, now_) {}

  void step(const json::object& item) {
    expect_keys(item, {{"do", true}, {"scores_after", true}});
    act(item.at("do").as_object());
    scorer_.check();
    for (const auto& expected : item.at("scores_after").as_object()) {
      const auto want = expected.value().to_number<double>();
      const double got = scorer_.score(peer(std::string(expected.key())));
      EXPECT_LE(std::abs(got - want), 1e-9 * std::max(1.0, std::abs(want))) << expected.key() << ": " << got;
    }
  }

 private:
  PeerId peer(const std::string& name) {
    const auto number = static_cast<std::uint8_t>(peers_.try_emplace(name, peers_.size()).first->second);
    return PeerId::from_bytes(Bytes{0x00, 0x01, number}).value();
  }
  MessageId message(const std::string& name) {
    const auto number = static_cast<std::uint16_t>(messages_.try_emplace(name, messages_.size()).first->second);
    return MessageId::from(Bytes{static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)}).value();
  }

  void act(const json::object& what) {
    expect_keys(what, {{"op", true},
                       {"peer", true},
                       {"topic", true},
                       {"msg", true},
                       {"count", true},
                       {"ms", true},
                       {"reason", true},
                       {"value", true},
                       {"ips", true}});
    const auto op = text(what, "op");
    if (op == "sleep") return static_cast<void>(now_ = now_ + millis(what, "ms"));
    if (op == "refresh") return repeat(what, [&](const std::string&) { scorer_.decay(now_); });
    const PeerId who = peer(text(what, "peer"));
    if (op == "connect") return scorer_.on_peer_added(who, now_);
    if (op == "disconnect") return scorer_.on_peer_removed(who, now_);
    if (op == "penalty") return scorer_.on_penalty(who, static_cast<unsigned>(integer(what, "count")), now_);
    if (op == "app_score") return scorer_.set_application_score(who, number(what, "value"));
    if (op == "set_ips") return set_addresses(who, texts(what, "ips"));
    act_in_topic(op, who, text(what, "topic"), what);
  }

  void act_in_topic(const std::string& op, const PeerId& who, const std::string& topic, const json::object& what) {
    if (op == "graft") return scorer_.on_graft(who, topic, now_);
    if (op == "prune") return scorer_.on_prune(who, topic, now_);
    const MessageId id = message(text(what, "msg"));
    if (op == "validate") return scorer_.on_validation_begun(who, topic, id, now_);
    if (op == "delivered") return scorer_.on_delivered(who, topic, id, now_);
    if (op == "duplicate") return scorer_.on_duplicate(who, topic, id, now_);
    if (op == "deliver") {
      return repeat(what, [&](const std::string& name) {
        scorer_.on_validation_begun(who, topic, message(name), now_);
        scorer_.on_delivered(who, topic, message(name), now_);
      });
    }
    if (op == "reject") {
      const RejectCause cause = cause_of(text(what, "reason"));
      return repeat(what,
                    [&](const std::string& name) { scorer_.on_rejected(who, topic, message(name), cause, now_); });
    }
    ADD_FAILURE() << "unknown operation '" << op << "'";
  }

  void set_addresses(const PeerId& who, const std::vector<std::string>& ips) {
    std::vector<PeerAddress> addresses;
    for (const auto& ip : ips) addresses.push_back({Multiaddr::from_text("/ip4/" + ip + "/tcp/9222").value()});
    scorer_.on_addresses(who, addresses, now_);
  }

  // 'count' times, with the names of as many messages; one has the name that is given.
  template <class Act>
  void repeat(const json::object& what, Act act) {
    const auto count = has(what, "count") ? integer(what, "count") : 1;
    const std::string name = has(what, "msg") ? text(what, "msg") : std::string();
    for (std::int64_t n = 0; n < count; ++n) act(count == 1 ? name : name + "-" + std::to_string(n));
  }

  Now now_{MonoTime(Seconds(1000)), UnixTime(Seconds(1000))};
  PeerScorer scorer_;
  std::map<std::string, std::size_t> peers_;
  std::map<std::string, std::size_t> messages_;
};

TEST(PeerScoreVectors, file_holds_no_unknown_keys) { expect_known_root_keys(kFamily, {"cases"}); }

TEST(PeerScoreVectors, scores_agree_after_every_operation) {
  for_each_case("gossipsub/peer-score", "cases", {"name", "about", "params", "steps"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "name"));
                  Play play(item.at("params").as_object());
                  std::size_t number = 0;
                  for (const auto& step : item.at("steps").as_array()) {
                    SCOPED_TRACE("step " + std::to_string(number++));
                    play.step(step.as_object());
                  }
                });
}

}  // namespace
}  // namespace peer_score_vectors

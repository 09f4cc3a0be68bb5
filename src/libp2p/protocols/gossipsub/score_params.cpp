#include "libp2p/protocols/gossipsub/score_params.hpp"

#include <cmath>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {
namespace {

// The first rule that is broken.
class ScoreRuleCheck {
 public:
  explicit ScoreRuleCheck(std::string prefix = {}) : prefix_(std::move(prefix)) {}

  // So large that nobody wants more, and so small that no sum or product of parts overflows.
  void number(std::string_view field, double value) {
    check(std::abs(value) <= kLargestScorePart, field, value, "a number between -1e12 and 1e12");
  }
  void bounded(std::string_view field, Nanos value) {
    check(value <= kLongest, field, value, "at most " + text_of(kLongest) + ", which are ten years");
  }
  void not_negative(std::string_view field, double value) { check(value >= 0, field, value, "0 or more"); }
  void not_positive(std::string_view field, double value) { check(value <= 0, field, value, "0 or less"); }
  void positive(std::string_view field, double value) { check(value > 0, field, value, "above 0"); }
  void fraction(std::string_view field, double value) {
    check(value > 0 && value < 1, field, value, "above 0 and below 1");
  }
  void share(std::string_view field, double value) { check(value >= 0 && value <= 1, field, value, "from 0 to 1"); }
  void at_most(std::string_view field, double value, double most, std::string_view name_of_most) {
    check(value <= most, field, value, "at most the " + std::string(name_of_most) + ", " + text_of(most));
  }
  void at_least(std::string_view field, double value, double least, std::string_view name_of_least) {
    check(value >= least, field, value, "at least the " + std::string(name_of_least) + ", " + text_of(least));
  }
  void at_least(std::string_view field, std::size_t value, std::size_t least) {
    check(value >= least, field, value, "at least " + std::to_string(least));
  }
  void not_negative(std::string_view field, Nanos value) { check(value >= Nanos(0), field, value, "0 s or more"); }
  void positive(std::string_view field, Nanos value) { check(value > Nanos(0), field, value, "above 0 s"); }
  void not_zero(std::string_view field, Nanos value) { check(value != Nanos(0), field, value, "above 0 s"); }
  void at_least_a_second(std::string_view field, Nanos value) {
    check(value >= Seconds(1), field, value, "1 s or more");
  }

  Result<void> result() {
    if (error_) return std::move(*error_);
    return {};
  }

 private:
  static constexpr Nanos kLongest = Seconds(10 * 365 * 24 * 3600);  // the clock can be added to it

  static std::string text_of(double value) {
    std::ostringstream out;
    out << value;
    return out.str();
  }
  static std::string text_of(std::size_t value) { return std::to_string(value); }
  static std::string text_of(Nanos value) { return text_of(std::chrono::duration<double>(value).count()) + " s"; }

  template <class Value>
  void check(bool holds, std::string_view field, Value value, std::string_view allowed) {
    if (holds || error_) return;
    error_.emplace(Errc::invalid_argument,
                   prefix_ + std::string(field) + " is " + text_of(value) + "; it must be " + std::string(allowed));
  }

  std::string prefix_;
  std::optional<Error> error_;
};

bool all_zero(std::initializer_list<double> numbers, std::initializer_list<Nanos> durations = {}) {
  for (const double number : numbers) {
    if (number != 0) return false;
  }
  for (const Nanos duration : durations) {
    if (duration != Nanos(0)) return false;
  }
  return true;
}

// What holds of a parameter without weight too, so that every counter stays a number within its cap.
void check_numbers(const TopicScoreParams& p, ScoreRuleCheck& check) {
  const std::pair<std::string_view, double> numbers[] = {
      {"topic_weight", p.topic_weight},
      {"time_in_mesh_weight", p.time_in_mesh_weight},
      {"time_in_mesh_cap", p.time_in_mesh_cap},
      {"first_message_deliveries_weight", p.first_message_deliveries_weight},
      {"first_message_deliveries_cap", p.first_message_deliveries_cap},
      {"mesh_message_deliveries_weight", p.mesh_message_deliveries_weight},
      {"mesh_message_deliveries_cap", p.mesh_message_deliveries_cap},
      {"mesh_message_deliveries_threshold", p.mesh_message_deliveries_threshold},
      {"mesh_failure_penalty_weight", p.mesh_failure_penalty_weight},
      {"invalid_message_deliveries_weight", p.invalid_message_deliveries_weight},
  };
  for (const auto& [field, value] : numbers) check.number(field, value);
  check.bounded("time_in_mesh_quantum", p.time_in_mesh_quantum);
  check.bounded("mesh_message_deliveries_window", p.mesh_message_deliveries_window);
  check.bounded("mesh_message_deliveries_activation", p.mesh_message_deliveries_activation);
  const std::pair<std::string_view, double> decays[] = {
      {"first_message_deliveries_decay", p.first_message_deliveries_decay},
      {"mesh_message_deliveries_decay", p.mesh_message_deliveries_decay},
      {"mesh_failure_penalty_decay", p.mesh_failure_penalty_decay},
      {"invalid_message_deliveries_decay", p.invalid_message_deliveries_decay},
  };
  for (const auto& [field, value] : decays) check.share(field, value);
  check.not_negative("first_message_deliveries_cap", p.first_message_deliveries_cap);
  check.not_negative("mesh_message_deliveries_cap", p.mesh_message_deliveries_cap);
}

void check_time_in_mesh(const TopicScoreParams& p, ScoreRuleCheck& check) {
  check.not_zero("time_in_mesh_quantum", p.time_in_mesh_quantum);
  check.not_negative("time_in_mesh_weight", p.time_in_mesh_weight);
  if (p.time_in_mesh_weight == 0) return;
  check.positive("time_in_mesh_quantum", p.time_in_mesh_quantum);
  check.positive("time_in_mesh_cap", p.time_in_mesh_cap);
}

void check_first_deliveries(const TopicScoreParams& p, ScoreRuleCheck& check) {
  check.not_negative("first_message_deliveries_weight", p.first_message_deliveries_weight);
  if (p.first_message_deliveries_weight == 0) return;
  check.fraction("first_message_deliveries_decay", p.first_message_deliveries_decay);
  check.positive("first_message_deliveries_cap", p.first_message_deliveries_cap);
}

void check_mesh_deliveries(const TopicScoreParams& p, ScoreRuleCheck& check) {
  check.not_positive("mesh_message_deliveries_weight", p.mesh_message_deliveries_weight);
  if (p.mesh_message_deliveries_weight != 0) {
    check.fraction("mesh_message_deliveries_decay", p.mesh_message_deliveries_decay);
    check.positive("mesh_message_deliveries_cap", p.mesh_message_deliveries_cap);
    check.positive("mesh_message_deliveries_threshold", p.mesh_message_deliveries_threshold);
    // The table of the specification says so; go-libp2p-pubsub does not check it. A counter whose cap is below the
    // threshold would cost every peer for ever.
    check.at_least("mesh_message_deliveries_cap", p.mesh_message_deliveries_cap, p.mesh_message_deliveries_threshold,
                   "mesh_message_deliveries_threshold");
    check.at_least_a_second("mesh_message_deliveries_activation", p.mesh_message_deliveries_activation);
  }
  check.not_negative("mesh_message_deliveries_window", p.mesh_message_deliveries_window);
}

void check_mesh_failures(const TopicScoreParams& p, ScoreRuleCheck& check) {
  check.not_positive("mesh_failure_penalty_weight", p.mesh_failure_penalty_weight);
  if (p.mesh_failure_penalty_weight == 0) return;
  check.fraction("mesh_failure_penalty_decay", p.mesh_failure_penalty_decay);
}

void check_invalid_deliveries(const TopicScoreParams& p, ScoreRuleCheck& check) {
  check.not_positive("invalid_message_deliveries_weight", p.invalid_message_deliveries_weight);
  check.fraction("invalid_message_deliveries_decay", p.invalid_message_deliveries_decay);
}

Result<void> validate_topic(const TopicScoreParams& p, ScoreRules rules, std::string prefix) {
  const bool all = rules == ScoreRules::every_field;
  ScoreRuleCheck check(std::move(prefix));
  check_numbers(p, check);
  check.not_negative("topic_weight", p.topic_weight);
  if (all || !all_zero({p.time_in_mesh_weight, p.time_in_mesh_cap}, {p.time_in_mesh_quantum}))
    check_time_in_mesh(p, check);
  if (all ||
      !all_zero({p.first_message_deliveries_weight, p.first_message_deliveries_cap, p.first_message_deliveries_decay}))
    check_first_deliveries(p, check);
  if (all || !all_zero({p.mesh_message_deliveries_weight, p.mesh_message_deliveries_cap,
                        p.mesh_message_deliveries_decay, p.mesh_message_deliveries_threshold},
                       {p.mesh_message_deliveries_window, p.mesh_message_deliveries_activation}))
    check_mesh_deliveries(p, check);
  if (all || !all_zero({p.mesh_failure_penalty_weight, p.mesh_failure_penalty_decay})) check_mesh_failures(p, check);
  if (all || !all_zero({p.invalid_message_deliveries_weight, p.invalid_message_deliveries_decay}))
    check_invalid_deliveries(p, check);
  return check.result();
}

}  // namespace

Result<void> validate(const TopicScoreParams& params, ScoreRules rules) { return validate_topic(params, rules, {}); }

Result<void> validate(const PeerScoreParams& params, ScoreRules rules) {
  for (const auto& [name, topic] : params.topics) OPP2P_TRYV(validate_topic(topic, rules, "topics[\"" + name + "\"]."));
  const bool all = rules == ScoreRules::every_field;
  ScoreRuleCheck check;
  check.number("topic_score_cap", params.topic_score_cap);
  check.not_negative("topic_score_cap", params.topic_score_cap);
  check.number("app_specific_weight", params.app_specific_weight);
  check.number("ip_colocation_factor_weight", params.ip_colocation_factor_weight);
  check.not_positive("ip_colocation_factor_weight", params.ip_colocation_factor_weight);
  if (params.ip_colocation_factor_weight != 0)
    check.at_least("ip_colocation_factor_threshold", params.ip_colocation_factor_threshold, 1);
  check.number("behaviour_penalty_weight", params.behaviour_penalty_weight);
  check.not_positive("behaviour_penalty_weight", params.behaviour_penalty_weight);
  check.share("behaviour_penalty_decay", params.behaviour_penalty_decay);
  if (params.behaviour_penalty_weight != 0) check.fraction("behaviour_penalty_decay", params.behaviour_penalty_decay);
  check.number("behaviour_penalty_threshold", params.behaviour_penalty_threshold);
  check.not_negative("behaviour_penalty_threshold", params.behaviour_penalty_threshold);
  if (all || !all_zero({params.decay_to_zero}, {params.decay_interval})) {
    check.at_least_a_second("decay_interval", params.decay_interval);
    check.fraction("decay_to_zero", params.decay_to_zero);
  }
  check.bounded("decay_interval", params.decay_interval);
  check.not_negative("retain_score", params.retain_score);
  check.bounded("retain_score", params.retain_score);
  check.not_negative("seen_msg_ttl", params.seen_msg_ttl);
  check.bounded("seen_msg_ttl", params.seen_msg_ttl);
  check.at_least("max_delivery_records", params.max_delivery_records, 1);
  return check.result();
}

Result<void> validate(const ScoreThresholds& thresholds, ScoreRules rules) {
  const bool all = rules == ScoreRules::every_field;
  ScoreRuleCheck check;
  if (all || !all_zero({thresholds.publish, thresholds.gossip, thresholds.graylist})) {
    check.number("gossip", thresholds.gossip);
    check.not_positive("gossip", thresholds.gossip);
    check.number("publish", thresholds.publish);
    check.not_positive("publish", thresholds.publish);
    check.at_most("publish", thresholds.publish, thresholds.gossip, "gossip threshold");
    check.number("graylist", thresholds.graylist);
    check.not_positive("graylist", thresholds.graylist);
    check.at_most("graylist", thresholds.graylist, thresholds.publish, "publish threshold");
  }
  check.number("accept_px", thresholds.accept_px);
  check.not_negative("accept_px", thresholds.accept_px);
  check.number("opportunistic_graft", thresholds.opportunistic_graft);
  check.not_negative("opportunistic_graft", thresholds.opportunistic_graft);
  return check.result();
}

double score_decay(Nanos duration, Nanos interval, double to_zero) {
  OPP2P_ASSERT(interval > Nanos(0) && duration >= interval, "a counter decays over at least one interval", duration,
               interval);
  return std::pow(to_zero, 1 / static_cast<double>(duration / interval));
}

}  // namespace libp2p::gossipsub

// The numbers of peer scores (gossipsub v1.1, "Peer Scoring"), by the names of the specification, and the rules that
// they keep. The values here score nothing: whoever uses PeerScorer sets them. Values, checked by validate() before a
// PeerScorer is made of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/cidr.hpp"
#include "libp2p/protocols/gossipsub/params.hpp"

namespace libp2p::gossipsub {

// No number of the parameters, and no score of the application, is larger or less than its negative.
inline constexpr double kLargestScorePart = 1e12;

// Of one topic. A decay is what a counter is multiplied with at each decay interval.
struct TopicScoreParams {
  double topic_weight = 0;

  // P1: whole quanta since the GRAFT.
  double time_in_mesh_weight = 0;
  Nanos time_in_mesh_quantum{};
  double time_in_mesh_cap = 0;

  // P2: valid messages that the peer was the first to bring.
  double first_message_deliveries_weight = 0;
  double first_message_deliveries_decay = 0;
  double first_message_deliveries_cap = 0;

  // P3: what a peer of the mesh falls short of the threshold, squared. Messages count that it brought first, before
  // they were validated, or within the window after that.
  double mesh_message_deliveries_weight = 0;
  double mesh_message_deliveries_decay = 0;
  double mesh_message_deliveries_cap = 0;
  double mesh_message_deliveries_threshold = 0;
  Nanos mesh_message_deliveries_window{};
  Nanos mesh_message_deliveries_activation{};  // in the mesh for longer than this

  // P3b: P3 at the time of each PRUNE, summed.
  double mesh_failure_penalty_weight = 0;
  double mesh_failure_penalty_decay = 0;

  // P4: invalid messages, squared.
  double invalid_message_deliveries_weight = 0;
  double invalid_message_deliveries_decay = 0;
};

struct PeerScoreParams {
  std::map<std::string, TopicScoreParams, std::less<>> topics;  // others are not scored
  double topic_score_cap = 0;                                   // of what all topics add to a score; 0: none

  double app_specific_weight = 0;  // P5

  // P6: peers at one address above the threshold, squared.
  double ip_colocation_factor_weight = 0;
  std::size_t ip_colocation_factor_threshold = 0;
  // A peer that is away counts at its address for as long as its score is kept: against all that are there (library),
  // or only against those that came after it. Then the row of a peer of good score is kept too, without the score.
  bool ip_colocation_spares_older = false;
  std::vector<Cidr> ip_colocation_factor_allow_list;  // addresses that never count

  // P7: the router's penalties above the threshold, squared.
  double behaviour_penalty_weight = 0;
  double behaviour_penalty_threshold = 0;
  double behaviour_penalty_decay = 0;

  Nanos decay_interval = Seconds(1);
  double decay_to_zero = 0.01;  // a counter below it is 0
  Nanos retain_score{};         // after the disconnect of a peer whose score is not positive
  // Of a delivery record; 0: 120 s (library). When it is longer than Params::seen_ttl, a message that the router has
  // forgotten and judges again costs whoever sends it nothing.
  Nanos seen_msg_ttl{};

  // Bounds of this implementation's own.
  std::size_t max_retained = 4096;           // peers that are away; the score nearest to zero is forgotten first
  std::size_t max_delivery_records = 8192;   // messages; the oldest is forgotten first
  std::size_t max_record_senders = 256;      // peers that are remembered to have sent one message again
  std::size_t max_addresses_of_a_peer = 32;  // further ones do not count
};

// Which rules hold: all of them, or only those of parameters that are set ("skip atomic validation" in Go).
enum class ScoreRules : std::uint8_t { every_field, fields_in_use };

// Errc::invalid_argument with a text that names the field and says what is allowed.
Result<void> validate(const TopicScoreParams& params, ScoreRules rules = ScoreRules::every_field);
Result<void> validate(const PeerScoreParams& params, ScoreRules rules = ScoreRules::every_field);
Result<void> validate(const ScoreThresholds& thresholds, ScoreRules rules = ScoreRules::every_field);

// The decay with which 1 falls to `to_zero` within `duration`, in whole intervals. `duration` has at least one.
double score_decay(Nanos duration, Nanos interval = Seconds(1), double to_zero = 0.01);

}  // namespace libp2p::gossipsub

#include "opp2p/observe/score_log.hpp"

#include <algorithm>

namespace opp2p {
namespace {

struct Standing {
  std::string_view threshold;
  std::string_view effect;  // of a score below it
};
constexpr Standing kStandings[] = {
    {{}, "the peer counts again as any other"},
    {"gossip", "no gossip goes to the peer or is taken from it"},
    {"publish", "own blocks are not sent to the peer, and no gossip goes to it or is taken from it"},
    {"graylist", "all that the peer sends by gossip is ignored, and no blocks go to it"},
};
static_assert(std::size(kStandings) == kScoreStandings);

const Standing& of(ScoreStanding standing) { return kStandings[static_cast<std::size_t>(standing)]; }

// A part that is zero is left out of the line.
std::optional<double> unless_zero(double value) {
  if (value == 0) return std::nullopt;
  return value;
}

}  // namespace

void ScoreLog::on(const PeerScoreCrossed& event) {
  const auto& score = event.score;
  const bool fell = event.now > event.before;
  const std::initializer_list<Field> fields = {{"peer", score.peer},
                                               {"score", score.score},
                                               {"threshold", of(std::max(event.before, event.now)).threshold},
                                               {"threshold_score", event.threshold},
                                               {"p1_to_p4_topics", unless_zero(score.topics_total)},
                                               {"p5_application", unless_zero(score.application.weighted)},
                                               {"p6_ip_colocation", unless_zero(score.ip_colocation.weighted)},
                                               {"p7_behaviour", unless_zero(score.behaviour.weighted)},
                                               {"p7_penalties", unless_zero(score.behaviour.value)},
                                               {"effect", of(event.now).effect}};
  if (fell)
    events_.tell(Told::score_fell, LogLevel::warn, Component::gossip, "the score of a peer fell below a threshold",
                 fields);
  else
    events_.tell(Told::score_recovered, LogLevel::info, Component::gossip,
                 "the score of a peer is above a threshold again", fields);
}

}  // namespace opp2p

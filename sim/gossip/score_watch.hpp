// What becomes of scores and bans while a world runs: the least score that an honest member ever gave an honest peer,
// with its parts; the least of each interval; and, of hostile peers, their scores by the number of invalid blocks that
// they sent, and how many of those a ban took. Values for reports. Owner: Metrics. Bounds: a row for each pair of an
// honest member and a hostile identity that sent it an invalid block; a point for each interval.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "libp2p/protocols/gossipsub/peer_scorer.hpp"
#include "opstack/reputation/fault_ledger.hpp"
#include "sim/gossip/names.hpp"

namespace opp2p::sim::gossip {

// One score that one member gave one peer at one time.
struct SeenScore {
  Member observer = 0;
  Member peer = 0;
  MonoTime time{};
  libp2p::gossipsub::PeerScoreParts parts;
};

// The least and the median of all pairs of honest members at one look; `least` also of what was between two points.
struct ScorePoint {
  MonoTime time{};
  double least = 0;
  double median = 0;
  std::size_t pairs = 0;
};

// A pair of honest members whose score was below zero, and what the peer was blamed for at the least of it.
struct BelowZero {
  MonoTime since{};
  SeenScore least;
  std::vector<opstack::reputation::Fault> faults;  // times are those of the observer's wall clock; the oldest first
};

struct ScoreReport {
  std::optional<SeenScore> least;    // of honest peers; none when nobody was looked at
  std::vector<BelowZero> below;      // the first kMostBelow of them
  std::size_t pairs_below_zero = 0;  // different pairs of honest members that ever were
  std::vector<ScorePoint> points;
  std::size_t honest_banned = 0;  // bans of honest peers
  std::uint64_t own_faults = 0;   // findings that a fault was the node's own

  struct AfterInvalid {  // the score right after the n-th invalid block, over all pairs
    std::size_t pairs = 0;
    double least = 0;
    double mean = 0;
    double most = 0;
  };
  std::vector<AfterInvalid> after_invalid;  // [0] is after the first
  std::size_t hostile_banned = 0;           // pairs
  std::size_t most_until_ban = 0;           // invalid blocks that one pair took
  std::size_t most_without_ban = 0;         // of a pair that was not banned
};

class ScoreWatch {
 public:
  static constexpr std::size_t kCurve = 24;
  static constexpr std::size_t kMostBelow = 32;

  explicit ScoreWatch(Nanos interval) : interval_(interval) {}

  // An honest peer, as it is now; its score. `ledger`: the observer's, where it has one.
  double look(Member observer, Member peer, const PeerId& id, const libp2p::gossipsub::PeerScorer& scorer,
              const opstack::reputation::FaultLedger* ledger, MonoTime now);
  // All honest pairs were looked at; these are their scores, in no order.
  void end_look(std::vector<double> scores, MonoTime now);
  // An invalid block of a hostile peer was judged; its score after that.
  void on_invalid(Member observer, const PeerId& peer, double score);
  void on_ban(Member observer, const PeerId& peer, bool is_honest);
  void on_own_faults(std::uint64_t count) { own_faults_ += count; }

  ScoreReport report() const;

 private:
  struct Sum {
    std::size_t pairs = 0;
    double least = 0;
    double most = 0;
    double sum = 0;
  };
  struct Sender {
    std::size_t invalid = 0;
    std::optional<std::size_t> banned_after;
  };

  Nanos interval_;
  std::optional<SeenScore> least_;
  void keep_below(const SeenScore& seen, const PeerId& id, const opstack::reputation::FaultLedger* ledger);

  std::map<std::pair<Member, Member>, std::optional<BelowZero>> below_zero_;
  std::size_t kept_below_ = 0;
  double least_of_interval_ = 0;
  bool interval_has_any_ = false;
  MonoTime next_point_{};
  std::vector<ScorePoint> points_;
  std::array<Sum, kCurve> curve_{};
  std::map<std::pair<Member, PeerId>, Sender> senders_;
  std::size_t honest_banned_ = 0;
  std::uint64_t own_faults_ = 0;
};

}  // namespace opp2p::sim::gossip

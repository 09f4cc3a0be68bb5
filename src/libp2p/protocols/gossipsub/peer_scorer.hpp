// The score function of GossipSub (gossipsub v1.1, "Peer Scoring", P1 to P7), with the results of go-libp2p-pubsub
// 0.17: where the two differ, peer_scorer.cpp says so. A pure engine: the router tells what peers do (PeerScores), the
// owner tells the time, the addresses of peers and what the application thinks of them.
//
// What the owner does:
//  - One timer: on_timeout() at next_deadline(). A late call runs one decay; those that were missed are not made up.
//  - on_addresses() after the router has added a peer, and whenever its connections change.
//  - set_application_score() when that score of a peer changes. For a peer that is not known here it does nothing;
//    when the peer is added, ApplicationScore is asked.
//
// Owner: whoever owns the router, which it outlives. Thread: the router's. It calls ApplicationScore, from
// on_peer_added() only, which must not call back. Bounds: PeerScoreParams; connected peers are the host's to bound.
//
// Cost: score() is one look-up; a score is computed anew only after something changed it. Time alone changes it at a
// decay. Messages of topics that are not scored cost a comparison and leave no record. A copy allocates nothing
// but room for its sender, at most 8 bytes for each of PeerScoreParams::max_record_senders. `bench_parts` has the
// times.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/delivery_records.hpp"
#include "libp2p/protocols/gossipsub/ip_colocation.hpp"
#include "libp2p/protocols/gossipsub/peer_index.hpp"
#include "libp2p/protocols/gossipsub/score_params.hpp"
#include "libp2p/protocols/gossipsub/scores.hpp"

namespace libp2p::gossipsub {

// A counter as it stands, and what it adds to the score.
struct ScorePart {
  double value = 0;
  double weighted = 0;
};

// The topic's weight is in `total` only.
struct TopicScoreParts {
  bool in_mesh = false;
  Nanos time_in_mesh{};              // as of the last decay; 0 outside of the mesh
  double time_in_mesh_weighted = 0;  // P1
  ScorePart first_deliveries;        // P2
  ScorePart mesh_deliveries;         // P3; weighted is 0 until the part is active
  ScorePart mesh_failures;           // P3b
  ScorePart invalid_deliveries;      // P4
  double total = 0;                  // what the topic adds to the score
};

struct PeerScoreParts {
  PeerId peer;
  bool connected = false;
  double score = 0;
  double topics_total = 0;  // of all topics, after the cap
  ScorePart application;    // P5
  ScorePart ip_colocation;  // P6; the value is the sum of the squares of the surplus
  ScorePart behaviour;      // P7; the value is the counter, the threshold still in it
  // In the order of ScoreSnapshot::topics; empty while the peer has done nothing in any of them.
  std::vector<TopicScoreParts> topics;
};

// Plain values: they may go to another thread.
struct ScoreSnapshot {
  std::vector<std::string> topics;    // those that are scored, in their order
  std::vector<PeerScoreParts> peers;  // in the order of their arrival
};

// One count of P4 against a peer, which can be taken back. A value without a meaning to others.
struct InvalidCount {
  std::uint64_t peer = 0;
  std::uint64_t decays = 0;  // of the peer's counters, by then
  std::uint32_t topic = 0;
};

// Hears of each message that the score function counts for or against a peer, by whatever name the message has: who is
// asked about a bad score can say what it is made of. Called inside the scorer's calls, after the count; it may call
// PeerScorer::take_back() and put_back() and nothing else of the scorer. It hears nothing of topics that are not
// scored.
class DeliveryObserver {
 public:
  virtual ~DeliveryObserver() = default;
  // The message is valid, and the peer was the first to bring it or sent a copy of it.
  virtual void on_valid(const PeerId& peer, std::string_view topic, const MessageId& id, Now now) = 0;
  // P4 was counted. The id is empty where the message was not named (is_fault_of_author).
  virtual void on_invalid(const PeerId& peer, std::string_view topic, const MessageId& id, RejectCause cause,
                          const InvalidCount& count, Now now) = 0;
};

class PeerScorer final : public PeerScores {
 public:
  using ApplicationScore = std::function<double(const PeerId&)>;

  // The parameters have passed validate(). `secret` is drawn once per process, for hash tables.
  PeerScorer(PeerScoreParams params, std::uint64_t secret, Now now, ApplicationScore application = nullptr);
  PeerScorer(const PeerScorer&) = delete;
  PeerScorer& operator=(const PeerScorer&) = delete;

  // 0 for a peer that is not known.
  double score(const PeerId& peer) const override;

  void on_peer_added(const PeerId& peer, Now now) override;
  void on_peer_removed(const PeerId& peer, Now now) override;
  void on_addresses(const PeerId& peer, std::span<const PeerAddress> addresses, Now now) override;
  void on_graft(const PeerId& peer, std::string_view topic, Now now) override;
  void on_prune(const PeerId& peer, std::string_view topic, Now now) override;
  void on_validation_begun(const PeerId& peer, std::string_view topic, const MessageId& id, Now now) override;
  void on_delivered(const PeerId& peer, std::string_view topic, const MessageId& id, Now now) override;
  void on_rejected(const PeerId& peer, std::string_view topic, const MessageId& id, RejectCause cause,
                   Now now) override;
  void on_duplicate(const PeerId& peer, std::string_view topic, const MessageId& id, Now now) override;
  void on_penalty(const PeerId& peer, unsigned count, Now now) override;
  void on_partial(const PeerId& peer, std::string_view topic, bool useful, Now now) override;

  // From now on the topic is scored by these. Counters above a new cap become it. A topic that was not scored before
  // begins with counters of 0, also for those that are in its mesh: they count there from the next GRAFT on. What
  // validate() answers, and then nothing changes.
  Result<void> set_topic_params(std::string_view topic, const TopicScoreParams& params,
                                ScoreRules rules = ScoreRules::every_field);
  // A finite number.
  void set_application_score(const PeerId& peer, double score);

  // Null: nobody. It outlives this, or is replaced before it ends.
  void set_observer(DeliveryObserver* observer) { observer_ = observer; }
  // Takes a count of P4 off, as much of it as has not decayed yet. Nothing when the peer was forgotten since.
  void take_back(const InvalidCount& count);
  // Undoes take_back(): the count stands again as if it had never been taken off.
  void put_back(const InvalidCount& count);
  // From now on nothing is held for or against the peer but where it is (P6), as if it had just come. It keeps its
  // place in meshes.
  void clear(const PeerId& peer);

  void on_timeout(Now now) override;
  std::optional<MonoTime> next_deadline() const override { return next_decay_; }
  // One round of decay, whatever the time: on_timeout() calls it when it is due.
  void decay(Now now);

  const PeerScoreParams& params() const { return params_; }
  // The same object can be filled again and again; it keeps its memory. Of those that are away there can be thousands
  // (PeerScoreParams::max_retained).
  enum class Shown : std::uint8_t { connected, and_those_away };
  void snapshot(ScoreSnapshot& out, Shown which = Shown::connected) const;
  void show(ScoreSnapshot& out) const override { snapshot(out); }
  std::optional<PeerScoreParts> snapshot_of(const PeerId& peer) const;

  struct Sizes {
    std::size_t connected = 0;
    std::size_t retained = 0;
    std::size_t delivery_records = 0;
    std::size_t addresses = 0;
  };
  Sizes sizes() const;
  // Whether every table agrees with the others, and every cached score with its counters.
  void check() const;

 private:
  using Number = DeliveryRecord::PeerNumber;  // of a row, in the order of arrival; never used again

  struct TopicCounters {
    bool in_mesh = false;
    bool deliveries_active = false;  // P3 counts: it was in the mesh for long enough since the last GRAFT
    MonoTime grafted{};
    Nanos time_in_mesh{};
    double first_deliveries = 0;
    double mesh_deliveries = 0;
    double mesh_failures = 0;
    double invalid_deliveries = 0;
  };
  // Who of the retained goes first: the score nearest to zero, then the one that ends first.
  using RetainedKey = std::tuple<double, MonoTime, Number>;
  struct Row {
    // What score() looks at comes first: mostly nothing else is needed.
    PeerId id;
    mutable bool is_stale = true;  // the cache of score(), with the next two
    mutable double score = 0;
    mutable std::uint64_t colocation_version = 0;
    Number number = 0;
    std::uint64_t decays = 0;             // of the counters
    std::optional<RetainedKey> retained;  // while it is not connected
    double application = 0;
    double behaviour = 0;
    IpColocation::Places places;
    std::vector<TopicCounters> topics;  // as topics_, or none
  };
  struct IdOf {
    const PeerId& operator()(const Row& row) const { return row.id; }
  };
  struct ScoredTopic {
    std::string name;
    TopicScoreParams params;
    std::uint32_t id = 0;  // stays when topics are added
  };

  // peer_scorer.cpp: what happens
  Row* find(const PeerId& peer) const;
  std::optional<std::size_t> find_topic(std::string_view topic) const;
  std::size_t add_topic(std::string_view topic, const TopicScoreParams& params);
  TopicCounters& counters(Row& row, std::size_t topic);
  void add_deficit(TopicCounters& counters, std::size_t topic);

  void count_first(Row& row, std::size_t topic);
  void count_mesh(Row& row, std::size_t topic);
  void count_invalid(Row& row, std::size_t topic);
  // The row, its topic and what is left of the count; nothing when the peer or the topic is not there any more.
  struct Counted {
    Row& row;
    double& invalid;
    double left = 0;
  };
  std::optional<Counted> find_count(const InvalidCount& count);
  void blame(Row& row, std::size_t topic, const MessageId& id, RejectCause cause, Now now);
  void decay(Row& row, MonoTime now);
  void retain(Row& row, double score, MonoTime now);
  void forget(Number number);

  // peer_scorer_score.cpp: what it adds up to
  double current_score(const Row& row) const;
  TopicScoreParts score_of_topic(const TopicCounters& counters, const TopicScoreParams& params) const;
  double compute(const Row& row, PeerScoreParts* parts) const;
  void describe(const Row& row, PeerScoreParts& out) const;
  void check_row(const Row& row) const;

  PeerScoreParams params_;
  ApplicationScore application_;
  std::vector<ScoredTopic> topics_;  // in the order of their names
  std::map<Number, Row> rows_;
  PeerIndex<Row, IdOf> by_id_;
  // What was asked for last is mostly asked for again: an RPC brings several questions of one peer, and a network has
  // one topic that is busy.
  mutable Row* last_row_ = nullptr;
  mutable std::size_t last_topic_ = 0;
  std::set<RetainedKey> retained_;
  IpColocation colocation_;
  DeliveryObserver* observer_ = nullptr;
  DeliveryRecords records_;
  Number next_number_ = 1;
  std::optional<MonoTime> next_decay_;
};

}  // namespace libp2p::gossipsub

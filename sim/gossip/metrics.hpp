// What is counted while a world runs, and the report that is made of it. Honest nodes tell it of blocks and faults; at
// each sample it looks at all of them. It also holds that no block is delivered twice to a subscriber. Owner: Network.
// Bounds: 4 bytes for each block and member; a row for each pair of an honest member and a peer that broke a rule; the
// scores of at most MetricsParams::observers members are looked at in a sample.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <vector>

#include "sim/gossip/report.hpp"
#include "sim/gossip/score_watch.hpp"

namespace opp2p::sim::gossip {

class HonestNode;

struct MetricsParams {
  Nanos sample_every = Seconds(5);
  Nanos deadline = Seconds(6);    // of a delivery: 12 heartbeats
  Nanos expected_after{};         // a member is expected to get what is published so long after its start
  Nanos judgement = Seconds(60);  // within which who breaks a rule is to be below graylist
  double graylist = -40;
  std::size_t low = 6;  // Dlo
  std::size_t observers = 64;
  bool watch_scores = false;  // judge() looks at the scores of all honest pairs too
};

class Metrics {
 public:
  Metrics(World& world, MetricsParams params) : world_(world), params_(params), watch_(params.sample_every) {}
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Told by who publishes, before the first is delivered; and by nodes.
  void on_published(Member publisher, std::uint64_t number, std::size_t size);
  void on_delivered(Member member, std::uint64_t number);
  void on_fault(Member at, const PeerId& peer, libp2p::gossipsub::FaultKind kind, unsigned count);
  void on_prune(const PeerId& peer, libp2p::gossipsub::PruneCause cause);
  void on_rpc(Member at, bool has_messages, std::size_t size);
  void on_peer_gone(Member at, const PeerId& peer);
  void on_started(Member member);
  void on_stopped(Member member, const libp2p::gossipsub::Counters& counters);
  // Told when something that lowers scores may have happened at `at`: its honest peers, or that one, are looked at.
  void on_scores_changed(Member at);
  void on_score_changed(Member at, const PeerId& peer);
  void on_invalid_block(Member at, const PeerId& peer);
  void on_banned(Member at, const PeerId& peer);
  void on_own_faults(std::uint64_t count) { watch_.on_own_faults(count); }

  // Looks at all honest members. Called each `sample_every`; judge() each second.
  void sample();
  void judge();

  Report report() const;
  // Of the blocks that were published in [from, until) and whose deadline has passed, to all honest members or to some.
  struct Deliveries {
    std::size_t blocks = 0;
    std::size_t expected = 0;
    std::size_t in_time = 0;
    std::vector<Nanos> latencies;  // of all that were delivered, at any time; in no order
  };
  Deliveries deliveries(MonoTime from, MonoTime until, std::span<const Member> only = {}) const;
  const MetricsParams& params() const { return params_; }
  ScoreReport scores() const;

 private:
  // Micros until the delivery, or one of these.
  static constexpr std::uint32_t kMissing = 0xffffffff;
  static constexpr std::uint32_t kNotExpected = 0xfffffffe;
  static constexpr std::uint32_t kNotCounted = 0xfffffffd;  // delivered, though not expected
  struct BlockRecord {
    std::uint64_t number = 0;
    Member publisher = 0;
    MonoTime published{};
    std::size_t size = 0;
    std::vector<std::uint32_t> latency;  // by member
  };
  struct Suspect {
    MonoTime first_fault{};
    std::optional<MonoTime> graylisted;
    std::optional<MonoTime> gone;
  };
  using Faults = std::map<libp2p::gossipsub::FaultKind, std::uint64_t>;

  HonestNode* node(Member member) const;
  bool is_expected(Member member) const;
  void look_at_scores(Member at, std::vector<double>* scores);
  void sample_meshes(Sample& sample) const;
  void sample_scores(Sample& sample) const;
  void sample_counters(Sample& sample) const;
  libp2p::gossipsub::Counters routers() const;
  BlockOutcome outcome(const BlockRecord& block, std::vector<std::uint32_t>* all) const;
  Judgement judgement(bool honest) const;

  World& world_;
  MetricsParams params_;
  std::vector<BlockRecord> blocks_;
  std::map<std::uint64_t, std::size_t> index_;
  std::map<std::pair<Member, PeerId>, Suspect> suspects_;
  std::vector<std::pair<Member, PeerId>> pending_;
  using Prunes = std::map<libp2p::gossipsub::PruneCause, std::uint64_t>;
  Prunes honest_prunes_;
  Prunes hostile_prunes_;
  Faults honest_faults_;
  Faults hostile_faults_;
  Traffic received_;
  libp2p::gossipsub::Counters stopped_;  // of members that have stopped
  std::vector<MonoTime> starts_;         // by member, the last of each
  std::map<Member, MonoTime> stops_;     // the last of each: what it got before, it may get again
  std::vector<Sample> samples_;
  ScoreWatch watch_;
};

}  // namespace opp2p::sim::gossip

// A whole simulated network: a world, its honest members, what they publish, how they come and go, and what is counted.
// Hostile members are added to it. Scenarios are made of this.
//
//   Network network(params);
//   network.add_member(spec of a sybil);
//   network.run_until(MonoTime(Seconds(60)));
//   Report report = network.report();
//
// Owner: a test, a benchmark or a command. Thread: one.
#pragma once

#include <functional>
#include <vector>

#include "sim/gossip/honest_node.hpp"
#include "sim/gossip/metrics.hpp"
#include "sim/gossip/world.hpp"

namespace opp2p::sim::gossip {

// What is published: from `begin` on, a block each `interval`, of one of `sizes` in turn at random.
struct LoadParams {
  Nanos interval = Seconds(2);
  std::vector<std::size_t> sizes = {100'000};
  Nanos begin = Seconds(10);
  Nanos end = Nanos::max();
  std::size_t publishers = 1;  // members 0 to publishers - 1, in turn
};

// `sentries`: member 0 is a sequencer that is not announced, and connected to members 1 and 2 only, as direct peers of
// each other.
enum class Topology : std::uint8_t { random, sentries };

// Honest members, but those that publish, stop and come back later.
struct ChurnParams {
  double stops_a_second = 0;  // in the whole network
  Nanos least_away = Seconds(5);
  Nanos most_away = Seconds(60);
  double power_cuts = 0.5;  // share of the stops that nobody is told of; the others leave their topics first
  // Share of the members that keep their backoffs on a disk. op-node does not.
  double keeps_backoffs = 0.5;
};

// The sequencer signs with a new key from `at` on. The share `late` of the members that publish nothing goes by the old
// key alone until `late_for` after that, the share `early` by the new one alone since as long before, and the others
// take both in between.
struct RotationParams {
  MonoTime at = MonoTime::max();
  double late = 0.1;
  Nanos late_for = Seconds(120);
  double early = 0.05;
};

// From `at` on, the share `blocks` of the blocks breaks the rules of the fork before. The share `unaware` of the
// members that publish nothing never hears of the new fork.
struct ForkParams {
  MonoTime at = MonoTime::max();
  double unaware = 0.05;
  double blocks = 1;
};

// From `from` until `until`, the time in a block is between `least` and `most` ago.
struct LagParams {
  MonoTime from = MonoTime::max();
  MonoTime until = MonoTime::max();
  Nanos least = Seconds(50);
  Nanos most = Seconds(75);
};

// `operators` times `nodes` members have one address for each operator. All members of an operator are connected to
// each of `hubs` other members.
struct SharingParams {
  std::size_t operators = 0;
  std::size_t nodes = 20;
  std::size_t hubs = 3;
};

struct NetworkParams {
  WorldParams world;
  std::size_t honest = 50;
  HonestParams node;
  CpuParams cpu;
  LinkParams link;
  std::size_t max_inbound = 40;
  Topology topology = Topology::random;
  std::size_t degree = 10;           // each honest member has dialled so many at random at the start
  Nanos starts_within = Seconds(1);  // honest members start at random in this time
  Nanos clock_skew{};                // wall clocks are wrong by up to this, both ways
  Nanos publisher_skew{};            // those of publishers are ahead by this
  RotationParams rotation;
  ForkParams fork;
  LagParams lag;
  SharingParams sharing;
  LoadParams load;
  ChurnParams churn;
  MetricsParams metrics;
};

class Network {
 public:
  explicit Network(NetworkParams params);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  World& world() { return world_; }
  Metrics& metrics() { return metrics_; }
  const Metrics& metrics() const { return metrics_; }
  const NetworkParams& params() const { return params_; }
  const BlockMaker& blocks() const { return blocks_; }
  MonoTime time() const { return world_.time(); }

  // Honest members are 0 to honest() - 1, the publishers first.
  std::size_t honest() const { return params_.honest; }
  std::vector<Member> publishers() const;
  bool is_publisher(Member member) const;
  // Null while the member is down, and for hostile ones.
  HonestNode* node(Member member);

  // A hostile member, or another one of the caller's. It does not run yet.
  Member add_member(MemberSpec spec) { return world_.add(std::move(spec)); }
  // An IPv4 address that no honest member has; the same one for the same number, below 2^24.
  static Multiaddr shared_address(std::uint32_t number);
  // Whether it is one of an operator's members at one address.
  bool is_sharing(Member member) const;
  std::uint64_t restarts() const { return restarts_; }  // of the churn

  // The next block of a publisher now, besides the load; its number.
  std::uint64_t publish(Member publisher, std::size_t size);
  void run_until(MonoTime time) { world_.run_until(time); }
  Report report() const { return metrics_.report(); }

 private:
  void add_honest(Member member);
  void connect_at_random();
  void connect_to_hubs();
  Member first_sharing() const;
  Beliefs beliefs_of(Member member, MonoTime time) const;
  Block next_block(std::uint64_t number);
  void publish_later();
  void churn_later();
  void restart(Member member, bool is_cut, Nanos away);
  void sample_next();
  void judge_next();

  NetworkParams params_;
  std::map<Member, HonestParams> own_params_;  // of members that differ
  std::map<Member, NodeDisk> disks_;
  BlockMaker blocks_;
  World world_;
  Metrics metrics_;
  libp2p::SeededRng load_rng_;
  libp2p::SeededRng churn_rng_;
  libp2p::SeededRng chain_rng_;
  std::uint64_t next_block_ = 1;
  std::uint64_t blocks_due_ = 0;  // of the load, so far
  std::uint64_t restarts_ = 0;
};

}  // namespace opp2p::sim::gossip

// What the simulation's tests have in common: a network of whole nodes, a sequencer (member 0) that publishes a block
// each block time, a watch over every queue's bound, and the checks at the end. Everything follows from the seed.
//
// Which seeds, and how large: OPP2P_SIM_SEED=n runs a scenario with that seed only, OPP2P_SIM_SEEDS=n with n seeds one
// after the other; OPP2P_SIM_NODES=n changes how many nodes it has; OPP2P_SIM_LOG=debug lets the nodes say what they
// do.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim {

using libp2p::Millis;
using libp2p::Nanos;
using libp2p::Seconds;

inline constexpr std::uint64_t kBlockTime = 2;  // seconds
inline constexpr std::uint64_t kGenesisTime = 1'760'000'000;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

struct StoryOptions {
  std::size_t nodes = 12;  // half of them under a sanitizer
  std::size_t dials = 3;   // members that each dials, drawn from those before it
  std::size_t block_size = 2000;
  std::unique_ptr<libp2p::runtime::LinkModel> links = std::make_unique<libp2p::runtime::UniformLinks>();
  std::uint64_t check_every = SimNetwork::kCheckEvery;               // events of a node
  std::function<void(std::size_t index, SimMemberOptions&)> member;  // what is special about a member
};

class Story {
 public:
  Story(std::uint64_t seed, StoryOptions options);

  SimNetwork& network() { return *network_; }
  libp2p::runtime::SimWorld& world() { return network_->world(); }
  libp2p::Rng& rng() { return rng_; }

  // `count` blocks, each at its time, and a second for the last one to spread.
  void blocks(std::uint64_t count);
  // Blocks until every running member has the last one, at most `most`; that must suffice. Answers how long it took.
  Nanos blocks_until_together(std::uint64_t most);
  std::uint64_t produced() const { return hashes_.size() - 1; }
  // One more member, that dials others as the first ones did.
  std::size_t add_member();
  // Adversaries of a kind, each a peer of every member of `victims`.
  void add_adversaries(AdversaryKind kind, std::size_t count, const std::vector<std::size_t>& victims);
  // The same, all at one address.
  void add_adversaries_at_one_address(AdversaryKind kind, std::size_t count, const std::vector<std::size_t>& victims);
  // From now on `waiting` identities of a kind, each at an address of its own, that have done the victims no harm yet.
  // Whoever has is replaced, and comes back as somebody else `stays` later.
  void keep_newcomers(AdversaryKind kind, std::size_t waiting, const std::vector<std::size_t>& victims, Nanos stays);
  // Of all adversaries, those too that came back as somebody else.
  std::uint64_t misdeeds();
  // Runs until the member has the sequencer's head, and answers how long that took.
  Nanos time_until_whole(std::size_t member, Nanos limit);
  // The nodes of some members, for SimWorld::partition.
  std::vector<libp2p::runtime::NodeIndex> places(const std::vector<std::size_t>& members) const;
  // `count` members other than the sequencer, drawn from the seed, ascending.
  std::vector<std::size_t> draw_members(std::size_t count);
  std::uint64_t head(std::size_t member) const { return network_->node(member).head().number; }
  // The members that run and are not at the sequencer's head.
  std::vector<std::size_t> behind() const;

  // Missing parents below the heads of all running members.
  std::size_t holes() const;

  // Time passes without blocks until all running members have the whole chain; then adversaries go, and nothing may be
  // left in any queue.
  void expect_whole_chain_everywhere(Nanos limit = Seconds(180));
  void close() { network_->close(); }

  // Time passes without blocks of the sequencer; every queue is watched.
  void run(Nanos duration) { run_watched(duration); }
  // The chain before the first block of blocks().
  const opstack::testing::ChainBuilder& chain() const { return *chain_; }
  // Adversaries go; if `drained`, nothing may be left in any queue after a while.
  void end_adversaries_and_rest(bool drained);

  Nanos elapsed() { return world().now() - begin_; }
  // The longest that blocks_until_together() has taken.
  Nanos longest_recovery() const { return longest_recovery_; }
  // The highest fill of each queue so far, over all nodes.
  const NodeSizes& most() const { return most_; }
  libp2p::runtime::SimWorld::Sizes most_of_world() const { return most_of_world_; }

 private:
  SimMemberOptions member_options(std::size_t index);
  void expect_together() const;
  void add(std::size_t index);
  void watch();
  void run_watched(Nanos duration);
  void replace_newcomers();
  void expect_bounded(std::size_t member, const NodeSizes& sizes) const;
  void expect_drained() const;
  void expect_chain_of(std::size_t member) const;

  libp2p::SeededRng rng_;
  StoryOptions options_;
  std::unique_ptr<opstack::testing::ChainBuilder> chain_;
  std::unique_ptr<SimNetwork> network_;
  libp2p::MonoTime begin_;
  std::vector<opstack::payload::Hash> hashes_;  // of the sequencer's blocks by number
  std::size_t newcomers_wanted_ = 0;
  std::vector<std::size_t> newcomers_victims_;
  AdversaryKind newcomers_kind_ = AdversaryKind::silent;
  Nanos newcomers_stay_{0};
  std::uint64_t spent_misdeeds_ = 0;
  std::map<std::size_t, libp2p::MonoTime> spent_newcomers_;  // adversaries, and since when
  Nanos longest_recovery_{0};
  NodeSizes most_;
  libp2p::runtime::SimWorld::Sizes most_of_world_;
};

// After all stories: nothing of a network lives on.
void expect_nothing_lives();

// How many nodes a story of `usual` nodes gets on this run.
std::size_t nodes_of(std::size_t usual);
// The first seed of a run, if the environment names none.
inline constexpr std::uint64_t kSeed = 1;
// The seeds of a run: `count` of them from `first` on, or what the environment says.
std::vector<std::uint64_t> seeds_of(std::uint64_t first, std::uint64_t count);
// The command that repeats the running test with `seed`.
std::string rerun_command(std::uint64_t seed);

}  // namespace opp2p::sim

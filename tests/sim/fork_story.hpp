// What the scenarios of fork choice (docs/fork-choice.md) have in common: a Story whose blocks come from several
// producers. Each has the sequencer's key, a node of its own, and a branch of one chain. It publishes a block as soon
// as the block's time has come, and one after the other where it is behind its time, as op-node's sequencer does.
//
// Everything follows from the story's seed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "fork_trouble.hpp"
#include "story.hpp"

namespace opp2p::sim {

using opstack::payload::Hash;

class ForkStory {
 public:
  static constexpr auto kStep = Millis(250);  // a producer that is behind makes one block in each

  // `trouble`: members in trouble stand beside the story's own. They count for nothing before expect_one_chain().
  explicit ForkStory(Story& story, std::optional<std::uint64_t> trouble = std::nullopt);

  Story& story() { return story_; }
  SimNetwork& network() { return story_.network(); }
  Node& node(std::size_t member) { return story_.network().node(member); }

  // ---- producers; each is named by its member ----

  // Begins a branch on the member's head.
  void start_producing(std::size_t member);
  // Begins a branch on any block that was made.
  void start_producing_on(std::size_t member, const Hash& parent);
  // Goes on with the branch that it had.
  void resume_producing(std::size_t member);
  void stop_producing(std::size_t member);
  // `from` stops; `to` begins a branch `lower` blocks below the last block of `from`. It is that many blocks behind its
  // time.
  void fail_over(std::size_t from, std::size_t to, std::uint64_t lower);
  // The last block that the member made, and the block of its branch that is `lower` below it.
  const Hash& made(std::size_t member) const { return producers_.at(member).tip; }
  bool has_made(std::size_t member) const { return producers_.contains(member); }
  Hash below(Hash block, std::uint64_t lower) const;
  Hash at(const Hash& branch, std::uint64_t number) const { return below(branch, number_of(branch) - number); }
  std::uint64_t number_of(const Hash& block) const { return blocks_.at(block).head().payload.block_number; }

  // ---- time ----

  void run(Nanos duration);
  // Blocks' times.
  void run_blocks(std::uint64_t count) { run(Seconds(static_cast<std::int64_t>(count * kBlockTime))); }
  // Until `done`, which must come within `limit`. Answers how long it took.
  Nanos run_until(const std::function<bool()>& done, Nanos limit, const char* what);
  // Until the heads of all running members are on the branch of this block, and the same.
  Nanos run_until_all_on(const Hash& block, Nanos limit);

  // ---- members ----

  void stop(std::size_t member);
  void lose_power(std::size_t member);
  void start(std::size_t member);
  std::size_t add_member();
  // The running node of each gets another signer, and so do all nodes that it starts afterwards. Members in trouble
  // hear of it with the first.
  void rotate_signer(const std::vector<std::size_t>& members, const opstack::rules::Address& signer);
  // Those of the scenario, running or not.
  std::vector<std::size_t> members() const;
  void listen_to(std::size_t member);

  // ---- what members have ----

  Hash head(std::size_t member) const { return story_.network().node(member).head().hash; }
  bool all_on(const Hash& block) const;
  bool one_head() const { return different_heads() == 1; }
  // The head is this block, or stands on it.
  bool is_on(std::size_t member, const Hash& block) const;
  std::size_t holes(std::size_t member) const;
  std::size_t different_heads() const;
  // How often a head moved to another branch: over all members, of one of them, and by taking a segment above a hole.
  std::uint64_t reorganisations() const;
  std::uint64_t reorganisations_of(std::size_t member) const { return counts_.at(member).reorganisations; }
  std::uint64_t segments_of(std::size_t member) const { return counts_.at(member).segments; }
  // Blocks that its store did not keep.
  std::uint64_t refused_writes_of(std::size_t member) const { return counts_.at(member).refused_writes; }

  // Trouble ends, and the members that were in it follow the others within the patience. Then one chain: every running
  // member has the same head and, where it has a block at a height, the same one. Each disk
  // is free of defects. Afterwards adversaries go and queues are empty where no hole is left to be filled.
  void expect_one_chain();

 private:
  struct Outcome {
    std::optional<Result<void>> of_last;
  };
  struct Producer {
    Hash tip{};
    bool producing = false;
    std::optional<std::uint64_t> salt;                 // of a branch that has no block yet
    std::optional<opstack::testing::Envelope> unsent;  // is published until that succeeds
    std::shared_ptr<Outcome> outcome;                  // of its publication
  };
  struct Counts {
    std::uint64_t reorganisations = 0;
    std::uint64_t segments = 0;
    std::uint64_t refused_writes = 0;
    libp2p::Subscription listening;
  };
  void step(std::size_t member, Producer& producer);
  void settle(Producer& producer);
  std::vector<std::size_t> running() const;
  void end_trouble();
  void forget_outcome(std::size_t member);
  std::string what_has(std::size_t member) const;
  void expect_one_head() const;
  void expect_same_canonical_blocks() const;
  void expect_sound_disks() const;

  Story& story_;
  std::map<Hash, opstack::testing::ChainBuilder> blocks_;  // after each block that was made
  std::map<std::size_t, Producer> producers_;
  std::map<std::size_t, Counts> counts_;
  std::uint64_t salt_ = 0;
  bool rotated_ = false;  // until then no head moves to a lower block
  std::unique_ptr<Trouble> trouble_;
};

}  // namespace opp2p::sim

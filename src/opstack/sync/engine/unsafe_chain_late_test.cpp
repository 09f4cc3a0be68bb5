// UnsafeChain and a store whose answers come late: each answer is given by the test.
#include <gtest/gtest.h>

#include "opstack/sync/engine/chain_world_test.hpp"

namespace opstack::sync {
namespace {

using libp2p::Seconds;
using testing_chain::block;

class UnsafeChainLate : public testing::Test {
 protected:
  UnsafeChainLate() {
    now_.mono = libp2p::MonoTime(Seconds(1000));
    now_.wall = libp2p::from_unix_seconds(static_cast<std::int64_t>(testing_chain::kGenesisTime));
    ChainView view;
    view.begin.emplace();
    view.begin->ref = testing_chain::ChainWorld::genesis();
    view.begin->timestamp = testing_chain::kGenesisTime;
    chain_.emplace(UnsafeChainConfig{}, rollup_, view, now_);
    signer_[0] = 1;
    (void)chain_->on_signer(signer_, now_);
    chain_->on_sources(true, now_);
    pump();
  }
  // Genesis and eras are stored at once.
  void pump() {
    while (const auto action = chain_->poll_action()) {
      if (const auto* start = std::get_if<StartAt>(&*action)) chain_->on_started(start->id, KeptBlock{}, now_);
      if (const auto* open = std::get_if<OpenEra>(&*action)) chain_->on_era(open->id, open->era, now_);
      if (const auto* keep = std::get_if<KeepBlock>(&*action)) keeps_.push_back(keep->id);
      if (const auto* descend = std::get_if<Descend>(&*action)) descends_.push_back(*descend);
      if (std::holds_alternative<LoadView>(*action)) ++views_;
    }
    chain_->check();
  }
  void sign(std::uint64_t number) {
    Attestation attestation;
    attestation.signer = signer_;
    attestation.era = 1;
    attestation.arrived = now_.wall;
    (void)chain_->on_signed(fuzzing::peer_named(1), block(number, 0, 0), attestation, now_);
    pump();
  }
  void kept(const KeptBlock& outcome) {
    const WriteId id = keeps_.front();
    keeps_.pop_front();
    chain_->on_kept(id, outcome, now_);
    pump();
  }
  static KeptBlock with_parent() {
    KeptBlock out;
    out.parent_there = true;
    return out;
  }
  static KeptBlock that_pruned(std::uint64_t number) {
    const auto pruned = std::make_shared<Pruned>();
    pruned->orphans.push_back(block(number, 0, 0).ref());
    pruned->blocks = 1;
    KeptBlock out;
    out.pruned = pruned;
    return out;
  }

  const chain::RollupConfig rollup_ = testing_chain::rollup();
  Now now_;
  std::optional<UnsafeChain> chain_;
  rules::Address signer_{};
  std::deque<WriteId> keeps_;
  std::vector<Descend> descends_;
  int views_ = 0;
};

TEST_F(UnsafeChainLate, what_the_disk_answers_after_it_has_lost_blocks_is_asked_again) {
  sign(20);
  kept(with_parent());
  ASSERT_EQ(descends_.size(), 1u);
  sign(30);
  kept(that_pruned(19));
  ASSERT_EQ(descends_.size(), 2u) << "the first answer may be of a time when block 19 was there";
  EXPECT_EQ(descends_[1].from, block(20, 0, 0).ref());
  Descent before;
  before.lowest = block(19, 0, 0).ref();
  chain_->on_descended(descends_[0].id, before, now_);
  Descent after;
  after.lowest = block(20, 0, 0).ref();
  chain_->on_descended(descends_[1].id, after, now_);
  pump();
  const auto& tree = chain_->tree();
  EXPECT_EQ(tree.component(tree.component_of(fuzzing::hash_of(20, 0))).lowest.number, 20u);
}

TEST_F(UnsafeChainLate, a_block_that_the_disk_does_not_find_is_no_failure_and_a_disk_that_does_not_read_is_one) {
  for (const auto code : {Errc::not_found, Errc::io}) {
    sign(20 + 10 * descends_.size());
    kept(with_parent());
    chain_->on_descended(descends_.back().id, libp2p::fail(code, "from the test"), now_);
    now_.mono += Seconds(5);
    chain_->on_timeout(now_);
    pump();
    EXPECT_EQ(views_, code == Errc::io ? 1 : 0);
  }
}

TEST_F(UnsafeChainLate, a_segment_that_ends_higher_on_the_disk_than_in_memory_is_read_anew) {
  for (std::uint64_t n = 1; n <= 3; ++n) {
    sign(n);
    kept(with_parent());
  }
  sign(4);
  KeptBlock outcome = with_parent();
  outcome.segments = {{testing_chain::ChainWorld::genesis(), 0, true}, {block(3, 0, 0).ref(), 4, false}};
  kept(outcome);
  now_.mono += Seconds(5);
  chain_->on_timeout(now_);
  pump();
  EXPECT_EQ(views_, 1);
}

TEST_F(UnsafeChainLate, what_is_being_written_below_a_segment_is_not_lost) {
  sign(3);
  sign(2);
  sign(1);  // in memory they are joined at once
  kept({});
  kept(with_parent());
  KeptBlock outcome = with_parent();
  outcome.segments = {{testing_chain::ChainWorld::genesis(), 1, true}};
  kept(outcome);
  now_.mono += Seconds(5);
  chain_->on_timeout(now_);
  pump();
  EXPECT_EQ(views_, 0);
  EXPECT_EQ(chain_->head()->number, 3u);
}

}  // namespace
}  // namespace opstack::sync

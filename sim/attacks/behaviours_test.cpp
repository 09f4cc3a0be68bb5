// What each behaviour sends is what its attack says.
#include "sim/attacks/behaviours.hpp"

#include <gtest/gtest.h>

#include <set>

#include "sim/attacks/sybil_test_support.hpp"

namespace opp2p::sim::attacks::test {
namespace {

using libp2p::Millis;

TEST(SybilTest, says_to_everybody_that_it_is_in_the_topic) {
  SybilBench bench({});
  bench.connect(1);
  bench.connect(2);
  EXPECT_EQ(bench.to(1).subscriptions, 1U);
  EXPECT_EQ(bench.to(2).subscriptions, 1U);
}

TEST(SybilTest, a_block_is_handed_to_its_behaviours_once) {
  SybilBench bench(only<Forwards>(Forwards::Options{}));
  for (const Member peer : {1U, 2U, 3U}) bench.add(peer);
  bench.graft(3);
  bench.block(1, "a block");
  bench.block(2, "a block");
  EXPECT_EQ(bench.to(3).blocks, std::vector<std::string>{"a block"});
  EXPECT_EQ(bench.plot().blocks().size(), 1U);
}

TEST(SybilTest, what_comes_of_somebody_who_is_not_connected_or_of_another_topic_is_not_looked_at) {
  SybilBench bench(only<TakesPlaces>(Seconds(61)));
  Rpc rpc;
  rpc.subscriptions.push_back({true, kTopic, {}, {}});
  bench.deliver(1, rpc);
  EXPECT_EQ(bench.to(1).grafts, 0U);
  bench.connect(1);
  Rpc other;
  other.subscriptions.push_back({true, "another", {}, {}});
  bench.deliver(1, other);
  EXPECT_EQ(bench.to(1).grafts, 0U);
}

TEST(TakesPlacesTest, grafts_whoever_is_in_the_topic_and_again_when_the_time_after_a_prune_is_over) {
  SybilBench bench(only<TakesPlaces>(Seconds(61)));
  bench.add(1);
  EXPECT_EQ(bench.to(1).grafts, 1U);
  bench.prune(1);
  bench.pass(Seconds(60));
  EXPECT_EQ(bench.to(1).grafts, 1U) << "the back-off of a PRUNE is 60 s";
  bench.pass(Seconds(1));
  EXPECT_EQ(bench.to(1).grafts, 2U);
}

TEST(TakesPlacesTest, two_prunes_make_one_graft_and_a_disconnect_none) {
  SybilBench bench(only<TakesPlaces>(Seconds(61)));
  bench.add(1);
  bench.prune(1);
  bench.pass(Seconds(10));
  bench.prune(1);
  bench.pass(Seconds(200));
  EXPECT_EQ(bench.to(1).grafts, 2U);
  bench.prune(1);
  bench.sybil.on_disconnected(1, at(bench.now()));
  bench.pass(Seconds(200));
  EXPECT_EQ(bench.to(1).grafts, 2U);
}

TEST(ForwardsTest, before_the_attack_every_block_goes_to_the_meshes_it_is_in_but_not_back) {
  SybilBench bench(only<Forwards>(Forwards::Options{.drop = 1}), Seconds(0));
  for (const Member peer : {1U, 2U, 3U}) bench.add(peer);
  bench.graft(1);
  bench.graft(2);
  bench.block(1, "a block");
  EXPECT_TRUE(bench.to(1).blocks.empty());
  EXPECT_EQ(bench.to(2).blocks.size(), 1U);
  EXPECT_TRUE(bench.to(3).blocks.empty()) << "it is not in that mesh";
}

TEST(ForwardsTest, during_the_attack_the_share_that_is_to_be_dropped_is_dropped) {
  SybilBench bench(only<Forwards>(Forwards::Options{.drop = 0.5}));
  for (const Member peer : {1U, 2U}) bench.add(peer);
  bench.graft(2);
  for (int i = 0; i < 1000; ++i) bench.block(1, "block " + std::to_string(i));
  EXPECT_GT(bench.to(2).blocks.size(), 400U);
  EXPECT_LT(bench.to(2).blocks.size(), 600U);
}

TEST(ForwardsTest, a_delayed_block_goes_out_after_the_delay) {
  SybilBench bench(only<Forwards>(Forwards::Options{.drop = 0, .delay = Millis(1500)}));
  for (const Member peer : {1U, 2U}) bench.add(peer);
  bench.graft(2);
  bench.block(1, "a block");
  bench.pass(Millis(1499));
  EXPECT_TRUE(bench.to(2).blocks.empty());
  bench.pass(Millis(1));
  EXPECT_EQ(bench.to(2).blocks.size(), 1U);
}

TEST(ForwardsTest, a_censor_drops_the_blocks_of_its_victim_and_no_others) {
  SybilBench bench(only<Forwards>(Forwards::Options{.drop = 1, .censors = true}));
  for (const Member peer : {1U, 2U}) bench.add(peer);
  bench.graft(2);
  bench.block(1, "victim's block");
  bench.block(1, "another's block");
  EXPECT_EQ(bench.to(2).blocks, std::vector<std::string>{"another's block"});
}

TEST(AnswersTest, an_iwant_is_answered_before_the_attack_and_during_it_late_or_never) {
  SybilBench early(only<Answers>(std::nullopt), Seconds(0));
  early.add(1);
  early.block(1, "a block");
  early.iwant(1, "a block");
  EXPECT_EQ(early.to(1).blocks.size(), 1U);
  early.iwant(1, "no block");
  EXPECT_EQ(early.to(1).blocks.size(), 1U) << "nobody has it";

  SybilBench never(only<Answers>(std::nullopt));
  never.add(1);
  never.block(1, "a block");
  never.iwant(1, "a block");
  never.pass(Seconds(10));
  EXPECT_TRUE(never.to(1).blocks.empty());

  SybilBench late(only<Answers>(Millis(1500)));
  late.add(1);
  late.block(1, "a block");
  late.iwant(1, "a block");
  EXPECT_TRUE(late.to(1).blocks.empty());
  late.pass(Millis(1500));
  EXPECT_EQ(late.to(1).blocks.size(), 1U);
}

TEST(SpamsTest, spam_begins_with_the_attack_keeps_its_rate_and_ends_with_it) {
  SybilBench bench(only<FloodsGrafts>(2.0), Seconds(0));
  bench.add(1);
  bench.add(2);
  bench.pass(kAttack);
  EXPECT_LE(bench.to(1).grafts, 1U);
  bench.pass(Seconds(10));
  EXPECT_NEAR(bench.to(1).grafts, 20, 1);
  EXPECT_EQ(bench.to(1).grafts, bench.to(2).grafts);
  bench.pass(kEnd);
  const auto sent = bench.to(1).grafts;
  EXPECT_NEAR(sent, 120, 1);
  bench.pass(Seconds(60));
  EXPECT_EQ(bench.to(1).grafts, sent);
  EXPECT_EQ(bench.sybil.next_deadline(), std::nullopt);
}

TEST(SpamsTest, ids_that_are_advertised_are_all_different) {
  SybilBench bench(only<InventsIds>(2.0));
  bench.add(1);
  bench.pass(Seconds(5));
  const auto& ids = bench.to(1).ihave;
  EXPECT_GE(ids.size(), 9 * InventsIds::kIds);
  EXPECT_EQ(std::set<Bytes>(ids.begin(), ids.end()).size(), ids.size());
}

TEST(SpamsTest, the_last_blocks_are_asked_for_again_and_again) {
  SybilBench bench(only<AsksAgain>(1.0));
  bench.add(1);
  bench.block(1, "a block");
  bench.pass(Seconds(5));
  const auto asked = bench.to(1).iwant;
  EXPECT_GE(asked.size(), 4U);
  for (const auto& id : asked) EXPECT_EQ(id, libp2p::to_bytes(id_of(libp2p::as_bytes("a block")).bytes()));
  bench.pass(Seconds(2));
  const auto count = bench.to(1).iwant.size();
  bench.pass(Seconds(10));
  EXPECT_EQ(bench.to(1).iwant.size(), count) << "nobody keeps it any more";
}

TEST(SpamsTest, every_bad_block_is_a_new_one_and_goes_to_all_peers) {
  SybilBench bench(only<SendsBadBlocks>(1.0));
  bench.add(1);
  bench.add(2);
  bench.pass(Seconds(10));
  const auto& sent = bench.to(1).blocks;
  EXPECT_GE(sent.size(), 9U);
  EXPECT_EQ(std::set<std::string>(sent.begin(), sent.end()).size(), sent.size());
  EXPECT_EQ(sent, bench.to(2).blocks);
}

TEST(SpamsTest, replayed_blocks_are_by_turns_of_any_age_and_so_old_that_they_are_forgotten) {
  SybilBench bench(only<Replays>(1.0), Seconds(0));
  bench.add(1);
  bench.block(1, "old");
  bench.pass(Seconds(67));
  bench.to(1).blocks.clear();
  bench.block(1, "new");
  bench.pass(Seconds(20));
  std::size_t old = 0;
  for (const auto& block : bench.to(1).blocks) old += block == "old" ? 1 : 0;
  EXPECT_GE(old, 10U);
  EXPECT_LT(old, bench.to(1).blocks.size()) << "the new one was never sent";
}

TEST(PlotTest, keeps_the_newest_blocks) {
  SybilBench bench({});
  bench.add(1);
  for (std::size_t i = 0; i < Plot::kMostBlocks + 5; ++i) bench.block(1, "block " + std::to_string(i));
  EXPECT_EQ(bench.plot().blocks().size(), Plot::kMostBlocks);
  EXPECT_EQ(bench.plot().find(id_of(libp2p::as_bytes("block 0"))), nullptr);
  EXPECT_NE(bench.plot().find(id_of(libp2p::as_bytes("block 5"))), nullptr);
}

}  // namespace
}  // namespace opp2p::sim::attacks::test

// The judgement of a run and of each story: a record as it must be passes, and each that is wrong in one place fails.
#include "apps/devnet/story.hpp"

#include <gtest/gtest.h>

#include <set>

namespace opp2p::devnet {
namespace {

using libp2p::Seconds;

StorySetting setting_of(std::optional<Seconds> length = std::nullopt, std::size_t followers = 2) {
  StorySetting out;
  out.followers = followers;
  out.block_time = Seconds(1);
  if (length) out.length = *length;
  return out;
}

std::unique_ptr<Story> story_named(std::string_view name) {
  for (const auto& kind : stories())
    if (kind.name == name) return kind.make(setting_of());
  return nullptr;
}

std::string hash_of(std::uint64_t number) { return "0x" + std::to_string(number); }

// A run of ten blocks in which nothing went wrong.
Record record_of(const Plan& plan) {
  Record out;
  out.block_time = Seconds(1);
  out.head = {10, hash_of(10)};
  for (std::uint64_t i = 1; i <= 10; ++i) out.chain.push_back(hash_of(i));
  for (const auto& member : plan.members) {
    NodeRecord node;
    node.row.name = member.name;
    node.row.state = "running";
    node.row.head = out.head;
    node.row.rejected["invalid_signature"] = 1;
    node.chain_from = 1;
    node.chain = out.chain;
    out.nodes.push_back(std::move(node));
  }
  out.story_ended = true;
  return out;
}

void reorganise(NodeRecord& node, std::uint64_t from, std::uint64_t fork) {
  node.reorganisations.push_back({{from, "0xold"}, {from + 1, hash_of(from + 1)}, fork, from - fork});
}

bool passes(const Story& story, const Record& record) {
  auto checks = judge_run(record);
  append(checks, story.judge(record));
  return all_ok(checks);
}

// ---- every run ----

TEST(Judgement, a_node_with_another_block_is_named_with_the_first_that_differs) {
  auto record = record_of(story_named("gap")->plan());
  EXPECT_TRUE(all_ok(judge_run(record)));
  record.nodes[1].chain[6] = "0xother";
  const auto checks = judge_run(record);
  ASSERT_EQ(checks.size(), 1u);
  EXPECT_FALSE(checks[0].ok);
  EXPECT_EQ(checks[0].text, "follower-1 has 10 of 10 blocks, from block 1 on, and differs from block 7 on");
}

TEST(Judgement, a_node_that_ended_or_that_did_not_answer_fails) {
  for (const char* state : {"ended 137", "silent", "starting"}) {
    auto record = record_of(story_named("gap")->plan());
    record.nodes[2].row.state = state;
    EXPECT_FALSE(all_ok(judge_run(record))) << state;
  }
  auto record = record_of(story_named("gap")->plan());
  record.nodes[2].chain_from.reset();
  EXPECT_FALSE(all_ok(judge_run(record)));
}

TEST(Judgement, a_node_that_the_story_stopped_is_not_judged) {
  auto record = record_of(story_named("gap")->plan());
  record.nodes[2].stopped = true;
  record.nodes[2].chain.clear();
  EXPECT_TRUE(all_ok(judge_run(record)));
}

TEST(Judgement, above_a_hole_only_the_blocks_above_it_count) {
  auto record = record_of(story_named("gap")->plan());
  record.nodes[2].chain_from = 8;
  record.nodes[2].chain = {hash_of(8), hash_of(9), hash_of(10)};
  EXPECT_TRUE(all_ok(judge_run(record)));
  record.nodes[2].chain.pop_back();
  EXPECT_FALSE(all_ok(judge_run(record)));
}

TEST(Judgement, what_the_devnet_could_not_do_is_a_problem) {
  auto record = record_of(story_named("gap")->plan());
  record.problems = {"sequencer could not publish block 4"};
  EXPECT_FALSE(all_ok(judge_run(record)));
}

TEST(Judgement, an_interrupted_run_blames_no_node_that_had_no_time) {
  auto record = record_of(story_named("gap")->plan());
  record.interrupted = true;
  record.nodes[2].up_at = 9;
  record.nodes[2].chain.clear();
  EXPECT_TRUE(all_ok(judge_run(record)));
  record.nodes[2].up_at = 8;
  EXPECT_FALSE(all_ok(judge_run(record)));
  Record empty;
  empty.interrupted = true;
  ASSERT_EQ(judge_run(empty).size(), 1u);
  EXPECT_EQ(judge_run(empty)[0].text, "stopped before the first block");
}

// ---- all stories ----

TEST(Story, each_has_a_name_a_sentence_a_sequencer_and_steps_that_say_what_they_wait_for) {
  std::set<std::string_view> names;
  for (const auto& kind : stories()) {
    EXPECT_TRUE(names.insert(kind.name).second);
    EXPECT_FALSE(kind.about.empty());
    const auto story = kind.make(setting_of());
    const auto plan = story->plan();
    ASSERT_FALSE(plan.members.empty());
    EXPECT_TRUE(plan.members[0].has_key);
    EXPECT_FALSE(plan.members[0].waits);
    EXPECT_FALSE(plan.goes_on);
    for (const auto& step : story->steps()) EXPECT_FALSE(step.awaits.empty()) << kind.name;
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"failover", "reorg", "gap", "no-servers", "signer"}));
}

TEST(Story, no_step_of_a_story_comes_before_the_first_block) {
  for (const auto& kind : stories()) {
    const auto story = kind.make(setting_of());
    Record record = record_of(story->plan());
    record.head = {};
    EXPECT_FALSE(story->steps().front().when(record)) << kind.name;
  }
}

TEST(Story, with_one_follower_each_story_has_its_members) {
  for (const auto& kind : stories()) {
    const auto plan = kind.make(setting_of(std::nullopt, 1))->plan();
    EXPECT_EQ(plan.members.back().name, "follower-1") << kind.name;
  }
}

// ---- failover ----

Record failed_over() {
  auto record = record_of(story_named("failover")->plan());
  record.take_overs.push_back({kStandby, 3, 3});
  for (auto& node : record.nodes) reorganise(node, 6, 3);
  return record;
}

TEST(FailoverStory, passes_when_every_node_reorganised_once_and_as_deep_as_the_take_over) {
  EXPECT_TRUE(passes(*story_named("failover"), failed_over()));
}

TEST(FailoverStory, fails_when_a_node_did_not_reorganise_twice_or_elsewhere) {
  const auto story = story_named("failover");
  auto record = failed_over();
  record.nodes[2].reorganisations.clear();
  EXPECT_FALSE(passes(*story, record));
  record = failed_over();
  reorganise(record.nodes[2], 8, 7);
  EXPECT_FALSE(passes(*story, record));
  record = failed_over();
  record.nodes[2].unseen_reorganisations = 1;
  EXPECT_FALSE(passes(*story, record));
  record = failed_over();
  record.nodes[2].reorganisations[0].fork = 4;
  EXPECT_FALSE(passes(*story, record));
  record = failed_over();
  record.nodes[2].reorganisations[0].fork.reset();
  EXPECT_FALSE(passes(*story, record));
}

TEST(FailoverStory, fails_when_nobody_took_over_or_a_hole_is_left) {
  const auto story = story_named("failover");
  auto record = failed_over();
  record.take_overs.clear();
  EXPECT_FALSE(passes(*story, record));
  record = failed_over();
  record.nodes[3].row.hole_count = 1;
  EXPECT_FALSE(passes(*story, record));
}

// ---- reorg ----

Record split_and_healed() {
  auto record = record_of(story_named("reorg")->plan());  // shorter: the sequencer, follower-1
  record.take_overs.push_back({kStandby, 4, 0});
  record.take_overs.push_back({kSequencer, 4, 0});
  for (auto& node : record.nodes)
    if (node.row.name == kSequencer || node.row.name == follower(1)) reorganise(node, 8, 4);
  return record;
}

TEST(ReorgStory, passes_when_the_shorter_side_reorganised_and_the_longer_did_not) {
  EXPECT_TRUE(passes(*story_named("reorg"), split_and_healed()));
}

TEST(ReorgStory, fails_when_the_longer_side_reorganised_or_the_shorter_did_not) {
  const auto story = story_named("reorg");
  auto record = split_and_healed();
  record.find(follower(1))->reorganisations.clear();
  EXPECT_FALSE(passes(*story, record));
  record = split_and_healed();
  reorganise(*record.find(follower(2)), 8, 4);
  EXPECT_FALSE(passes(*story, record));
  record = split_and_healed();
  record.take_overs.clear();
  EXPECT_FALSE(passes(*story, record));
}

TEST(ReorgStory, fails_when_the_reorganisation_is_one_block_deep) {
  auto record = split_and_healed();
  auto& node = *record.find(follower(1));
  node.reorganisations.clear();
  reorganise(node, 5, 4);
  EXPECT_FALSE(passes(*story_named("reorg"), record));
}

// ---- gap ----

Record filled_gap() {
  auto record = record_of(story_named("gap")->plan());
  auto& node = *record.find(follower(2));
  node.gaps.push_back({4, 10, 5});
  node.gaps_filled = 1;
  node.row.filled = 5;
  return record;
}

TEST(GapStory, passes_when_the_gap_was_seen_and_filled) { EXPECT_TRUE(passes(*story_named("gap"), filled_gap())); }

TEST(GapStory, fails_without_a_gap_without_fetched_blocks_or_with_a_hole) {
  const auto story = story_named("gap");
  auto record = filled_gap();
  record.find(follower(2))->gaps.clear();
  EXPECT_FALSE(passes(*story, record));
  record = filled_gap();
  record.find(follower(2))->row.filled = 0;
  EXPECT_FALSE(passes(*story, record));
  record = filled_gap();
  record.find(follower(2))->row.hole_count = 1;
  EXPECT_FALSE(passes(*story, record));
  record = filled_gap();
  reorganise(*record.find(follower(1)), 8, 7);
  EXPECT_FALSE(passes(*story, record));
}

// ---- no-servers ----

Record hole_on_record() {
  auto record = record_of(story_named("no-servers")->plan());
  auto& node = *record.find(follower(2));
  node.gaps.push_back({4, 10, 5});
  node.gap_at = Seconds(12);
  node.hole_at = Seconds(22);
  node.reorganisations.push_back({{4, hash_of(4)}, {10, hash_of(10)}, std::nullopt, 0});
  node.row.hole_count = 1;
  node.row.holes = {{5, 9, 5}};
  node.row.connected_from = 10;
  node.chain_from = 10;
  node.chain = {hash_of(10)};
  return record;
}

TEST(NoServersStory, passes_when_the_head_moved_within_the_patience_and_the_hole_is_on_record) {
  EXPECT_TRUE(passes(*story_named("no-servers"), hole_on_record()));
}

TEST(NoServersStory, fails_when_the_head_moved_late_or_not_at_all) {
  const auto story = story_named("no-servers");
  auto record = hole_on_record();
  record.find(follower(2))->hole_at = Seconds(30);
  EXPECT_FALSE(passes(*story, record));
  record.find(follower(2))->hole_at.reset();
  EXPECT_FALSE(passes(*story, record));
}

TEST(NoServersStory, fails_when_the_hole_is_not_on_record_or_is_another) {
  const auto story = story_named("no-servers");
  auto record = hole_on_record();
  record.find(follower(2))->row.holes.clear();
  EXPECT_FALSE(passes(*story, record));
  record = hole_on_record();
  record.find(follower(2))->row.holes = {{3, 9, 7}};
  EXPECT_FALSE(passes(*story, record));
  record = hole_on_record();
  record.find(follower(1))->row.hole_count = 1;
  EXPECT_FALSE(passes(*story, record));
}

// ---- signer ----

Record new_era() {
  auto record = record_of(story_named("signer")->plan());
  record.take_overs.push_back({kStandby, 3, 3});
  for (auto& node : record.nodes) node.reorganisations.push_back({{6, "0xold"}, {4, hash_of(4)}, 3, 3});
  return record;
}

TEST(SignerStory, passes_when_every_node_left_the_higher_branch_of_the_old_signer) {
  EXPECT_TRUE(passes(*story_named("signer"), new_era()));
}

TEST(SignerStory, fails_when_a_node_waited_for_a_longer_branch_or_stayed) {
  const auto story = story_named("signer");
  auto record = new_era();
  record.find(follower(1))->reorganisations[0].to.number = 7;
  EXPECT_FALSE(passes(*story, record));
  record = new_era();
  record.find(follower(1))->reorganisations.clear();
  EXPECT_FALSE(passes(*story, record));
}

// ---- the default run ----

TEST(DefaultStory, a_run_that_is_too_short_has_no_standby_and_no_fail_over) {
  const auto names = [](std::optional<Seconds> length) {
    std::vector<std::string> out;
    for (const auto& member : default_story().make(setting_of(length))->plan().members) out.push_back(member.name);
    return out;
  };
  EXPECT_EQ(names(Seconds(8)), (std::vector<std::string>{"sequencer", "follower-1", "follower-2", "late-joiner"}));
  const std::vector<std::string> all = {"sequencer", "standby", "follower-1", "follower-2", "late-joiner"};
  EXPECT_EQ(names(Seconds(12)), all);
  EXPECT_EQ(names(std::nullopt), all);
}

Record default_run(const Story& story) {
  auto record = record_of(story.plan());
  record.take_overs.push_back({kStandby, 3, 1});
  for (auto& node : record.nodes)
    if (node.row.name != kLateJoiner) reorganise(node, 4, 3);
  return record;
}

TEST(DefaultStory, passes_with_one_replaced_block_and_an_intruder_in_vain) {
  const auto story = default_story().make(setting_of(Seconds(30)));
  EXPECT_TRUE(passes(*story, default_run(*story)));
}

TEST(DefaultStory, fails_without_the_fail_over_with_a_deeper_one_and_without_rejected_messages) {
  const auto story = default_story().make(setting_of(Seconds(30)));
  auto record = default_run(*story);
  record.take_overs.clear();
  EXPECT_FALSE(passes(*story, record));
  record = default_run(*story);
  record.take_overs[0].replaced = 2;
  EXPECT_FALSE(passes(*story, record));
  record = default_run(*story);
  record.find(follower(1))->reorganisations.clear();
  EXPECT_FALSE(passes(*story, record));
  record = default_run(*story);
  for (auto& node : record.nodes) node.row.rejected.clear();
  EXPECT_FALSE(passes(*story, record));
}

TEST(DefaultStory, passes_when_the_nodes_banned_the_intruder_within_ten_of_its_blamed_blocks) {
  const auto story = default_story().make(setting_of(Seconds(30)));
  auto record = default_run(*story);
  record.intruder = "16Uiu2Intruder";
  record.bans_intruder = true;
  for (auto& node : record.nodes) {
    if (node.row.name == kLateJoiner) continue;
    node.row.rejected = {{"invalid_signature", 9}, {"payload_too_old", 40}};
    node.row.banned = {record.intruder};
  }
  EXPECT_TRUE(passes(*story, record));
  EXPECT_EQ(judge_bans(record)[0].text.find("4 nodes banned the intruder, each after at most 9 invalid blocks"), 0u);
  auto late = record;
  late.find(follower(1))->row.rejected["bad_block_hash"] = 2;
  EXPECT_FALSE(passes(*story, late)) << "its stale blocks do not count, these eleven do";
  auto never = record;
  never.find(follower(2))->row.banned.clear();
  EXPECT_TRUE(passes(*story, never)) << "the ban may come with the tenth";
  never.find(follower(2))->row.rejected["invalid_signature"] = 11;
  EXPECT_FALSE(passes(*story, never));
  record.bans_intruder = false;
  EXPECT_FALSE(passes(*story, record)) << "the nodes were told to ban nobody";
}

TEST(DefaultStory, an_interrupt_before_the_fail_over_is_no_failure) {
  const auto story = default_story().make(setting_of());
  auto record = record_of(story->plan());
  record.interrupted = true;
  EXPECT_TRUE(passes(*story, record));
  record.interrupted = false;
  EXPECT_FALSE(passes(*story, record));
}

}  // namespace
}  // namespace opp2p::devnet

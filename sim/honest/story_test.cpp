// The smoke of every story: 50 nodes for some minutes of virtual time. `./test honest` runs 1,000.
#include "sim/honest/story.hpp"

#include <gtest/gtest.h>

namespace opp2p::sim::honest {
namespace {

#ifdef NDEBUG
constexpr double kMinutes = 5;
#else
constexpr double kMinutes = 1;  // a build without optimisation takes twenty times as long
#endif

StorySettings smoke(std::string profile = "opp2p", std::uint64_t seed = 1) {
  StorySettings settings;
  settings.seed = seed;
  settings.nodes = 50;
  settings.minutes = kMinutes;
  settings.profile = std::move(profile);
  settings.check_every = 500;
  return settings;
}

class StoryTest : public testing::TestWithParam<std::string_view> {};

TEST_P(StoryTest, no_honest_peer_is_ever_below_zero_or_banned) {
  const Story& story = *find_story(GetParam());
  const StoryReport report = run(story, smoke(), nullptr);
  EXPECT_TRUE(report.met()) << report_text(report);
  EXPECT_EQ(report.scores.pairs_below_zero, 0U);
  ASSERT_TRUE(report.scores.least);
  if (story.attackers > 0) EXPECT_GT(report.scores.hostile_banned, 0U);
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> out;
  for (const auto& story : all_stories()) out.push_back(story.name);
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, StoryTest, testing::ValuesIn(names()), [](const auto& info) {
  std::string name(info.param);
  for (char& letter : name)
    if (letter == '/' || letter == '-') letter = '_';
  return name;
});

TEST(Stories, run_the_same_way_again_from_the_same_seed) {
  const Story& story = *find_story("honest/all");
  StorySettings settings = smoke();
  settings.minutes = 0.5;
  const StoryReport first = run(story, settings, nullptr);
  EXPECT_EQ(run(story, settings, nullptr).trace_hash, first.trace_hash);
  settings.seed = 2;
  EXPECT_NE(run(story, settings, nullptr).trace_hash, first.trace_hash);
}

// What the profile is for: under op-node's the same peers cost nothing, and operators at one address are shut out.
TEST(Stories, are_not_met_under_the_profile_of_op_node) {
  const StoryReport attack = run(*find_story("ban/invalid-blocks"), smoke("light"), nullptr);
  EXPECT_EQ(attack.scores.hostile_banned, 0U);
  EXPECT_GT(attack.scores.most_without_ban, 10U);
  EXPECT_FALSE(attack.met());
  const StoryReport shared = run(*find_story("honest/shared-address"), smoke("light"), nullptr);
  ASSERT_TRUE(shared.scores.least);
  EXPECT_LT(shared.scores.least->parts.ip_colocation.weighted, -1000);
}

TEST(Stories, reject_nothing_unless_their_condition_does) {
  EXPECT_EQ(run(*find_story("honest/loss"), smoke(), nullptr).rejected, 0U);
  EXPECT_GT(run(*find_story("honest/signer-rotation"), smoke(), nullptr).rejected, 0U);
  EXPECT_GT(run(*find_story("honest/lagging-sequencer"), smoke(), nullptr).rejected, 0U);
}

TEST(StorySettings, take_what_they_name_and_say_what_may_be_written) {
  StorySettings settings;
  const std::string good[] = {"profile=light", "block-time=0.5", "block-size=100", "check-every=7"};
  ASSERT_TRUE(apply_settings(settings, good));
  EXPECT_EQ(settings.profile, "light");
  EXPECT_EQ(settings.block_time, 0.5);
  EXPECT_EQ(settings.block_size, 100U);
  EXPECT_EQ(settings.check_every, 7U);
  for (const std::string wrong :
       {"sybils=3", "block-time=0", "block-time=nan", "block-time", "block_time=2", "block-size=1", ""}) {
    const std::string one[] = {wrong};
    EXPECT_FALSE(apply_settings(settings, one)) << wrong;
  }
  settings.profile = "heavy";
  EXPECT_FALSE(validate(all_stories().front(), settings));
  settings.profile = "opp2p";
  settings.nodes = 29;
  EXPECT_FALSE(validate(all_stories().front(), settings));
}

}  // namespace
}  // namespace opp2p::sim::honest

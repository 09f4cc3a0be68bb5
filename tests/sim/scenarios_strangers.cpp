// Strangers who are after what all peers of a node share: who starve it, hoard its room and its places, or flood it.
#include <gtest/gtest.h>

#include <iostream>

#include "scenarios.hpp"

namespace opp2p::sim {
namespace {

// `count` blocks, each of which every member has within one block time.
void blocks_in_time(Story& story, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    story.blocks(1);
    EXPECT_TRUE(story.behind().empty()) << "block " << story.produced() << " is late";
  }
}

// No member had to ask for a block.
void expect_all_by_gossip(Story& story) {
  for (std::size_t i = 0; i < story.network().size(); ++i)
    EXPECT_EQ(story.network().node(i).stats().synced, 0u) << "member " << i;
}

void note_times(const char* what, Nanos undisturbed, Nanos disturbed) {
  std::cout << "  " << what << " took " << undisturbed / Millis(1) << " ms undisturbed and " << disturbed / Millis(1)
            << " ms under attack" << std::endl;
}

// --- starving ---

constexpr std::uint64_t kGap = 200;
constexpr std::size_t kWaiting = 8;     // fresh identities that nobody has asked yet
constexpr auto kGivenUp = Seconds(12);  // then nobody waits for an answer any more

// Five who serve and one who was away.
StoryOptions one_and_five_servers(std::uint64_t) {
  StoryOptions out;
  out.nodes = 6;
  out.dials = 5;
  return out;
}

// How long the last member takes for the gap that it has when it comes back.
Nanos time_to_fill_gap(Story& story) {
  const std::size_t late = story.network().size() - 1;
  story.network().stop(late);
  story.blocks(kGap);
  EXPECT_TRUE(story.network().start(late));
  story.blocks(1);
  return story.time_until_whole(late, Seconds(180));
}

void play_starved(Story& story) {
  story.blocks(5);
  const Nanos undisturbed = time_to_fill_gap(story);
  const std::size_t late = story.network().size() - 1;
  story.keep_newcomers(AdversaryKind::silent, kWaiting, {late}, kGivenUp);
  const Nanos starved = time_to_fill_gap(story);
  note_times("a gap of 200 blocks", undisturbed, starved);
  EXPECT_GT(story.misdeeds(), 0u) << "nobody asked the newcomers";
  EXPECT_LE(starved, 2 * undisturbed);
}

// --- hoarding ---

StoryOptions blocks_in_pieces(std::uint64_t) {
  StoryOptions out;
  out.nodes = 6;
  out.block_size = 100'000;  // their frames come in several pieces
  return out;
}

void play_unfinished_frames(Story& story) {
  story.blocks(3);
  story.add_adversaries(AdversaryKind::frame_hoarder, Adversary::kFrameHoarders, {1});
  story.blocks(1);
  EXPECT_GT(story.most().gossip_receiving, 64u << 20);
  blocks_in_time(story, 25);
  EXPECT_GE(story.misdeeds(), Adversary::kFrameHoarders);
  expect_all_by_gossip(story);
}

constexpr std::size_t kFromOneAddress = 40;
constexpr std::size_t kShareOfAnAddress = 8;

void play_places(Story& story) {
  story.blocks(3);
  story.add_adversaries_at_one_address(AdversaryKind::silent, kFromOneAddress, {0});
  blocks_in_time(story, 10);
  const auto address = story.network().adversary(0).host().listen_addresses().front().text();
  const auto ip = address.substr(0, address.find("/tcp/"));
  std::size_t held = 0;
  for (const auto& connection : story.network().node(0).host().connections()) {
    if (connection.remote.text().starts_with(ip + "/")) ++held;
  }
  EXPECT_GE(held, 1u);
  EXPECT_LE(held, kShareOfAnAddress);
}

constexpr std::size_t kRequestHoarders = 9;  // eight of them can hold all 512 places of a server

StoryOptions one_dial(std::uint64_t) {
  StoryOptions out;
  out.nodes = 6;
  out.dials = 1;
  return out;
}

// How long a new member takes for the whole chain.
Nanos time_to_join(Story& story) {
  const auto late = story.add_member();
  story.blocks(1);
  return story.time_until_whole(late, Seconds(300));
}

void play_held_requests(Story& story) {
  story.blocks(60);
  const Nanos undisturbed = time_to_join(story);
  std::vector<std::size_t> everybody(story.network().size());
  for (std::size_t i = 0; i < everybody.size(); ++i) everybody[i] = i;
  story.add_adversaries(AdversaryKind::request_hoarder, kRequestHoarders, everybody);
  story.blocks(5);
  const Nanos disturbed = time_to_join(story);
  note_times("a new member", undisturbed, disturbed);
  EXPECT_LE(disturbed, 2 * undisturbed);
  EXPECT_GE(story.misdeeds(), kRequestHoarders * Adversary::kHeldRequests);
}

// --- flooding ---

StoryOptions few(std::uint64_t) {
  StoryOptions out;
  out.nodes = 6;
  return out;
}

// Whose messages were refused comes back as somebody else, so that scores do not matter.
void play_small_messages(Story& story) {
  story.blocks(3);
  story.keep_newcomers(AdversaryKind::message_flooder, 3, {1}, Nanos(0));
  story.blocks(1);
  blocks_in_time(story, 3);
  EXPECT_GT(story.misdeeds(), 20u);
  expect_all_by_gossip(story);
}

void play_control(Story& story) {
  story.blocks(3);
  story.add_adversaries(AdversaryKind::control_flooder, 2, {1});
  blocks_in_time(story, 8);
  EXPECT_GT(story.misdeeds(), 100u);
  expect_all_by_gossip(story);
}

void play_pushes(Story& story) {
  story.blocks(3);
  story.add_adversaries(AdversaryKind::push_flooder, 2, {1});
  blocks_in_time(story, 5);
  EXPECT_GT(story.misdeeds(), 100u);
  expect_all_by_gossip(story);
}

}  // namespace

std::vector<Scenario> stranger_scenarios() {
  return {
      {"silent_newcomers_at_sync", one_and_five_servers, play_starved, 1},
      {"thirteen_frames_that_never_end", blocks_in_pieces, play_unfinished_frames, 1},
      {"forty_connections_from_one_address", usual, play_places, 1},
      {"all_places_for_requests_held", one_dial, play_held_requests, 1},
      {"a_flood_of_small_messages", few, play_small_messages, 1},
      {"a_flood_of_control", few, play_control, 1},
      {"a_flood_of_identify_pushes", few, play_pushes, 1},
  };
}

}  // namespace opp2p::sim

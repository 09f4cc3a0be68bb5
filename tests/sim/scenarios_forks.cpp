// Fork choice (docs/fork-choice.md): holes that nobody fills or somebody does, sequencers that fail over, and two of
// them at once.
#include <gtest/gtest.h>

#include <array>

#include "fork_scenarios.hpp"

namespace opp2p::sim {
namespace {

constexpr auto kHasty = Seconds(10);  // the patience without a source
constexpr auto kBlock = Seconds(static_cast<std::int64_t>(kBlockTime));
constexpr std::size_t kLast = 5;  // the member that misses blocks

// Six nodes; the first three can produce. `sources`: whether they ask for blocks and serve them.
StoryOptions six(bool sources, std::function<void(std::size_t, NodeConfig&)> more = nullptr) {
  StoryOptions out;
  out.nodes = 6;
  out.dials = 5;  // everybody is connected to everybody
  out.block_size = 500;
  out.member = [sources, more](std::size_t index, SimMemberOptions& member) {
    member.sequencer = index < 3;
    member.configure = [index, sources, more](NodeConfig& config) {
      config.sync_req_resp = sources;
      if (more) more(index, config);
    };
  };
  return out;
}
StoryOptions with_sources(std::uint64_t) { return six(true); }
StoryOptions without_sources(std::uint64_t) { return six(false); }

bool sees_more(ForkStory& forks, std::size_t member) {
  const auto status = forks.node(member).snapshots().status();
  return status.highest_seen > status.head_number;
}

// The member misses `blocks` blocks while it is stopped. Answers how long its head stood still after the first block
// that it got.
Nanos miss_blocks(ForkStory& forks, std::size_t member, std::uint64_t blocks) {
  forks.stop(member);
  forks.run_blocks(blocks);
  forks.start(member);
  const auto before = forks.story().head(member);
  forks.run_until([&] { return sees_more(forks, member); }, Seconds(20), "a block above the hole");
  EXPECT_EQ(forks.story().head(member), before);
  return forks.run_until([&] { return forks.story().head(member) > before; }, kHasty + kBlock, "a head above the hole");
}

// --- holes ---

void play_no_source(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(20);
  const Nanos stood = miss_blocks(forks, kLast, 20);
  EXPECT_GE(stood, kHasty - kBlock) << "the patience passes first";
  EXPECT_EQ(forks.holes(kLast), 1u);
  forks.run_blocks(5);
  EXPECT_TRUE(forks.one_head());
}

// A hole that lies between two neighbouring numbers: the fail-over goes so far back that gossip refuses the first
// blocks for their age, and nobody serves them.
void play_no_heights(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(60);
  forks.fail_over(0, 1, 40);
  forks.run(Seconds(5));  // it catches up
  forks.run_until_all_on(forks.at(forks.made(1), 25), Seconds(10) + kHasty + kBlock);
  EXPECT_EQ(forks.holes(1), 0u);
  for (const std::size_t member : {0, 2, 3, 4, 5}) {
    const auto status = forks.node(member).snapshots().status();
    ASSERT_EQ(status.holes.size(), 1u);
    EXPECT_GT(status.holes[0].first, status.holes[0].last) << "no height is missing";
  }
  forks.run_blocks(20);
}

// The members ask, but only the first serves, and it stops before it is asked.
StoryOptions one_source(std::uint64_t) {
  auto out =
      six(true, [](std::size_t index, NodeConfig& config) { config.sync_req_resp = index == 1 || index == kLast; });
  out.check_every = 4096;  // a check reads all blocks
  return out;
}

void play_filled_later(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(20);
  forks.stop(kLast);
  forks.run_blocks(30);
  forks.stop_producing(0);
  forks.run(Seconds(1));
  forks.stop(1);
  forks.start(kLast);
  forks.run(Seconds(10));
  forks.resume_producing(0);  // it gets the very next block: what is missing the source has
  forks.run(Seconds(20));
  EXPECT_EQ(forks.holes(kLast), 1u);
  forks.run(Seconds(3600));
  EXPECT_EQ(forks.holes(kLast), 1u);
  forks.start(1);
  forks.run_until([&] { return forks.holes(kLast) == 0; }, Seconds(600), "the hole is filled");
  EXPECT_GE(forks.node(kLast).stats().synced, 29u);
  for (std::uint64_t n = 1; n <= forks.story().head(kLast); ++n)
    EXPECT_TRUE(forks.network().store(kLast).by_number(n).value()) << n;
  forks.run_until([&] { return forks.story().head(1) > 1000 && forks.holes(1) == 0; }, Seconds(1800),
                  "the source has filled its own hole");
}

void play_two_holes(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(20);
  miss_blocks(forks, kLast, 10);
  forks.run_blocks(20);
  miss_blocks(forks, kLast, 10);
  EXPECT_EQ(forks.holes(kLast), 2u);
  forks.stop_producing(
      0);  // who comes into all meshes in one moment may miss the block of that moment, and nobody serves it
  forks.stop(kLast);
  forks.start(kLast);
  EXPECT_EQ(forks.holes(kLast), 2u) << "a restart forgets no hole";
  forks.run(Seconds(15));
  forks.resume_producing(0);
  forks.run_blocks(10);
  EXPECT_EQ(forks.holes(kLast), 2u);
  // A range ends at a hole.
  std::uint64_t last = 0;
  ASSERT_TRUE(forks.network().store(kLast).for_each(1, UINT64_MAX, [&](const StoredBlock& block) {
    last = block.number;
    return true;
  }));
  EXPECT_GE(last, 19u);
  EXPECT_LE(last, 22u);
}

StoryOptions slow_source(std::uint64_t) {
  return six(true, [](std::size_t index, NodeConfig& config) {
    if (index > kLast) config.sync_patience = Seconds(5);
  });
}

// So that filling takes a while: the rate is that of each connection.
void slow_down(ForkStory& forks, std::size_t member) {
  forks.network().place(member).set_read_rate(30'000 / forks.network().size());
}

void play_young_restarted(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(300);
  const auto young = forks.add_member();
  slow_down(forks, young);
  forks.run_until([&] { return forks.segments_of(young) > 0; }, Seconds(30), "its segment is the head's");
  forks.run(Seconds(5));
  EXPECT_EQ(forks.holes(young), 1u);
  forks.lose_power(young);
  forks.start(young);
  EXPECT_EQ(forks.holes(young), 1u) << "a young node remembers its hole";
  forks.run(Seconds(3));
  EXPECT_EQ(forks.holes(young), 1u);
  forks.stop(young);
  forks.network().place(young).set_read_rate(0);
  forks.start(young);
  forks.run_until([&] { return forks.holes(young) == 0; }, Seconds(60), "the hole is filled");
  for (std::uint64_t n = 1; n <= forks.story().head(young); ++n)
    EXPECT_TRUE(forks.network().store(young).by_number(n).value()) << n;
  forks.run_until_all_on(forks.made(0), Seconds(10));
}

// --- fail-overs ---

void play_fail_over(ForkStory& forks, std::uint64_t lower, Nanos limit) {
  forks.start_producing(0);
  forks.run_blocks(70);
  const auto last = forks.made(0);
  const auto fork = forks.below(last, lower);
  forks.fail_over(0, 1, lower);
  forks.run(kBlock);
  ASSERT_NE(forks.made(1), fork) << "the new producer has made a block";
  forks.run_until_all_on(forks.at(forks.made(1), forks.number_of(fork) + 1), limit);
  EXPECT_GE(forks.reorganisations(), forks.members().size()) << "each node leaves the old branch";
  forks.run_blocks(20);
  for (const auto member : forks.members()) {
    EXPECT_EQ(forks.holes(member), 0u);
    EXPECT_EQ(forks.reorganisations_of(member), 1u) << "member " << member;
  }
}

void play_fail_over_1(ForkStory& forks) { play_fail_over(forks, 1, 3 * kBlock); }
void play_fail_over_5(ForkStory& forks) { play_fail_over(forks, 5, 4 * kBlock); }
void play_fail_over_60(ForkStory& forks) { play_fail_over(forks, 60, Seconds(40)); }

void play_outage(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(30);
  const auto before = forks.number_of(forks.made(0));
  forks.stop_producing(0);
  forks.run(Seconds(60));
  EXPECT_EQ(forks.story().head(kLast), before);
  forks.resume_producing(0);
  forks.run(Seconds(10));
  forks.run_until_all_on(forks.made(0), Seconds(10));
  EXPECT_GE(forks.story().head(kLast), before + 30);
  EXPECT_EQ(forks.reorganisations(), 0u);
  forks.run_blocks(5);
}

// --- two sequencers ---

void play_alternating(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(20);
  const auto parent = forks.below(forks.made(0), 3);
  forks.fail_over(0, 1, 3);
  for (int round = 0; round < 15; ++round) {
    const std::size_t next = round % 2;
    forks.run(Seconds(20));
    forks.stop_producing(1 - next);
    forks.resume_producing(next);
  }
  for (const auto member : forks.members()) {
    EXPECT_GE(forks.reorganisations_of(member), 2u) << "member " << member;
    EXPECT_LE(forks.reorganisations_of(member), 16u) << "member " << member << ": they are damped";
  }
  // The one remains whose branch the members are not on: it needs a lead.
  const auto second_branch = forks.at(forks.made(1), forks.number_of(parent) + 1);
  const std::size_t last = forks.is_on(kLast, second_branch) ? 0 : 1;
  forks.stop_producing(1 - last);
  forks.resume_producing(last);
  const auto before = forks.made(last);
  EXPECT_FALSE(forks.all_on(before));
  forks.run_until_all_on(before, 17 * kBlock + Seconds(5));
  forks.run_blocks(3);
}

void play_healed_partition(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(10);
  forks.story().world().partition({forks.story().places({0, 3, 4})});
  forks.start_producing_on(1, forks.made(0));
  forks.run(Seconds(60));
  EXPECT_EQ(forks.different_heads(), 2u);
  forks.story().world().heal();
  forks.run(Seconds(60));
  EXPECT_FALSE(forks.one_head());
  forks.stop_producing(1);
  const auto last = forks.made(0);
  forks.run_until_all_on(last, kHasty + 4 * kBlock);
  for (const std::size_t member : {1, 2, 5}) EXPECT_EQ(forks.holes(member), 1u) << "nobody serves the other side";
  forks.run_blocks(5);
}

// Both make a block at each height.
void make_a_tie(ForkStory& forks, std::uint64_t blocks) {
  forks.start_producing(0);
  forks.run_blocks(10);
  forks.start_producing_on(1, forks.made(0));
  forks.run_blocks(blocks);
}

void play_tie_and_silence(ForkStory& forks) {
  make_a_tie(forks, 5);
  forks.stop_producing(0);
  forks.stop_producing(1);
  forks.run(Seconds(1));
  const auto lower = std::min(forks.made(0), forks.made(1));
  ASSERT_EQ(forks.number_of(forks.made(0)), forks.number_of(forks.made(1)));
  EXPECT_EQ(forks.different_heads(), 2u) << "each follows what it saw first";
  forks.run_until_all_on(lower, 16 * kBlock + Seconds(2));
  for (const auto member : forks.members()) EXPECT_TRUE(forks.head(member) == lower);
}

// Of three blocks at each height each producer sees its own first.
void play_equivocation(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(10);
  std::size_t times_different = 0;
  for (int height = 0; height < 10; ++height) {
    const auto parent = forks.made(0);
    forks.start_producing_on(1, parent);
    forks.start_producing_on(2, parent);
    forks.run(kBlock - ForkStory::kStep);
    forks.stop_producing(1);
    forks.stop_producing(2);
    if (!forks.one_head()) ++times_different;
    forks.run(ForkStory::kStep);
  }
  EXPECT_GT(times_different, 5u);
  forks.run_until_all_on(forks.made(0), 17 * kBlock);
  forks.run_blocks(3);
}

// --- signers ---

libp2p::crypto::secp256k1::Secret new_key() {
  libp2p::SeededRng rng(77);
  return libp2p::crypto::secp256k1::generate(rng);
}

// Member 0 has the old signer's key, member 1 the new one's.
StoryOptions two_signers(std::uint64_t) {
  auto out = six(true);
  out.member = [](std::size_t index, SimMemberOptions& member) {
    member.sequencer = index == 0;
    member.configure = [index](NodeConfig& config) {
      if (index == 1) config.sequencer_key = new_key();
    };
  };
  return out;
}

void play_signers(ForkStory& forks) {
  const auto old_signer = *forks.node(0).config().unsafe_block_signer;
  const auto new_signer = libp2p::crypto::secp256k1::address_of(new_key());
  forks.start_producing(0);
  forks.run_blocks(20);
  forks.rotate_signer(forks.members(), new_signer);
  forks.run_blocks(5);
  forks.run_until_all_on(forks.made(0), kBlock);  // late blocks of the old signer count until the new one signs
  const auto below_late = forks.below(forks.made(0), 8);
  forks.start_producing_on(1, below_late);
  forks.run(kBlock);
  forks.run_until_all_on(forks.at(forks.made(1), forks.number_of(below_late) + 1), kBlock);
  forks.run_blocks(10);  // the old one goes on all the time
  EXPECT_TRUE(forks.all_on(forks.below(forks.made(1), 2)));
  forks.stop_producing(0);
  forks.rotate_signer(forks.members(), old_signer);
  forks.run_blocks(5);
  forks.run_until_all_on(forks.made(1), kBlock);
  const auto below_again = forks.below(forks.made(1), 8);
  forks.start_producing_on(0, below_again);
  forks.run(kBlock);
  forks.run_until_all_on(forks.at(forks.made(0), forks.number_of(below_again) + 1), kBlock);
  forks.run_blocks(10);
  EXPECT_TRUE(forks.all_on(forks.below(forks.made(0), 2)));
  for (const auto member : forks.members()) EXPECT_EQ(forks.reorganisations_of(member), 2u) << "member " << member;
}

// The previous key is in other hands: its holder takes the head while the new signer has not signed. One member hears
// of the change late.
void play_stolen_key(ForkStory& forks) {
  const auto new_signer = libp2p::crypto::secp256k1::address_of(new_key());
  forks.start_producing(0);
  forks.run_blocks(20);
  const auto honest = forks.made(0);
  forks.start_producing_on(0, forks.below(honest, 10));
  forks.rotate_signer({0, 1, 2, 3, 4}, new_signer);
  forks.run_blocks(5);
  forks.run_until_all_on(forks.made(0), kBlock);
  forks.start_producing_on(1, honest);
  forks.run(kBlock);
  const auto told_late = [&](bool on_it) {
    const auto block = forks.at(forks.made(1), forks.number_of(honest) + 1);
    for (const std::size_t member : {1, 2, 3, 4}) EXPECT_TRUE(forks.is_on(member, block)) << "member " << member;
    EXPECT_EQ(forks.is_on(kLast, block), on_it);
  };
  forks.run(kBlock);
  told_late(false);
  forks.run(Seconds(30));
  told_late(false);
  forks.rotate_signer({kLast}, new_signer);
  forks.run(2 * kBlock);
  told_late(true);
  forks.run_until_all_on(honest, kBlock);
  forks.run_blocks(10);
}

// --- sources ---

// One of the first six serves. Who joins later asks, and soon has the head's segment.
StoryOptions one_source_for_joiners(std::uint64_t) {
  auto out = six(true, [](std::size_t index, NodeConfig& config) {
    config.sync_req_resp = index == 1 || index > kLast;
    if (index > kLast) config.sync_patience = Seconds(20);
  });
  out.dials = 6;
  return out;
}

void expect_filled(ForkStory& forks, std::size_t member, Nanos limit) {
  forks.run_until([&] { return forks.story().head(member) > 0 && forks.holes(member) == 0; }, limit, "filling");
  for (std::uint64_t n = 1; n <= forks.story().head(member); ++n)
    EXPECT_TRUE(forks.network().store(member).by_number(n).value()) << n;
}

void play_liars_anywhere(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(200);
  for (const Nanos comes_after : {Nanos(0), Nanos(Millis(2500)), Nanos(Seconds(6))}) {
    const auto joiner = forks.add_member();
    forks.run(comes_after);
    const auto before = forks.story().misdeeds();
    forks.story().add_adversaries(AdversaryKind::liar, 2, {joiner});
    forks.run(Seconds(10));
    EXPECT_GT(forks.story().misdeeds(), before) << "nobody asked the liars";
    expect_filled(forks, joiner, Seconds(120));
    forks.network().remove_adversaries();
  }
  forks.run_until_all_on(forks.made(0), kBlock);
}

StoryOptions three_sources(std::uint64_t) {
  auto out = six(true, [](std::size_t index, NodeConfig& config) {
    config.sync_req_resp = (index >= 2 && index <= 4) || index > kLast;
    if (index > kLast) config.sync_patience = Seconds(20);
  });
  out.dials = 6;
  return out;
}

void play_rotating_sources(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(200);
  forks.lose_power(3);
  forks.lose_power(4);
  const auto joiner = forks.add_member();
  slow_down(forks, joiner);
  std::size_t up = 2;
  for (int round = 0; round < 9; ++round) {
    forks.run(Seconds(8));
    forks.lose_power(up);
    forks.run(Seconds(2));
    up = up == 4 ? 2 : up + 1;
    forks.start(up);
  }
  EXPECT_TRUE(forks.holes(joiner) > 0 || sees_more(forks, joiner)) << "it has all already";
  EXPECT_GT(forks.node(joiner).stats().synced, 10u);
  forks.network().place(joiner).set_read_rate(0);
  for (const std::size_t member : {2, 3, 4})
    if (!forks.network().running(member)) forks.start(member);
  expect_filled(forks, joiner, Seconds(180));
  for (const std::size_t member : {2, 3, 4}) expect_filled(forks, member, Seconds(180));
  forks.run_until_all_on(forks.made(0), Seconds(30));
}

void play_silent_sources(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(200);
  const auto joiner = forks.add_member();
  forks.story().add_adversaries(AdversaryKind::silent, 3, {joiner, 0, 2});
  std::size_t lost = 0;
  for (int second = 0; second < 90; ++second) {
    lost += forks.story().world().lose_connections(0.05);
    forks.run(Seconds(1));
  }
  EXPECT_GT(lost, 20u);
  EXPECT_GT(forks.story().misdeeds(), 0u) << "nobody asked the silent ones";
  expect_filled(forks, joiner, Seconds(180));
  forks.run_until_all_on(forks.made(0), Seconds(30));
}

// --- disks ---

// A block takes about 3 kB. Blocks that are not canonical have a quarter: about 33 of them, and 8.
StoryOptions small_stores(std::uint64_t) {
  return six(true, [](std::size_t, NodeConfig& config) { config.store_max_size = 400'000; });
}
StoryOptions tiny_stores(std::uint64_t) {
  return six(true, [](std::size_t, NodeConfig& config) { config.store_max_size = 100'000; });
}

void play_pruning(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(150);
  for (std::size_t round = 0; round < 5; ++round) {
    forks.fail_over(round % 2, 1 - round % 2, 10);
    forks.run_blocks(25);
  }
  forks.run_until_all_on(forks.below(forks.made(1), 5), Seconds(20));
  for (const auto member : forks.members()) {
    const auto summary = forks.network().store(member).summary().value();
    EXPECT_GT(summary.pruned, 50u) << "member " << member;
    EXPECT_GT(*summary.lowest, 1u) << "member " << member;
    EXPECT_GE(forks.reorganisations_of(member), 5u) << "member " << member;
  }
}

// No store has room for the branch while it is not canonical, not even its producer's: it becomes a segment above a
// hole.
void play_no_room_for_a_branch(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(80);
  const auto last = forks.made(0);
  forks.fail_over(0, 1, 12);
  forks.run(Seconds(4));
  forks.run_until_all_on(forks.made(1), forks.node(0).config().sync_patience + 2 * kBlock);
  EXPECT_GT(forks.number_of(forks.made(1)), forks.number_of(last));
  for (const auto member : forks.members()) EXPECT_EQ(forks.segments_of(member), 1u) << "member " << member;
  forks.run_blocks(30);
}

void play_bad_disks(ForkStory& forks) {
  forks.start_producing(0);
  forks.run_blocks(70);
  forks.network().hold_writes(3);
  forks.network().hold_writes(kLast);
  forks.fail_over(0, 1, 40);
  const auto fork = forks.made(1);
  forks.run(Seconds(4));
  forks.network().fail_writes(4, 12);
  forks.network().fail_writes(1, 3);
  forks.stop(2);
  forks.lose_power(3);
  forks.run(Seconds(3));
  forks.lose_power(1);
  forks.run(Seconds(3));
  forks.start(1);
  forks.start(2);
  forks.start(3);
  EXPECT_FALSE(forks.is_on(kLast, forks.at(forks.made(1), forks.number_of(fork) + 1)));
  forks.run(Seconds(5));
  forks.network().release_writes(kLast);
  forks.run_until_all_on(forks.at(forks.made(1), forks.number_of(fork) + 1), Seconds(60));
  for (const auto member : forks.members())
    forks.run_until([&] { return forks.holes(member) == 0; }, Seconds(30), "no hole");
  for (const std::size_t member : {1, 4}) EXPECT_GT(forks.refused_writes_of(member), 0u) << "member " << member;
  forks.run_blocks(10);
}

// --- what the seed draws ---

StoryOptions drawn_forks(std::uint64_t seed) {
  libp2p::SeededRng rng(seed);
  const auto sources = rng.below(64);  // a bit for each member
  const std::size_t store = std::array<std::size_t, 3>{0, 400'000, 100'000}[rng.below(3)];
  const auto patience = Seconds(20 + static_cast<int>(rng.below(40)));
  auto out = six(true, [=](std::size_t index, NodeConfig& config) {
    config.sync_req_resp = ((sources >> (index % 6)) & 1) != 0;
    config.sync_patience = patience;
    config.store_max_size = store;
  });
  out.dials = 2 + rng.below(4);
  libp2p::runtime::LinkQuality quality;
  quality.jitter = Millis(static_cast<int>(rng.below(200)));
  if (rng.below(2) == 0) quality.loss = 0.02;
  out.links = std::make_unique<libp2p::runtime::UniformLinks>(quality);
  return out;
}

constexpr std::size_t kProducers = 3;

void disturb_producers(ForkStory& forks, std::size_t& active) {
  auto& rng = forks.story().rng();
  const std::size_t other = (active + 1 + rng.below(kProducers - 1)) % kProducers;
  const auto number = forks.number_of(forks.made(active));
  const auto lower = std::min(number, rng.below(3) == 0 ? rng.below(60) : rng.below(6));
  switch (rng.below(4)) {
    case 0: forks.fail_over(active, other, lower); break;
    case 1: forks.start_producing_on(other, forks.below(forks.made(active), lower)); break;
    case 2: forks.stop_producing(active); break;
    default: forks.resume_producing(active); break;
  }
  if (rng.below(2) == 0 && forks.has_made(other)) active = other;
}

void disturb_member(ForkStory& forks, std::size_t member) {
  auto& network = forks.network();
  auto& rng = forks.story().rng();
  if (!network.running(member)) return forks.start(member);
  switch (rng.below(6)) {
    case 0: return forks.stop(member);
    case 1: return forks.lose_power(member);
    case 2: return network.hold_writes(member);
    case 3: return network.fail_writes(member, 1 + rng.below(10));
    default: return network.release_writes(member);
  }
}

void play_drawn_forks(ForkStory& forks) {
  auto& rng = forks.story().rng();
  forks.start_producing(0);
  forks.run_blocks(10);
  std::size_t active = 0;
  for (int round = 0; round < 12; ++round) {
    disturb_producers(forks, active);
    for (auto count = rng.below(3); count > 0; --count) disturb_member(forks, rng.below(kLast + 1));
    if (rng.below(3) == 0)
      forks.story().world().partition({forks.story().places(forks.story().draw_members(1 + rng.below(4)))});
    if (rng.below(3) == 0) forks.story().world().heal();
    if (rng.below(3) == 0) forks.story().world().lose_connections(0.3);
    if (rng.below(4) == 0 && forks.network().adversaries() < 3)
      forks.story().add_adversaries(rng.below(2) == 0 ? AdversaryKind::liar : AdversaryKind::silent, 1,
                                    forks.story().draw_members(4));
    forks.run_blocks(1 + rng.below(25));
  }
  forks.story().world().heal();
  for (const auto member : forks.members()) {
    forks.network().release_writes(member);
    if (!forks.network().running(member)) forks.start(member);
    if (member < kProducers && forks.has_made(member)) forks.stop_producing(member);
  }
  forks.run(Seconds(60));  // connections that the partition broke end, and are made again
  forks.start_producing(active);
  forks.run(kBlock);
  const auto fork = forks.made(active);
  forks.run_until_all_on(fork, Seconds(240));
  forks.run_blocks(5);
}

// The signer changes to and fro while both keys sign, and members hear of it at different times.
void play_drawn_signers(ForkStory& forks) {
  auto& rng = forks.story().rng();
  const opstack::rules::Address signers[] = {*forks.node(0).config().unsafe_block_signer,
                                             libp2p::crypto::secp256k1::address_of(new_key())};
  forks.start_producing(0);
  forks.run_blocks(10);
  forks.start_producing(1);
  std::size_t current = 0;
  for (int round = 0; round < 6; ++round) {
    current = 1 - current;
    auto waiting = forks.members();
    rng.shuffle(waiting);
    while (!waiting.empty()) {
      forks.rotate_signer({waiting.back()}, signers[current]);
      waiting.pop_back();
      forks.run(Millis(static_cast<int>(rng.below(6000))));
    }
    if (rng.below(2) == 0) {
      const auto made = forks.made(current);
      forks.start_producing_on(current, forks.below(made, std::min(rng.below(20), forks.number_of(made))));
    }
    if (rng.below(3) == 0) forks.story().world().lose_connections(0.3);
    forks.run_blocks(1 + rng.below(20));
  }
  forks.stop_producing(1 - current);
  forks.stop_producing(current);
  forks.start_producing(current);
  forks.run(kBlock);
  const auto fork = forks.made(current);
  forks.run_until_all_on(fork, Seconds(60));
  forks.run_blocks(5);
}

}  // namespace

std::vector<ForkScenario> fork_scenarios() {
  return {
      {"no_source_after_a_restart", without_sources, play_no_source},
      {"a_hole_without_missing_heights", without_sources, play_no_heights},
      {"a_hole_that_is_filled_an_hour_later", one_source, play_filled_later, 1},
      {"a_hole_over_a_hole", without_sources, play_two_holes},
      {"a_young_node_restarted_while_it_fills", slow_source, play_young_restarted, 1},
      {"fail_over_1_block_lower", with_sources, play_fail_over_1},
      {"fail_over_5_blocks_lower", with_sources, play_fail_over_5},
      {"fail_over_60_blocks_lower", with_sources, play_fail_over_60},
      {"outage_of_the_sequencer_of_60_seconds", with_sources, play_outage},
      {"two_sequencers_alternate_and_one_remains", with_sources, play_alternating},
      {"a_healed_partition_with_two_sequencers", without_sources, play_healed_partition},
      {"a_tie_and_silence", with_sources, play_tie_and_silence},
      {"equivocation_in_another_order_for_each", with_sources, play_equivocation},
      {"old_new_and_old_signer", two_signers, play_signers},
      {"a_stolen_previous_key", two_signers, play_stolen_key},
      {"sources_that_lie_at_any_time", one_source_for_joiners, play_liars_anywhere, 1},
      {"sources_that_rotate_through_silence", three_sources, play_rotating_sources, 1},
      {"silent_sources_and_lost_connections", one_source_for_joiners, play_silent_sources, 1},
      {"small_stores_during_fail_overs", small_stores, play_pruning},
      {"stores_without_room_for_a_branch", tiny_stores, play_no_room_for_a_branch},
      {"bad_disks_during_a_fail_over", with_sources, play_bad_disks},
      {"forks_that_the_seed_draws", drawn_forks, play_drawn_forks},
      {"signers_that_the_seed_draws", two_signers, play_drawn_signers},
  };
}

}  // namespace opp2p::sim

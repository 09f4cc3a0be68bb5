#include "story.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "opp2p/rpc/p2p_json.hpp"
#include "sim/live_counts.hpp"

namespace opp2p::sim {

using libp2p::runtime::NodeIndex;
namespace gossipsub = libp2p::gossipsub;
namespace secp256k1 = libp2p::crypto::secp256k1;

namespace {

constexpr std::size_t kFewestNodes = 6;
constexpr auto kWatchInterval = Millis(500);
constexpr auto kNewcomersInterval = Millis(100);
constexpr std::size_t kMostNewcomers = 48;
constexpr auto kSpreading = Seconds(1);
constexpr auto kQuiet = Seconds(75);  // after which a connection at rest has nothing but its gossip streams

// Bounds that no configuration states. The queue of events: timers and what is on its way.
constexpr std::size_t kEventsPerNode = 250;
constexpr std::size_t kSmallBlock = 10'000;  // what a block without transactions takes in memory, and more
constexpr std::size_t kStreamsAtRest = 4;    // of a connection: gossip in both directions, a ping, an identify push

std::optional<std::uint64_t> number_from(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::nullopt : std::optional<std::uint64_t>(std::strtoull(text, nullptr, 10));
}

void keep_most(std::size_t& most, std::size_t value) { most = std::max(most, value); }

}  // namespace

std::size_t nodes_of(std::size_t usual) {
  const auto asked = number_from("OPP2P_SIM_NODES");
  return std::max<std::size_t>(kFewestNodes, asked.value_or(kSanitized ? usual / 2 : usual));
}

std::vector<std::uint64_t> seeds_of(std::uint64_t first, std::uint64_t count) {
  if (const auto one = number_from("OPP2P_SIM_SEED")) return {*one};
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < number_from("OPP2P_SIM_SEEDS").value_or(count); ++i) out.push_back(first + i);
  return out;
}

std::string rerun_command(std::uint64_t seed) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto nodes = number_from("OPP2P_SIM_NODES");
  std::error_code ignored;
  const auto program = std::filesystem::relative(std::filesystem::read_symlink("/proc/self/exe", ignored), ignored);
  return (nodes ? "OPP2P_SIM_NODES=" + std::to_string(*nodes) + " " : "") + "OPP2P_SIM_SEED=" + std::to_string(seed) +
         " " + program.string() + " --gtest_filter=" + test->test_suite_name() + "." + test->name();
}

Story::Story(std::uint64_t seed, StoryOptions options) : rng_(seed), options_(std::move(options)) {
  opstack::testing::ChainOptions chain;
  chain.genesis_time = kGenesisTime;
  chain.block_time = kBlockTime;
  chain.block_size = options_.block_size;
  chain_ = std::make_unique<opstack::testing::ChainBuilder>(chain, rng_);
  hashes_.push_back(chain_->genesis().payload.block_hash);
  const auto rollup = opstack::chain::RollupConfig::from_json(chain_->rollup_config()).value();
  network_ = std::make_unique<SimNetwork>(seed, rollup, secp256k1::generate(rng_),
                                          libp2p::from_unix_seconds(kGenesisTime), std::move(options_.links),
                                          number_from("OPP2P_SIM_CHECK_EVERY").value_or(options_.check_every));
  if (const char* level = std::getenv("OPP2P_SIM_LOG")) network_->set_log_level(level);
  begin_ = world().now();
  const std::size_t nodes = nodes_of(options_.nodes);
  for (std::size_t i = 0; i < nodes; ++i) add(i);
}

SimMemberOptions Story::member_options(std::size_t index) {
  SimMemberOptions out;
  out.sequencer = index == 0;
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < network_->size(); ++i) others.push_back(i);
  rng_.shuffle(others);
  others.resize(std::min(others.size(), options_.dials));
  out.dials = std::move(others);
  if (options_.member) options_.member(index, out);
  return out;
}

void Story::add(std::size_t index) {
  const auto added = network_->add(member_options(index));
  ASSERT_TRUE(added) << added.error().message();
  ASSERT_EQ(*added, index);
}

std::size_t Story::add_member() {
  add(network_->size());
  return network_->size() - 1;
}

void Story::add_adversaries(AdversaryKind kind, std::size_t count, const std::vector<std::size_t>& victims) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto added = network_->add_adversary(kind, chain_->options(), victims);
    ASSERT_TRUE(added) << added.error().message();
  }
}

void Story::add_adversaries_at_one_address(AdversaryKind kind, std::size_t count,
                                           const std::vector<std::size_t>& victims) {
  add_adversaries(kind, 1, victims);
  const std::size_t first = network_->adversaries() - 1;
  for (std::size_t i = 1; i < count; ++i) {
    const auto added = network_->add_adversary_beside(first, kind, chain_->options(), victims);
    ASSERT_TRUE(added) << added.error().message();
  }
}

void Story::keep_newcomers(AdversaryKind kind, std::size_t waiting, const std::vector<std::size_t>& victims,
                           Nanos stays) {
  newcomers_kind_ = kind;
  newcomers_wanted_ = waiting;
  newcomers_victims_ = victims;
  newcomers_stay_ = stays;
  replace_newcomers();
}

void Story::replace_newcomers() {
  std::size_t waiting = 0;
  for (std::size_t i = 0; i < network_->adversaries(); ++i) {
    if (network_->adversary(i).misdeeds() == 0)
      ++waiting;
    else
      spent_newcomers_.try_emplace(i, world().now());
  }
  for (auto spent = spent_newcomers_.begin(); waiting < newcomers_wanted_ && spent != spent_newcomers_.end();) {
    if (world().now() - spent->second < newcomers_stay_) {
      ++spent;
      continue;
    }
    spent_misdeeds_ += network_->adversary(spent->first).misdeeds();
    EXPECT_TRUE(network_->renew_adversary(spent->first));
    spent = spent_newcomers_.erase(spent);
    ++waiting;
  }
  for (; waiting < newcomers_wanted_ && network_->adversaries() < kMostNewcomers; ++waiting)
    add_adversaries(newcomers_kind_, 1, newcomers_victims_);
}

std::uint64_t Story::misdeeds() {
  std::uint64_t out = spent_misdeeds_;
  for (std::size_t i = 0; i < network_->adversaries(); ++i) out += network_->adversary(i).misdeeds();
  return out;
}

void Story::run_watched(Nanos duration) {
  const auto end = world().now() + duration;
  while (world().now() < end) {
    const Nanos step = newcomers_wanted_ > 0 ? kNewcomersInterval : kWatchInterval;
    world().run_for(std::min<Nanos>(step, end - world().now()));
    if (newcomers_wanted_ > 0) replace_newcomers();
    watch();
  }
}

Nanos Story::time_until_whole(std::size_t member, Nanos limit) {
  const auto begin = world().now();
  while (head(member) < produced() && world().now() - begin < limit) run_watched(kNewcomersInterval);
  EXPECT_EQ(head(member), produced()) << "member " << member;
  return world().now() - begin;
}

std::vector<NodeIndex> Story::places(const std::vector<std::size_t>& members) const {
  std::vector<NodeIndex> out;
  for (const auto member : members) out.push_back(network_->world_index(member));
  return out;
}

std::vector<std::size_t> Story::draw_members(std::size_t count) {
  std::vector<std::size_t> out;
  for (std::size_t i = 1; i < network_->size(); ++i) out.push_back(i);
  rng_.shuffle(out);
  out.resize(std::min(out.size(), count));
  std::sort(out.begin(), out.end());
  return out;
}

void Story::blocks(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto block = chain_->next();
    hashes_.push_back(block.payload.block_hash);
    const auto due = begin_ + Seconds(static_cast<std::int64_t>(kBlockTime * produced()));
    if (world().now() < due) run_watched(due - world().now());
    const auto published = network_->publish(0, block, Seconds(1));
    ASSERT_TRUE(published) << "block " << produced() << ": " << published.error().message();
  }
  run_watched(kSpreading);
}

Nanos Story::blocks_until_together(std::uint64_t most) {
  const auto begin = world().now();
  for (std::uint64_t i = 0; i < most; ++i) {
    blocks(1);
    if (behind().empty()) break;
  }
  expect_together();
  const Nanos took = world().now() - begin;
  longest_recovery_ = std::max(longest_recovery_, took);
  return took;
}

void Story::watch() {
  for (std::size_t i = 0; i < network_->size(); ++i) {
    if (!network_->running(i)) continue;
    const auto sizes = network_->node(i).snapshots().sizes();
    expect_bounded(i, sizes);
    keep_most(most_.connections, sizes.connections);
    keep_most(most_.most_streams, sizes.most_streams);
    keep_most(most_.gossip.outbox_bytes, sizes.gossip.outbox_bytes);
    keep_most(most_.gossip.validating, sizes.gossip.validating);
    keep_most(most_.gossip_sending, sizes.gossip_sending);
    keep_most(most_.gossip_receiving, sizes.gossip_receiving);
    keep_most(most_.waiting_blocks, sizes.waiting_blocks);
    keep_most(most_.waiting_bytes, sizes.waiting_bytes);
    keep_most(most_.requests, sizes.requests);
    keep_most(most_.sync_bytes, sizes.sync_bytes);
    keep_most(most_.serving, sizes.serving);
  }
  const auto sizes = world().sizes();
  keep_most(most_of_world_.events, sizes.events);
  keep_most(most_of_world_.unread_bytes, sizes.unread_bytes);
  keep_most(most_of_world_.fullest, sizes.fullest);
  EXPECT_LE(sizes.events, kEventsPerNode * world().nodes());
}

void Story::expect_bounded(std::size_t member, const NodeSizes& sizes) const {
  SCOPED_TRACE("member " + std::to_string(member) + " at block " + std::to_string(produced()));
  const gossipsub::Params gossip;
  const libp2p::Limits limits;
  const opstack::sync::SyncConfig sync;
  const opstack::sync::RequestLimits serve;
  const auto& config = network_->node(member).config();
  EXPECT_LE(sizes.connections, limits.inbound_connections + config.static_peers.size());
  EXPECT_LE(sizes.most_streams, limits.streams_per_connection);
  EXPECT_LE(sizes.gossip.validating, gossip.validation.max_items);
  EXPECT_LE(sizes.gossip.validating_bytes, gossip.validation.max_bytes);
  EXPECT_LE(sizes.gossip.outbox_items, sizes.gossip.peers * gossip.outbox.max_items);
  EXPECT_LE(sizes.gossip.outbox_bytes, sizes.gossip.peers * gossip.outbox.max_bytes);
  EXPECT_LE(sizes.gossip.cached_bytes, gossip.gossip.cache_bytes);
  EXPECT_LE(sizes.gossip.seen, gossip.seen_items);
  const libp2p::GossipsubConfig service;
  EXPECT_LE(sizes.gossip_receiving, service.unfinished_bytes + gossip.rpc.max_rpc);
  EXPECT_LE(sizes.gossip_sending, sizes.connections * (limits.stream_send_queue + gossip.rpc.max_rpc));
  EXPECT_LE(sizes.waiting_bytes, config.sync_memory / 2);
  // The block that is due next is taken whatever its size, so that a full quarantine stops nobody. In memory a block
  // takes up to twice its bytes: the buffer that gathered the answer may have as much room left.
  EXPECT_LE(sizes.sync_bytes, config.sync_memory / 2 + 3 * options_.block_size + kSmallBlock);
  EXPECT_LE(sizes.requests, sync.max_in_flight);
  EXPECT_LE(sizes.serving, serve.max_total);
}

std::vector<std::size_t> Story::behind() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < network_->size(); ++i) {
    if (network_->running(i) && head(i) != produced()) out.push_back(i);
  }
  return out;
}

std::size_t Story::holes() const {
  std::size_t out = 0;
  for (std::size_t i = 0; i < network_->size(); ++i)
    if (network_->running(i)) out += network_->node(i).snapshots().status().hole_count;
  return out;
}

void Story::expect_together() const {
  for (const auto member : behind()) {
    ADD_FAILURE() << "member " << member << " has head " << head(member) << " of " << produced() << "; its status: "
                  << boost::json::serialize(status_json(network_->node(member).snapshots().status()));
  }
}

void Story::expect_whole_chain_everywhere(Nanos limit) {
  world().run_until([this] { return behind().empty() && holes() == 0; }, limit);
  expect_together();
  for (std::size_t i = 0; i < network_->size(); ++i) {
    if (!network_->running(i)) continue;
    expect_chain_of(i);
    world().fold(head(i));
  }
  watch();
  end_adversaries_and_rest(true);
}

void Story::end_adversaries_and_rest(bool drained) {
  newcomers_wanted_ = 0;
  network_->remove_adversaries();
  world().run_for(kQuiet);
  if (drained) expect_drained();
}

void Story::expect_chain_of(std::size_t member) const {
  std::uint64_t number = 0;
  const auto read = network_->store(member).for_each(0, UINT64_MAX, [&](const StoredBlock& block) {
    EXPECT_EQ(block.number, number + 1) << "member " << member;
    number = block.number;
    if (number < hashes_.size() && block.hash == hashes_[number]) return true;
    ADD_FAILURE() << "member " << member << " keeps another block " << number << " than the sequencer made";
    return false;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(number, produced()) << "member " << member;
}

void Story::expect_drained() const {
  for (std::size_t i = 0; i < network_->size(); ++i) {
    if (!network_->running(i)) continue;
    SCOPED_TRACE("member " + std::to_string(i) + " at rest");
    const auto sizes = network_->node(i).snapshots().sizes();
    EXPECT_LE(sizes.most_streams, kStreamsAtRest);
    EXPECT_EQ(sizes.gossip.validating, 0u);
    EXPECT_EQ(sizes.gossip.outbox_items, 0u);
    EXPECT_EQ(sizes.gossip_sending, 0u);
    EXPECT_EQ(sizes.gossip_receiving, 0u);
    EXPECT_EQ(sizes.validating, 0u);
    EXPECT_EQ(sizes.waiting_blocks, 0u);
    EXPECT_EQ(sizes.requests, 0u);
    EXPECT_EQ(sizes.sync_bytes, 0u);
    EXPECT_EQ(sizes.serving, 0u);
  }
}

void expect_nothing_lives() {
  for (const auto& [name, count] : live_counts()) EXPECT_EQ(count, 0) << name;
}

}  // namespace opp2p::sim

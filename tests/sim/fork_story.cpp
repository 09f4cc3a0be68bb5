#include "fork_story.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "opp2p/rpc/p2p_json.hpp"

namespace opp2p::sim {
namespace {

// The blocks that damping can ask for, and some.
constexpr Nanos kMostLead = Seconds(20 * static_cast<std::int64_t>(kBlockTime));

}  // namespace

ForkStory::ForkStory(Story& story, std::optional<std::uint64_t> trouble) : story_(story) {
  blocks_.emplace(story.chain().genesis().payload.block_hash, story.chain());
  for (std::size_t i = 0; i < network().size(); ++i) listen_to(i);
  if (trouble) trouble_ = std::make_unique<Trouble>(*this, *trouble);
}

void ForkStory::listen_to(std::size_t member) {
  auto& counts = counts_[member];
  counts.listening = node(member).subscribe([this, member, &counts](const NodeEvent& event) {
    if (std::holds_alternative<StoreRefused>(event)) ++counts.refused_writes;
    const auto* moved = std::get_if<opstack::sync::HeadMoved>(&event);
    if (moved == nullptr) return;
    if (!rotated_) {
      EXPECT_GE(moved->moved.to.number, moved->moved.from.number)
          << "member " << member << " leaves a branch for a lower one of the same era";
    }
    if (moved->reorganises()) ++counts.reorganisations;
    if (moved->reason == opstack::sync::OrphanReason::segment) ++counts.segments;
  });
}

// ---- producers ----

void ForkStory::start_producing(std::size_t member) { start_producing_on(member, head(member)); }

void ForkStory::start_producing_on(std::size_t member, const Hash& parent) {
  ASSERT_TRUE(blocks_.contains(parent)) << "nobody made the block";
  Producer& producer = producers_[member];
  producer = {};
  producer.tip = parent;
  producer.producing = true;
  producer.salt = ++salt_;
}

void ForkStory::resume_producing(std::size_t member) { producers_.at(member).producing = true; }

void ForkStory::stop_producing(std::size_t member) {
  Producer& producer = producers_.at(member);
  settle(producer);
  producer.producing = false;
}

void ForkStory::fail_over(std::size_t from, std::size_t to, std::uint64_t lower) {
  stop_producing(from);
  start_producing_on(to, below(made(from), lower));
}

Hash ForkStory::below(Hash block, std::uint64_t lower) const {
  for (std::uint64_t i = 0; i < lower; ++i) block = blocks_.at(block).head().payload.parent_hash;
  return block;
}

void ForkStory::settle(Producer& producer) {
  if (!producer.outcome || !producer.outcome->of_last) return;
  if (*producer.outcome->of_last) {
    producer.tip = producer.unsent->payload.block_hash;
    producer.unsent.reset();
  }
  producer.outcome.reset();
}

void ForkStory::step(std::size_t member, Producer& producer) {
  settle(producer);
  if (!producer.producing || producer.outcome || !network().running(member)) return;
  if (!producer.unsent) {
    const auto& parent = blocks_.at(producer.tip).head().payload;
    const auto elapsed = std::chrono::duration_cast<Seconds>(story_.elapsed()).count();
    if (parent.timestamp + kBlockTime > kGenesisTime + static_cast<std::uint64_t>(elapsed)) return;
    auto builder = blocks_.at(producer.tip);
    if (producer.salt) builder.diverge(*producer.salt);
    producer.salt.reset();
    producer.unsent = builder.next();
    blocks_.emplace(producer.unsent->payload.block_hash, std::move(builder));
  }
  producer.outcome = std::make_shared<Outcome>();
  node(member).publish(std::make_shared<const opstack::testing::Envelope>(*producer.unsent),
                       [outcome = producer.outcome](Result<void> done) { outcome->of_last = std::move(done); });
}

// ---- time ----

void ForkStory::run(Nanos duration) {
  const auto end = story_.elapsed() + duration;
  while (story_.elapsed() < end) {
    if (trouble_) trouble_->step();
    for (auto& [member, producer] : producers_) step(member, producer);
    story_.run(std::min<Nanos>(kStep, end - story_.elapsed()));
  }
}

Nanos ForkStory::run_until(const std::function<bool()>& done, Nanos limit, const char* what) {
  const auto begin = story_.elapsed();
  while (!done() && story_.elapsed() - begin < limit) run(kStep);
  if (done()) return story_.elapsed() - begin;
  ADD_FAILURE() << what << " did not happen within " << std::chrono::duration_cast<Seconds>(limit).count() << " s";
  for (const auto member : running()) ADD_FAILURE() << "member " << member << ": " << what_has(member);
  return limit;
}

Nanos ForkStory::run_until_all_on(const Hash& block, Nanos limit) {
  const auto all_there = [&] { return all_on(block) && one_head(); };
  const Nanos took = run_until(all_there, limit, "one head on the branch");
  std::cout << "  one head after " << std::chrono::duration_cast<Millis>(took).count() << " ms of at most "
            << std::chrono::duration_cast<Seconds>(limit).count() << " s" << std::endl;
  return took;
}

// ---- members ----

void ForkStory::forget_outcome(std::size_t member) {
  const auto producer = producers_.find(member);
  if (producer == producers_.end()) return;
  settle(producer->second);
  producer->second.outcome.reset();
}

void ForkStory::stop(std::size_t member) {
  network().stop(member);
  forget_outcome(member);
}

void ForkStory::lose_power(std::size_t member) {
  network().lose_power(member);
  forget_outcome(member);
}

void ForkStory::start(std::size_t member) {
  ASSERT_TRUE(network().start(member));
  listen_to(member);
}

std::size_t ForkStory::add_member() {
  const auto member = story_.add_member();
  listen_to(member);
  return member;
}

void ForkStory::rotate_signer(const std::vector<std::size_t>& members, const opstack::rules::Address& signer) {
  rotated_ = true;
  for (const auto member : members) network().set_signer(member, signer);
  for (std::size_t i = 0; trouble_ && i < Trouble::kMembers; ++i) network().set_signer(trouble_->first() + i, signer);
}

std::vector<std::size_t> ForkStory::members() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < story_.network().size(); ++i)
    if (!trouble_ || !trouble_->has(i)) out.push_back(i);
  return out;
}

std::vector<std::size_t> ForkStory::running() const {
  auto out = members();
  std::erase_if(out, [this](std::size_t member) { return !story_.network().running(member); });
  return out;
}

// ---- what members have ----

std::size_t ForkStory::different_heads() const {
  std::set<Hash> heads;
  for (const auto member : running()) heads.insert(head(member));
  return heads.size();
}

bool ForkStory::is_on(std::size_t member, const Hash& block) const {
  Hash at = head(member);
  while (at != block) {
    const auto known = blocks_.find(at);
    if (known == blocks_.end() || known->second.head().payload.block_number <= number_of(block)) return false;
    at = known->second.head().payload.parent_hash;
  }
  return true;
}

bool ForkStory::all_on(const Hash& block) const {
  const auto all = running();
  return std::all_of(all.begin(), all.end(), [&](std::size_t member) { return is_on(member, block); });
}

std::size_t ForkStory::holes(std::size_t member) const {
  return story_.network().node(member).snapshots().status().hole_count;
}

std::uint64_t ForkStory::reorganisations() const {
  std::uint64_t out = 0;
  for (const auto member : members()) out += reorganisations_of(member);
  return out;
}

std::string ForkStory::what_has(std::size_t member) const {
  std::string out = boost::json::serialize(status_json(story_.network().node(member).snapshots().status()));
  for (const auto& segment : story_.network().store(member).summary().value().segments)
    out += " " + std::to_string(segment.lowest.number) + "-" + std::to_string(segment.highest);
  return out;
}

void ForkStory::expect_one_head() const {
  if (one_head()) return;
  for (const auto member : running()) ADD_FAILURE() << "member " << member << ": " << what_has(member);
}

void ForkStory::expect_same_canonical_blocks() const {
  std::map<std::uint64_t, Hash> canonical;
  for (std::size_t i = 0; i < story_.network().size(); ++i) {
    if (!story_.network().running(i)) continue;
    // Below a hole all is unproven, and what was pruned is not there.
    const auto connected_from = story_.network().node(i).snapshots().status().connected_from;
    const auto lowest = story_.network().store(i).summary().value().lowest.value_or(1);
    for (std::uint64_t n = std::max(lowest, connected_from); n <= story_.head(i); ++n) {
      const auto block = story_.network().store(i).by_number(n);
      ASSERT_TRUE(block);
      ASSERT_TRUE(*block) << "member " << i << " lacks block " << n << " of its head's segment; " << what_has(i);
      const auto& first = canonical.try_emplace(n, (*block)->hash).first->second;
      EXPECT_TRUE(first == (*block)->hash) << "member " << i << " has another block " << n << " than members before it";
    }
  }
}

void ForkStory::expect_sound_disks() const {
  CheckDepth depth;
  depth.bodies = true;
  for (std::size_t i = 0; i < story_.network().size(); ++i) {
    const auto check = story_.network().store(i).check(depth);
    ASSERT_TRUE(check) << "member " << i << ": " << check.error().message();
    EXPECT_EQ(check->defect_count, 0u) << "member " << i << ": "
                                       << (check->defects.empty() ? "" : check->defects.front());
  }
}

// Who made the head goes on: a member that was stopped while the last block came hears only of the next one.
void ForkStory::end_trouble() {
  EXPECT_GT(trouble_->restarts(), 0u);
  EXPECT_GT(trouble_->bad_disks(), 0u);
  std::cout << "  trouble: " << trouble_->restarts() << " restarts, " << trouble_->bad_disks() << " times a bad disk"
            << std::endl;
  trouble_->end();
  trouble_.reset();  // all are members now
  const auto best = head(running().front());
  const auto maker =
      std::find_if(producers_.begin(), producers_.end(), [&](const auto& each) { return each.second.tip == best; });
  ASSERT_NE(maker, producers_.end()) << "nobody made the head";
  resume_producing(maker->first);
  run_until_all_on(best, node(0).config().sync_patience + kMostLead);
  stop_producing(maker->first);
  run(Seconds(1));
  expect_one_head();
}

void ForkStory::expect_one_chain() {
  for (auto& [member, producer] : producers_) producer.producing = false;
  run(Seconds(1));
  expect_one_head();
  if (trouble_) end_trouble();
  expect_same_canonical_blocks();
  std::size_t holes_left = 0;
  for (std::size_t i = 0; i < network().size(); ++i) {
    if (!network().running(i)) continue;
    holes_left += holes(i);
    story_.world().fold(story_.head(i));
  }
  story_.end_adversaries_and_rest(holes_left == 0);
  expect_one_head();
  expect_sound_disks();
}

}  // namespace opp2p::sim

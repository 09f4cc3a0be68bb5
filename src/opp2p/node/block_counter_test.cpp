#include "opp2p/node/block_counter.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

using opstack::rules::Reason;
using opstack::rules::Verdict;

constexpr std::uint64_t kHead = 1'760'000'000;

libp2p::Now at(std::uint64_t seconds) { return {{}, libp2p::from_unix_seconds(static_cast<std::int64_t>(seconds))}; }

class CountedBlocks : public testing::Test {
 protected:
  void judge(Verdict verdict, Reason reason, bool local = false, std::uint64_t now = kHead) {
    opstack::rules::Outcome outcome;
    outcome.verdict = verdict;
    outcome.reason = reason;
    auto envelope = std::make_shared<opstack::payload::Envelope>();
    envelope->payload.timestamp = kHead;
    outcome.envelope = envelope;
    const opstack::gossip::BlockVerdict judged{
        topic_, opstack::payload::Version::v4, {}, from_, local, outcome, 9, libp2p::Seconds(0)};
    counter_.on(BlockJudged{judged, expected_}, at(now));
  }

  const std::string topic_ = "t";
  const libp2p::PeerId from_;
  const std::optional<opstack::rules::Address> expected_;
  BlockCounter counter_;
};

TEST_F(CountedBlocks, verdicts_are_counted_by_reason) {
  for (int i = 0; i < 3; ++i) judge(Verdict::reject, Reason::too_old);
  judge(Verdict::reject, Reason::bad_block_hash);
  judge(Verdict::ignore, Reason::already_seen);
  judge(Verdict::accept, Reason::valid);
  const auto& stats = counter_.stats();
  EXPECT_EQ(stats.rejected.of(Reason::too_old), 3u);
  EXPECT_EQ(stats.rejected.of(Reason::bad_block_hash), 1u);
  EXPECT_EQ(stats.rejected.of(Reason::already_seen), 0u);
  EXPECT_EQ(stats.rejected.reasons(), 2u);
  EXPECT_EQ(stats.ignored.of(Reason::already_seen), 1u);
  EXPECT_EQ(stats.accepted, 1u);
  std::vector<std::pair<Reason, std::uint64_t>> each;
  stats.rejected.each([&](Reason reason, std::uint64_t count) { each.emplace_back(reason, count); });
  EXPECT_EQ(each, (std::vector<std::pair<Reason, std::uint64_t>>{{Reason::too_old, 3}, {Reason::bad_block_hash, 1}}));
}

TEST_F(CountedBlocks, our_own_blocks_are_not_counted_among_those_that_came) {
  judge(Verdict::accept, Reason::valid, true);
  judge(Verdict::reject, Reason::too_old, true);
  EXPECT_EQ(counter_.stats().accepted, 0u);
  EXPECT_EQ(counter_.stats().rejected.reasons(), 0u);
}

TEST_F(CountedBlocks, the_delay_of_an_accepted_block_counts_from_its_timestamp_and_none_before_it) {
  judge(Verdict::accept, Reason::valid, false, kHead + 3);
  judge(Verdict::accept, Reason::valid, false, kHead - 1);
  judge(Verdict::reject, Reason::too_new, false, kHead + 5);
  EXPECT_EQ(counter_.stats().latency.total(), 1u);
  EXPECT_EQ(counter_.stats().latency.quantile(1), libp2p::Seconds(3));
}

TEST_F(CountedBlocks, only_stored_blocks_that_were_fetched_count_as_synced) {
  const auto envelope = std::make_shared<const opstack::payload::Envelope>();
  const opstack::payload::Block block(opstack::payload::Version::v1, envelope, {});
  const libp2p::PeerId peer;
  counter_.on(opstack::sync::BlockStored{peer, block}, at(kHead));
  EXPECT_EQ(counter_.stats().synced, 0u);
  counter_.on(opstack::sync::BlockStored{peer, block, true, false, true}, at(kHead));
  EXPECT_EQ(counter_.stats().synced, 1u);
}

TEST_F(CountedBlocks, the_clock_has_no_head_until_the_store_or_a_block_gives_one) {
  counter_.on(NodeStarting{}, at(kHead));
  EXPECT_EQ(counter_.head_clock().get(), std::nullopt);
  counter_.on(NodeStarting{kHead}, at(kHead + 9));
  EXPECT_EQ(counter_.head_clock().get(), kHead);
}

}  // namespace
}  // namespace opp2p

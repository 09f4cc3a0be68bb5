#include "opp2p/observe/block_history.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

using libp2p::Millis;
using libp2p::PeerId;
using libp2p::Seconds;
using opstack::payload::Hash;
using opstack::rules::Outcome;
using opstack::rules::Reason;
using opstack::rules::Verdict;

constexpr std::int64_t kBlockTime = 1'760'000'000;

Hash hash_number(std::uint64_t number) {
  Hash out{};
  for (std::size_t i = 0; i < 8; ++i) out[31 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return out;
}

class BlockHistoryTest : public testing::Test {
 protected:
  ~BlockHistoryTest() override { history_.check(); }

  static opstack::payload::SharedEnvelope block(std::uint64_t number, std::uint64_t branch = 0) {
    auto out = std::make_shared<opstack::payload::Envelope>();
    out->payload.block_number = number;
    out->payload.block_hash = hash_number(number + 1'000'000 * branch);
    out->payload.parent_hash = hash_number(number - 1);
    out->payload.timestamp = static_cast<std::uint64_t>(kBlockTime);
    return out;
  }
  static libp2p::gossipsub::MessageId message(std::uint64_t number) {
    return libp2p::gossipsub::MessageId::from(libp2p::ByteView(hash_number(number)).last(20)).value();
  }
  void judge(const opstack::payload::SharedEnvelope& envelope, std::uint64_t id, Verdict verdict = Verdict::accept,
             Reason reason = Reason::valid, opstack::rules::Evidence evidence = {}) {
    Outcome outcome;
    outcome.verdict = verdict;
    outcome.reason = reason;
    outcome.evidence = std::move(evidence);
    outcome.envelope = envelope;
    const std::string topic = "/optimism/10/3/blocks";
    const opstack::gossip::BlockVerdict judged{
        topic, opstack::rules::Version::v4, message(id), peer_, false, outcome, 100, Millis(2)};
    const std::optional<opstack::rules::Address> signer;
    history_.on(BlockJudged{judged, signer}, now_);
  }
  void store(const opstack::payload::SharedEnvelope& envelope, bool canonical = true, bool fetched = false) {
    const opstack::payload::Block stored(opstack::payload::Version::v4, envelope, {});
    history_.on(opstack::sync::BlockStored{peer_, stored, canonical, canonical, fetched}, now_);
  }

  libp2p::Now now_{libp2p::MonoTime(Seconds(1)), libp2p::from_unix_seconds(kBlockTime) + Millis(314)};
  PeerId peer_ = PeerId::from_text("16Uiu2HAmRSrRLt1WGen9X1E6RrfsyG2hjmYWrxFb8Xs9SyvEZj9t").value();
  BlockHistory history_;
};

TEST_F(BlockHistoryTest, a_block_has_one_record_from_its_arrival_to_the_store) {
  judge(block(7), 70);
  for (int i = 0; i < 3; ++i) history_.on(opstack::gossip::CopyReceived{peer_, message(70)}, now_);
  history_.on(opstack::gossip::CopyReceived{peer_, message(71)}, now_);
  judge(block(7), 72, Verdict::ignore, Reason::already_seen);
  store(block(7));
  const auto told = history_.of_number(7);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].hash, hash_number(7));
  EXPECT_EQ(told[0].late, Millis(312)) << "it came 2 ms before its verdict";
  EXPECT_EQ(told[0].verdict, Verdict::accept);
  EXPECT_EQ(told[0].copies, 4u);
  EXPECT_TRUE(told[0].canonical);
  EXPECT_EQ(told[0].stored, now_.wall);
  EXPECT_EQ(history_.of_hash(hash_number(7)).size(), 1u);
  EXPECT_TRUE(history_.of_number(8).empty());
}

TEST_F(BlockHistoryTest, a_refused_block_has_its_reason_and_evidence_and_does_not_hide_the_good_one) {
  judge(block(7), 1, Verdict::reject, Reason::invalid_signature);
  judge(block(7), 2, Verdict::reject, Reason::non_zero_blob_gas_used, std::uint64_t{5});
  judge(block(7), 3);
  store(block(7));
  const auto told = history_.of_hash(hash_number(7));
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].reason, Reason::invalid_signature);
  EXPECT_NE(told[1].detail.find('5'), std::string::npos) << told[1].detail;
  EXPECT_FALSE(told[1].stored);
  EXPECT_TRUE(told[2].stored);
}

TEST_F(BlockHistoryTest, a_message_without_a_block_has_no_record) {
  judge(nullptr, 1, Verdict::reject, Reason::invalid_snappy);
  EXPECT_EQ(history_.size(), 0u);
}

TEST_F(BlockHistoryTest, a_fetched_block_that_gossip_brings_later_keeps_its_record) {
  store(block(7), true, true);
  judge(block(7), 1);
  const auto told = history_.of_number(7);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].source, BlockRecord::Source::fetched);
  EXPECT_FALSE(told[0].verdict);
  EXPECT_EQ(told[0].copies, 1u);
}

TEST_F(BlockHistoryTest, a_reorganisation_moves_what_is_canonical) {
  for (std::uint64_t n = 5; n <= 7; ++n) {
    judge(block(n), n);
    store(block(n));
  }
  auto first = std::make_shared<opstack::payload::Envelope>(*block(6, 1));
  auto second = std::make_shared<opstack::payload::Envelope>(*block(7, 1));
  second->payload.parent_hash = first->payload.block_hash;
  for (const auto& envelope : {first, second}) {
    judge(envelope, envelope->payload.block_number + 100);
    store(envelope, false);
  }
  opstack::sync::HeadMoved moved;
  moved.moved.from = {7, hash_number(7), hash_number(6)};
  moved.moved.to = {7, second->payload.block_hash, first->payload.block_hash};
  moved.moved.fork = 5;
  moved.moved.depth = 2;
  history_.on(moved, now_);
  const auto is_canonical = [this](const Hash& hash) { return history_.of_hash(hash).front().canonical; };
  EXPECT_TRUE(is_canonical(hash_number(5)));
  EXPECT_FALSE(is_canonical(hash_number(6)));
  EXPECT_FALSE(is_canonical(hash_number(7)));
  EXPECT_TRUE(is_canonical(first->payload.block_hash));
  EXPECT_TRUE(is_canonical(second->payload.block_hash));
  EXPECT_EQ(history_.of_hash(hash_number(7)).front().orphan_reason, "reorganised");
}

TEST_F(BlockHistoryTest, bad_blocks_displace_no_good_ones_and_crowd_no_height) {
  judge(block(7), 1);
  for (std::uint64_t i = 0; i < 5000; ++i) judge(block(8, i + 1), i + 10, Verdict::reject, Reason::invalid_signature);
  for (std::uint64_t i = 0; i < 5000; ++i)
    judge(block(10 + i, i + 1), i + 10'000, Verdict::reject, Reason::invalid_signature);
  EXPECT_EQ(history_.of_number(7).size(), 1u);
  EXPECT_EQ(history_.crowded(8), 5000 - BlockHistoryLimits().refused_per_height);
  EXPECT_LE(history_.size(), 1 + BlockHistoryLimits().refused);
  for (std::uint64_t i = 0; i < 5000; ++i) judge(block(100'000 + i), i + 20'000);
  history_.check();
  EXPECT_LE(history_.size(), BlockHistoryLimits().accepted + BlockHistoryLimits().refused);
}

TEST_F(BlockHistoryTest, any_timestamp_and_number_is_taken) {
  auto odd = std::make_shared<opstack::payload::Envelope>(*block(UINT64_MAX));
  odd->payload.timestamp = UINT64_MAX;
  judge(odd, 1, Verdict::reject, Reason::too_new);
  EXPECT_LT(history_.of_number(UINT64_MAX).front().late, Seconds(0));
}

TEST_F(BlockHistoryTest, says_when_the_store_refuses_a_block) {
  judge(block(7), 1);
  history_.on(StoreRefused{7, libp2p::fail(libp2p::Errc::io, "no space"), true}, now_);
  EXPECT_NE(history_.of_number(7).front().store_error.find("no space"), std::string::npos);
  store(block(7));
  EXPECT_TRUE(history_.of_number(7).front().store_error.empty());
}

}  // namespace
}  // namespace opp2p

#include "opp2p/observe/why.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

using libp2p::Millis;
using libp2p::Seconds;

const libp2p::UnixTime kWhyNow = libp2p::from_unix_seconds(1'760'000'000);

PeerFacts facts_of_a_peer() {
  PeerFacts out;
  out.peer = libp2p::PeerId::from_text("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N").value();
  out.thresholds.gossip = -10;
  out.thresholds.publish = -40;
  out.thresholds.graylist = -40;
  return out;
}
constexpr std::string_view kWhyPeer = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N ";

std::string told_of(const PeerFacts& facts) {
  const auto text = why_peer(facts, kWhyNow);
  EXPECT_TRUE(text.starts_with(kWhyPeer)) << text;
  return text.substr(kWhyPeer.size());
}

TEST(WhyPeer, says_until_when_and_why_a_peer_is_banned) {
  auto facts = facts_of_a_peer();
  facts.ban = opstack::reputation::Ban();
  facts.ban->until = kWhyNow + Seconds(3605);
  facts.ban->text = "its score -120 fell below -100";
  facts.ban->evidence.emplace_back().text = "invalid block signature";
  facts.is_static = true;
  EXPECT_EQ(told_of(facts),
            "is banned until 2025-10-09 09:53:25 UTC (1 h left): its score -120 fell below -100; its last fault: "
            "invalid block signature; it is a static peer.");
  facts.blocked = true;
  EXPECT_EQ(told_of(facts),
            "is banned until 2025-10-09 09:53:25 UTC (1 h left): its score -120 fell below -100; its last fault: "
            "invalid block signature; it is also blocked by the operator; it is a static peer.");
}

TEST(WhyPeer, says_what_a_low_score_costs) {
  auto facts = facts_of_a_peer();
  facts.connected = true;
  facts.score = -0.5;
  EXPECT_NE(told_of(facts).find("below zero"), std::string::npos);
  facts.score = -11;
  EXPECT_NE(told_of(facts).find("gossip threshold (-10)"), std::string::npos);
  facts.score = -41;
  EXPECT_NE(told_of(facts).find("graylist threshold (-40)"), std::string::npos);
}

TEST(WhyPeer, says_why_a_peer_is_gone) {
  auto facts = facts_of_a_peer();
  EXPECT_TRUE(told_of(facts).starts_with("is not known"));
  facts.timeline = PeerTimeline();
  facts.timeline->tally.connections = 1;
  facts.timeline->tally.accepted = 1;
  facts.timeline->tally.rejected = 2;
  facts.timeline->ended = kWhyNow - Seconds(90);
  facts.timeline->last_seen = kWhyNow - Seconds(5);  // a dial that failed
  facts.timeline->end = "closed: trimmed";
  EXPECT_EQ(told_of(facts),
            "has not been connected since 2025-10-09 08:51:50 UTC (1 min 30 s ago): closed: trimmed; it brought 1 "
            "block, and 2 "
            "that were rejected.");
  facts.connected = true;
  EXPECT_TRUE(told_of(facts).ends_with("; it has no faults.")) << told_of(facts);
  facts.score = 0;
  EXPECT_TRUE(told_of(facts).ends_with("; it has no faults, and its score is not below zero.")) << told_of(facts);
  facts.faults.emplace_back().text = "bad";
  EXPECT_TRUE(told_of(facts).ends_with("; its last fault: bad.")) << told_of(facts);
  facts.blocked = true;
  EXPECT_EQ(told_of(facts), "is blocked by the operator.");
}

BlockFacts facts_of_a_block() {
  BlockFacts out;
  out.number = 7;
  BlockRecord record;
  record.number = 7;
  record.hash.fill(0xab);
  record.from = facts_of_a_peer().peer;
  record.verdict = opstack::rules::Verdict::accept;
  record.late = Millis(312);
  record.stored = kWhyNow;
  record.canonical = true;
  record.copies = 3;
  out.records.push_back(record);
  return out;
}

TEST(WhyBlock, says_who_brought_an_accepted_block_and_how_late) {
  auto facts = facts_of_a_block();
  EXPECT_EQ(why_block(facts),
            "Block 7 (0xabababab…abab) was accepted: QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N brought it first, "
            "312 ms after its timestamp; it is stored and canonical; 3 copies came after it.");
  facts.records[0].late = Seconds(45);
  EXPECT_NE(why_block(facts).find("was accepted, but it came late"), std::string::npos);
  facts.records[0].late = -Seconds(3);
  EXPECT_NE(why_block(facts).find("3 s before its timestamp"), std::string::npos);
  facts.records[0].canonical = false;
  facts.records[0].orphan_reason = "reorganised";
  EXPECT_NE(why_block(facts).find("not canonical (reorganised)"), std::string::npos);
}

TEST(WhyBlock, says_why_a_block_was_rejected_unless_a_good_one_has_its_name) {
  auto facts = facts_of_a_block();
  facts.records[0].verdict = opstack::rules::Verdict::reject;
  facts.records[0].reason = opstack::rules::Reason::too_old;
  facts.records[0].detail = "timestamp 1, now 62, 60 s are allowed";
  EXPECT_NE(why_block(facts).find("was rejected: payload is too old (timestamp 1, now 62, 60 s are allowed)"),
            std::string::npos)
      << why_block(facts);
  facts.records.push_back(facts_of_a_block().records[0]);
  EXPECT_NE(why_block(facts).find("was accepted"), std::string::npos);
  EXPECT_NE(why_block(facts).find("1 other message named this height"), std::string::npos) << why_block(facts);
}

TEST(WhyBlock, tells_of_the_canonical_block_where_several_were_accepted) {
  auto facts = facts_of_a_block();
  facts.records.push_back(facts.records[0]);
  facts.records[0].canonical = false;
  facts.records[0].orphan_reason = "reorganised";
  EXPECT_NE(why_block(facts).find("it is stored and canonical"), std::string::npos) << why_block(facts);
}

TEST(WhyBlock, says_what_is_known_of_the_height_of_an_unknown_block) {
  BlockFacts facts;
  facts.hash.emplace().fill(1);
  EXPECT_TRUE(why_block(facts).starts_with("This node knows nothing of block 0x0101")) << why_block(facts);
  facts.hash.reset();
  facts.number = 9;
  facts.head = 5;
  EXPECT_NE(why_block(facts).find("above its head, 5"), std::string::npos);
  facts.number = 3;
  EXPECT_NE(why_block(facts).find("no record"), std::string::npos);
  facts.stored = facts.canonical = true;
  EXPECT_NE(why_block(facts).find("in its store, canonical"), std::string::npos);
}

TEST(DurationText, has_at_most_two_units) {
  EXPECT_EQ(rough_duration(Millis(5)), "5 ms");
  EXPECT_EQ(rough_duration(Seconds(59)), "59 s");
  EXPECT_EQ(rough_duration(Seconds(3600)), "1 h");
  EXPECT_EQ(rough_duration(Seconds(86400 * 3 + 3601)), "3 d 1 h");
  EXPECT_EQ(rough_duration(-Seconds(5)), "0 ms");
}

}  // namespace
}  // namespace opp2p

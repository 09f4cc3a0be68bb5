#include "opp2p/observe/block_watch.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::Seconds;
using opstack::rules::Address;
using opstack::rules::Outcome;
using opstack::rules::Reason;

constexpr MonoTime kStart{Seconds(1000)};
constexpr Nanos kPatience = Seconds(60);

Address address(std::uint8_t last) {
  Address out{};
  out.back() = last;
  return out;
}

Outcome refused(Reason reason, std::optional<Address> signer = std::nullopt) {
  Outcome out;
  out.reason = reason;
  out.signer = signer;
  return out;
}

// Peers, though none that were configured.
Surroundings connected() {
  Surroundings out;
  out.peers = out.topic_peers = 3;
  return out;
}

// What is found after the block was refused for a reason `times` times, 1 s apart.
Stall stall_of(const Outcome& outcome, int times = 6) {
  BlockWatch watch(kPatience, kStart);
  for (int i = 0; i < times; ++i) watch.on_refused(outcome, kStart + Seconds(i), false);
  watch.check();
  return watch.on_timeout(watch.next_deadline(), connected()).value();
}

TEST(BlockWatch, names_the_cause_and_the_option_by_what_the_blocks_were_refused_for) {
  struct Case {
    Reason reason;
    std::string_view text, option;
  };
  for (const auto& [reason, text, option] : {
           Case{Reason::invalid_signature, "another address than the configured one", "--p2p.unsafe.block.signer"},
           Case{Reason::no_signer_configured, "not configured whose blocks count", "--p2p.unsafe.block.signer"},
           Case{Reason::too_old, "clock of this machine may be ahead", ""},
           Case{Reason::too_new, "clock of this machine may be behind", ""},
           Case{Reason::bad_block_hash, "rollup configuration", "--rollup.config"},
           Case{Reason::invalid_envelope, "rollup configuration", "--rollup.config"},
           Case{Reason::invalid_snappy, "messages that are no blocks", "--p2p.static"},
           Case{Reason::internal_error, "overloaded", ""},
           Case{Reason::validation_queue_full, "overloaded", ""},
       }) {
    const auto stall = stall_of(refused(reason, address(1)));
    EXPECT_NE(stall.cause.text.find(text), stall.cause.text.npos) << stall.cause.text;
    EXPECT_EQ(stall.cause.option, option) << stall.cause.text;
    EXPECT_EQ(stall.reason, reason);
  }
}

TEST(BlockWatch, says_who_signs_only_when_it_is_one_signer) {
  EXPECT_EQ(stall_of(refused(Reason::invalid_signature, address(1))).signed_by, address(1));
  BlockWatch watch(kPatience, kStart);
  for (std::uint8_t i = 0; i < 6; ++i) watch.on_refused(refused(Reason::invalid_signature, address(i)), kStart, false);
  const auto stall = watch.on_timeout(watch.next_deadline(), connected()).value();
  EXPECT_EQ(stall.signed_by, std::nullopt);
  EXPECT_EQ(stall.cause.option, "--rollup.config");
  EXPECT_EQ(stall_of(refused(Reason::invalid_signature)).signed_by, std::nullopt) << "a signature that is nobody's";
}

TEST(BlockWatch, looks_around_when_no_block_came) {
  const auto cause = [](const Surroundings& around) {
    BlockWatch watch(kPatience, kStart);
    return watch.on_timeout(kStart + BlockWatch::kFirst, around).value().cause;
  };
  Surroundings around;
  EXPECT_EQ(cause(around).text, "no peer is connected, and none is configured");
  around.static_peers = 1;
  EXPECT_NE(cause(around).text.find("error dialing static peer"), std::string_view::npos);
  around.peers = 2;
  EXPECT_NE(cause(around).text.find("none of the static peers is connected"), std::string_view::npos);
  around.static_present = 1;
  EXPECT_NE(cause(around).text.find("no connected peer takes part"), std::string_view::npos);
  around.other_chain = 1;
  EXPECT_NE(cause(around).text.find("serve another chain"), std::string_view::npos);
  around.topic_peers = 1;
  EXPECT_NE(cause(around).text.find("sequencer may have stopped"), std::string_view::npos);
}

TEST(BlockWatch, speaks_after_some_refused_blocks_but_not_at_once_and_again_at_intervals) {
  BlockWatch watch(kPatience, kStart);
  for (std::uint64_t i = 0; i < BlockWatch::kEnough - 1; ++i)
    watch.on_refused(refused(Reason::too_old), kStart + Seconds(1), false);
  EXPECT_EQ(watch.next_deadline(), kStart + BlockWatch::kFirst);
  watch.on_refused(refused(Reason::too_old), kStart + Seconds(1), false);
  EXPECT_EQ(watch.next_deadline(), kStart + BlockWatch::kSoonest);
  EXPECT_FALSE(watch.on_timeout(kStart + Seconds(4), {}));
  const auto first = watch.on_timeout(kStart + Seconds(5), {});
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->since_start);
  EXPECT_EQ(first->refused, 5u);
  watch.on_refused(refused(Reason::too_old), kStart + Seconds(6), false);
  EXPECT_EQ(watch.next_deadline(), kStart + Seconds(5) + BlockWatch::kAgain);
}

TEST(BlockWatch, is_silent_while_blocks_are_accepted_and_knows_nothing_of_what_was_before_them) {
  BlockWatch watch(kPatience, kStart);
  for (int i = 0; i < 4; ++i) watch.on_refused(refused(Reason::too_old), kStart, false);
  EXPECT_EQ(watch.on_accepted(kStart + Seconds(2)), std::nullopt);
  EXPECT_FALSE(watch.on_timeout(kStart + BlockWatch::kFirst, {}));
  for (int i = 0; i < 9; ++i)
    watch.on_refused(refused(Reason::invalid_signature, address(2)), kStart + Seconds(10), false);
  EXPECT_EQ(watch.next_deadline(), kStart + Seconds(2) + kPatience) << "forgeries make it no sooner";
  const auto stall = watch.on_timeout(kStart + Seconds(62), connected()).value();
  EXPECT_FALSE(stall.since_start);
  EXPECT_EQ(stall.waited, kPatience);
  EXPECT_EQ(stall.reason, Reason::invalid_signature);
  EXPECT_EQ(stall.refused, 9u);
  EXPECT_EQ(watch.on_accepted(kStart + Seconds(70)), Seconds(68));
  EXPECT_EQ(watch.on_accepted(kStart + Seconds(71)), std::nullopt);
}

TEST(BlockWatch, a_stranger_hides_neither_that_static_peers_are_missing_nor_what_they_send) {
  BlockWatch watch(kPatience, kStart);
  for (int i = 0; i < 9; ++i) watch.on_refused(refused(Reason::invalid_signature, address(6)), kStart, false);
  Surroundings around = connected();
  around.static_peers = 2;
  const auto unreached = watch.on_timeout(watch.next_deadline(), around).value();
  EXPECT_EQ(unreached.cause.option, "--p2p.static") << unreached.cause.text;
  EXPECT_EQ(unreached.signed_by, std::nullopt);
  EXPECT_EQ(unreached.reason, std::nullopt);
  EXPECT_EQ(unreached.refused, 9u);
  around.static_present = 1;
  for (int i = 0; i < 9; ++i) watch.on_refused(refused(Reason::invalid_signature, address(6)), kStart, false);
  watch.on_refused(refused(Reason::invalid_signature, address(7)), kStart, true);
  EXPECT_EQ(watch.on_timeout(watch.next_deadline(), around).value().signed_by, address(7));
  // A static peer's copy may come second, and then is not looked at.
  watch.on_refused(refused(Reason::invalid_signature, address(8)), kStart, false);
  EXPECT_EQ(watch.on_timeout(watch.next_deadline(), around).value().signed_by, address(8));
}

TEST(BlockWatch, whose_blocks_were_accepted_before_is_not_called_wrong) {
  BlockWatch watch(kPatience, kStart);
  (void)watch.on_accepted(kStart);
  for (int i = 0; i < 9; ++i) watch.on_refused(refused(Reason::invalid_signature, address(6)), kStart, false);
  const auto stall = watch.on_timeout(watch.next_deadline(), connected()).value();
  EXPECT_NE(stall.cause.text.find("the sequencer may have stopped, and peers forge"), stall.cause.text.npos)
      << stall.cause.text;
}

TEST(BlockWatch, what_was_refused_long_ago_of_who_has_gone_is_no_cause) {
  BlockWatch watch(kPatience, kStart);
  for (int i = 0; i < 9; ++i) watch.on_refused(refused(Reason::invalid_signature, address(6)), kStart, false);
  EXPECT_EQ(watch.on_timeout(watch.next_deadline(), connected()).value().signed_by, address(6));
  const auto later = watch.on_timeout(watch.next_deadline(), connected()).value();
  EXPECT_EQ(later.refused, 0u);
  EXPECT_NE(later.cause.text.find("sequencer may have stopped"), later.cause.text.npos) << later.cause.text;
  for (int i = 0; i < 9; ++i) watch.on_refused(refused(Reason::invalid_signature, address(6)), kStart, false);
  EXPECT_EQ(watch.on_timeout(watch.next_deadline(), {}).value().cause.text,
            "no peer is connected, and none is configured");
}

TEST(BlockWatch, waits_for_a_chain_that_begins_later) {
  BlockWatch watch(kPatience, kStart + Seconds(500));
  EXPECT_FALSE(watch.on_timeout(kStart + Seconds(519), {}));
  EXPECT_TRUE(watch.on_timeout(kStart + Seconds(520), {}));
}

TEST(BlockWatch, keeps_its_invariants_whatever_comes_in_whatever_order) {
  BlockWatch watch(kPatience, kStart);
  MonoTime now = kStart;
  for (unsigned step = 0; step < 2000; ++step) {
    now += Seconds(step * 7 % 40);
    switch (step * step % 7) {
      case 0: (void)watch.on_accepted(now); break;
      case 1: (void)watch.on_timeout(now, connected()); break;
      case 2:
        watch.on_refused(refused(Reason::invalid_signature, address(static_cast<std::uint8_t>(step % 3))), now,
                         step % 2 == 0);
        break;
      default: watch.on_refused(refused(Reason::too_old), now, step % 3 == 0); break;
    }
    watch.check();
  }
}

}  // namespace
}  // namespace opp2p

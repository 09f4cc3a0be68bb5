// What the log says of the shape of the chain.
#include "opp2p/observe/chain_log.hpp"

#include "opp2p/observe/health.hpp"
#include "opp2p/observe/node_log_test_support.hpp"

namespace opp2p {
namespace {

namespace sync = opstack::sync;

class LogOfTheChain : public testing_log::LogOfANode {
 protected:
  std::size_t count(const std::string& level, const std::string& text) const {
    return member_.kept->count("lvl=" + level, text);
  }
  static sync::HeadMoved moved(std::optional<std::uint64_t> fork, std::uint64_t depth) {
    sync::HeadMoved out;
    out.moved.from.number = 10;
    out.moved.to.number = 12;
    out.moved.fork = fork;
    out.moved.depth = depth;
    out.moved.segments.resize(1);
    out.moved.segments[0].lowest.number = 11;
    return out;
  }
  testing_log::Member member_{world_, chain_, rng_};
  EventLog events_{member_.place.runtime(), member_.log};
  ChainLog log_{events_, member_.config.rollup};
};

TEST_F(LogOfTheChain, a_reorganisation_has_both_heads_the_fork_and_the_depth) {
  log_.on(moved(9, 1));
  EXPECT_EQ(count("warn", "msg=\"reorganised\" number=12"), 1u) << member_.kept->text();
  EXPECT_EQ(count("warn", "was=10"), 1u);
  EXPECT_EQ(count("warn", "fork=9 depth=1"), 1u);
  log_.on(moved(10, 0));
  EXPECT_EQ(member_.kept->lines(), 1u) << "what was there already is no reorganisation";
}

TEST_F(LogOfTheChain, a_head_above_a_hole_names_the_option_that_decides_when) {
  log_.on(moved(std::nullopt, 0));
  EXPECT_EQ(count("warn", "connected_from=11"), 1u) << member_.kept->text();
  EXPECT_EQ(count("warn", "option=--sync.patience"), 1u);
}

TEST_F(LogOfTheChain, a_hole_is_told_when_it_opens_and_when_it_is_filled) {
  sync::HoleChanged open;
  open.lowest = sync::BlockRef{11, {}, {}};
  open.holes = 1;
  log_.on(open);
  log_.on(sync::HoleChanged{});
  EXPECT_EQ(count("warn", "msg=\"blocks are missing below the head\" connected_from=11 holes=1"), 1u)
      << member_.kept->text();
  EXPECT_EQ(count("info", "msg=\"a hole below the head is filled\" holes_left=0"), 1u);
}

TEST_F(LogOfTheChain, that_nobody_serves_blocks_is_told_with_what_would_help) {
  log_.on(sync::GapSourcesChanged{false});
  log_.on(sync::GapSourcesChanged{true});
  EXPECT_EQ(count("warn", "option=--p2p.static"), 1u) << member_.kept->text();
  EXPECT_EQ(count("info", "a peer can be asked for missing blocks"), 1u);
}

TEST_F(LogOfTheChain, sixteen_blocks_with_the_wrong_time_are_one_error) {
  sync::ChainTrace wrong;
  wrong.kind = sync::ChainTraceKind::wrong_time;
  wrong.observed_block_time = 1;
  for (std::uint64_t n = 1; n <= 2 * kWrongInARow; ++n) {
    wrong.in_a_row = n;
    log_.on(wrong);
  }
  EXPECT_EQ(member_.kept->count("lvl=error"), 1u) << member_.kept->text();
  EXPECT_EQ(count("error", "block_time=2 observed_block_time=1"), 1u) << member_.kept->text();
}

TEST_F(LogOfTheChain, two_blocks_at_a_height_have_both_hashes_and_senders) {
  sync::ChainTrace two;
  two.kind = sync::ChainTraceKind::two_blocks;
  two.number = 7;
  two.hash.fill(0xaa);
  two.kept.emplace().fill(0xbb);
  log_.on(two);
  EXPECT_EQ(count("warn", "event_id=two_blocks_at_height number=7 kept=0xbbbb"), 1u) << member_.kept->text();
  EXPECT_EQ(count("warn", "other=0xaaaa"), 1u);
}

TEST_F(LogOfTheChain, every_line_about_an_event_has_its_id_and_a_denied_block_is_a_warning) {
  using Kind = sync::ChainTraceKind;
  testing_log::Member member(world_, chain_, rng_, LogLevel::debug);
  EventLog events(member.place.runtime(), member.log);
  ChainLog log(events, member.config.rollup);
  for (int i = 0; i <= static_cast<int>(Kind::denied); ++i) {
    sync::ChainTrace trace;
    trace.kind = static_cast<Kind>(i);
    log.on(trace);
    const auto id = "event_id=" + std::string(trace_id(trace.kind)) + " ";
    EXPECT_EQ(member.kept->count(id), 1u) << id << member.kept->text();
  }
  EXPECT_EQ(member.kept->count("lvl=warn", "event_id=denied "), 1u) << member.kept->text();
}

}  // namespace
}  // namespace opp2p

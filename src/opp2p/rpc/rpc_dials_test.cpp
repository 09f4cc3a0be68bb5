#include "opp2p/rpc/rpc_dials.hpp"

#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"

namespace opp2p {
namespace {

using libp2p::Multiaddr;
using libp2p::Result;
using libp2p::Seconds;
using libp2p::runtime::Task;

class RpcDialsTest : public testing::Test {
 protected:
  Task<Result<void>> connect(Multiaddr) {
    const auto slept = co_await libp2p::runtime::sleep_for(node_.runtime(), takes_);
    static_cast<void>(slept);
    co_return Result<void>();
  }
  std::optional<RpcDials::Id> dial() {
    return dials_.dial(Multiaddr::from_text("/ip4/192.0.2.1/tcp/1").value(), [this](const Result<void>& result) {
      ended_.push_back(result ? "" : result.error().message());
    });
  }

  libp2p::runtime::SimWorld world_{1};
  libp2p::runtime::SimNode node_ = world_.add_node();
  libp2p::Nanos takes_ = Seconds(1);
  RpcDials dials_{node_.runtime(), [this](Multiaddr address) { return connect(std::move(address)); }};
  std::vector<std::string> ended_;
};

TEST_F(RpcDialsTest, a_dial_is_answered_when_it_has_ended) {
  dial();
  world_.run_for(Seconds(2));
  EXPECT_EQ(ended_, std::vector<std::string>{""});
  EXPECT_EQ(dials_.under_way(), 0u);
}

TEST_F(RpcDialsTest, one_that_has_not_ended_after_thirty_seconds_is_given_up) {
  takes_ = Seconds(3600);
  dial();
  world_.run_for(Seconds(29));
  EXPECT_TRUE(ended_.empty());
  world_.run_for(Seconds(2));
  EXPECT_EQ(ended_, std::vector<std::string>{"timed out: no connection within 30 s"});
  EXPECT_EQ(dials_.under_way(), 0u);
}

TEST_F(RpcDialsTest, none_begins_after_the_stop) {
  takes_ = Seconds(3600);
  dial();
  dials_.stop();
  EXPECT_EQ(dial(), std::nullopt);
  world_.run_for(Seconds(60));
  EXPECT_EQ(dials_.under_way(), 0u);
  EXPECT_TRUE(ended_.empty());
}

TEST_F(RpcDialsTest, more_than_thirty_two_at_a_time_are_refused) {
  takes_ = Seconds(3600);
  for (int i = 0; i < 33; ++i) dial();
  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_NE(ended_[0].find("32 dials"), std::string::npos);
  world_.run_for(Seconds(31));
  EXPECT_EQ(ended_.size(), 33u);
  takes_ = Seconds(1);
  dial();
  world_.run_for(Seconds(2));
  EXPECT_EQ(ended_.back(), "");
}

TEST_F(RpcDialsTest, one_that_nobody_waits_for_leaves_its_place_at_once) {
  takes_ = Seconds(3600);
  std::optional<RpcDials::Id> last;
  for (std::size_t i = 0; i < RpcDials::kMost; ++i) last = dial();
  world_.run_for(Seconds(1));
  dials_.abandon(*last);
  EXPECT_EQ(dials_.under_way(), RpcDials::kMost - 1);
  EXPECT_TRUE(dial());
  EXPECT_FALSE(dial());
  dials_.abandon(*last);  // it has gone already
  world_.run_for(Seconds(60));
  EXPECT_EQ(ended_.size(), RpcDials::kMost + 1);  // all but the abandoned one, and the refused one
}

TEST_F(RpcDialsTest, may_go_in_the_turn_in_which_a_dial_has_ended) {
  auto dials = std::make_unique<RpcDials>(node_.runtime(), [this](Multiaddr address) { return connect(address); });
  bool told = false;
  const auto address = Multiaddr::from_text("/ip4/192.0.2.1/tcp/1").value();
  dials->dial(address, [&](const Result<void>&) {
    told = true;
    node_.runtime().post([&dials] { dials.reset(); });
  });
  world_.run_for(Seconds(2));
  EXPECT_TRUE(told);
  EXPECT_EQ(dials, nullptr);
}

TEST_F(RpcDialsTest, a_stop_drops_what_is_under_way) {
  dial();
  world_.run_for(libp2p::Millis(1));
  dials_.stop();
  world_.run_for(Seconds(60));
  EXPECT_TRUE(ended_.empty());
}

}  // namespace
}  // namespace opp2p

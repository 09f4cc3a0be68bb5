// A gater in a host: who is refused, and who has to go when a rule comes.
#include <gmock/gmock.h>

#include "libp2p/host/blocking_gater.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using ::testing::HasSubstr;

class GaterTest : public HostTest {
 protected:
  std::shared_ptr<BlockingGater> gater = std::make_shared<BlockingGater>();
  std::unique_ptr<Host> guarded() {
    HostConfig config(test_key(nodes.size() + 1));
    config.gater = gater;
    return make_host(std::move(config));
  }
};

TEST_F(GaterTest, a_blocked_peer_is_neither_dialled_nor_let_in) {
  const auto a = guarded();
  const auto b = make_host();
  ASSERT_TRUE(gater->block_peer(b->id()));
  const auto out = dial(*a, address_of(*b));
  EXPECT_EQ(out.error().code(), Errc::denied);
  EXPECT_THAT(out.error().text(), HasSubstr(b->id().to_base58() + " is blocked"));
  Diary diary(*a);
  (void)dial(*b, address_of(*a));
  world.run_for(Seconds(1));
  EXPECT_TRUE(a->connections().empty());
  EXPECT_TRUE(b->connections().empty());
  EXPECT_EQ(diary.count("refused denied"), 1u);
  EXPECT_GE(a->counters().denied_by_gater, 2u);
  gater->unblock_peer(b->id());
  EXPECT_TRUE(dial(*a, address_of(*b)));
}

TEST_F(GaterTest, a_blocked_address_or_subnet_is_refused_both_ways) {
  const auto a = guarded();
  const auto b = make_host();
  const auto b_ip = nodes[1].ip4();
  for (const bool subnet : {false, true}) {
    ASSERT_TRUE(subnet ? gater->block_subnet("10.0.0.2/31") : gater->block_ip(b_ip));
    EXPECT_EQ(dial(*a, address_of(*b)).error().code(), Errc::denied);
    EXPECT_FALSE(dial(*b, address_of(*a)));
    EXPECT_TRUE(a->connections().empty());
    ASSERT_TRUE(subnet ? gater->unblock_subnet("10.0.0.3/31") : gater->unblock_ip(b_ip));
  }
  EXPECT_TRUE(dial(*b, address_of(*a)));
}

TEST_F(GaterTest, blocking_closes_open_connections) {
  const auto a = guarded();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  ASSERT_TRUE(gater->block_peer(b->id()));
  world.run_for(Seconds(1));
  EXPECT_FALSE(a->connected(b->id()));
}

}  // namespace
}  // namespace libp2p

#include "opstack/gossip/validation_queue.hpp"

#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"

namespace opstack::gossip {
namespace {

using libp2p::Millis;

class ValidationQueueTest : public testing::Test {
 protected:
  bool submit(std::size_t bytes) {
    return queue.submit(bytes, [this] { ++worked; }, [this] { ++done; });
  }
  libp2p::runtime::SimWorld world{1};
  libp2p::runtime::SimNode node = world.add_node();
  ValidationQueue queue{node.runtime(), ValidationQueueLimits{}};
  int worked = 0;
  int done = 0;
};

TEST_F(ValidationQueueTest, judges_small_messages_at_once) {
  ASSERT_TRUE(submit(1000));
  EXPECT_EQ(done, 1);
  EXPECT_EQ(queue.items(), 0u);
  ASSERT_TRUE(submit(4096));
  EXPECT_EQ(done, 2);
}

TEST_F(ValidationQueueTest, gives_a_large_message_to_the_pool) {
  ASSERT_TRUE(submit(4097));
  EXPECT_EQ(done, 0);
  EXPECT_EQ(queue.bytes(), 4097u);
  world.run_for(Millis(20));
  EXPECT_EQ(done, 1);
  EXPECT_EQ(queue.bytes(), 0u);
}

// Each counts for 20 us of the network thread here, where time stands still while it works.
TEST_F(ValidationQueueTest, takes_half_of_the_network_threads_time_for_small_messages_and_the_pool_for_the_rest) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(submit(100));
    ASSERT_EQ(done, i + 1) << "one in 50 us is within the half";
    world.run_for(libp2p::Micros(50));
  }
  int at_once = 0;
  while (done == 1000 + at_once && at_once < 1000) {
    ASSERT_TRUE(submit(100));
    ++at_once;
  }
  EXPECT_EQ(at_once, 51) << "a millisecond's worth, and one that went to the pool";
  world.run_for(Millis(20));
  EXPECT_EQ(done, 1051);
  EXPECT_EQ(worked, 1051);
}

TEST_F(ValidationQueueTest, gives_small_messages_to_the_pool_behind_others) {
  ASSERT_TRUE(submit(5000));
  ASSERT_TRUE(submit(100));
  EXPECT_EQ(worked, 0);
  world.run_for(Millis(20));
  EXPECT_EQ(done, 2);
}

TEST_F(ValidationQueueTest, refuses_what_goes_beyond_its_bounds) {
  ValidationQueueLimits limits;
  limits.parallel = 1;
  limits.max_items = 3;
  limits.max_bytes = 30'000;
  ValidationQueue small(node.runtime(), limits);
  const auto put = [&small](std::size_t bytes) { return small.submit(bytes, [] {}, [] {}); };
  EXPECT_FALSE(put(30'001));
  EXPECT_TRUE(put(20'000));
  EXPECT_FALSE(put(10'001));
  EXPECT_TRUE(put(5000));
  EXPECT_TRUE(put(5000));
  EXPECT_FALSE(put(1));
  world.run_for(Millis(100));
  EXPECT_EQ(small.items(), 0u);
  EXPECT_TRUE(put(1));
}

}  // namespace
}  // namespace opstack::gossip

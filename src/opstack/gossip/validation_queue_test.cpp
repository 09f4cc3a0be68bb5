#include "opstack/gossip/validation_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "libp2p/runtime/sim/sim_world.hpp"

namespace opstack::gossip {
namespace {

using libp2p::Millis;

class ValidationQueueTest : public testing::Test {
 protected:
  // What runs here costs 20 us of the network thread: the simulator's charge, without its spread.
  static libp2p::runtime::SimWorld::Options even_cost() {
    libp2p::runtime::SimWorld::Options options;
    options.most_work_here = options.least_work_here = libp2p::Micros(20);
    return options;
  }
  Submission submit(std::size_t bytes) {
    const auto out = queue.submit({bytes, bytes}, [this] { ++worked; }, [this] { ++done; });
    queue.check();
    return out;
  }
  void run_for(libp2p::Nanos duration) {
    world.run_for(duration);
    queue.check();
  }
  libp2p::runtime::SimWorld world{1, even_cost(), std::make_unique<libp2p::runtime::UniformLinks>()};
  libp2p::runtime::SimNode node = world.add_node();
  ValidationQueue queue{node.runtime(), ValidationQueueLimits{}};
  int worked = 0;
  int done = 0;
};

TEST_F(ValidationQueueTest, judges_small_messages_inside_submit_and_says_so) {
  EXPECT_EQ(submit(1000), Submission::done_here);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(queue.items(), 0u);
  EXPECT_EQ(submit(8192), Submission::done_here);
  EXPECT_EQ(done, 2);
}

TEST_F(ValidationQueueTest, gives_a_large_message_to_the_pool) {
  EXPECT_EQ(submit(8193), Submission::queued);
  EXPECT_EQ(done, 0);
  EXPECT_EQ(queue.bytes(), 8193u);
  world.run_for(Millis(20));
  EXPECT_EQ(done, 1);
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST_F(ValidationQueueTest, counts_what_is_gossiped_and_takes_for_small_what_is_small_unpacked) {
  EXPECT_EQ(queue.submit({100, 8193}, [] {}, [] {}), Submission::queued);
  EXPECT_EQ(queue.bytes(), 100u);
  world.run_for(Millis(20));
  EXPECT_EQ(queue.submit({9000, 8192}, [] {}, [] {}), Submission::done_here);
}

TEST_F(ValidationQueueTest, takes_half_of_the_network_threads_time_for_small_messages_and_the_pool_for_the_rest) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(submit(100), Submission::done_here) << i << ": one in 50 us is within the half";
    world.run_for(libp2p::Micros(50));
  }
  int at_once = 1;
  while (submit(100) == Submission::done_here && at_once < 1000) ++at_once;
  EXPECT_EQ(at_once, 51) << "a millisecond's worth, and one that went to the pool";
  world.run_for(Millis(20));
  EXPECT_EQ(done, 1051);
  EXPECT_EQ(worked, 1051);
}

TEST_F(ValidationQueueTest, gives_small_messages_to_the_pool_behind_others) {
  EXPECT_EQ(submit(9000), Submission::queued);
  EXPECT_EQ(submit(100), Submission::queued);
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
  const auto put = [&small](std::size_t bytes) {
    const auto out = small.submit({bytes, bytes}, [] {}, [] {});
    small.check();
    return out;
  };
  EXPECT_EQ(put(30'001), Submission::refused);
  EXPECT_EQ(put(20'000), Submission::queued);
  EXPECT_EQ(put(10'001), Submission::refused);
  EXPECT_EQ(put(5000), Submission::queued);
  EXPECT_EQ(put(5000), Submission::queued);
  EXPECT_EQ(put(1), Submission::refused);
  world.run_for(Millis(100));
  EXPECT_EQ(small.items(), 0u);
  EXPECT_EQ(put(1), Submission::done_here);
}

TEST_F(ValidationQueueTest, runs_no_more_than_its_parallel_on_the_pool_and_the_rest_in_order) {
  ValidationQueueLimits limits;
  limits.parallel = 1;
  limits.small = 0;
  ValidationQueue one(node.runtime(), limits);
  std::vector<int> order;
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(one.submit({10, 10}, [] {}, [&order, i] { order.push_back(i); }), Submission::queued);
  for (int i = 0; i < 40; ++i) {
    world.run_for(Millis(3));
    one.check();
  }
  ASSERT_EQ(order.size(), 20u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(ValidationQueueTest, may_be_called_and_destroyed_by_what_it_calls) {
  auto owned = std::make_unique<ValidationQueue>(node.runtime(), ValidationQueueLimits{});
  int nested = 0;
  const auto again = [&] {
    ++nested;
    EXPECT_EQ(owned->submit({10, 10}, [] {}, [&owned, &nested] { ++nested, owned.reset(); }), Submission::done_here);
  };
  EXPECT_EQ(owned->submit({10, 10}, [] {}, again), Submission::done_here);
  EXPECT_EQ(nested, 2);
  EXPECT_EQ(owned, nullptr);
}

TEST_F(ValidationQueueTest, ends_nothing_once_it_is_gone) {
  auto owned = std::make_unique<ValidationQueue>(node.runtime(), ValidationQueueLimits{});
  EXPECT_EQ(owned->submit({9000, 9000}, [this] { ++worked; }, [this] { ++done; }), Submission::queued);
  owned.reset();
  world.run_for(Millis(20));
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace opstack::gossip

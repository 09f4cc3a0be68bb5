#include "libp2p/runtime/lookup_queue.hpp"

#include <gtest/gtest.h>

#include <string>

namespace libp2p::runtime {
namespace {

struct Started {
  LookupQueue queue{2, 2};
  std::string order;
  ~Started() { queue.check(); }
  std::optional<LookupQueue::Id> enter(char name) {
    queue.check();
    return queue.enter([this, name] { order += name; });
  }
};

TEST(LookupQueue, lets_some_run_and_the_rest_wait_in_order) {
  Started q;
  const auto a = q.enter('a');
  q.enter('b');
  const auto c = q.enter('c');
  q.enter('d');
  EXPECT_EQ(q.order, "ab");
  EXPECT_EQ(q.enter('e'), std::nullopt);
  q.queue.leave(*a);
  EXPECT_EQ(q.order, "abc");
  q.queue.leave(*a);  // again: no second place comes free
  EXPECT_EQ(q.order, "abc");
  q.queue.leave(*c);
  EXPECT_EQ(q.order, "abcd");
  EXPECT_EQ(q.queue.running(), 2U);
  EXPECT_EQ(q.queue.waiting(), 0U);
}

#ifndef OPP2P_NO_ASSERTIONS
TEST(LookupQueueDeathTest, a_look_up_that_starts_neither_enters_nor_leaves) {
  LookupQueue queue(2, 2);
  EXPECT_DEATH(queue.enter([&queue] { queue.enter([] {}); }), "does not enter the queue");
  EXPECT_DEATH(queue.enter([&queue] { queue.leave(1); }), "does not leave the queue");
  EXPECT_DEATH(queue.leave(7), "only a look-up that has entered leaves");
}
#endif

TEST(LookupQueue, what_is_abandoned_while_it_waits_leaves_at_once) {
  Started q;
  const auto a = q.enter('a');
  q.enter('b');
  const auto c = q.enter('c');
  q.enter('d');
  q.queue.leave(*c);
  EXPECT_EQ(q.queue.waiting(), 1U);
  EXPECT_TRUE(q.enter('e').has_value());  // its place in the line is free
  q.queue.leave(*a);
  EXPECT_EQ(q.order, "abd");
}

}  // namespace
}  // namespace libp2p::runtime

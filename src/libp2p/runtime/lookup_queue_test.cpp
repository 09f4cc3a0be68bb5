#include "libp2p/runtime/lookup_queue.hpp"

#include <gtest/gtest.h>

#include <string>

namespace libp2p::runtime {
namespace {

struct Started {
  LookupQueue queue{2, 2};
  std::string order;
  std::optional<LookupQueue::Id> enter(char name) {
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

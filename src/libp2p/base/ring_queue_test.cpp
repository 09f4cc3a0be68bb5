#include "libp2p/base/ring_queue.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "libp2p/base/rng.hpp"

namespace libp2p {
namespace {

TEST(RingQueue, holds_what_a_deque_holds_after_any_changes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRng rng(seed);
    RingQueue<std::string> ring;
    std::deque<std::string> deque;
    for (int step = 0; step < 500; ++step) {
      const std::uint64_t what = rng.below(8);
      if (what < 4 || deque.empty()) {
        const std::string text = std::to_string(rng.next_u64());
        EXPECT_EQ(ring.push_back(text), text);
        deque.push_back(text);
      } else if (what == 4) {
        EXPECT_EQ(ring.take_front(), deque.front());
        deque.pop_front();
      } else if (what == 5) {
        const std::size_t at = rng.below(deque.size());
        ring.erase(at);
        deque.erase(deque.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (what == 6) {
        const std::size_t count = rng.below(deque.size() + 1);
        ring.pop_front(count);
        deque.erase(deque.begin(), deque.begin() + static_cast<std::ptrdiff_t>(count));
      } else {
        ring.reserve(rng.below(40));
      }
      ASSERT_EQ(ring.size(), deque.size());
      std::size_t at = 0;
      for (const std::string& text : std::as_const(ring)) ASSERT_EQ(text, deque[at++]);
      ASSERT_EQ(at, deque.size());
    }
  }
}

TEST(RingQueue, allocates_nothing_in_steady_state_and_gives_the_room_of_a_burst_back) {
  RingQueue<int> ring;
  EXPECT_EQ(ring.capacity(), 0u);
  for (int i = 0; i < 1000; ++i) {
    ring.push_back(i);
    ring.push_back(i);
    ring.pop_front(2);
    EXPECT_EQ(ring.capacity(), 2u);
  }
  for (int i = 0; i < 1000; ++i) ring.push_back(i);
  EXPECT_EQ(ring.capacity(), 1024u);
  ring.pop_front(999);
  EXPECT_EQ(ring.capacity(), 1024u);
  EXPECT_EQ(ring.take_front(), 999);
  EXPECT_EQ(ring.capacity(), 0u);
  ring.reserve(5);
  EXPECT_EQ(ring.capacity(), 8u);
}

TEST(RingQueue, lets_go_of_what_is_taken_out) {
  RingQueue<std::shared_ptr<int>> ring;
  const auto value = std::make_shared<int>(1);
  for (int i = 0; i < 3; ++i) ring.push_back(value);
  EXPECT_EQ(value.use_count(), 4);
  ring.pop_front();
  EXPECT_EQ(value.use_count(), 3);
  ring.erase(1);
  EXPECT_EQ(value.use_count(), 2);
  EXPECT_EQ(ring.take_front(), value);
  EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace libp2p

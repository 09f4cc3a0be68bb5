#include "libp2p/transports/memory/memory_socket.hpp"

#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p::memory {
namespace {

class MemorySocketTest : public ::testing::Test {
 protected:
  MemorySocketTest() {
    auto ends = make_pipe(near_node.runtime(), "/memory/2", far_node.runtime(), "/memory/1");
    near = std::move(ends.first);
    far = std::move(ends.second);
  }
  static std::string read(runtime::Socket& from, std::size_t most = 1 << 20) {
    Bytes in(most);
    const auto n = from.read(in);
    if (!n) return std::string(to_string(n.error().code()));
    return std::string(as_text(ByteView(in).first(*n)));
  }

  runtime::SimWorld world{1};
  runtime::SimNode near_node = world.add_node();
  runtime::SimNode far_node = world.add_node();
  std::unique_ptr<runtime::Socket> near;
  std::unique_ptr<runtime::Socket> far;
};

const std::string kNothing(to_string(Errc::would_block));
const std::string kReset(to_string(Errc::reset));

TEST_F(MemorySocketTest, carries_bytes_both_ways_in_order_in_pieces_of_any_size) {
  EXPECT_EQ(read(*far), kNothing);
  EXPECT_EQ(near->write(as_bytes("hello ")).value(), 6u);
  EXPECT_EQ(near->write(as_bytes("world")).value(), 5u);
  EXPECT_EQ(read(*far, 4), "hell");
  EXPECT_EQ(read(*far), "o world");
  EXPECT_EQ(read(*far), kNothing);
  EXPECT_EQ(far->write(as_bytes("and back")).value(), 8u);
  EXPECT_EQ(read(*near), "and back");
}

TEST_F(MemorySocketTest, takes_no_more_than_its_buffer_and_asks_for_more_when_the_far_end_has_read) {
  const Bytes much(kBuffer + 1000, 7);
  EXPECT_EQ(near->write(much).value(), kBuffer);
  EXPECT_EQ(near->write(much).error().code(), Errc::would_block);
  bool writable = false;
  near->when_writable([&writable] { writable = true; });
  world.run_for(Seconds(1));
  EXPECT_FALSE(writable);
  EXPECT_EQ(read(*far, 10).size(), 10u);
  EXPECT_FALSE(writable) << "a call comes from the queue";
  world.run_for(Nanos(0));
  EXPECT_TRUE(writable);
  EXPECT_EQ(near->write(much).value(), 10u);
  EXPECT_EQ(read(*far).size(), kBuffer);
}

TEST_F(MemorySocketTest, wakes_a_reader_once_when_bytes_come_and_at_once_when_they_are_there) {
  int woken = 0;
  far->when_readable([&woken] { ++woken; });
  world.run_for(Seconds(1));
  EXPECT_EQ(woken, 0);
  ASSERT_TRUE(near->write(as_bytes("a")));
  ASSERT_TRUE(near->write(as_bytes("b")));
  EXPECT_EQ(woken, 0);
  world.run_for(Nanos(0));
  EXPECT_EQ(woken, 1);
  far->when_readable([&woken] { ++woken; });
  world.run_for(Nanos(0));
  EXPECT_EQ(woken, 2);
}

TEST_F(MemorySocketTest, half_closed_it_still_reads_and_the_far_end_reads_the_rest_and_the_end) {
  ASSERT_TRUE(near->write(as_bytes("last words")));
  near->shutdown_write();
  EXPECT_EQ(near->write(as_bytes("x")).error().code(), Errc::reset);
  EXPECT_EQ(read(*far), "last words");
  EXPECT_EQ(read(*far), "");
  ASSERT_TRUE(far->write(as_bytes("answer")));
  EXPECT_EQ(read(*near), "answer");
}

TEST_F(MemorySocketTest, destroyed_with_nothing_unread_its_last_words_arrive_and_writes_to_it_are_reset) {
  bool woken = false;
  far->when_readable([&woken] { woken = true; });
  ASSERT_TRUE(near->write(as_bytes("last words")));
  near.reset();
  world.run_for(Nanos(0));
  EXPECT_TRUE(woken);
  EXPECT_EQ(read(*far), "last words");
  EXPECT_EQ(read(*far), "");
  const auto written = far->write(as_bytes("x"));
  EXPECT_EQ(written.error().text(), "write to /memory/1 failed: connection reset by peer");
}

TEST_F(MemorySocketTest, destroyed_with_bytes_unread_it_resets_the_far_end_which_loses_what_it_has_not_read) {
  ASSERT_TRUE(far->write(as_bytes("never read")));
  ASSERT_TRUE(near->write(as_bytes("lost")));
  near.reset();
  EXPECT_EQ(read(*far), kReset);
  EXPECT_EQ(far->write(as_bytes("x")).error().code(), Errc::reset);
}

TEST_F(MemorySocketTest, who_waits_to_write_where_nothing_can_be_written_any_more_is_woken) {
  ASSERT_TRUE(near->write(Bytes(kBuffer, 1)));
  ASSERT_TRUE(far->write(Bytes(kBuffer, 1)));
  near->shutdown_write();
  int woken = 0;
  near->when_writable([&woken] { ++woken; });
  world.run_for(Nanos(0));
  EXPECT_EQ(woken, 1);
  near.reset();
  far->when_writable([&woken] { ++woken; });
  world.run_for(Nanos(0));
  EXPECT_EQ(woken, 2);
}

TEST_F(MemorySocketTest, a_destroyed_end_is_called_no_more_and_wakes_who_waits_to_write) {
  bool called = false;
  near->when_readable([&called] { called = true; });
  ASSERT_TRUE(far->write(Bytes(kBuffer, 1)));
  bool writable = false;
  far->when_writable([&writable] { writable = true; });
  near.reset();
  world.run_for(Seconds(1));
  EXPECT_FALSE(called);
  EXPECT_TRUE(writable);
  far.reset();
  EXPECT_EQ(world.sizes().events, 0u);
}

}  // namespace
}  // namespace libp2p::memory

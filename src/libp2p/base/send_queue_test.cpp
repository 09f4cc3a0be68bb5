#include "libp2p/base/send_queue.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/intrusive_list.hpp"
#include "libp2p/base/rng.hpp"

namespace libp2p {
namespace {

TEST(SendQueue, gives_back_copies_and_shared_messages_in_order_in_any_portions) {
  SeededRng rng(7);
  SendQueue queue;
  Bytes given, taken;
  for (int round = 0; round < 300; ++round) {
    Bytes piece(1 + rng.below(round % 10 == 0 ? 200'000 : 2'000));
    rng.fill(piece);
    const std::size_t offset = round % 3 == 0 ? rng.below(piece.size()) : 0;
    append(given, ByteView(piece).subspan(offset));
    if (round % 2 == 0) {
      queue.push_copy(ByteView(piece).subspan(offset));
    } else {
      queue.push_shared(share(std::move(piece)), offset);
    }
    Bytes part(rng.below(queue.size() + 1));
    queue.pop(part.data(), part.size());
    append(taken, part);
    ASSERT_EQ(queue.size(), given.size() - taken.size());
  }
  Bytes rest(queue.size());
  queue.pop(rest.data(), rest.size());
  append(taken, rest);
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(taken == given);
}

TEST(SendQueue, lets_a_shared_message_go_once_it_is_sent_or_dropped) {
  const auto one = share(Bytes(2000)), two = share(Bytes(2000));
  SendQueue queue;
  queue.push_shared(one, 0);
  queue.push_shared(two, 500);
  queue.push_shared(two, 2000);  // nothing of it is left
  EXPECT_EQ(queue.size(), 3500U);
  Bytes out(2000);
  queue.pop(out.data(), 2000);
  EXPECT_EQ(one.use_count(), 1);
  EXPECT_EQ(two.use_count(), 2);
  queue.clear();
  EXPECT_EQ(two.use_count(), 1);
  EXPECT_TRUE(queue.empty());
}

TEST(SendQueue, copies_what_is_too_short_for_a_reference) {
  const auto message = share(Bytes(SendQueue::kWorthAReference));
  SendQueue queue;
  queue.push_shared(message, 1);
  EXPECT_EQ(message.use_count(), 1);
  EXPECT_EQ(queue.size(), SendQueue::kWorthAReference - 1);
  queue.push_shared(message, 0);
  EXPECT_EQ(message.use_count(), 2);
}

struct NumberedMember {
  int number = 0;
  NumberedMember* next = nullptr;
  NumberedMember* previous = nullptr;
};

TEST(IntrusiveList, keeps_the_order_when_members_leave_from_anywhere) {
  NumberedMember members[5];
  IntrusiveList<NumberedMember> list;
  for (int i = 0; i < 5; ++i) {
    members[i].number = i;
    list.push_back(members[i]);
  }
  list.remove(members[2]);
  list.remove(members[4]);
  list.remove(members[0]);
  list.push_back(members[2]);
  for (const int expected : {1, 3, 2}) {
    ASSERT_FALSE(list.empty());
    EXPECT_EQ(list.front().number, expected);
    list.remove(list.front());
  }
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace libp2p

// What the small containers and counters demand of their users ends the process when it is not kept, and their check()
// passes while it is.
#include <gtest/gtest.h>

#include "libp2p/base/entry_mark.hpp"
#include "libp2p/base/event_source.hpp"
#include "libp2p/base/intrusive_list.hpp"
#include "libp2p/base/live_count.hpp"
#include "libp2p/base/lru_map.hpp"
#include "libp2p/base/memory_account.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/base/send_queue.hpp"
#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/token_bucket.hpp"

namespace libp2p {
namespace {

struct NamedMember {
  int name = 0;
  NamedMember* next = nullptr;
  NamedMember* previous = nullptr;
};

TEST(Contracts, check_counts_the_members_of_a_list_in_order) {
  IntrusiveList<NamedMember> list;
  NamedMember a{1}, b{2}, c{3};
  for (NamedMember* member : {&a, &b, &c}) list.push_back(*member);
  list.remove(b);
  std::vector<int> names;
  EXPECT_EQ(list.check([&names](const NamedMember& member) { names.push_back(member.name); }), 2U);
  EXPECT_EQ(names, (std::vector<int>{1, 3}));
}

TEST(Contracts, check_passes_for_what_was_used_as_it_should_be) {
  LruMap<int, int> map(2);
  for (int key = 0; key < 5; ++key) map.put(key, key);
  map.check();
  SharePool<int> pool({.total = 10});
  pool.take(1, {{1}, {}}, 4);
  pool.take(2, {{1}, {}}, 2);
  pool.give(1, 1);
  pool.check();
  EventSource<int> source;
  const auto first = source.subscribe([](int) {});
  {
    const auto second = source.subscribe([](int) {});
  }
  const auto third = source.subscribe([](int) {});
  source.check();
  SendQueue queue;
  queue.push_copy(Bytes(100'000));
  queue.push_shared(share(Bytes(5000)), 100);
  Bytes out(70'000);
  queue.pop(out.data(), out.size());
  queue.check();
}

#ifndef OPP2P_NO_ASSERTIONS
TEST(ContractsDeathTest, a_member_is_in_one_list_and_leaves_that_one) {
  IntrusiveList<NamedMember> list, other;
  NamedMember a{1}, b{2}, c{3};
  list.push_back(a);
  list.push_back(b);
  EXPECT_DEATH(other.push_back(b), "a member is in one list at most");
  EXPECT_DEATH(other.remove(a), "only a member of the list is taken out");
  EXPECT_DEATH(list.remove(c), "only a member of the list is taken out");
  EXPECT_DEATH(other.front(), "an empty list has no first member");
}

TEST(ContractsDeathTest, check_finds_links_that_do_not_agree) {
  IntrusiveList<NamedMember> list;
  NamedMember a{1}, b{2};
  list.push_back(a);
  list.push_back(b);
  b.next = &a;  // a circle
  EXPECT_DEATH(list.check([](const NamedMember&) {}), "the links of a list agree in both directions");
}

TEST(ContractsDeathTest, no_more_is_taken_out_of_a_queue_than_is_in_it) {
  SendQueue queue;
  queue.push_copy(Bytes(3));
  Bytes out(8);
  EXPECT_DEATH(queue.pop(out.data(), 4), "no more is taken out of a send queue than is in it.*n = 4.*size_ = 3");
  EXPECT_DEATH(queue.push_shared(nullptr, 0), "a shared message is there");
}

TEST(ContractsDeathTest, memory_that_was_not_taken_is_not_given_back) {
  EXPECT_DEATH(
      {
        MemoryAccount account(10);
        account.take(3);
        account.give(4);
      },
      "no more memory is given back than was taken");
  EXPECT_DEATH(
      {
        MemoryAccount account(10);
        account.take(3);
      },
      "the memory account outlives everything that takes from it");
}

TEST(ContractsDeathTest, a_bucket_gives_and_takes_nothing_back_that_is_negative) {
  TokenBucket bucket(1, 5, MonoTime(Seconds(1)));
  EXPECT_DEATH(bucket.try_take(-1, MonoTime(Seconds(1))), "a bucket gives tokens");
  EXPECT_DEATH(bucket.cancel(-1), "only what was taken is given back");
  SeededRng rng(1);
  EXPECT_DEATH(rng.below(0), "there is no number below zero");
}

TEST(ContractsDeathTest, what_must_not_be_entered_twice_or_destroyed_inside_is_not) {
  EXPECT_DEATH(
      {
        EntryMark entered;
        const Entry outer(entered, "the outer call");
        const Entry inner(entered, "no call of it inside another");
      },
      "no call of it inside another");
  EXPECT_DEATH(
      {
        auto entered = std::make_unique<EntryMark>();
        const Entry entry(*entered, "it is entered");
        entered.reset();
      },
      "not destroyed inside one of its own calls");
  EntryMark again;
  for (int i = 0; i < 2; ++i) {
    const Entry entry(again, "one call after another");
    EXPECT_TRUE(again);
  }
  EXPECT_FALSE(again);
}
#endif

}  // namespace
}  // namespace libp2p

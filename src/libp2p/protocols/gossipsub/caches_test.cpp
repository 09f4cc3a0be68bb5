// The small tables of the router: seen cache, message cache, backoffs, promises.
#include <gmock/gmock.h>

#include <chrono>

#include "libp2p/protocols/gossipsub/backoffs.hpp"
#include "libp2p/protocols/gossipsub/iwant_promises.hpp"
#include "libp2p/protocols/gossipsub/message_cache.hpp"
#include "libp2p/protocols/gossipsub/seen_cache.hpp"

namespace libp2p::gossipsub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

MessageId id(std::uint8_t n) { return *MessageId::from(Bytes(20, n)); }
MonoTime at(Nanos time) { return MonoTime(time); }
PeerId peer(std::uint8_t n) { return PeerId::from_bytes(Bytes{0x00, 0x01, n}).value(); }

TEST(GossipsubMessageId, holds_48_bytes_and_refuses_more) {
  EXPECT_TRUE(MessageId::from(Bytes(48, 1)));
  EXPECT_FALSE(MessageId::from(Bytes(49, 1)));
  EXPECT_NE(*MessageId::from(Bytes(20, 0)), *MessageId::from(Bytes(21, 0)));
  EXPECT_NE(MessageIdHash{1}(id(1)), MessageIdHash{2}(id(1)));
  EXPECT_NE(MessageIdHash{1}(id(1)), MessageIdHash{1}(id(2)));
}

TEST(GossipsubSeenCache, forgets_by_age_from_the_first_sight) {
  SeenCache seen(Seconds(65), 10, 0);
  seen.add(id(1), {}, at(Seconds(0)));
  seen.add(id(2), {}, at(Seconds(10)));
  seen.set(id(1), {SeenState::delivered, 0});
  EXPECT_EQ(seen.find(id(1), at(Millis(64'999)))->state, SeenState::delivered);
  EXPECT_FALSE(seen.contains(id(1), at(Seconds(65))));
  EXPECT_TRUE(seen.contains(id(2), at(Seconds(65))));
  EXPECT_EQ(seen.size(), 1U);
}

TEST(GossipsubSeenCache, lets_the_oldest_go_when_it_is_full) {
  SeenCache seen(Seconds(65), 2, 0);
  EXPECT_FALSE(seen.add(id(1), {}, at(Seconds(0))));
  EXPECT_FALSE(seen.add(id(2), {}, at(Seconds(0))));
  EXPECT_TRUE(seen.add(id(3), {}, at(Seconds(0))));
  EXPECT_FALSE(seen.contains(id(1), at(Seconds(0))));
  EXPECT_TRUE(seen.contains(id(3), at(Seconds(0))));
}

TEST(GossipsubSeenCache, lets_a_flood_push_out_itself_and_nobody_else) {
  SeenCache seen(Seconds(65), 100, 0);
  for (std::uint8_t n = 0; n < 10; ++n) seen.add(id(n), {}, at(Seconds(0)), "honest");
  for (std::uint8_t n = 10; n < 20; ++n) seen.add(id(n), {SeenState::delivered, 0}, at(Seconds(0)), "flooder");
  for (std::uint8_t n = 20; n < 25; ++n) {
    seen.add(id(n), {}, at(Seconds(0)), "flooder");
    seen.set(id(n), {SeenState::delivered, 0});
  }
  std::size_t evicted = 0;
  for (std::uint8_t n = 25; n < 255; ++n) evicted += seen.add(id(n), {}, at(Seconds(1)), "flooder") ? 1 : 0;
  EXPECT_EQ(evicted, 155U);
  EXPECT_EQ(seen.size(), 100U);
  for (std::uint8_t n = 0; n < 25; ++n) EXPECT_TRUE(seen.contains(id(n), at(Seconds(64)))) << int{n};
  EXPECT_FALSE(seen.contains(id(25), at(Seconds(1))));
  EXPECT_TRUE(seen.contains(id(254), at(Seconds(1))));
  seen.check();
  EXPECT_EQ(seen.owners(), 2U);
  seen.forget_expired(at(Seconds(66)));
  EXPECT_EQ(seen.size(), 0U);
  EXPECT_EQ(seen.owners(), 0U);
  seen.check();
}

TEST(GossipsubSeenCache, lets_the_oldest_accepted_go_when_there_is_nothing_else) {
  SeenCache seen(Seconds(65), 2, 0);
  for (std::uint8_t n = 1; n <= 3; ++n) seen.add(id(n), {SeenState::delivered, 0}, at(Seconds(0)), "one");
  EXPECT_FALSE(seen.contains(id(1), at(Seconds(0))));
  EXPECT_TRUE(seen.contains(id(3), at(Seconds(0))));
  seen.check();
}

// When it searched for who has most it took 0.7 ms for each of these.
TEST(GossipsubSeenCache, that_is_full_takes_no_longer_for_twenty_thousand_owners) {
  constexpr std::size_t kOwners = 20'000;
  constexpr std::size_t kEach = 3;
  SeenCache seen(Seconds(65), kOwners * kEach, 0);
  std::uint64_t next = 0;
  const auto add = [&] {
    Bytes raw(20);
    store_le64(raw.data(), ++next);
    return seen.add(*MessageId::from(raw), {SeenState::rejected, 0}, at(Seconds(1)), std::to_string(next / kEach));
  };
  while (seen.size() < kOwners * kEach) add();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(add());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
  seen.check();
}

TEST(GossipsubMessageCache, advertises_the_newest_windows_and_keeps_the_rest_for_iwant) {
  MessageCache cache(2, 4, 1'000'000, 1);
  cache.put(id(1), "a", SharedMessage::make("a", Bytes(10)));
  cache.put(id(2), "b", SharedMessage::make("b", Bytes(10)));
  EXPECT_THAT(cache.shift(), IsEmpty());
  cache.put(id(3), "a", SharedMessage::make("a", Bytes(10)));
  EXPECT_THAT(cache.gossip_ids("a"), ElementsAre(id(1), id(3)));
  cache.shift();
  EXPECT_THAT(cache.gossip_ids("a"), ElementsAre(id(3)));
  ASSERT_NE(cache.find(id(1)), nullptr);
  cache.shift();
  EXPECT_THAT(cache.shift(), ElementsAre(id(1), id(2)));
  EXPECT_EQ(cache.find(id(1)), nullptr);
  ASSERT_NE(cache.find(id(3)), nullptr);
  EXPECT_EQ(cache.find(id(3))->topic, "a");
}

TEST(GossipsubMessageCache, is_bounded_in_bytes_and_drops_the_oldest) {
  const auto message = SharedMessage::make("a", Bytes(100));
  MessageCache cache(2, 4, 3 * message.frame_size(), 1);
  for (std::uint8_t n = 1; n <= 3; ++n) EXPECT_THAT(cache.put(id(n), "a", message), IsEmpty());
  EXPECT_THAT(cache.put(id(4), "a", message), ElementsAre(id(1)));
  EXPECT_THAT(cache.put(id(4), "a", message), IsEmpty()) << "it is there";
  EXPECT_THAT(cache.gossip_ids("a"), ElementsAre(id(2), id(3), id(4)));
  EXPECT_EQ(cache.bytes(), 3 * message.frame_size());
  EXPECT_THAT(cache.put(id(5), "a", SharedMessage::make("a", Bytes(1000))), ElementsAre(id(5)));
  EXPECT_EQ(cache.size(), 3U) << "nothing is dropped for what does not fit anyway";
}

TEST(GossipsubBackoffs, are_never_shortened_and_end_after_their_slack) {
  Backoffs backoffs(Seconds(2), 10);
  backoffs.add("t", peer(1), Seconds(60), at(Seconds(0)));
  backoffs.add("t", peer(1), Seconds(10), at(Seconds(1)));
  EXPECT_NE(backoffs.active("t", peer(1), at(Seconds(59))), nullptr);
  EXPECT_EQ(backoffs.active("t", peer(1), at(Seconds(60))), nullptr);
  EXPECT_TRUE(backoffs.blocks("t", peer(1), at(Seconds(61))));
  EXPECT_FALSE(backoffs.blocks("t", peer(1), at(Seconds(62))));
  EXPECT_FALSE(backoffs.blocks("u", peer(1), at(Seconds(0))));
  backoffs.forget_expired(at(Seconds(61)));
  EXPECT_EQ(backoffs.size(), 1U);
  backoffs.forget_expired(at(Seconds(62)));
  EXPECT_EQ(backoffs.size(), 0U);
}

TEST(GossipsubBackoffs, excuse_who_has_connected_since_once_for_each_connection_and_three_times_in_all) {
  Backoffs backoffs(Seconds(2), 10);
  backoffs.add("t", peer(1), Seconds(60), at(Seconds(0)));
  EXPECT_FALSE(backoffs.excuse("t", peer(1), at(Seconds(0)), at(Seconds(1)))) << "it was told on this connection";
  EXPECT_FALSE(backoffs.excuse("t", peer(2), at(Seconds(1)), at(Seconds(1)))) << "it has none";
  EXPECT_FALSE(backoffs.excuse("u", peer(1), at(Seconds(1)), at(Seconds(1))));
  for (const int second : {5, 10, 15}) {
    EXPECT_TRUE(backoffs.excuse("t", peer(1), at(Seconds(second)), at(Seconds(second))));
    EXPECT_FALSE(backoffs.excuse("t", peer(1), at(Seconds(second)), at(Seconds(second)))) << "it is told now";
  }
  EXPECT_FALSE(backoffs.excuse("t", peer(1), at(Seconds(20)), at(Seconds(20))));
  EXPECT_EQ(*backoffs.active("t", peer(1), at(Seconds(20))), at(Seconds(60))) << "none of this prolongs it";
  backoffs.add("t", peer(1), Seconds(60), at(Seconds(59)));
  EXPECT_FALSE(backoffs.excuse("t", peer(1), at(Seconds(70)), at(Seconds(70)))) << "one that goes on is the same";
  backoffs.add("t", peer(1), Seconds(60), at(Seconds(200)));
  EXPECT_TRUE(backoffs.excuse("t", peer(1), at(Seconds(201)), at(Seconds(201)))) << "that was a new one";
  backoffs.check();
}

TEST(GossipsubBackoffs, are_kept_over_a_restart_with_what_is_left_of_them) {
  Backoffs before(Seconds(2), 10);
  before.add("t", peer(1), Seconds(10), at(Seconds(100)));
  before.add("u", peer(2), Seconds(60), at(Seconds(100)));
  before.add("u", peer(3), Seconds(1), at(Seconds(100)));
  const auto left = before.left(at(Seconds(103)));
  EXPECT_EQ(left, (std::vector<BackoffLeft>{{"t", peer(1), Seconds(9)}, {"u", peer(2), Seconds(59)}}));
  Backoffs after(Seconds(2), 10);
  for (const auto& one : left) after.restore(one, at(Seconds(0)));
  EXPECT_TRUE(after.blocks("t", peer(1), at(Seconds(8))));
  EXPECT_FALSE(after.blocks("t", peer(1), at(Seconds(9))));
  EXPECT_TRUE(after.excuse("t", peer(1), at(Seconds(0)), at(Seconds(1)))) << "it may have restarted as well";
  EXPECT_EQ(after.left(at(Seconds(0))), left);
  after.check();
}

TEST(GossipsubBackoffs, forget_the_one_that_ends_last_when_there_are_too_many) {
  Backoffs backoffs(Seconds(2), 2);
  backoffs.add("t", peer(1), Seconds(60), at(Seconds(0)));
  backoffs.add("t", peer(2), Seconds(20), at(Seconds(0)));
  backoffs.add("t", peer(3), Seconds(40), at(Seconds(0)));
  EXPECT_EQ(backoffs.size(), 2U);
  EXPECT_EQ(backoffs.active("t", peer(1), at(Seconds(0))), nullptr);
  for (std::uint8_t n = 10; n < 250; ++n) backoffs.add("t", peer(n), Seconds(3600), at(Seconds(0)));
  EXPECT_NE(backoffs.active("t", peer(2), at(Seconds(0))), nullptr) << "a flood pushes out itself";
  EXPECT_NE(backoffs.active("t", peer(3), at(Seconds(0))), nullptr);
}

TEST(GossipsubPromises, are_broken_after_their_time_unless_anybody_keeps_them) {
  IWantPromises promises;
  promises.add(1, id(1), at(Seconds(3)));
  promises.add(2, id(1), at(Seconds(3)));
  promises.add(1, id(2), at(Seconds(3)));
  promises.add(1, id(3), at(Seconds(3)));
  promises.add(3, id(3), at(Seconds(9)));
  promises.fulfil(id(1));
  EXPECT_THAT(promises.take_broken(at(Seconds(3))), IsEmpty());
  EXPECT_THAT(promises.take_broken(at(Seconds(4))), ElementsAre(Pair(1U, 2U)));
  EXPECT_THAT(promises.take_broken(at(Seconds(4))), IsEmpty());
  EXPECT_EQ(promises.size(), 1U);
  promises.remove_peer(3);
  EXPECT_EQ(promises.size(), 0U);
}

}  // namespace
}  // namespace libp2p::gossipsub

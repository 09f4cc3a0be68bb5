#include "opp2p/rpc/http_places.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace opp2p {
namespace {

using libp2p::AddressBlocks;
using libp2p::Millis;
using libp2p::MonoTime;
using libp2p::Seconds;
using Seat = HttpPlaces::Seat;

AddressBlocks address(std::uint8_t last) { return {{192, 0, 2, last}, {}}; }

class HttpPlacesTest : public testing::Test {
 protected:
  // Admits a connection, from loopback unless told otherwise.
  HttpPlaces::Admission admit(HttpPlaces::Id id, const AddressBlocks& blocks = {}) {
    now_ += Millis(1);
    const auto out = places_.admit(id, blocks, now_);
    places_.check();
    return out;
  }
  void enter(HttpPlaces::Id id, HttpPhase phase) { places_.enter(id, phase, now_); }
  void fill(HttpPhase phase) {
    for (HttpPlaces::Id id = 1; id <= 128; ++id) {
      ASSERT_EQ(admit(id).seat, Seat::full);
      enter(id, phase);
    }
  }

  MonoTime now_{Seconds(1)};
  HttpPlaces places_;
};

TEST_F(HttpPlacesTest, the_one_that_has_been_idle_longest_goes_for_a_newcomer) {
  fill(HttpPhase::idle);
  enter(1, HttpPhase::working);
  enter(2, HttpPhase::idle);  // it has just had an answer
  const auto next = admit(1000);
  EXPECT_EQ(next.seat, Seat::full);
  EXPECT_EQ(next.evicted, 3u);
  EXPECT_EQ(places_.size(), 128u);
}

TEST_F(HttpPlacesTest, who_is_served_keeps_its_place_and_the_newcomer_may_ask_for_healthz) {
  fill(HttpPhase::working);
  for (HttpPlaces::Id id = 200; id < 208; ++id) {
    const auto next = admit(id);
    EXPECT_EQ(next.seat, Seat::health);
    EXPECT_FALSE(next.evicted);
  }
  const auto more = admit(300);
  EXPECT_EQ(more.seat, Seat::health);
  EXPECT_EQ(more.evicted, 200u);
  now_ += Seconds(1);
  EXPECT_EQ(places_.expired(now_).size(), 8u);  // a second is all they have
}

TEST_F(HttpPlacesTest, one_byte_a_second_is_no_progress) {
  fill(HttpPhase::reading);
  EXPECT_EQ(admit(200).seat, Seat::health);
  now_ += Seconds(2);
  for (HttpPlaces::Id id = 1; id <= 128; ++id) places_.moved(id, id == 1 ? 200 * 1024 : 2);
  const auto next = admit(201);
  EXPECT_EQ(next.seat, Seat::full);
  EXPECT_EQ(next.evicted, 2u);
}

TEST_F(HttpPlacesTest, a_request_has_thirty_seconds_from_its_first_byte_to_its_last) {
  admit(1);
  enter(1, HttpPhase::reading);
  for (int second = 0; second < 29; ++second) {
    now_ += Seconds(1);
    places_.moved(1, 100'000);
    EXPECT_TRUE(places_.expired(now_).empty());
  }
  now_ += Seconds(1);
  EXPECT_EQ(places_.expired(now_), std::vector<HttpPlaces::Id>{1});
}

TEST_F(HttpPlacesTest, a_connection_that_never_asked_gets_less_patience_than_one_between_two_requests) {
  admit(1);
  admit(2);
  enter(2, HttpPhase::reading);
  enter(2, HttpPhase::working);
  enter(2, HttpPhase::writing);
  enter(2, HttpPhase::idle);
  now_ += Seconds(30);
  EXPECT_EQ(places_.expired(now_), std::vector<HttpPlaces::Id>{1});
  now_ += Seconds(90);
  EXPECT_EQ(places_.expired(now_).size(), 2u);
}

TEST_F(HttpPlacesTest, one_address_has_a_share_and_makes_room_from_its_own) {
  for (HttpPlaces::Id id = 1; id <= 32; ++id) {
    ASSERT_EQ(admit(id, address(1)).seat, Seat::full);
    enter(id, id == 7 ? HttpPhase::idle : HttpPhase::working);
  }
  admit(100, address(2));
  const auto next = admit(33, address(1));
  EXPECT_EQ(next.seat, Seat::full);
  EXPECT_EQ(next.evicted, 7u);  // not the other address's, which is idle too
  enter(33, HttpPhase::working);
  EXPECT_EQ(admit(34, address(1)).seat, Seat::health);
  EXPECT_EQ(admit(101, address(2)).seat, Seat::full);
}

TEST_F(HttpPlacesTest, loopback_has_no_share) {
  fill(HttpPhase::working);
  EXPECT_EQ(places_.size(), 128u);
}

TEST_F(HttpPlacesTest, for_memory_the_largest_without_progress_goes_first) {
  for (HttpPlaces::Id id = 1; id <= 4; ++id) admit(id);
  enter(1, HttpPhase::writing);
  enter(2, HttpPhase::writing);
  enter(3, HttpPhase::writing);
  enter(4, HttpPhase::working);
  places_.hold(1, 1000);
  places_.hold(2, 2000);
  places_.hold(3, 9000);
  places_.hold(4, 99'000);
  EXPECT_FALSE(places_.largest_holder(now_));
  now_ += Seconds(2);
  places_.moved(3, 1 << 20);  // it reads its answer
  EXPECT_EQ(places_.largest_holder(now_), 2u);
  places_.hold(1, 2000);
  EXPECT_EQ(places_.largest_holder(now_), 1u) << "of two that hold the same the older";
  places_.remove(1);
  places_.remove(2);
  EXPECT_FALSE(places_.largest_holder(now_));
  now_ += Seconds(2);
  places_.moved(3, 1 << 20);
  EXPECT_EQ(places_.largest_holder(now_), 3u);
}

TEST_F(HttpPlacesTest, who_brings_the_token_has_more_than_a_second_in_a_place_for_healthz_and_keeps_it) {
  fill(HttpPhase::working);
  EXPECT_EQ(admit(200).seat, Seat::health);
  places_.trust(200, true);
  enter(200, HttpPhase::working);
  for (HttpPlaces::Id id = 201; id < 220; ++id) EXPECT_EQ(admit(id).seat, Seat::health);
  now_ += Seconds(2);
  const auto over = places_.expired(now_);
  EXPECT_EQ(std::count(over.begin(), over.end(), 200), 0);
  EXPECT_TRUE(places_.contains(200));
  places_.trust(200, false);
  const auto then = places_.expired(now_);
  EXPECT_EQ(std::count(then.begin(), then.end(), 200), 1);
}

TEST_F(HttpPlacesTest, a_client_that_has_ended_its_side_has_two_seconds_to_be_answered) {
  admit(1);
  enter(1, HttpPhase::working);
  places_.on_client_end(1, now_);
  now_ += Millis(1999);
  EXPECT_TRUE(places_.expired(now_).empty());
  now_ += Millis(1);
  EXPECT_EQ(places_.expired(now_).size(), 1u);
  enter(1, HttpPhase::writing);
  EXPECT_TRUE(places_.expired(now_).empty());
}

TEST_F(HttpPlacesTest, places_come_back) {
  fill(HttpPhase::working);
  places_.remove(5);
  EXPECT_EQ(admit(500).seat, Seat::full);
  for (HttpPlaces::Id id = 1; id <= 500; ++id) places_.remove(id);
  EXPECT_EQ(places_.size(), 0u);
}

}  // namespace
}  // namespace opp2p

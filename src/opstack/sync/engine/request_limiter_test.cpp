#include "opstack/sync/engine/request_limiter.hpp"

#include <gtest/gtest.h>

#include "opstack/sync/engine/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using libp2p::Millis;
using libp2p::Seconds;
using testing_world::peer_named;

class Server {
 public:
  explicit Server(RequestLimits limits = {}) : limiter(limits, now) {}

  // The ticket, or 0 when it was refused at once.
  TicketId ask(std::uint64_t peer, const libp2p::AddressBlocks& blocks = {}) {
    const auto admission = limiter.on_request(peer_named(peer), blocks, now);
    last_refusal = admission.refused;
    if (admission.refused != RequestLimiter::Refusal::none) return 0;
    asked[admission.ticket] = now;
    if (admission.granted) finish(admission.ticket);
    drain();
    return admission.ticket;
  }
  void finish(TicketId ticket) {
    waits[ticket] = now - asked[ticket];
    ++served;
    if (finish_at_once) limiter.on_finished(ticket, now);
  }
  void drain() {
    while (auto decision = limiter.poll_decision()) {
      if (decision->refused == RequestLimiter::Refusal::none)
        finish(decision->ticket);
      else
        refused[decision->ticket] = now - asked[decision->ticket];
    }
  }
  void run(Nanos length) {
    const MonoTime until = now + length;
    for (int steps = 0;; ++steps) {
      ASSERT_LT(steps, 100000) << "the limiter spins";
      const auto next = limiter.next_deadline();
      if (!next || *next > until) break;
      now = std::max(now, *next);
      limiter.on_timeout(now);
      drain();
    }
    now = until;
  }

  MonoTime now{Seconds(100)};
  RequestLimiter limiter;
  std::map<TicketId, MonoTime> asked;
  std::map<TicketId, Nanos> waits;
  std::map<TicketId, Nanos> refused;
  RequestLimiter::Refusal last_refusal = RequestLimiter::Refusal::none;
  std::size_t served = 0;
  bool finish_at_once = true;
};

TEST(RequestLimiter, a_peer_has_a_burst_and_then_its_rate) {
  Server server;
  for (int i = 0; i < 40; ++i) server.ask(1);
  EXPECT_EQ(server.served, 15u);
  server.run(Millis(2010));
  EXPECT_EQ(server.served, 15u + 8);
}

TEST(RequestLimiter, all_peers_together_have_a_burst_and_then_their_rate) {
  Server server;
  for (std::uint64_t peer = 1; peer <= 30; ++peer)
    for (int i = 0; i < 5; ++i) server.ask(peer);
  EXPECT_EQ(server.served, 40u);
  server.run(Millis(2010));
  EXPECT_EQ(server.served, 40u + 40);
}

// op-node waits for a peer's token while it holds the table of all peers: a polite peer waits 4 s behind a greedy one.
TEST(RequestLimiter, a_greedy_peer_waits_alone) {
  Server server;
  for (int i = 0; i < 60; ++i) server.ask(1);
  EXPECT_GT(server.limiter.waiting(), 40u);
  const TicketId polite = server.ask(2);
  ASSERT_TRUE(server.waits.contains(polite));
  EXPECT_EQ(server.waits[polite], Nanos(0));
}

TEST(RequestLimiter, under_a_common_rate_that_is_used_up_the_polite_are_served_in_turn_with_the_greedy) {
  Server server;
  for (int i = 0; i < 60; ++i)
    for (std::uint64_t greedy = 1; greedy <= 6; ++greedy) server.ask(greedy);
  server.run(Seconds(3));
  const TicketId polite = server.ask(50);
  server.run(Seconds(1));
  ASSERT_TRUE(server.waits.contains(polite));
  EXPECT_LE(server.waits[polite], Millis(351));  // seven tokens of the common rate: each of the others had one turn
}

TEST(RequestLimiter, refuses_at_once_what_cannot_be_served_within_the_budget) {
  RequestLimits limits;
  limits.max_per_peer = 1000;
  limits.max_total = 1000;
  Server server(limits);
  std::size_t admitted = 0;
  while (server.ask(1) != 0) ASSERT_LT(++admitted, 500u);
  EXPECT_EQ(server.last_refusal, RequestLimiter::Refusal::over_budget);
  EXPECT_EQ(admitted, 15u + 79);  // the burst, and not quite 20 s at 4 a second
  server.run(Millis(20010));
  EXPECT_EQ(server.served, admitted);
  EXPECT_TRUE(server.refused.empty());
}

TEST(RequestLimiter, what_the_common_rate_leaves_waiting_is_refused_when_its_budget_ends) {
  RequestLimits limits;
  limits.global_per_second = 1;
  limits.global_burst = 1;
  Server server(limits);
  for (std::uint64_t peer = 1; peer <= 40; ++peer) server.ask(peer);
  server.run(Seconds(21));
  EXPECT_EQ(server.served + server.refused.size(), 40u);
  EXPECT_NEAR(static_cast<double>(server.served), 21, 1);
  for (const auto& [ticket, wait] : server.refused) EXPECT_EQ(wait, Seconds(20)) << ticket;
  EXPECT_EQ(server.limiter.waiting(), 0u);
  EXPECT_EQ(server.limiter.open(), 0u);
}

TEST(RequestLimiter, bounds_what_a_peer_and_what_all_have_open_also_without_rates) {
  RequestLimits limits;
  limits.rate_limited = false;
  limits.max_per_peer = 4;
  limits.max_total = 10;
  Server server(limits);
  server.finish_at_once = false;
  std::vector<TicketId> tickets;
  for (int i = 0; i < 4; ++i) tickets.push_back(server.ask(1));
  EXPECT_EQ(server.served, 4u);
  EXPECT_EQ(server.ask(1), 0u);
  EXPECT_EQ(server.last_refusal, RequestLimiter::Refusal::peer_busy);
  for (std::uint64_t peer = 2; peer <= 7; ++peer) EXPECT_NE(server.ask(peer), 0u);
  for (std::uint64_t peer = 8; peer <= 10; ++peer) EXPECT_NE(server.ask(peer), 0u) << "the first peer has more";
  EXPECT_EQ(server.refused.size(), 3u);
  EXPECT_TRUE(server.refused.contains(tickets[0]));
  EXPECT_EQ(server.ask(11), 0u);
  EXPECT_EQ(server.last_refusal, RequestLimiter::Refusal::server_busy);
  server.limiter.on_finished(tickets[3], server.now);
  EXPECT_NE(server.ask(11), 0u);
  EXPECT_EQ(server.limiter.open(), 10u);
}

TEST(RequestLimiter, eight_peers_that_hold_all_places_give_way_to_a_newcomer) {
  for (const bool rated : {true, false}) {
    RequestLimits limits;
    limits.rate_limited = rated;
    Server server(limits);
    server.finish_at_once = false;
    for (std::uint64_t peer = 1; peer <= 8; ++peer)
      for (int i = 0; i < 64; ++i) ASSERT_NE(server.ask(peer), 0u);
    ASSERT_EQ(server.limiter.open(), 512u);
    const TicketId newcomer = server.ask(9);
    EXPECT_NE(newcomer, 0u) << to_string(server.last_refusal);
    EXPECT_EQ(server.limiter.open(), 512u);
    EXPECT_EQ(server.refused.size(), 1u);
    server.run(Seconds(1));
    EXPECT_TRUE(server.waits.contains(newcomer));
  }
}

TEST(RequestLimiter, where_nobody_holds_more_a_request_without_progress_gives_way_within_a_second) {
  RequestLimits limits;
  limits.rate_limited = false;
  Server server(limits);
  server.finish_at_once = false;
  std::vector<TicketId> tickets;
  for (std::uint64_t peer = 1; peer <= 512; ++peer) tickets.push_back(server.ask(peer));
  EXPECT_EQ(server.ask(1000), 0u);
  for (std::size_t i = 0; i < tickets.size(); ++i)
    if (i != 7) server.limiter.on_progress(tickets[i], server.now);
  server.now += Seconds(1);
  EXPECT_NE(server.ask(1000), 0u) << "one of them has not said for what it asks";
  EXPECT_TRUE(server.refused.contains(tickets[7]));
  EXPECT_EQ(server.ask(1001), 0u) << "the others are being sent their blocks";
  server.now += Seconds(4);
  EXPECT_NE(server.ask(1001), 0u);
}

TEST(RequestLimiter, the_identities_of_an_address_share_its_places_and_its_turns) {
  RequestLimits limits;
  Server server(limits);
  server.finish_at_once = false;
  const libp2p::AddressBlocks one{Bytes{10, 0, 0, 1}, {}};
  const libp2p::AddressBlocks other{Bytes{10, 0, 0, 2}, {}};
  std::uint64_t identity = 100;
  for (int i = 0; i < 128; ++i) EXPECT_NE(server.ask(identity++, one), 0u);
  EXPECT_EQ(server.ask(identity, one), 0u);
  EXPECT_EQ(server.last_refusal, RequestLimiter::Refusal::address_busy);
  EXPECT_NE(server.ask(1, other), 0u);
  EXPECT_EQ(server.limiter.open(), 129u);
}

TEST(RequestLimiter, a_newcomer_of_a_full_block_of_ip6_takes_a_place_from_that_block) {
  RequestLimits limits;
  limits.rate_limited = false;
  Server server(limits);
  server.finish_at_once = false;
  const Bytes wide{0x20, 1, 0xd, 0xb8, 0, 1};
  const auto within = [&wide](std::uint8_t n) {
    Bytes narrow = wide;
    narrow.push_back(n);
    return libp2p::AddressBlocks{narrow, wide};
  };
  std::vector<TicketId> neighbours;
  for (int i = 0; i < 20; ++i)
    neighbours.push_back(server.ask(1, {Bytes{0x20, 1, 0xd, 0xb8, 0, 2, 7}, Bytes{0x20, 1, 0xd, 0xb8, 0, 2}}));
  for (std::uint8_t peer = 10; peer < 14; ++peer)
    for (int i = 0; i < 64; ++i) ASSERT_NE(server.ask(peer, within(peer)), 0u);
  EXPECT_NE(server.ask(20, within(20)), 0u);
  EXPECT_EQ(server.refused.size(), 1u);
  for (const TicketId ticket : neighbours) EXPECT_FALSE(server.refused.contains(ticket));
}

// Each request comes under a new name, more of them than the common rate allows.
TEST(RequestLimiter, fresh_identities_of_an_address_do_not_keep_a_known_peer_waiting) {
  Server server;
  std::uint64_t identity = 100;
  std::vector<TicketId> ours;
  for (int step = 0; step < 400; ++step) {
    for (int i = 0; i < 2; ++i) server.ask(identity++, {Bytes{10, 0, 0, 1}, {}});
    if (step % 20 == 10) ours.push_back(server.ask(1, {Bytes{10, 0, 0, 2}, {}}));
    server.run(Millis(50));
  }
  for (const TicketId ticket : ours) {
    ASSERT_TRUE(server.waits.contains(ticket));
    EXPECT_LE(server.waits[ticket], Millis(101)) << "of two addresses each has every second turn";
  }
}

TEST(RequestLimiter, without_limits_nobody_waits) {
  RequestLimits limits;
  limits.rate_limited = false;
  Server server(limits);
  for (int i = 0; i < 10000; ++i) server.ask(1);
  EXPECT_EQ(server.served, 10000u);
}

TEST(RequestLimiter, a_request_that_is_given_up_while_it_waits_makes_room) {
  Server server;
  for (int i = 0; i < 15; ++i) server.ask(1);
  const TicketId first = server.ask(1);
  const TicketId second = server.ask(1);
  server.limiter.on_finished(first, server.now);
  server.run(Millis(260));
  EXPECT_FALSE(server.waits.contains(first));
  EXPECT_TRUE(server.waits.contains(second));
}

TEST(RequestLimiter, remembers_the_rates_of_a_bounded_number_of_peers) {
  RequestLimits limits;
  limits.remembered_peers = 10;
  limits.global_burst = 100000;
  Server server(limits);
  for (int i = 0; i < 15; ++i) server.ask(1);
  for (std::uint64_t peer = 2; peer <= 8; ++peer) server.ask(peer);
  const auto before = server.served;
  server.ask(1);  // still remembered: it has to wait
  EXPECT_EQ(server.served, before);
  EXPECT_EQ(server.limiter.waiting(), 1u);
}

}  // namespace
}  // namespace opstack::sync

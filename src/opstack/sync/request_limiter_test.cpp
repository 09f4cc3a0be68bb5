#include "opstack/sync/request_limiter.hpp"

#include <gtest/gtest.h>

#include "opstack/sync/sync_world_test.hpp"

namespace opstack::sync {
namespace {

using libp2p::Millis;
using libp2p::Seconds;
using testing_world::peer_named;

class Server {
 public:
  explicit Server(RequestLimits limits = {}) : limiter(limits, now) {}

  // The ticket, or 0 when it was refused at once.
  TicketId ask(std::uint64_t peer) {
    const auto admission = limiter.on_request(peer_named(peer), now);
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
  EXPECT_LE(server.waits[polite], Millis(51));  // one token of the common rate
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
  EXPECT_EQ(server.ask(8), 0u);
  EXPECT_EQ(server.last_refusal, RequestLimiter::Refusal::server_busy);
  server.limiter.on_finished(tickets[0], server.now);
  EXPECT_NE(server.ask(8), 0u);
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

// What a host tells: nothing is lost and nothing told twice, and a listener may do anything.
#include <map>
#include <set>

#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using runtime::TaskScope;

// Keeps books of what a host tells.
class Ledger {
 public:
  explicit Ledger(Host& host)
      : host_(host), events_(host.subscribe([this](const HostEvent& event) {
          std::visit([this](const auto& kind) { on(kind); }, event);
        })) {}
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // With everything told, the books say what the host says.
  void compare() const {
    std::set<std::uint64_t> ids;
    for (const auto& connection : host_.connections()) ids.insert(connection.id);
    std::set<std::uint64_t> told;
    for (const auto& [id, peer] : open_) told.insert(id);
    EXPECT_EQ(told, ids);
    const auto peers = host_.connected_peers();
    EXPECT_EQ(present_, std::set<PeerId>(peers.begin(), peers.end()));
    const auto& counters = host_.counters();
    EXPECT_EQ(refused, counters.failed_handshakes + counters.refused_pending_inbound + counters.refused_per_address +
                           counters.refused_address_rate);
    EXPECT_EQ(failed_dials, counters.failed_dials + counters.abandoned_dials);
    EXPECT_LE(failed_dials, started_dials);
  }

  std::size_t opened = 0, closed = 0, refused = 0, started_dials = 0, failed_dials = 0;

 private:
  std::size_t open_to(const PeerId& peer) const {
    std::size_t n = 0;
    for (const auto& [id, whose] : open_) n += whose == peer ? 1 : 0;
    return n;
  }
  void on(const ConnectionOpened& event) {
    ++opened;
    EXPECT_TRUE(ever_.insert(event.connection.id).second) << "told twice";
    open_.emplace(event.connection.id, event.connection.peer);
  }
  void on(const ConnectionClosed& event) {
    ++closed;
    EXPECT_EQ(open_.erase(event.connection.id), 1u) << "never opened, or told twice";
  }
  void on(const PeerConnected& event) {
    EXPECT_TRUE(present_.insert(event.peer).second);
    EXPECT_EQ(open_to(event.peer), 1u);
  }
  void on(const PeerDisconnected& event) {
    EXPECT_EQ(present_.erase(event.peer), 1u);
    EXPECT_EQ(open_to(event.peer), 0u);
  }
  void on(const ConnectionRefused&) { ++refused; }
  void on(const DialStarted& event) {
    ++started_dials;
    EXPECT_FALSE(event.addresses.empty());
  }
  void on(const DialFailed&) { ++failed_dials; }
  template <class Other>
  void on(const Other&) {}

  Host& host_;
  std::set<std::uint64_t> ever_;
  std::map<std::uint64_t, PeerId> open_;
  std::set<PeerId> present_;
  Subscription events_;
};

class HostEventTest : public HostTest {};

TEST_F(HostEventTest, over_a_thousand_dials_losses_and_refusals_nothing_is_lost_and_nothing_told_twice) {
  constexpr std::size_t kHosts = 4;
  std::vector<std::unique_ptr<Host>> hosts;
  std::vector<std::unique_ptr<Ledger>> books;
  for (std::size_t i = 0; i < kHosts; ++i) {
    HostConfig config(test_key(i + 1));
    config.limits.connections_per_peer = 1;
    config.limits.pending_inbound = 2;
    config.limits.connections_per_address = 3;
    config.limits.address_rate = {100, 100};
    hosts.push_back(make_host(std::move(config)));
    books.push_back(std::make_unique<Ledger>(*hosts.back()));
  }
  SeededRng rng(5);
  const auto any = [&rng] { return static_cast<std::size_t>(rng.below(kHosts)); };
  std::vector<std::unique_ptr<runtime::Socket>> mute;
  std::vector<std::unique_ptr<runtime::Operation>> opening;
  std::vector<Outcome> outcomes(1000);
  TaskScope scope(nodes[0].runtime());
  for (auto& outcome : outcomes) {
    Host& from = *hosts[any()];
    const std::size_t to = any();
    switch (rng.below(4)) {
      case 0: from.disconnect(hosts[to]->id(), "the test says so"); break;
      case 1: world.disconnect(static_cast<runtime::NodeIndex>(any()), static_cast<runtime::NodeIndex>(to)); break;
      case 2:  // a connection that says nothing
        if (mute.size() > 3) mute.erase(mute.begin());
        opening.push_back(nodes[any()].runtime().connect({nodes[to].ip4(), 9000}, [&mute](auto socket) {
          if (socket) mute.push_back(std::move(*socket));
        }));
        break;
      default:
        if (rng.below(4) == 0) {  // where nobody listens
          auto nowhere = Multiaddr::from_text("/ip4/" + nodes[to].ip4() + "/tcp/7").value();
          nowhere = nowhere.with_peer_id(hosts[to]->id());
          scope.spawn(connect(from, std::move(nowhere), &outcome));
        } else {
          scope.spawn(connect(from, address_of(*hosts[to]), &outcome));
        }
    }
    world.run_for(Millis(static_cast<std::int64_t>(rng.below(40))));
  }
  opening.clear();
  mute.clear();
  world.run_for(Seconds(120));
  std::size_t opened = 0, closed = 0, refused = 0, failed = 0;
  for (const auto& book : books) {
    book->compare();
    opened += book->opened;
    closed += book->closed;
    refused += book->refused;
    failed += book->failed_dials;
  }
  // The story has something of everything.
  EXPECT_GT(opened, 50u);
  EXPECT_GT(closed, 50u);
  EXPECT_GT(refused, 50u);
  EXPECT_GT(failed, 20u);
}

TEST_F(HostEventTest, a_dial_that_others_join_is_told_once_with_its_addresses_and_its_failure) {
  const auto a = make_host();
  const auto b = make_host();
  std::vector<std::string> lines;
  const auto subscription = a->subscribe([&lines](const HostEvent& event) {
    if (const auto* started = std::get_if<DialStarted>(&event)) {
      lines.push_back("started " + started->peer.to_base58().substr(0, 3) + " " + started->addresses.at(0).text());
    } else if (const auto* failed = std::get_if<DialFailed>(&event)) {
      lines.push_back("failed " + failed->why.message());
    }
  });
  const auto nowhere = Multiaddr::from_text("/ip4/10.0.0.2/tcp/7").value().with_peer_id(b->id());
  Outcome one, two;
  {
    TaskScope scope(a->runtime());
    Multiaddr first = nowhere, second = nowhere;
    scope.spawn(connect(*a, std::move(first), &one));
    scope.spawn(connect(*a, std::move(second), &two));
    world.run_for(Seconds(10));
  }
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "started " + b->id().to_base58().substr(0, 3) + " " + nowhere.text());
  EXPECT_EQ(lines[1], "failed " + one.text());
  EXPECT_EQ(one.text(), two.text());
  // One that succeeds starts and ends in a connection; one to a peer that is there already is no dial.
  ASSERT_TRUE(dial(*a, address_of(*b)));
  ASSERT_TRUE(dial(*a, address_of(*b)));
  world.run_for(Seconds(1));
  EXPECT_EQ(lines.size(), 3u);
}

TEST_F(HostEventTest, a_dial_that_nobody_waits_for_any_more_is_told_as_failed) {
  const auto a = make_host();
  const auto b = make_host();
  world.partition({{0}, {1}});
  std::size_t failed = 0;
  const auto subscription =
      a->subscribe([&failed](const HostEvent& event) { failed += std::holds_alternative<DialFailed>(event) ? 1 : 0; });
  Outcome out;
  {
    TaskScope scope(a->runtime());
    scope.spawn(connect(*a, address_of(*b), &out));
    world.run_for(Seconds(1));
  }
  world.run_for(Seconds(1));
  EXPECT_EQ(a->counters().abandoned_dials, 1u);
  EXPECT_EQ(failed, 1u);
}

TEST_F(HostEventTest, an_address_that_is_listened_at_is_told_outside_of_the_call) {
  const auto a = make_host();
  world.run_for(Millis(1));
  std::size_t changes = 0;
  const auto subscription = a->subscribe(
      [&changes](const HostEvent& event) { changes += std::holds_alternative<AddressesChanged>(event) ? 1 : 0; });
  ASSERT_TRUE(a->listen(Multiaddr::from_text("/ip4/10.0.0.1/tcp/9001").value()));
  EXPECT_EQ(changes, 0u);
  EXPECT_FALSE(a->listen(Multiaddr::from_text("/ip4/10.0.0.1/tcp/9001").value()));
  world.run_for(Millis(1));
  EXPECT_EQ(changes, 1u);
}

TEST_F(HostEventTest, who_subscribes_before_an_event_is_told_but_after_it_happened_does_not_hear_it) {
  const auto a = make_host();
  world.run_for(Millis(1));
  std::size_t before = 0, after = 0;
  const auto first = a->subscribe([&before](const HostEvent&) { ++before; });
  ASSERT_TRUE(a->listen(Multiaddr::from_text("/ip4/10.0.0.1/tcp/9001").value()));
  const auto second = a->subscribe([&after](const HostEvent&) { ++after; });
  world.run_for(Millis(1));
  EXPECT_EQ(before, 1u);
  EXPECT_EQ(after, 0u) << "it could see the address when it subscribed";
}

TEST_F(HostEventTest, a_listener_may_unsubscribe_itself_and_others_and_subscribe_more) {
  const auto a = make_host();
  const auto b = make_host();
  std::vector<std::string> heard;
  Subscription own, victim, late;
  own = a->subscribe([&](const HostEvent& event) {
    if (!std::holds_alternative<ConnectionOpened>(event)) return;
    heard.push_back("own");
    own.reset();
    victim.reset();
    late = a->subscribe([&heard](const HostEvent& next) { heard.push_back("late " + std::to_string(next.index())); });
  });
  victim = a->subscribe([&heard](const HostEvent& event) {
    if (std::holds_alternative<ConnectionOpened>(event)) heard.push_back("victim");
  });
  ASSERT_TRUE(dial(*a, address_of(*b)));
  world.run_for(Seconds(1));
  EXPECT_EQ(heard, std::vector<std::string>{"own"}) << "PeerConnected happened before the late one came";
  a->disconnect(b->id(), "enough");
  world.run_for(Seconds(1));
  EXPECT_EQ(heard.size(), 3u);
}

TEST_F(HostEventTest, a_listener_may_destroy_the_host_and_nobody_hears_more) {
  auto a = make_host();
  const auto b = make_host();
  Outcome out;
  std::size_t opened = 0, connected = 0, later = 0;
  auto first = a->subscribe([&](const HostEvent& event) {
    connected += std::holds_alternative<PeerConnected>(event) ? 1 : 0;
    if (!std::holds_alternative<ConnectionOpened>(event)) return;
    ++opened;
    a.reset();
  });
  const auto second = a->subscribe([&later](const HostEvent& event) {
    later += std::holds_alternative<ConnectionOpened>(event) || std::holds_alternative<PeerConnected>(event) ? 1 : 0;
  });
  Host& dialler = *a;
  TaskScope scope(nodes[0].runtime());
  scope.spawn(connect(dialler, address_of(*b), &out));
  world.run_for(Seconds(5));
  EXPECT_EQ(a, nullptr);
  EXPECT_EQ(opened, 1u);
  EXPECT_EQ(connected, 0u);
  EXPECT_EQ(later, 0u);
  EXPECT_TRUE(b->connected_peers().empty()) << "the other side has seen it go";
  first.reset();  // the token outlives the host
}

}  // namespace
}  // namespace libp2p

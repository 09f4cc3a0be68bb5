// What a node tells: each event once, by what causes it, to the sinks in their order and then to listeners. In virtual
// time.
#include "opp2p/node/node_event.hpp"

#include <gtest/gtest.h>

#include "libp2p/host/blocking_gater.hpp"
#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim {
namespace {

namespace gossip = opstack::gossip;
namespace secp256k1 = libp2p::crypto::secp256k1;
namespace sync = opstack::sync;
using libp2p::Seconds;

constexpr std::int64_t kGenesisTime = 1'760'000'000;

template <class Kind, std::size_t kAt = 0>
constexpr std::size_t index_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<kAt, NodeEvent>, Kind>)
    return kAt;
  else
    return index_of<Kind, kAt + 1>();
}

// Remembers which kinds of events came, in order, and what the tests look at in some of them.
class Recorder final : public NodeSink {
 public:
  struct Judged {
    opstack::rules::Verdict verdict;
    opstack::rules::Reason reason;
    bool local, from_static_peer;
    std::optional<opstack::rules::Address> expected;
  };

  void on(const NodeEvent& event, libp2p::Now) override {
    kinds_.push_back(event.index());
    if (const auto* told = std::get_if<BlockJudged>(&event)) {
      const auto& [verdict, expected, from_static_peer] = *told;
      judged.push_back({verdict.outcome.verdict, verdict.outcome.reason, verdict.local, from_static_peer, expected});
    }
    if (const auto* told = std::get_if<sync::BlockStored>(&event)) stored.push_back(told->block.number());
    if (const auto* told = std::get_if<sync::ServedRequest>(&event)) served.push_back(*told);
    if (const auto* told = std::get_if<InboundRefused>(&event)) refusals.push_back(told->kind);
    if (const auto* told = std::get_if<StoreRefused>(&event)) refused.push_back(told->number);
    if (const auto* told = std::get_if<NodeStarting>(&event)) head_timestamp = told->head_timestamp;
  }
  template <class Kind>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count(kinds_.begin(), kinds_.end(), index_of<Kind>()));
  }
  // Where the first one came; behind all when none came.
  template <class Kind>
  std::size_t first() const {
    return static_cast<std::size_t>(std::find(kinds_.begin(), kinds_.end(), index_of<Kind>()) - kinds_.begin());
  }
  template <class Kind>
  bool ends_with() const {
    return !kinds_.empty() && kinds_.back() == index_of<Kind>();
  }
  template <class... Kinds>
  bool come_in_order() const {
    const std::initializer_list<std::size_t> places = {first<Kinds>()...};
    return std::is_sorted(places.begin(), places.end()) && *(places.end() - 1) < kinds_.size();
  }
  void clear() { *this = Recorder(); }

  std::vector<Judged> judged;
  std::vector<std::uint64_t> stored, refused;
  std::vector<sync::ServedRequest> served;
  std::vector<RefusalKind> refusals;
  std::optional<std::uint64_t> head_timestamp;

 private:
  std::vector<std::size_t> kinds_;
};

class NodeEventsOfAPair : public testing::Test {
 protected:
  static opstack::testing::ChainOptions options() {
    opstack::testing::ChainOptions out;
    out.genesis_time = kGenesisTime;
    return out;
  }
  // A sequencer, and a follower that dials it.
  void SetUp() override {
    add(sequencer_, [](SimMemberOptions& member) { member.sequencer = true; });
    add(follower_, [](SimMemberOptions& member) { member.dials = {0}; });
    network_.world().run_for(Seconds(5));
  }
  void add(Recorder& recorder, const std::function<void(SimMemberOptions&)>& change) {
    SimMemberOptions member;
    change(member);
    member.before_start = [this, &recorder](Node& node) { sinks_.push_back(node.add_sink(recorder)); };
    ASSERT_TRUE(network_.add(member));
  }
  // Both recorders begin anew.
  void clear() {
    sequencer_.clear();
    follower_.clear();
  }
  void publish(const Envelope& block) {
    ASSERT_TRUE(network_.publish(0, block, Seconds(5)));
    network_.world().run_for(Seconds(2));
  }

  libp2p::SeededRng rng_{7};
  opstack::testing::ChainBuilder chain_{options(), rng_};
  const secp256k1::Secret signer_ = secp256k1::generate(rng_);
  SimNetwork network_{7, opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value(), signer_,
                      libp2p::from_unix_seconds(kGenesisTime + 10)};
  Recorder sequencer_, follower_;
  std::vector<libp2p::Subscription> sinks_;
};

TEST_F(NodeEventsOfAPair, a_node_tells_its_start_in_order_and_each_step_once) {
  EXPECT_TRUE((follower_.come_in_order<NodeStarting, ListeningAt, StaticPeerAdded, NodeStarted>()));
  EXPECT_TRUE((follower_.come_in_order<StaticPeerAdded, libp2p::StaticDialStarted, libp2p::ConnectionOpened,
                                       libp2p::PeerConnected, libp2p::PeerIdentified>()));
  EXPECT_TRUE((follower_.come_in_order<NodeStarting, gossip::TopicJoined, gossip::PeerJoinedTopic>()));
  EXPECT_EQ(follower_.count<NodeStarting>(), 1u);
  EXPECT_EQ(follower_.head_timestamp, std::nullopt);
  EXPECT_EQ(follower_.count<gossip::TopicJoined>(), 4u);
  EXPECT_EQ(follower_.count<ListeningAt>(), 1u);
  EXPECT_EQ(follower_.count<StaticPeerAdded>(), 1u);
  EXPECT_EQ(follower_.count<NodeStarted>(), 1u);
  EXPECT_EQ(follower_.count<libp2p::DialStarted>(), 1u);
  EXPECT_EQ(follower_.count<SignerMissing>(), 0u);
  for (const auto* recorder : {&sequencer_, &follower_}) {
    EXPECT_EQ(recorder->count<libp2p::ConnectionOpened>(), 1u);
    EXPECT_EQ(recorder->count<libp2p::PeerConnected>(), 1u);
    EXPECT_EQ(recorder->count<libp2p::PeerIdentified>(), 1u);
    EXPECT_EQ(recorder->count<gossip::PeerJoinedTopic>(), 4u);
  }
}

TEST_F(NodeEventsOfAPair, a_block_is_published_judged_and_stored_once_on_each_side) {
  clear();
  publish(chain_.next());
  EXPECT_EQ(sequencer_.count<BlockPublished>(), 1u);
  ASSERT_EQ(sequencer_.judged.size(), 1u);
  EXPECT_TRUE(sequencer_.judged[0].local);
  EXPECT_EQ(sequencer_.stored, std::vector<std::uint64_t>{1});
  EXPECT_TRUE((sequencer_.come_in_order<sync::BlockStored, BlockJudged, BlockPublished>()));

  EXPECT_EQ(follower_.count<BlockPublished>(), 0u);
  ASSERT_EQ(follower_.judged.size(), 1u);
  const auto& judged = follower_.judged[0];
  EXPECT_EQ(judged.verdict, opstack::rules::Verdict::accept);
  EXPECT_EQ(judged.expected, secp256k1::address_of(signer_));
  EXPECT_TRUE(judged.from_static_peer) << "the follower was told to keep a connection to the sequencer";
  EXPECT_FALSE(judged.local);
  EXPECT_EQ(follower_.stored, std::vector<std::uint64_t>{1});
  EXPECT_TRUE((follower_.come_in_order<BlockJudged, sync::BlockStored>()));
}

TEST_F(NodeEventsOfAPair, a_block_that_is_rejected_is_judged_and_not_stored) {
  Recorder stranger;
  const auto other = secp256k1::address_of(secp256k1::generate(rng_));
  add(stranger, [&](SimMemberOptions& member) {
    member.dials = {0};
    member.configure = [&](NodeConfig& config) { config.unsafe_block_signer = other; };
  });
  network_.world().run_for(Seconds(5));
  publish(chain_.next());
  ASSERT_EQ(stranger.judged.size(), 1u);
  EXPECT_EQ(stranger.judged[0].verdict, opstack::rules::Verdict::reject);
  EXPECT_EQ(stranger.judged[0].reason, opstack::rules::Reason::invalid_signature);
  EXPECT_EQ(stranger.judged[0].expected, other);
  EXPECT_TRUE(stranger.stored.empty());
  EXPECT_EQ(network_.node(2).stats().rejected.of(opstack::rules::Reason::invalid_signature), 1u);
  EXPECT_EQ(network_.node(2).stats().rejected.reasons(), 1u);
}

TEST_F(NodeEventsOfAPair, a_gap_is_told_by_who_fills_it_and_by_who_serves_it) {
  for (int i = 0; i < 3; ++i) publish(chain_.next());
  clear();
  Recorder late;
  add(late, [](SimMemberOptions& member) { member.dials = {0}; });
  network_.world().run_for(Seconds(3));
  publish(chain_.next());
  network_.world().run_for(Seconds(20));
  EXPECT_EQ(late.stored, (std::vector<std::uint64_t>{4, 3, 2, 1})) << "as they come";
  EXPECT_GE(late.count<sync::SyncTrace>(), 3u);
  EXPECT_EQ(late.count<sync::SyncFault>(), 0u);
  EXPECT_EQ(network_.node(2).stats().synced, 3u);
  ASSERT_EQ(sequencer_.served.size() + follower_.served.size(), 3u) << "each block was asked for once";
  for (const auto& request : sequencer_.served) EXPECT_EQ(request.peer, network_.node(2).host().id());
}

TEST_F(NodeEventsOfAPair, a_block_that_the_store_refuses_is_told_and_tried_again) {
  network_.fail_writes(1, 1);
  clear();
  publish(chain_.next());
  EXPECT_EQ(follower_.refused, std::vector<std::uint64_t>{1});
  EXPECT_EQ(follower_.stored, std::vector<std::uint64_t>{1});
  EXPECT_EQ(sequencer_.count<StoreRefused>(), 0u);
}

TEST_F(NodeEventsOfAPair, a_disconnection_on_request_is_told_before_it_happens_and_its_loss_after) {
  clear();
  ASSERT_TRUE(network_.node(1).disconnect(network_.node(0).host().id()));
  EXPECT_EQ(follower_.count<DisconnectingOnRequest>(), 1u);
  network_.world().run_for(Seconds(10));
  EXPECT_TRUE((follower_.come_in_order<DisconnectingOnRequest, libp2p::ConnectionClosed, libp2p::PeerDisconnected,
                                       libp2p::StaticDialStarted, libp2p::PeerConnected>()));
  EXPECT_EQ(follower_.count<libp2p::ConnectionClosed>(), 1u);
  EXPECT_EQ(follower_.count<libp2p::PeerDisconnected>(), 1u);
  EXPECT_EQ(follower_.count<libp2p::StaticPeerLost>(), 1u);
  EXPECT_EQ(sequencer_.count<DisconnectingOnRequest>(), 0u);
  EXPECT_EQ(sequencer_.count<libp2p::PeerDisconnected>(), 1u);
}

TEST_F(NodeEventsOfAPair, a_stop_is_told_first_and_last_and_the_next_start_has_the_head_of_the_store) {
  publish(chain_.next());
  clear();
  network_.stop(1);
  EXPECT_EQ(follower_.first<NodeStopping>(), 0u);
  EXPECT_EQ(follower_.count<NodeStopping>(), 1u);
  EXPECT_TRUE(follower_.ends_with<NodeStopped>());
  EXPECT_EQ(follower_.count<NodeStopped>(), 1u);
  follower_.clear();
  ASSERT_TRUE(network_.start(1));
  EXPECT_EQ(follower_.count<NodeStarting>(), 1u);
  EXPECT_EQ(follower_.head_timestamp, network_.node(1).head_clock().get());
  EXPECT_TRUE(follower_.head_timestamp.has_value());
}

TEST_F(NodeEventsOfAPair, a_connection_that_is_turned_away_is_told_with_the_kind_of_its_refusal) {
  Recorder guarded;
  add(guarded, [](SimMemberOptions& member) {
    member.configure = [](NodeConfig& config) { config.limits.address_rate = {0.001, 3}; };
  });
  const auto stranger = network_.world().add_node();
  for (int i = 0; i < 5; ++i) {
    std::unique_ptr<libp2p::runtime::Socket> socket;
    const auto dialling = stranger.runtime().connect(
        {network_.place(2).ip4(), 9222},
        [&socket](Result<std::unique_ptr<libp2p::runtime::Socket>> got) { socket = std::move(got).value(); });
    network_.world().run_for(Seconds(1));
  }
  network_.world().run_for(Seconds(5));
  using enum RefusalKind;
  EXPECT_EQ(std::count(guarded.refusals.begin(), guarded.refusals.end(), handshake), 3);
  EXPECT_EQ(std::count(guarded.refusals.begin(), guarded.refusals.end(), limit), 2);
  EXPECT_EQ(guarded.refusals.size(), 5u);
  EXPECT_EQ(guarded.count<libp2p::ConnectionOpened>(), 0u);
}

TEST_F(NodeEventsOfAPair, a_peer_that_the_gater_blocks_is_told_as_such) {
  clear();
  ASSERT_TRUE(network_.node(0).blocking()->block_peer(network_.node(1).host().id()));
  ASSERT_TRUE(network_.node(0).disconnect(network_.node(1).host().id()));
  network_.world().run_for(Seconds(10));
  ASSERT_FALSE(sequencer_.refusals.empty());
  EXPECT_EQ(sequencer_.refusals.front(), RefusalKind::gater);
}

TEST(RefusalKind, its_ids_are_stable) {
  EXPECT_EQ(refusal_id(RefusalKind::limit), "limit");
  EXPECT_EQ(refusal_id(RefusalKind::gater), "gater");
  EXPECT_EQ(refusal_id(RefusalKind::handshake), "handshake");
}

// Which of several was told of which event.
class Ordered final : public NodeSink {
 public:
  using Seen = std::vector<std::pair<char, std::size_t>>;
  Ordered(char name, Seen& seen) : name_(name), seen_(seen) {}
  void on(const NodeEvent& event, libp2p::Now) override { seen_.emplace_back(name_, event.index()); }

 private:
  char name_;
  Seen& seen_;
};

TEST_F(NodeEventsOfAPair, the_counter_hears_first_then_the_sinks_in_the_order_of_their_adding_then_the_listeners) {
  Ordered::Seen seen;
  Ordered first('a', seen), second('b', seen);
  libp2p::Subscription listening;
  std::vector<std::uint64_t> published;  // as counted when the listener hears of it
  std::vector<libp2p::Subscription> added;
  SimMemberOptions member;
  member.sequencer = true;
  member.dials = {0};
  member.before_start = [&](Node& node) {
    listening = node.subscribe([&](const NodeEvent& event) {
      seen.emplace_back('c', event.index());
      if (std::holds_alternative<BlockPublished>(event)) published.push_back(node.stats().published);
    });
    added.push_back(node.add_sink(first));
    added.push_back(node.add_sink(second));
  };
  const auto index = network_.add(member);
  ASSERT_TRUE(index);
  network_.world().run_for(Seconds(5));
  ASSERT_TRUE(network_.publish(*index, chain_.next(), Seconds(5)));
  EXPECT_EQ(published, std::vector<std::uint64_t>{1});
  ASSERT_GT(seen.size(), 60u);
  ASSERT_EQ(seen.size() % 3, 0u) << "all hear of all events";
  for (std::size_t i = 0; i < seen.size(); i += 3) {
    EXPECT_EQ(seen[i], std::pair('a', seen[i].second));
    EXPECT_EQ(seen[i + 1], std::pair('b', seen[i].second));
    EXPECT_EQ(seen[i + 2], std::pair('c', seen[i].second));
  }
  added.front().reset();
  const auto before = static_cast<std::size_t>(
      std::count_if(seen.begin(), seen.end(), [](const auto& one) { return one.first == 'a'; }));
  network_.stop(*index);
  EXPECT_TRUE(std::any_of(seen.begin(), seen.end(),
                          [](const auto& one) { return one == std::pair('b', index_of<NodeStopped>()); }));
  EXPECT_EQ(std::count_if(seen.begin(), seen.end(), [](const auto& one) { return one.first == 'a'; }),
            static_cast<std::ptrdiff_t>(before))
      << "a sink whose subscription is dropped hears no more";
}

#ifndef OPP2P_NO_ASSERTIONS
// A sink that has the node do something.
class Meddler final : public NodeSink {
 public:
  explicit Meddler(NodeEvents& events) : events_(events) {}
  void on(const NodeEvent&, libp2p::Now) override { events_.tell(NodeStopped{}); }

 private:
  NodeEvents& events_;
};

TEST(NodeEventsDeathTest, a_sink_that_causes_an_event_ends_the_process) {
  libp2p::runtime::SimWorld world(1, {}, std::make_unique<libp2p::runtime::UniformLinks>());
  const auto place = world.add_node();
  NodeEvents events(place.runtime());
  Meddler meddler(events);
  const auto added = events.add_sink(meddler);
  EXPECT_DEATH(events.tell(NodeStarted{}), "a sink causes no event");
}
#endif

}  // namespace
}  // namespace opp2p::sim

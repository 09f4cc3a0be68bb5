// The construction of a node: its steps in their order, what a step that fails leaves, and the end in reverse.
#include "opp2p/node/node_construction.hpp"

#include <gtest/gtest.h>

#include "libp2p/connection/socket_connection.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"
#include "libp2p/storage/memory_datastore.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "libp2p/upgrade/connection_engine.hpp"
#include "opp2p/node/node.hpp"
#include "opp2p/store/memory_store.hpp"
#include "opstack/testing/chain_builder.hpp"

namespace opp2p {
namespace {

namespace runtime = libp2p::runtime;
namespace secp256k1 = libp2p::crypto::secp256k1;
using libp2p::Errc;
using libp2p::Multiaddr;
using libp2p::Seconds;

runtime::Task<void> close_node(Node& node, libp2p::Nanos limit) { co_await node.close(limit); }
runtime::Task<void> never_end(runtime::Runtime& runtime) {
  auto sleeping = runtime::sleep_for(runtime, std::chrono::hours(1));
  co_await sleeping;
}

// Notes the steps as they begin and are dropped.
void note(NodeSteps& steps, std::vector<std::string>& begun, std::vector<std::string>& dropped) {
  for (auto& step : steps) {
    step.begin = [&begun, name = step.name, begin = step.begin](NodeWiring& w) {
      begun.push_back(name);
      return begin(w);
    };
    step.drop = [&dropped, name = step.name, drop = step.drop](NodeWiring& w) {
      dropped.push_back(name);
      if (drop) drop(w);
    };
  }
}

class Construction : public testing::Test {
 protected:
  Construction() : chain_(chain_options(), rng_) {
    config_.rollup = opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value();
    config_.listen = {Multiaddr::from_text("/ip4/" + place_.ip4() + "/tcp/9222").value()};
    config_.node_key = secp256k1::generate(rng_);
    config_.dial_timeout = Seconds(10);
    config_.peers_grace = Seconds(30);
    config_.gossip_timestamp_threshold = Seconds(60);
    config_.sync_memory = 64 << 20;
    // One that is never there: its dial is under way when later steps fail.
    const auto peer = libp2p::PeerId::from_public_key(
        libp2p::crypto::PrivateKey::from_raw(libp2p::crypto::KeyType::secp256k1, secp256k1::generate(rng_))
            .value()
            .public_key());
    config_.static_peers = {Multiaddr::from_text("/ip4/10.9.9.9/tcp/9222").value().with_peer_id(peer)};
  }
  static opstack::testing::ChainOptions chain_options() {
    opstack::testing::ChainOptions out;
    out.genesis_time = 1'760'000'000;
    return out;
  }
  std::unique_ptr<Node> make(NodeSteps steps) {
    return std::make_unique<Node>(place_.runtime(), config_, store_, std::move(steps));
  }
  static std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& step : node_steps()) out.push_back(step.name);
    return out;
  }
  static std::vector<std::string> reversed(std::vector<std::string> names) {
    std::reverse(names.begin(), names.end());
    return names;
  }
  static void expect_nothing_lives() {
    EXPECT_EQ(libp2p::live<libp2p::IdentifyService>(), 0);
    EXPECT_EQ(libp2p::live<libp2p::PingService>(), 0);
    EXPECT_EQ(libp2p::live<libp2p::GossipsubService>(), 0);
    EXPECT_EQ(libp2p::live<opstack::gossip::BlockGossip>(), 0);
    EXPECT_EQ(libp2p::live<opstack::gossip::Subscriber>(), 0);
    EXPECT_EQ(libp2p::SocketConnection::live(), 0);
    EXPECT_EQ(libp2p::live<libp2p::runtime::detail::Root>(), 0);
  }

  libp2p::SeededRng rng_{5};
  opstack::testing::ChainBuilder chain_;
  runtime::SimWorld world_{5, {}, std::make_unique<runtime::UniformLinks>()};
  runtime::SimNode place_ = world_.add_node();
  MemoryStore store_{[this](std::function<void()> task) { place_.runtime().post(std::move(task)); }};
  NodeConfig config_;
};

// The table of the specification: op-node surface, section 2.
TEST_F(Construction, the_steps_are_in_op_nodes_order) {
  const std::vector<std::string> wanted = {
      "peer id",  "peerstore", "own keys", "gaters", "reputation",   "connection manager", "transports",  "host",
      "identify", "ping",      "gossip",   "topics", "peer monitor", "listen addresses",   "static peers"};
  const auto have = names();
  auto from = have.begin();
  for (const auto& name : wanted) {
    const auto found = std::find(from, have.end(), name);
    ASSERT_NE(found, have.end()) << name << " is missing, or too early";
    from = found;
  }
}

TEST_F(Construction, the_names_of_the_steps_differ) {
  auto have = names();
  std::sort(have.begin(), have.end());
  EXPECT_EQ(std::adjacent_find(have.begin(), have.end()), have.end());
}

TEST_F(Construction, each_step_that_fails_undoes_those_before_it_and_names_itself) {
  const auto all = names();
  for (std::size_t failing = 0; failing < all.size(); ++failing) {
    SCOPED_TRACE(all[failing]);
    std::vector<std::string> begun, dropped;
    auto steps = node_steps();
    // It fails after it has done all of its work: what it made has to go, too.
    auto& step = step_named(steps, all[failing]);
    step.begin = [begin = step.begin](NodeWiring& w) -> Result<void> {
      OPP2P_TRYV(begin(w));
      return libp2p::fail(Errc::io, "the test");
    };
    note(steps, begun, dropped);
    const auto node = make(std::move(steps));
    const auto started = node->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), Errc::io);
    EXPECT_EQ(started.error().text().find("cannot start the node's " + all[failing] + ": "), 0u)
        << started.error().text();
    EXPECT_EQ(begun, std::vector<std::string>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(failing) + 1));
    EXPECT_EQ(dropped, reversed(begun));
    world_.run_for(Seconds(1));
    expect_nothing_lives();
    EXPECT_EQ(node->view().connected_peers(), 0u);
  }
  // The ports are free again.
  const auto node = make(node_steps());
  const auto started = node->start();
  EXPECT_TRUE(started) << started.error().text();
}

TEST_F(Construction, a_node_ends_in_the_reverse_order_of_its_start) {
  std::vector<std::string> begun, closed, dropped;
  auto steps = node_steps();
  for (auto& step : steps) {
    if (!step.close) continue;
    step.close = [&closed, name = step.name, close = step.close](NodeWiring& w, libp2p::Nanos limit) {
      closed.push_back(name);
      return close(w, limit);
    };
  }
  note(steps, begun, dropped);
  auto node = make(std::move(steps));
  ASSERT_TRUE(node->start());
  world_.run_for(Seconds(2));
  ASSERT_TRUE(runtime::run_task(world_, place_.runtime(), close_node(*node, Seconds(5)), Seconds(6)));
  EXPECT_EQ(closed, (std::vector<std::string>{"static peers", "peer monitor", "topics", "chain", "gossip", "ping",
                                              "identify", "known peers", "host", "reputation", "peerstore"}));
  EXPECT_TRUE(dropped.empty()) << "who looks at a closed node still finds its parts";
  node.reset();
  EXPECT_EQ(dropped, reversed(names()));
  expect_nothing_lives();
}

// op-node leaves two of them.
TEST_F(Construction, a_node_that_ends_leaves_all_four_topics) {
  std::size_t joined = 0, left = 0;
  auto node = make(node_steps());
  const auto listening = node->subscribe([&](const NodeEvent& event) {
    joined += std::holds_alternative<opstack::gossip::TopicJoined>(event) ? 1 : 0;
    left += std::holds_alternative<opstack::gossip::TopicLeft>(event) ? 1 : 0;
  });
  ASSERT_TRUE(node->start());
  world_.run_for(Seconds(1));
  EXPECT_EQ(joined, 4u);
  ASSERT_TRUE(runtime::run_task(world_, place_.runtime(), close_node(*node, Seconds(5)), Seconds(6)));
  EXPECT_EQ(left, 4u);
}

TEST_F(Construction, parts_that_hang_are_cut_off_so_that_the_node_ends_within_its_limit) {
  auto steps = node_steps();
  const auto hang = [](NodeWiring& w, libp2p::Nanos) { return never_end(w.runtime); };
  for (const char* name : {"chain", "gossip", "ping"}) step_named(steps, name).close = hang;
  libp2p::Nanos of_host{};
  auto& host = step_named(steps, "host");
  host.close = [&of_host, close = host.close](NodeWiring& w, libp2p::Nanos limit) {
    of_host = limit;
    return close(w, limit);
  };
  std::vector<std::string> late;
  auto node = make(std::move(steps));
  const auto listening = node->subscribe([&](const NodeEvent& event) {
    if (const auto* told = std::get_if<PartClosedLate>(&event)) late.emplace_back(told->part);
  });
  ASSERT_TRUE(node->start());
  const auto before = world_.now();
  ASSERT_TRUE(runtime::run_task(world_, place_.runtime(), close_node(*node, Seconds(4)), Seconds(60)));
  EXPECT_LE(world_.now() - before, Seconds(4));
  EXPECT_EQ(late, (std::vector<std::string>{"chain", "gossip", "ping"}));
  EXPECT_GE(of_host, libp2p::Millis(200)) << "the others left the host some time";
}

TEST_F(Construction, a_part_can_be_replaced_by_the_users_own) {
  const auto own = std::make_shared<libp2p::BlockingGater>();
  auto steps = node_steps();
  step_named(steps, "gaters").begin = [&own](NodeWiring& w) -> Result<void> {
    w.parts.blocking = own;
    return {};
  };
  auto node = make(std::move(steps));
  ASSERT_TRUE(node->start());
  EXPECT_EQ(node->blocking(), own.get());
  const auto peer = *config_.static_peers[0].peer_id();
  EXPECT_TRUE(node->host().gater().intercept_peer_dial(peer));
  ASSERT_TRUE(own->block_peer(peer));
  EXPECT_FALSE(node->host().gater().intercept_peer_dial(peer)) << "the outermost gater asks it";
}

TEST_F(Construction, the_nodes_public_key_is_in_its_peerstore_and_no_private_one) {
  std::shared_ptr<libp2p::storage::Datastore> disk = std::make_shared<libp2p::storage::MemoryDatastore>();
  auto steps = node_steps();
  step_named(steps, "peerstore").begin = [&disk](NodeWiring& w) {
    w.parts.datastore = disk;
    return keep_in_datastore(w);
  };
  using libp2p::storage::kKeyBase;
  using libp2p::storage::peer_key;
  const auto left = peer_key(
      kKeyBase, libp2p::PeerId::from_text("16Uiu2HAm7TsyfseDrTuoMYupmazcSAvkWd3XUfy1QwbQzNXVtj8c").value(), "priv");
  disk->apply(std::vector<libp2p::storage::Change>{{left, libp2p::Bytes{1, 2, 3}}}).value();
  auto node = make(std::move(steps));
  ASSERT_TRUE(node->start());
  ASSERT_TRUE(runtime::run_task(world_, place_.runtime(), close_node(*node, Seconds(5)), Seconds(6)));
  const auto& identity = node->host().identity();
  EXPECT_EQ(disk->get(peer_key(kKeyBase, node->host().id(), "pub")).value(), identity.public_key().to_protobuf());
  EXPECT_FALSE(disk->get(peer_key(kKeyBase, node->host().id(), "priv")).value());
  EXPECT_FALSE(disk->get(left).value()) << "one that an earlier version left there";
}

TEST_F(Construction, the_key_of_a_peer_id_that_is_none_is_an_error_of_the_first_step) {
  config_.node_key = {};
  const auto node = make(node_steps());
  const auto started = node->start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text().find("the node's peer id"), std::string::npos) << started.error().text();
}

}  // namespace
}  // namespace opp2p

// A node of a simulated world and its log, for the tests of what it tells.
#pragma once

#include <gtest/gtest.h>

#include "libp2p/host/host.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"
#include "opp2p/node/node.hpp"
#include "opp2p/observe/node_log.hpp"
#include "opp2p/store/memory_store.hpp"
#include "opstack/testing/chain_builder.hpp"

namespace opp2p::testing_log {

namespace secp256k1 = libp2p::crypto::secp256k1;
namespace runtime = libp2p::runtime;
using libp2p::Multiaddr;
using libp2p::Seconds;

inline constexpr std::uint64_t kGenesisTime = 1'760'000'000;

class Kept final : public LogSink {
 public:
  bool write(std::string_view lines, const std::atomic<bool>&) override {
    text_.append(lines);
    return true;
  }
  std::size_t lines() const { return static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n')); }
  // Lines with both texts.
  std::size_t count(std::string_view one, std::string_view other) const {
    std::size_t found = 0;
    for (std::size_t from = 0; from < text_.size();) {
      const auto end = text_.find('\n', from);
      const auto line = std::string_view(text_).substr(from, end - from);
      found += line.find(one) != line.npos && line.find(other) != line.npos;
      from = end + 1;
    }
    return found;
  }
  std::size_t count(std::string_view text) const { return count(text, text); }
  // The first line with the text; empty when there is none.
  std::string line(std::string_view with) const {
    const auto at = text_.find(with);
    if (at == text_.npos) return {};
    const auto begin = text_.rfind('\n', at) + 1;
    return text_.substr(begin, text_.find('\n', at) - begin);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

inline libp2p::HostConfig stranger(libp2p::Rng& rng) {
  using libp2p::crypto::KeyType;
  return libp2p::HostConfig(libp2p::crypto::PrivateKey::from_raw(KeyType::secp256k1, secp256k1::generate(rng)).value());
}

inline runtime::Task<void> dial(libp2p::Host& host, Multiaddr address, std::size_t& connected) {
  auto outcome = co_await host.connect(std::move(address));
  if (outcome) ++connected;
}

inline runtime::Task<void> close(Node& node) { co_await node.close(Seconds(5)); }

// One node and its log.
struct Member {
  runtime::SimWorld& world;
  runtime::SimNode place;
  std::shared_ptr<Kept> kept = std::make_shared<Kept>();
  Log log;
  NodeConfig config;
  MemoryStore store;
  std::unique_ptr<Node> node;
  std::unique_ptr<NodeLog> node_log;
  libp2p::Subscription logging;

  Member(runtime::SimWorld& in, const opstack::testing::ChainBuilder& chain, libp2p::Rng& rng,
         LogLevel level = LogLevel::info)
      : world(in),
        place(in.add_node()),
        log(options(level)),
        store([this](std::function<void()> task) { place.runtime().post(std::move(task)); }) {
    config.rollup = opstack::chain::RollupConfig::from_json(chain.rollup_config()).value();
    config.listen = {Multiaddr::from_text("/ip4/" + place.ip4() + "/tcp/9222").value()};
    config.node_key = secp256k1::generate(rng);
    config.dial_timeout = Seconds(10);
    config.peers_grace = Seconds(30);
    config.gossip_timestamp_threshold = Seconds(60);
    config.sync_memory = 64 << 20;
  }
  ~Member() {
    if (node) stop();
  }
  LogOptions options(LogLevel level) {
    LogOptions out;
    out.level = level;
    out.sink = kept;
    out.clock = [this] { return place.runtime().now().wall; };
    return out;
  }
  void start() {
    node = std::make_unique<Node>(place.runtime(), config, store);
    node_log = std::make_unique<NodeLog>(place.runtime(), log, node->view());
    logging = node->add_sink(*node_log);
    ASSERT_TRUE(node->start());
  }
  void stop() {
    EXPECT_TRUE(runtime::run_task(world, place.runtime(), close(*node), Seconds(10)));
    node_log.reset();
    node.reset();
  }
  libp2p::PeerId id() const { return node->host().id(); }
  Multiaddr address() const { return config.listen.front().with_peer_id(node->host().id()); }
};

class LogOfANode : public testing::Test {
 protected:
  LogOfANode()
      : world_(12, in_time(), std::make_unique<runtime::UniformLinks>()), rng_(12), chain_(chain_options(), rng_) {}
  static runtime::SimWorldOptions in_time() {
    runtime::SimWorldOptions out;
    out.epoch = libp2p::from_unix_seconds(kGenesisTime);
    return out;
  }
  static opstack::testing::ChainOptions chain_options() {
    opstack::testing::ChainOptions out;
    out.genesis_time = kGenesisTime;
    return out;
  }
  // The sequencer signs with a new key, whose blocks the follower accepts.
  void trust(Member& sequencer, Member& follower) {
    sequencer.config.sequencer_key = secp256k1::generate(rng_);
    follower.config.unsafe_block_signer = secp256k1::address_of(*sequencer.config.sequencer_key);
  }
  // Starts both; the sequencer, with a key of its own where it has none, dials the follower.
  void meet(Member& sequencer, Member& follower) {
    if (!sequencer.config.sequencer_key) sequencer.config.sequencer_key = secp256k1::generate(rng_);
    follower.start();
    sequencer.config.static_peers.push_back(follower.address());
    sequencer.start();
    world_.run_for(Seconds(3));
  }
  // So many blocks, one each 2 s.
  void publish(Member& sequencer, int blocks) {
    for (int i = 0; i < blocks; ++i) {
      sequencer.node->publish(std::make_shared<const opstack::payload::Envelope>(chain_.next()),
                              [](libp2p::Result<void>) {});
      world_.run_for(Seconds(2));
    }
  }

  runtime::SimWorld world_;
  libp2p::SeededRng rng_;
  opstack::testing::ChainBuilder chain_;
};

}  // namespace opp2p::testing_log

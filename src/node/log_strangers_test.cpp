// What strangers, and peers that are known, make a node write into its log, in virtual time.
#include <gtest/gtest.h>

#include "network/host.hpp"
#include "node/devnet/chain_builder.hpp"
#include "node/node.hpp"
#include "node/store_memory.hpp"
#include "runtime/run_task.hpp"
#include "runtime/sim/sim_world.hpp"

namespace opp2p::node {
namespace {

namespace secp256k1 = libp2p::crypto::secp256k1;
namespace runtime = libp2p::runtime;
using libp2p::Multiaddr;
using libp2p::Seconds;

constexpr std::uint64_t kGenesisTime = 1'760'000'000;
constexpr std::size_t kStrangers = 2000;
constexpr std::size_t kAtOnce = 20;

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
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

libp2p::network::HostConfig stranger(libp2p::Rng& rng) {
  using libp2p::crypto::KeyType;
  return libp2p::network::HostConfig(
      libp2p::crypto::PrivateKey::from_raw(KeyType::secp256k1, secp256k1::generate(rng)).value());
}

runtime::Task<void> dial(libp2p::network::Host& host, Multiaddr address, std::size_t& connected) {
  auto outcome = co_await host.connect(std::move(address));
  if (outcome) ++connected;
}

runtime::Task<void> close(Node& node) { co_await node.close(Seconds(5)); }

// One node and its log.
struct Member {
  runtime::SimWorld& world;
  runtime::SimNode place;
  std::shared_ptr<Kept> kept = std::make_shared<Kept>();
  Log log;
  NodeConfig config;
  MemoryStore store;
  std::unique_ptr<Node> node;

  Member(runtime::SimWorld& in, const devnet::ChainBuilder& chain, libp2p::Rng& rng)
      : world(in),
        place(in.add_node()),
        log(options()),
        store([this](std::function<void()> task) { place.runtime().post(std::move(task)); }) {
    config.rollup = opstack::chain::RollupConfig::from_json(chain.rollup_config()).value();
    config.listen = Multiaddr::from_text("/ip4/" + place.ip4() + "/tcp/9222").value();
    config.node_key = secp256k1::generate(rng);
    config.dial_timeout = Seconds(10);
    config.peers_grace = Seconds(30);
    config.gossip_timestamp_threshold = Seconds(60);
    config.sync_memory = 64 << 20;
  }
  ~Member() {
    if (node) stop();
  }
  LogOptions options() {
    LogOptions out;
    out.sink = kept;
    out.clock = [this] { return place.runtime().now().wall; };
    return out;
  }
  void start() {
    node = std::make_unique<Node>(place.runtime(), config, store, log);
    ASSERT_TRUE(node->start());
  }
  void stop() {
    EXPECT_TRUE(runtime::run_task(world, place.runtime(), close(*node), Seconds(10)));
    node.reset();
  }
  Multiaddr address() const { return config.listen.with_peer_id(node->host().id()); }
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
  static devnet::ChainOptions chain_options() {
    devnet::ChainOptions out;
    out.genesis_time = kGenesisTime;
    return out;
  }
  runtime::SimWorld world_;
  libp2p::SeededRng rng_;
  devnet::ChainBuilder chain_;
};

TEST_F(LogOfANode, has_no_line_at_info_for_a_stranger_that_comes_and_goes) {
  Member member(world_, chain_, rng_);
  member.start();
  world_.run_for(Seconds(1));
  const auto lines = member.kept->lines();
  std::size_t connected = 0;
  for (std::size_t done = 0; done < kStrangers; done += kAtOnce) {
    std::vector<std::unique_ptr<libp2p::network::Host>> hosts;
    std::vector<std::unique_ptr<runtime::TaskScope>> scopes;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      const auto at = world_.add_node();
      hosts.push_back(std::make_unique<libp2p::network::Host>(at.runtime(), stranger(rng_)));
      scopes.push_back(std::make_unique<runtime::TaskScope>(at.runtime()));
      scopes.back()->spawn(dial(*hosts.back(), member.address(), connected));
    }
    world_.run_for(Seconds(1));
    scopes.clear();
    hosts.clear();
    world_.run_for(Seconds(1));
  }
  EXPECT_EQ(connected, kStrangers);
  EXPECT_EQ(member.kept->lines(), lines) << member.kept->text();
}

TEST_F(LogOfANode, tells_of_static_peers_and_of_peers_that_brought_a_block) {
  Member follower(world_, chain_, rng_), sequencer(world_, chain_, rng_);
  sequencer.config.sequencer_key = secp256k1::generate(rng_);
  follower.config.unsafe_block_signer = secp256k1::address_of(*sequencer.config.sequencer_key);
  follower.start();
  sequencer.config.static_peers.push_back(follower.address());
  sequencer.start();
  const std::string id = sequencer.node->host().id().to_base58();
  world_.run_for(Seconds(3));
  EXPECT_EQ(sequencer.kept->count("msg=\"connected\"", "lvl=info"), 1u);
  EXPECT_EQ(follower.kept->count("connected", id), 0u) << follower.kept->text();

  sequencer.node->publish(std::make_shared<const opstack::payload::Envelope>(chain_.next()), [](Result<void>) {});
  world_.run_for(Seconds(2));
  ASSERT_EQ(follower.node->head().number, 1u);
  world_.disconnect(follower.place.index(), sequencer.place.index());
  world_.run_for(Seconds(5));
  EXPECT_EQ(follower.kept->count("msg=\"disconnected\"", id), 1u) << follower.kept->text();
  EXPECT_EQ(follower.kept->count("msg=\"connected\"", id), 1u);
}

TEST_F(LogOfANode, tells_of_a_known_peer_that_flaps_at_a_bounded_rate_and_how_much_was_left_out) {
  Member member(world_, chain_, rng_);
  const auto at = world_.add_node();
  auto known = stranger(rng_);
  known.limits.exempt.push_back(libp2p::Cidr::from_text("0.0.0.0/0").value());  // it takes every dial, however often
  libp2p::network::Host host(at.runtime(), std::move(known));
  ASSERT_TRUE(host.listen(Multiaddr::from_text("/ip4/" + at.ip4() + "/tcp/9222").value()));
  member.config.static_peers.push_back(host.listen_addresses().front().with_peer_id(host.id()));
  member.start();
  constexpr std::size_t kTimes = 300;
  std::size_t met = 0;
  for (std::size_t i = 0; i < kTimes; ++i) {
    met += world_.run_until([&] { return member.node->host().connected(host.id()); }, Seconds(5));
    world_.disconnect(member.place.index(), at.index());
    world_.run_until([&] { return !member.node->host().connected(host.id()); }, Seconds(5));
  }
  EXPECT_EQ(met, kTimes);
  const auto minutes = static_cast<std::size_t>(world_.now().time_since_epoch() / Seconds(60)) + 1;
  const auto told = member.kept->count("msg=\"connected\"", "lvl=info");
  EXPECT_GE(told, 50u);
  EXPECT_LE(told, 50 + 10 * minutes);
  EXPECT_GT(member.kept->count("msg=\"lines left out\" of=connected count=", "lvl=info"), 0u) << member.kept->text();
  member.stop();
  EXPECT_EQ(member.kept->count("lines left out", "of=\"static peer lost\""), 1u) << member.kept->text();
}

}  // namespace
}  // namespace opp2p::node

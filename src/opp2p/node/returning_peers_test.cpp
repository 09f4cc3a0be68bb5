// A peer that was banned and comes back under other identities, from the same address and from others of its /24: what
// that costs it and the node. Each test prints its figures, which docs/returning-peers.md has. They are the same in
// each run, since time and chance are the simulation's.
#include <gtest/gtest.h>

#include <cstdio>

#include "libp2p/base/event_source.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "opstack/rules/topics.hpp"
#include "opstack/testing/chain_builder.hpp"
#include "sim/mischief.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim {
namespace {

namespace reputation = opstack::reputation;
using libp2p::Millis;
using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::PeerId;
using libp2p::runtime::Task;

// What the node under attack has done for strangers.
class CostBook final : public NodeSink {
 public:
  explicit CostBook(const PeerId& friendly) : friendly_(friendly) {}

  void on(const NodeEvent& event, libp2p::Now now) override {
    const auto note = libp2p::Overloaded{
        [&](const libp2p::ConnectionOpened& opened) {
          if (opened.connection.peer == friendly_) return;
          ++connections;
          since_[opened.connection.peer] = now.mono;
        },
        [&](const libp2p::ConnectionClosed& closed) {
          if (closed.connection.peer == friendly_) {
            ++friends_lost;
            return;
          }
          bytes_in += closed.connection.bytes_in;
          bytes_out += closed.connection.bytes_out;
        },
        [&](const InboundRefused& refused) {
          if (refused.kind == RefusalKind::limit) ++refused_by_limit;
          if (refused.kind == RefusalKind::gater) ++refused_by_gater;
        },
        [&](const BlockJudged& judged) {
          if (judged.verdict.local || judged.verdict.from == friendly_) return;
          ++messages;
        },
        [&](const reputation::PeerBlamed& blamed) { ++blamed_of_[blamed.peer]; },
        [&](const reputation::PeerBanned& banned) {
          // A fast one is banned in the turn in which its connection opens, before that is told.
          const auto since = since_.find(banned.peer);
          const Nanos stay = since == since_.end() ? Nanos(0) : now.mono - since->second;
          bans.push_back({stay, blamed_of_[banned.peer]});
        },
        [](const auto&) {},
    };
    std::visit(note, event);
  }
  struct BanAfter {
    Nanos time;            // since its connection opened
    std::size_t messages;  // that it was blamed for
  };
  std::vector<BanAfter> bans;
  std::size_t connections = 0, refused_by_limit = 0, refused_by_gater = 0, messages = 0, friends_lost = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;

 private:
  const PeerId friendly_;
  std::map<PeerId, MonoTime> since_;
  std::map<PeerId, std::size_t> blamed_of_;
};

// An attacker at one address that obeys no router: each identity dials, opens a gossip stream and writes kRush invalid
// blocks into it, again each kPause while it is connected. When it is refused it dials again after kPause.
class Returner {
 public:
  static constexpr std::size_t kRush = 12;
  static constexpr Nanos kPause = Millis(500);

  Returner(libp2p::runtime::SimNode place, libp2p::Multiaddr victim, opstack::testing::ChainOptions chain,
           const libp2p::crypto::secp256k1::Secret& signer)
      : place_(place), victim_(std::move(victim)), mischief_(std::move(chain), signer, place_.runtime().rng()) {}
  ~Returner() { body_.reset(); }
  Returner(const Returner&) = delete;
  Returner& operator=(const Returner&) = delete;

  // Under a new identity. Without bad will it only stays connected.
  void come(bool attacks = true) {
    libp2p::SeededRng rng(place_.runtime().rng().next_u64());
    auto key = libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::secp256k1, rng).value();
    body_.reset();
    body_ = std::make_unique<Body>(place_.runtime(), libp2p::HostConfig(std::move(key)));
    for (const auto id : libp2p::gossipsub::protocol_ids()) body_->host.set_stream_handler(std::string(id), drain);
    body_->scope.spawn(attack(attacks));
  }
  const PeerId& id() const { return body_->host.id(); }

 private:
  struct Body {
    Body(libp2p::runtime::Runtime& runtime, libp2p::HostConfig config)
        : host(runtime, std::move(config)), identify(host), scope(runtime) {}
    libp2p::Host host;
    libp2p::IdentifyService identify;
    libp2p::runtime::TaskScope scope;  // last: its coroutines use the others
  };

  // Takes what it is gossiped.
  static Task<void> drain(libp2p::Stream stream) {
    Bytes buffer(4096);
    for (;;) {
      auto reading = stream.read_some(buffer);
      const auto n = co_await reading;
      if (!n || *n == 0) co_return;
    }
  }
  Task<void> attack(bool attacks) {
    for (;;) {
      libp2p::Multiaddr where = victim_;
      auto connecting = body_->host.connect(std::move(where));
      const auto connected = co_await connecting;
      if (connected && attacks) {
        auto writing = write_rushes(*connected);
        co_await writing;
      }
      auto sleeping = libp2p::runtime::sleep_for(place_.runtime(), kPause);
      const auto slept = co_await sleeping;
      if (!slept) co_return;
    }
  }
  Task<void> write_rushes(PeerId victim) {
    std::vector<std::string> protocols;
    protocols.emplace_back(libp2p::gossipsub::protocol_ids().front());
    auto opening = body_->host.open_stream(std::move(victim), std::move(protocols));
    auto opened = co_await opening;
    if (!opened) co_return;
    libp2p::Stream stream = std::move(*opened);
    for (;;) {
      const Bytes frame = rush();
      auto writing = stream.write(frame);
      const auto written = co_await writing;
      if (!written) co_return;
      auto sleeping = libp2p::runtime::sleep_for(place_.runtime(), kPause);
      const auto slept = co_await sleeping;
      if (!slept) co_return;
    }
  }
  // Well signed, so that all rules are checked.
  Bytes rush() {
    const auto now = static_cast<std::uint64_t>(libp2p::unix_seconds(place_.runtime().now().wall));
    std::vector<BadMessage> bad;
    for (std::size_t i = 0; i < kRush; ++i) bad.push_back(mischief_.make(Mischief::wrong_hash, now));
    libp2p::gossipsub::Rpc rpc;
    for (const BadMessage& one : bad) {
      libp2p::gossipsub::Message message;
      message.data = one.data;
      message.topic = one.topic;
      rpc.publish.push_back(message);
    }
    const auto frame = libp2p::gossipsub::encode_frame(rpc);
    return Bytes(frame->begin(), frame->end());
  }

  libp2p::runtime::SimNode place_;
  const libp2p::Multiaddr victim_;
  MischiefMaker mischief_;
  std::unique_ptr<Body> body_;
};

class ReturningPeers : public testing::Test {
 protected:
  static constexpr std::int64_t kBegin = 1'760'000'000;

  static opstack::testing::ChainOptions options() {
    opstack::testing::ChainOptions out;
    out.genesis_time = kBegin;
    return out;
  }
  // A sequencer, and a follower under attack that scores as `opp2p` does.
  void SetUp() override {
    SimMemberOptions sequencer;
    sequencer.sequencer = true;
    ASSERT_TRUE(network_.add(sequencer));
    book_ = std::make_unique<CostBook>(network_.node(0).host().id());
    SimMemberOptions follower;
    follower.dials = {0};
    follower.configure = [](NodeConfig& config) {
      reputation::ScoredChain chain;
      for (auto& topic : opstack::rules::blocks_topics(config.rollup.l2_chain_id)) chain.topics.push_back(topic);
      config.scoring = reputation::make_scoring_profile("opp2p", chain, reputation::ProfileUse::node).value();
    };
    follower.before_start = [this](Node& node) { sink_ = node.add_sink(*book_); };
    ASSERT_TRUE(network_.add(follower));
    run_for(libp2p::Seconds(5));
  }
  void TearDown() override { attackers_.clear(); }

  // The world goes on, with a block each two seconds, until `done`. False when `limit` has passed first.
  bool run_until(const std::function<bool()>& done, Nanos limit) {
    const MonoTime end = network_.world().now() + limit;
    while (!done()) {
      if (network_.world().now() >= end) return false;
      if (network_.world().now() >= next_block_) {
        next_block_ = network_.world().now() + libp2p::Seconds(2);
        EXPECT_TRUE(network_.publish(0, chain_.next(), libp2p::Seconds(2)));
      }
      network_.world().run_for(Millis(50));
    }
    return true;
  }
  void run_for(Nanos time) {
    (void)run_until([] { return false; }, time);
  }
  Returner& attacker_at(const libp2p::runtime::SimNode& place) {
    auto& victim = network_.node(1);
    attackers_.push_back(std::make_unique<Returner>(
        place, victim.host().listen_addresses().front().with_peer_id(victim.host().id()), options(), signer_));
    return *attackers_.back();
  }
  bool is_banned(const PeerId& peer) { return network_.node(1).reputation()->ban_of(peer).has_value(); }
  double score_of(const PeerId& peer) { return network_.node(1).reputation()->scorer()->score(peer); }
  MonoTime world_now() { return network_.world().now(); }
  Nanos elapsed(MonoTime since) { return world_now() - since; }

  // Once what was closed has been told.
  void print(const char* name, std::size_t identities, Nanos time) {
    run_for(libp2p::Seconds(2));
    Nanos longest{0};
    std::size_t most = 0;
    for (const auto& ban : book_->bans) {
      longest = std::max(longest, ban.time);
      most = std::max(most, ban.messages);
    }
    const auto seconds = [](Nanos n) { return static_cast<double>(n.count()) / 1e9; };
    std::printf(
        "%s: %zu identities, %zu banned, in %.1f s; the longest stay %.1f s, most blamed messages %zu; the node: %zu "
        "connections, %zu messages judged, %llu bytes in, %llu bytes out, refused by a limit %zu, by the gater %zu\n",
        name, identities, book_->bans.size(), seconds(time), seconds(longest), most, book_->connections,
        book_->messages, static_cast<unsigned long long>(book_->bytes_in),
        static_cast<unsigned long long>(book_->bytes_out), book_->refused_by_limit, book_->refused_by_gater);
  }
  // Whatever strangers do, the node keeps its sequencer.
  void expect_the_node_is_well() {
    EXPECT_EQ(book_->friends_lost, 0u);
    EXPECT_TRUE(network_.node(1).host().connected(network_.node(0).host().id()));
    network_.node(1).check();
    for (const auto& ban : book_->bans) EXPECT_LE(ban.messages, 10u) << "banned within ten blamed messages";
  }

  libp2p::SeededRng rng_{17};
  opstack::testing::ChainBuilder chain_{options(), rng_};
  const libp2p::crypto::secp256k1::Secret signer_ = libp2p::crypto::secp256k1::generate(rng_);
  SimNetwork network_{17, opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value(), signer_,
                      libp2p::from_unix_seconds(kBegin + 10)};
  std::unique_ptr<CostBook> book_;
  libp2p::Subscription sink_;
  MonoTime next_block_{};
  std::vector<std::unique_ptr<Returner>> attackers_;
};

TEST_F(ReturningPeers, ten_identities_one_after_another_from_one_address_are_each_banned) {
  Returner& attacker = attacker_at(network_.world().add_node());
  const MonoTime began = world_now();
  for (int i = 0; i < 10; ++i) {
    attacker.come();
    ASSERT_TRUE(run_until([&] { return is_banned(attacker.id()); }, libp2p::Seconds(60))) << i;
  }
  print("one address, one after another", 10, elapsed(began));
  EXPECT_EQ(book_->bans.size(), 10u);
  EXPECT_EQ(book_->connections, 10u) << "the burst of 16 new connections has room for ten identities";
  expect_the_node_is_well();
}

TEST_F(ReturningPeers, ten_identities_at_once_from_one_address_have_eight_connections) {
  const auto place = network_.world().add_node();
  for (int i = 0; i < 10; ++i) attacker_at(place).come();
  const MonoTime began = world_now();
  run_for(Millis(400));
  EXPECT_EQ(book_->connections, 8u);
  EXPECT_EQ(network_.node(1).host().counters().refused_per_address, 2u);
  const bool all = run_until([&] { return book_->bans.size() == 10; }, libp2p::Seconds(120));
  print("one address, ten at once", 10, elapsed(began));
  EXPECT_TRUE(all);
  expect_the_node_is_well();
}

TEST_F(ReturningPeers, ten_identities_from_ten_addresses_of_one_24_are_each_banned) {
  for (int i = 0; i < 10; ++i) attacker_at(network_.world().add_node()).come();
  const MonoTime began = world_now();
  ASSERT_TRUE(run_until([&] { return book_->bans.size() == 10; }, libp2p::Seconds(60)));
  print("ten addresses of a /24, at once", 10, elapsed(began));
  EXPECT_EQ(book_->connections, 10u);
  EXPECT_EQ(book_->refused_by_limit, 0u) << "no limit is about a /24";
  expect_the_node_is_well();
}

// Two limits bite: the rate of new connections, 0.2 a second behind a burst of 16, and the score of a shared address.
// An identity that comes when too many are remembered falls below the graylist before it is banned, and is not read.
TEST_F(ReturningPeers, ever_new_identities_from_one_address_are_banned_or_not_read) {
  const auto place = network_.world().add_node();
  Returner& neighbour = attacker_at(place);
  neighbour.come(false);
  Returner& attacker = attacker_at(place);
  const MonoTime began = world_now();
  std::size_t identities = 0;
  do {
    attacker.come();
    ++identities;
  } while (identities < 60 && run_until([&] { return is_banned(attacker.id()); }, libp2p::Seconds(15)));
  print("one address, ever new identities", identities, elapsed(began));
  EXPECT_GE(book_->bans.size(), 20u);
  ASSERT_LT(identities, 60u) << "the last one is not banned";
  EXPECT_FALSE(is_banned(attacker.id()));
  EXPECT_LE(static_cast<double>(book_->connections), 17 + 0.2 * static_cast<double>(elapsed(began).count()) / 1e9);
  const double graylist = network_.node(1).config().scoring.thresholds.graylist;
  EXPECT_LT(score_of(attacker.id()), graylist);
  const std::size_t judged = book_->messages;
  run_for(libp2p::Seconds(20));
  EXPECT_EQ(book_->messages, judged) << "below the graylist nothing is read";
  EXPECT_FALSE(is_banned(neighbour.id())) << "who shares the address is not banned for it";
  EXPECT_GE(score_of(neighbour.id()), 0) << "and is heard: it was there before them";
  std::printf("its score %.1f; the score of a peer that shares the address %.1f; the graylist threshold %.1f\n",
              score_of(attacker.id()), score_of(neighbour.id()), graylist);
  expect_the_node_is_well();
}

// A ban is asked about when the peer has proved itself: each knock costs a handshake, until the rate refuses it.
TEST_F(ReturningPeers, a_banned_peer_that_keeps_knocking_costs_a_handshake_each_five_seconds) {
  Returner& attacker = attacker_at(network_.world().add_node());
  attacker.come();
  ASSERT_TRUE(run_until([&] { return is_banned(attacker.id()); }, libp2p::Seconds(60)));
  const MonoTime began = world_now();
  const std::size_t connections = book_->connections;
  run_for(std::chrono::minutes(10));
  print("a banned peer that knocks for ten minutes", 1, elapsed(began));
  EXPECT_EQ(book_->connections, connections) << "no knock opens a connection";
  EXPECT_GT(book_->refused_by_gater, 100u);
  EXPECT_LE(book_->refused_by_gater, 16u + 120u + 1u) << "0.2 a second, behind what was left of the burst";
  EXPECT_GT(book_->refused_by_limit, 100u);
  expect_the_node_is_well();
}

// The operator's answer: a rule for the address.
TEST_F(ReturningPeers, a_blocked_address_ends_it_before_the_first_byte) {
  std::vector<libp2p::runtime::SimNode> places;
  for (int i = 0; i < 3; ++i) places.push_back(network_.world().add_node());
  for (const auto& place : places) attacker_at(place).come();
  ASSERT_TRUE(run_until([&] { return book_->connections == 3; }, libp2p::Seconds(10)));
  // The sequencer of this simulation is in the same /24: the addresses are blocked one by one.
  for (const auto& place : places) ASSERT_TRUE(network_.node(1).blocking()->block_ip("::ffff:" + place.ip4()));
  run_for(libp2p::Seconds(30));
  EXPECT_EQ(network_.node(1).host().connected_peers().size(), 1u);
  const std::size_t refused = book_->refused_by_gater;
  EXPECT_GT(refused, 30u) << "each knock is refused by the gater, and takes no token of the rate";
  EXPECT_EQ(book_->refused_by_limit, 0u);
  expect_the_node_is_well();
}

}  // namespace
}  // namespace opp2p::sim

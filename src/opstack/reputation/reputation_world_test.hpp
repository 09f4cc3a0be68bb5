// For the tests of the whole reputation system: a node that judges, of one datastore over several lives, and peers that
// gossip what they like, on simulated hosts.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libp2p/storage/faulty_datastore_test.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "libp2p/testing/sim_hosts.hpp"
#include "opstack/reputation/records.hpp"
#include "opstack/reputation/reputation.hpp"
#include "opstack/rules/topics.hpp"
#include "testing/blocks.hpp"

namespace opstack::reputation::world {

using gossip::BlockGossip;
using libp2p::GossipsubService;
using libp2p::Multiaddr;
using libp2p::Seconds;
using libp2p::storage::FaultyDatastore;
using rules::Version;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

inline constexpr std::uint64_t kChain = 901;
inline constexpr Version kVersion = Version::v3;

inline ScoringProfile profile_named(std::string_view name) {
  const auto topics = rules::blocks_topics(kChain);
  const ScoredChain chain{Seconds(2), {topics.begin(), topics.end()}};
  return make_scoring_profile(name, chain, ProfileUse::node).value();
}

inline gossip::BlockGossipConfig block_gossip_config() {
  gossip::BlockGossipConfig out;
  out.chain_id = kChain;
  out.version_at = [](std::uint64_t) { return kVersion; };
  return out;
}

// Sends what it likes to everybody, whatever the mesh is, and judges nobody.
struct Peer {
  explicit Peer(libp2p::Host& host) : host(host), gossip(host, config(), scores) {
    const auto accept = [](const libp2p::gossipsub::Validate&, const GossipsubService::Done& done) {
      done(libp2p::gossipsub::ValidationResult::accept);
    };
    for (const auto& topic : rules::blocks_topics(kChain)) gossip.join(topic, accept, nullptr).value();
  }
  static libp2p::GossipsubConfig config() {
    libp2p::gossipsub::Params params;
    params.mesh.flood_publish = true;
    return gossip::block_gossip_config(kChain, params);
  }
  void send(libp2p::ByteView message) {
    const auto topic = rules::blocks_topic(kChain, kVersion);
    gossip.publish(topic, message, libp2p::gossipsub::LocalCheck::already_valid).value();
  }
  libp2p::Host& host;
  libp2p::gossipsub::NeutralScores scores;
  GossipsubService gossip;
};

struct Told {
  std::vector<std::pair<PeerId, Ban>> banned;
  std::vector<std::pair<PeerId, BanEnd>> unbanned;
  std::vector<std::string> common;
  std::vector<GateRule> refused;
  std::size_t blamed = 0;
  std::size_t store_failed = 0;

  void on(const PeerBanned& event) { banned.emplace_back(event.peer, event.ban); }
  void on(const PeerUnbanned& event) { unbanned.emplace_back(event.peer, event.end); }
  void on(const IpBanned&) {}
  void on(const IpUnbanned&) {}
  void on(const PeerBlamed&) { ++blamed; }
  void on(const CommonFaultFound& event) { common.push_back(event.text); }
  void on(const CommonFaultEnded&) {}
  void on(const GateRefused& event) { refused.push_back(event.rule); }
  void on(const ReputationStoreFailed&) { ++store_failed; }
};

// The node that judges: a host with its reputation system and block gossip.
class JudgingNode {
 public:
  JudgingNode(const libp2p::runtime::SimNode& node, std::shared_ptr<libp2p::storage::Datastore> store,
              ReputationConfig config, const std::set<PeerId>& statics)
      : reputation(node.runtime(), config, std::move(store), nullptr),
        events_(reputation.subscribe(
            [this](const ReputationEvent& event) { std::visit([this](const auto& kind) { told.on(kind); }, event); })),
        loaded(reputation.load()),
        host(node.runtime(), host_config()),
        gossip(host, gossip_service_config(config), reputation.scores()),
        blocks(node.runtime(), gossip, block_gossip_config(), nullptr) {
    reputation.attach(host, [statics](const PeerId& peer) { return statics.contains(peer); });
    reputation.listen_to(blocks);
    blocks.rotate_signer(libp2p::crypto::secp256k1::address_of(testing_blocks::sequencer_key()));
    blocks.join().value();
    host.listen(Multiaddr::from_text("/ip4/" + node.ip4() + "/tcp/9222").value()).value();
    reputation.start();
  }
  ~JudgingNode() { reputation.check(); }

  Told told;
  Reputation reputation;

 private:
  libp2p::HostConfig host_config() {
    libp2p::SeededRng rng(5);  // the same node each time
    libp2p::HostConfig out(libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::ed25519, rng).value());
    out.gater = reputation.gater();
    return out;
  }
  static libp2p::GossipsubConfig gossip_service_config(const ReputationConfig& config) {
    libp2p::gossipsub::Params params;
    params.thresholds = config.scoring.thresholds;
    return gossip::block_gossip_config(kChain, params);
  }
  libp2p::Subscription events_;

 public:
  Result<void> loaded;
  libp2p::Host host;
  GossipsubService gossip;
  BlockGossip blocks;
};

class ReputationTest : public ::testing::Test {
 protected:
  void use(std::string_view profile) { config_.scoring = profile_named(profile); }
  void begin(std::size_t peers, const std::set<std::size_t>& statics = {}) {
    for (std::size_t n = 0; n < peers; ++n) peers_.push_back(std::make_unique<Peer>(net_.add()));
    for (const auto n : statics) statics_.insert(id(n));
    start();
    for (std::size_t n = 0; n < peers; ++n) ASSERT_TRUE(connect(n));
    net_.run_for(Seconds(3));
  }
  void start() { judge_.emplace(node_, store_, config_, statics_); }
  // The process ends without a word, and begins anew with what the store has.
  void kill_and_restart() {
    judge_.reset();
    net_.run_for(Seconds(2));
    start();
  }
  bool connect(std::size_t n) {
    const auto there = judge_->host.listen_addresses().front().with_peer_id(judge_->host.id());
    const auto peer = net_.run(n, net_.host(n).connect(there));
    net_.run_for(Seconds(2));  // the far end may still refuse
    return peer && peer->has_value() && connected(n);
  }
  Reputation& reputation() { return judge_->reputation; }
  Told& told() { return judge_->told; }
  Peer& peer(std::size_t n) { return *peers_.at(n); }
  const PeerId& id(std::size_t n) { return net_.host(n).id(); }
  bool connected(std::size_t n) { return judge_->host.connected(id(n)); }
  std::uint64_t now() { return static_cast<std::uint64_t>(libp2p::unix_seconds(node_.runtime().now().wall)); }

  libp2p::Bytes valid_block() { return message(testing_blocks::block(kVersion, ++number_, now())); }
  libp2p::Bytes old_block() { return message(testing_blocks::block(kVersion, ++number_, now() - 100)); }
  libp2p::Bytes bad_hash() {
    auto envelope = testing_blocks::block(kVersion, ++number_, now());
    envelope.payload.gas_used += 1;
    return message(envelope);
  }
  libp2p::Bytes signed_by_another() {
    return testing_blocks::message(kChain, kVersion, testing_blocks::block(kVersion, ++number_, now()),
                                   testing_blocks::other_key());
  }
  static libp2p::Bytes message(const payload::Envelope& envelope) {
    return testing_blocks::message(kChain, kVersion, envelope);
  }
  // How many it took until the peer was banned; 0: it was not.
  std::size_t send_bad_until_banned(std::size_t n, std::size_t most = 20) {
    for (std::size_t sent = 1; sent <= most && connected(n); ++sent) {
      peer(n).send(bad_hash());
      net_.run_for(Seconds(1));
      if (reputation().ban_of(id(n))) return sent;
    }
    return 0;
  }
  // "changed", "unchanged", or the code of the error.
  std::string wait_for(const std::function<void(Reputation::Done)>& call) {
    std::optional<Result<bool>> answer;
    call([&answer](Result<bool> result) { answer = std::move(result); });
    net_.world().run_until([&answer] { return answer.has_value(); }, Seconds(60));
    if (!answer) return "no answer";
    if (!*answer) return std::string(libp2p::to_string(answer->error().code()));
    return **answer ? "changed" : "unchanged";
  }
  std::string undo(std::size_t n) {
    return wait_for([this, n](Reputation::Done done) { reputation().unban(id(n), std::move(done)); });
  }
  std::string ban(std::size_t n, Nanos duration = Seconds(600)) {
    return wait_for(
        [&](Reputation::Done done) { reputation().ban(id(n), duration, "the operator says so", std::move(done)); });
  }

  ReputationConfig config_ = [] {
    ReputationConfig out;
    out.scoring = profile_named("opp2p");
    return out;
  }();
  std::shared_ptr<FaultyDatastore> store_ = std::make_shared<FaultyDatastore>();
  libp2p::SimHosts net_{47};
  libp2p::runtime::SimNode node_ = net_.world().add_node();
  std::set<PeerId> statics_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::optional<JudgingNode> judge_;
  std::uint64_t number_ = 100;
};

}  // namespace opstack::reputation::world

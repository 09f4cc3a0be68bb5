// A node in virtual time with the RPC's methods over fake ports, for the tests of families of methods.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/rpc_exchange.hpp"
#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim {

class FakeGating final : public GatingPort {
 public:
  void block(const GateTarget& target, PortDone done) override { change(target, true, done); }
  void unblock(const GateTarget& target, PortDone done) override { change(target, false, done); }
  BlockedSnapshot blocked() const override {
    BlockedSnapshot out;
    for (const auto& target : targets_) {
      if (target.kind == GateTarget::Kind::peer) out.peers.push_back(target.peer);
      if (target.kind == GateTarget::Kind::ip) out.addresses.push_back(target.text);
      if (target.kind == GateTarget::Kind::subnet) out.subnets.push_back(target.text);
    }
    return out;
  }
  bool is_blocked(const libp2p::PeerId& peer) const override {
    return std::any_of(targets_.begin(), targets_.end(), [&](const auto& target) { return target.peer == peer; });
  }
  std::optional<libp2p::Error> failure;  // of the store

 private:
  void change(const GateTarget& target, bool block, const PortDone& done) {
    if (failure) return done(*failure);
    const bool known = std::erase(targets_, target) > 0;
    if (block) targets_.push_back(target);
    done(known != block);
  }
  std::vector<GateTarget> targets_;
};

class FakeReputation final : public ReputationPort {
 public:
  opstack::reputation::BanList bans() const override { return list; }
  std::optional<opstack::reputation::Ban> ban_of(const libp2p::PeerId& peer) const override {
    for (const auto& one : list.peers)
      if (one.peer == peer) return one.ban;
    return std::nullopt;
  }
  void ban(const GateTarget& target, libp2p::Nanos duration, std::string why, PortDone done) override {
    opstack::reputation::Ban ban;
    ban.until = libp2p::from_unix_seconds(1'760'000'000) + duration;
    ban.rule = opstack::reputation::BanRule::operator_request;
    ban.text = std::move(why);
    if (target.kind == GateTarget::Kind::peer)
      list.peers.push_back({target.peer, ban});
    else
      list.ips.push_back({target.text, ban});
    done(true);
  }
  void unban(const GateTarget& target, PortDone done) override {
    if (failure) return done(*failure);
    auto gone = std::erase_if(list.peers, [&](const auto& one) { return one.peer == target.peer; });
    gone += std::erase_if(list.ips, [&](const auto& one) { return one.ip == target.text; });
    done(gone > 0);
  }
  std::vector<opstack::reputation::Fault> faults_of(const libp2p::PeerId&) const override { return faults; }
  std::optional<opstack::reputation::PeerScoreRecord> scores_of(const libp2p::PeerId&) const override { return scores; }
  std::optional<opstack::reputation::PeerMetadata> metadata_of(const libp2p::PeerId&) const override {
    return metadata;
  }
  ScoreStandingSnapshot standing_of(const libp2p::PeerId&) const override { return standing; }
  std::optional<std::string> kept_out(const libp2p::PeerId&) const override { return kept_out_text; }

  opstack::reputation::BanList list;
  std::vector<opstack::reputation::Fault> faults;
  std::optional<opstack::reputation::PeerScoreRecord> scores;
  std::optional<opstack::reputation::PeerMetadata> metadata;
  ScoreStandingSnapshot standing;
  std::optional<std::string> kept_out_text;
  std::optional<libp2p::Error> failure;
};

class FakeStaticPeers final : public StaticPeersPort {
 public:
  std::vector<StaticPeerSnapshot> list() const override { return peers; }
  void add(const libp2p::Multiaddr& address, PortDone done) override {
    StaticPeerSnapshot peer;
    peer.status.peer = *address.peer_id();
    peer.status.addresses.push_back(address);
    peers.push_back(peer);
    done(true);
  }
  void remove(const libp2p::PeerId& peer, PortDone done) override {
    for (const auto& one : peers)
      if (one.status.peer == peer && one.by_flag)
        return done(libp2p::fail(libp2p::Errc::denied, "the peer is one of --p2p.static"));
    done(std::erase_if(peers, [&](const auto& one) { return one.status.peer == peer; }) > 0);
  }
  std::vector<StaticPeerSnapshot> peers;
};

class MethodTest : public testing::Test {
 protected:
  static constexpr std::int64_t kGenesisTime = 1'760'000'000;

  static opstack::testing::ChainOptions chain_options() {
    opstack::testing::ChainOptions out;
    out.genesis_time = kGenesisTime;
    return out;
  }
  void SetUp() override {
    SimMemberOptions member;
    member.sequencer = true;
    ASSERT_TRUE(network_.add(member));
    peer_history_.emplace(PeerHistory::Surroundings{[](const libp2p::PeerId&) { return false; },
                                                    [](const libp2p::PeerId&) { return std::string("op-node/v1"); }});
    listen({&gating_, &reputation_, &static_peers_, &*peer_history_, &block_history_});
  }
  // The methods over these ports.
  void listen(const ApiPorts& ports) {
    auto& runtime = network_.place(0).runtime();
    Node& node = network_.node(0);
    const auto post = [&runtime](std::function<void()> task) { runtime.post(std::move(task)); };
    rpc_ = std::make_unique<JsonRpc>(post, [&runtime] { return runtime.now().mono; });
    snapshots_ = std::make_unique<RpcSnapshots>(runtime, post, rpc_->memory(), rpc_->limits().answer_bytes);
    dials_ = std::make_unique<RpcDials>(
        runtime, [&node](libp2p::Multiaddr address) { return node.connect(std::move(address)); });
    add_methods(*rpc_, opp2p::NodeApi{runtime, node, store_, *snapshots_, *dials_, "1.2.3", ports});
  }
  void TearDown() override {
    snapshots_->stop();
    dials_->stop();
    network_.world().run_for(libp2p::Seconds(1));
  }

  json::object call(std::string_view method, const json::array& params = {}, std::string token = {}) {
    RpcRequest request;
    request.token = std::move(token);
    request.body = json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}});
    std::optional<std::string> out;
    const auto exchange = rpc_->handle(std::move(request), [&out](RpcAnswer answer) { out = answer.text.joined(); });
    network_.world().run_until([&] { return out.has_value(); }, libp2p::Seconds(40));
    last_ = out.value_or("{}");
    return json::parse(last_).as_object();
  }
  // The result as it stands in the answer.
  std::string result(std::string_view method, const json::array& params = {}) {
    const auto answer = call(method, params);
    EXPECT_FALSE(answer.contains("error")) << last_;
    const auto at = last_.find(R"("result":)");
    return at == std::string::npos ? last_ : last_.substr(at + 9, last_.size() - at - 10);
  }
  // "-32602 the text".
  std::string error(std::string_view method, const json::array& params = {}) {
    const auto answer = call(method, params);
    if (!answer.contains("error")) return "no error: " + last_;
    EXPECT_FALSE(answer.contains("result")) << last_;
    const auto& error = answer.at("error");
    return std::to_string(error.at("code").as_int64()) + " " + std::string(error.at("message").as_string());
  }

  const std::string peer_ = "16Uiu2HAmRSrRLt1WGen9X1E6RrfsyG2hjmYWrxFb8Xs9SyvEZj9t";
  libp2p::SeededRng rng_{5};
  opstack::testing::ChainBuilder chain_{chain_options(), rng_};
  SimNetwork network_{5, opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value(),
                      libp2p::crypto::secp256k1::generate(rng_), libp2p::from_unix_seconds(kGenesisTime + 10)};
  MemoryStore store_{[](const std::function<void()>& task) { task(); }};
  FakeGating gating_;
  FakeReputation reputation_;
  FakeStaticPeers static_peers_;
  std::optional<PeerHistory> peer_history_;
  BlockHistory block_history_;
  std::unique_ptr<JsonRpc> rpc_;
  std::unique_ptr<RpcSnapshots> snapshots_;
  std::unique_ptr<RpcDials> dials_;
  std::string last_;
};

}  // namespace opp2p::sim

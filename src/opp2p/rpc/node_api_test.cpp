// The RPC's methods over a whole node, in virtual time: what peers say of themselves in any bytes, and what the node
// tells of itself.
#include "opp2p/rpc/node_api.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "libp2p/runtime/run_task.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "opp2p/observe/health.hpp"
#include "opp2p/rpc/p2p_json.hpp"
#include "opp2p/rpc/rpc_exchange.hpp"
#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"
#include "testing/source_text.hpp"

namespace opp2p::sim {
namespace {

using libp2p::Multiaddr;
using libp2p::Seconds;
using libp2p::runtime::SimNode;
using libp2p::runtime::Task;

constexpr std::int64_t kGenesisTime = 1'760'000'000;

// A host that says of itself what no honest peer would.
struct Hostile {
  Hostile(const SimNode& place, libp2p::Rng& rng)
      : host(place.runtime(), settings(rng)), identify(host, about()), scope(place.runtime()) {
    host.set_stream_handler("/caf\xe9/\x1b[2J", [](libp2p::Stream) -> Task<void> { co_return; });
  }
  static libp2p::HostConfig settings(libp2p::Rng& rng) {
    namespace crypto = libp2p::crypto;
    libp2p::HostConfig out(
        crypto::PrivateKey::from_raw(crypto::KeyType::secp256k1, crypto::secp256k1::generate(rng)).value());
    out.user_agent = "caf\xe9/1";
    return out;
  }
  static libp2p::IdentifyConfig about() {
    libp2p::IdentifyConfig out;
    out.protocol_version = "\xff\xfe\"\\\n" + std::string(400, '\x1b');
    // /dns4/<bytes>/tcp/9222
    libp2p::Bytes address{0x36, 6, 'h', 0xe9, 0x1b, '"', 0xc3, 'x', 0x06, 0x24, 0x06};
    out.announced.push_back(Multiaddr::from_bytes(address).value());
    return out;
  }

  libp2p::Host host;
  libp2p::IdentifyService identify;
  libp2p::runtime::TaskScope scope;
};

Task<void> dial(libp2p::Host& host, Multiaddr address) { (void)co_await host.connect(std::move(address)); }
Task<void> close(libp2p::IdentifyService& service) { co_await service.close(); }

class NodeApi : public testing::Test {
 protected:
  static opstack::testing::ChainOptions options() {
    opstack::testing::ChainOptions out;
    out.genesis_time = kGenesisTime;
    return out;
  }
  void SetUp() override {
    SimMemberOptions member;
    member.sequencer = true;
    member.configure = [](NodeConfig& config) { config.rpc_enable_admin = true; };
    ASSERT_TRUE(network_.add(member));
    auto& runtime = network_.place(0).runtime();
    Node& node = network_.node(0);
    const auto post = [&runtime](std::function<void()> task) { runtime.post(std::move(task)); };
    rpc_ = std::make_unique<JsonRpc>(post, [&runtime] { return runtime.now().mono; });
    snapshots_ = std::make_unique<RpcSnapshots>(runtime, post, rpc_->memory(), rpc_->limits().answer_bytes);
    dials_ =
        std::make_unique<RpcDials>(runtime, [&node](Multiaddr address) { return node.connect(std::move(address)); });
    add_methods(*rpc_, opp2p::NodeApi{runtime, node, store_, *snapshots_, *dials_, "1.2.3-abcdef01"});
  }
  void TearDown() override {
    snapshots_->stop();
    dials_->stop();
    network_.world().run_for(Seconds(1));
  }

  std::string text(std::string_view method, const json::array& params = {}) {
    RpcRequest request;
    request.body = json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}});
    std::optional<std::string> out;
    const auto exchange = rpc_->handle(std::move(request), [&out](RpcAnswer answer) { out = answer.text.joined(); });
    network_.world().run_until([&] { return out.has_value(); }, Seconds(40));
    return out.value_or("");
  }
  // Boost's parser is strict: it takes no invalid UTF-8 and no raw control characters.
  json::value ask(std::string_view method, const json::array& params = {}) {
    return json::parse(text(method, params)).at("result");
  }

  libp2p::SeededRng rng_{5};
  opstack::testing::ChainBuilder chain_{options(), rng_};
  SimNetwork network_{5, opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value(),
                      libp2p::crypto::secp256k1::generate(rng_), libp2p::from_unix_seconds(kGenesisTime + 10)};
  MemoryStore store_{[](const std::function<void()>& task) { task(); }};
  std::unique_ptr<JsonRpc> rpc_;
  std::unique_ptr<RpcSnapshots> snapshots_;
  std::unique_ptr<RpcDials> dials_;
};

TEST_F(NodeApi, whatever_a_peer_says_of_itself_the_answer_is_json_while_it_is_there_and_after) {
  const auto place = network_.world().add_node();
  auto hostile = std::make_unique<Hostile>(place, rng_);
  const std::string id = hostile->host.id().to_base58();
  hostile->scope.spawn(dial(
      hostile->host, network_.node(0).host().listen_addresses().front().with_peer_id(network_.node(0).host().id())));
  network_.world().run_for(Seconds(3));
  for (const bool connected : {true, false}) {
    const auto all = ask("opp2p_peers", {connected});
    ASSERT_TRUE(all.at("peers").as_object().contains(id)) << connected;
    const auto& peer = all.at("peers").at(id);
    EXPECT_EQ(peer.at("connectedness"), connected ? 1 : 0);
    EXPECT_EQ(peer.at("userAgent"), "caf\xef\xbf\xbd/1");
    const std::string version(peer.at("protocolVersion").as_string());
    EXPECT_TRUE(version.starts_with("\xef\xbf\xbd\xef\xbf\xbd\"\\\\u000a\\u001b")) << version;
    EXPECT_LT(version.size(), kMaxPeerText + 40);
    const auto listed = json::serialize(peer.at("protocols"));
    EXPECT_NE(listed.find("/caf\xef\xbf\xbd/\\\\u001b[2J"), std::string::npos) << listed;
    const auto addresses = json::serialize(peer.at("addresses"));
    EXPECT_NE(addresses.find("/dns4/h\xef\xbf\xbd\\\\u001b"), std::string::npos) << addresses;
    EXPECT_NO_THROW(ask("opp2p_status"));
    EXPECT_NO_THROW(ask("opp2p_peerStats"));
    if (!connected) break;
    (void)libp2p::runtime::run_task(network_.world(), place.runtime(), close(hostile->identify), Seconds(5));
    hostile.reset();
    network_.world().run_for(Seconds(3));
  }
}

TEST_F(NodeApi, an_error_with_bytes_of_others_is_json) {
  const auto answer =
      text("opp2p_connectPeer", {"/dns4/h\x1b[2J/tcp/1/p2p/" + network_.node(0).host().id().to_base58()});
  const auto error = json::parse(answer).at("error");
  EXPECT_NE(error.at("message").as_string().find("failed to dial"), std::string::npos) << answer;
  EXPECT_EQ(answer.find('\x1b'), std::string::npos);
}

TEST_F(NodeApi, what_is_not_known_of_a_peer_is_null_and_not_zero) {
  const auto me = ask("opp2p_self");
  EXPECT_TRUE(me.at("latency").is_null());
  EXPECT_EQ(me.at("protected"), false);
  EXPECT_TRUE(me.at("scores").at("gossip").at("total").is_null());
  EXPECT_TRUE(me.at("scores").at("gossip").at("blocks").at("timeInMesh").is_null());
  EXPECT_TRUE(me.at("scores").at("reqResp").at("validResponses").is_null());
}

// op-node's own key is in its peerstore, and so it is in the list.
TEST_F(NodeApi, the_node_itself_is_among_the_peers_that_are_known_and_not_among_those_that_are_connected) {
  const auto own = network_.node(0).host().id().to_base58();
  EXPECT_FALSE(ask("opp2p_peers", {true}).at("peers").as_object().contains(own));
  EXPECT_EQ(ask("opp2p_peerStats").at("known"), 1);
  const auto all = ask("opp2p_peers", {false});
  EXPECT_EQ(all.at("totalConnected"), 0);
  auto self = ask("opp2p_self");
  self.as_object()["gossipBlocks"] = false;  // of the list alone, as in op-node
  EXPECT_EQ(json::serialize(all.at("peers").at(own)), json::serialize(self));
  ASSERT_TRUE(network_.add({.dials = {0}}));
  network_.world().run_for(Seconds(3));
  EXPECT_EQ(ask("opp2p_peers", {false}).at("peers").as_object().size(), 2u);
  EXPECT_EQ(ask("opp2p_peerStats").at("known"), 2);
}

TEST_F(NodeApi, the_score_of_a_peer_has_op_nodes_names) {
  PeerSnapshot peer;
  peer.id = network_.node(0).host().id();
  peer.score = opstack::reputation::GossipScores{.total = -64.5,
                                                 .time_in_mesh = 1.5,
                                                 .first_message_deliveries = 1,
                                                 .mesh_message_deliveries = 2,
                                                 .invalid_message_deliveries = 3,
                                                 .ip_colocation_factor = 4,
                                                 .behavioural_penalty = 8.25};
  EXPECT_EQ(json::serialize(peer_json(peer).at("scores").at("gossip")),
            R"({"total":-6.45E1,"blocks":{"timeInMesh":1.5E0,"firstMessageDeliveries":1E0,)"
            R"("meshMessageDeliveries":2E0,"invalidMessageDeliveries":3E0},)"
            R"("IPColocationFactor":4E0,"behavioralPenalty":8.25E0})");
}

TEST_F(NodeApi, a_peer_of_a_node_that_scores_has_a_score_and_one_that_is_not_known_has_none) {
  SimMemberOptions member;
  member.dials = {0};
  ASSERT_TRUE(network_.add(member));
  network_.world().run_for(Seconds(3));
  const std::string id = network_.node(1).host().id().to_base58();
  EXPECT_TRUE(ask("opp2p_peers", {true}).at("peers").at(id).at("scores").at("gossip").at("total").is_null());
  const auto of = [&](const libp2p::PeerId& peer) {
    const auto& snapshots = network_.node(2).snapshots();
    return snapshots.snapshot_of(peer, snapshots.list_peers(true)).score;
  };
  member.configure = [](NodeConfig& config) {
    config.scoring =
        opstack::reputation::make_scoring_profile("light", {}, opstack::reputation::ProfileUse::node).value();
  };
  ASSERT_TRUE(network_.add(member));
  network_.world().run_for(Seconds(3));
  ASSERT_TRUE(of(network_.node(0).host().id()));
  EXPECT_EQ(of(network_.node(0).host().id())->total, 0);
  EXPECT_FALSE(of(network_.node(1).host().id())) << "they never met";
}

TEST_F(NodeApi, the_status_tells_the_version_and_how_long_and_how_far_it_follows) {
  auto status = ask("opp2p_status");
  EXPECT_EQ(status.at("version"), "1.2.3-abcdef01");
  EXPECT_TRUE(status.at("headAgeSeconds").is_null());
  EXPECT_FALSE(health_of(network_.node(0).head_clock().get(), 2, network_.place(0).runtime().now().wall).ok);

  const auto block = chain_.next();
  ASSERT_TRUE(network_.publish(0, block, Seconds(5)));
  network_.world().run_for(Seconds(20));
  status = ask("opp2p_status");
  const auto clock = libp2p::unix_seconds(network_.place(0).runtime().now().wall);
  EXPECT_EQ(status.at("headAgeSeconds"), clock - static_cast<std::int64_t>(block.payload.timestamp));
  EXPECT_GE(status.at("uptimeSeconds").as_int64(), 20);
  EXPECT_LE(status.at("uptimeSeconds").as_int64(), 60);
  EXPECT_TRUE(health_of(network_.node(0).head_clock().get(), 2, network_.place(0).runtime().now().wall).ok);
}

TEST_F(NodeApi, the_head_of_the_store_counts_after_a_restart) {
  ASSERT_TRUE(network_.publish(0, chain_.next(), Seconds(5)));
  snapshots_->stop();
  const auto before = network_.node(0).head_clock().get();
  network_.stop(0);
  ASSERT_TRUE(network_.start(0));
  EXPECT_TRUE(before.has_value());
  EXPECT_EQ(network_.node(0).head_clock().get(), before);
}

TEST_F(NodeApi, the_chain_is_told_by_hashes_up_to_where_it_ends) {
  json::array hashes;
  for (int n = 0; n < 3; ++n) {
    const auto envelope = chain_.next();
    const auto version = network_.node(0).config().rollup.payload_version(envelope.payload.timestamp);
    const auto block =
        opstack::payload::encode_block(version, std::make_shared<const opstack::payload::Envelope>(envelope));
    hashes.emplace_back(libp2p::to_hex0x(block.hash()));
    store_.keep(StoredBlock(block), std::nullopt, true, nullptr);
  }
  EXPECT_EQ(ask("opp2p_chain", {1, 1000}), hashes);
  EXPECT_EQ(ask("opp2p_chain", {2, 1}), json::array{hashes[1]});
  EXPECT_EQ(ask("opp2p_chain", {4, 1}), json::array());
  EXPECT_EQ(ask("opp2p_chain", {UINT64_MAX, 1000}), json::array());
  for (const json::array& wrong : {json::array{"x", 1}, json::array{1, 0}, json::array{1, 1001}})
    EXPECT_EQ(json::parse(text("opp2p_chain", wrong)).at("error").at("code"), -32602) << json::serialize(wrong);
}

TEST_F(NodeApi, a_block_is_told_by_its_hash_whether_it_is_canonical_or_not) {
  opstack::testing::ChainBuilder other = chain_;
  other.diverge(1);
  const auto stored = [&](const opstack::payload::Envelope& envelope) {
    const auto version = network_.node(0).config().rollup.payload_version(envelope.payload.timestamp);
    return StoredBlock(
        opstack::payload::encode_block(version, std::make_shared<const opstack::payload::Envelope>(envelope)));
  };
  const auto canonical = stored(chain_.next());
  const auto orphan = stored(other.next());
  Attestation attestation;
  attestation.signature.fill(0x11);
  attestation.signer.fill(0x22);
  attestation.era = 3;
  attestation.arrived = libp2p::from_unix_seconds(kGenesisTime + 3);
  store_.keep(canonical, attestation, true, nullptr);
  store_.keep(orphan, std::nullopt, false, nullptr);
  const std::string hash = libp2p::to_hex0x(canonical.hash);
  auto told = ask("opp2p_blockByHash", {hash});
  EXPECT_EQ(told.at("number"), 1);
  EXPECT_EQ(told.at("hash"), json::value(hash));
  EXPECT_EQ(told.at("parentHash"), json::value(libp2p::to_hex0x(canonical.parent_hash)));
  EXPECT_EQ(told.at("timestamp"), canonical.timestamp);
  EXPECT_EQ(told.at("canonical"), true);
  EXPECT_TRUE(told.at("orphanReason").is_null());
  EXPECT_TRUE(told.at("orphanSince").is_null());
  EXPECT_EQ(told.at("signer"), json::value(libp2p::to_hex0x(attestation.signer)));
  EXPECT_EQ(told.at("era"), 3);
  EXPECT_EQ(told.at("signature"), json::value(libp2p::to_hex0x(attestation.signature)));
  EXPECT_EQ(told.at("arrived"), kGenesisTime + 3);
  EXPECT_EQ(told.at("size"), canonical.body.size());
  EXPECT_EQ(ask("opp2p_blockByHash", {hash.substr(2)}), told) << "0x may be left out";
  told = ask("opp2p_blockByHash", {libp2p::to_hex0x(orphan.hash)});
  EXPECT_EQ(told.at("canonical"), false);
  EXPECT_EQ(told.at("orphanReason"), "waiting");
  EXPECT_EQ(told.at("orphanSince"), 0) << "this store has no clock";
  for (const char* key : {"signer", "era", "signature", "arrived"}) EXPECT_TRUE(told.at(key).is_null()) << key;
  EXPECT_TRUE(ask("opp2p_blockByHash", {"0x" + std::string(64, '0')}).is_null());
  for (const json::value& wrong : {json::value("0x12"), json::value(7), json::value(std::string(64, 'z')),
                                   json::value(""), json::value(std::string(100'000, '0')), json::value(nullptr)})
    EXPECT_EQ(json::parse(text("opp2p_blockByHash", {wrong})).at("error").at("code"), -32602);
}

TEST_F(NodeApi, the_modules_are_those_that_are_there) {
  EXPECT_EQ(json::serialize(ask("rpc_modules")),
            R"({"admin":"1.0","health":"1.0","opp2p":"1.0","optimism":"1.0","rpc":"1.0"})");
  EXPECT_EQ(ask("optimism_version"), "1.2.3-abcdef01");
  EXPECT_EQ(ask("health_status"), "1.2.3-abcdef01");
}

std::string access_text(RpcAccess access) {
  switch (access) {
    case RpcAccess::reads: return "everybody";
    case RpcAccess::changes: break;  // no method of the node
    case RpcAccess::changes_with_token: return "with the token";
    case RpcAccess::admin: return "with the token, and with `--rpc.enable-admin`";
  }
  return "?";
}

// The row of a method in docs/rpc.md.
std::string row_of(const RpcMethod& method) {
  std::string parameters;
  for (const auto& one : method.parameters)
    parameters +=
        (parameters.empty() ? "`" : "; `") + one.name + "`: " + one.help + (one.required ? "" : " (optional)");
  return "| `" + method.name + "` | " + parameters + " | " + access_text(method.access) + " | " + method.help + " |\n";
}

TEST_F(NodeApi, the_document_of_the_rpc_has_the_row_of_each_method_and_no_other) {
  std::string rows;
  for (const auto& [name, method] : rpc_->methods()) {
    EXPECT_FALSE(method.help.empty()) << name;
    rows += row_of(method);
  }
  const auto document = testing_vectors::source_text("docs/rpc.md");
  const auto begin = document.find("| `");
  ASSERT_NE(begin, std::string::npos);
  EXPECT_EQ(document.substr(begin, document.find("\n\n", begin) + 1 - begin), rows);
}

TEST_F(NodeApi, the_document_of_the_rpc_has_each_reason_and_no_other) {
  std::string rows = "| id | reason |\n|---|---|\n";
  for (std::size_t i = 1; i < opstack::rules::kReasonCount; ++i) {
    const auto reason = static_cast<opstack::rules::Reason>(i);
    rows.append("| `").append(reason_id(reason)).append("` | ").append(to_string(reason)).append(" |\n");
  }
  EXPECT_NE(testing_vectors::source_text("docs/rpc.md").find(rows + "\n"), std::string::npos) << rows;
}

TEST_F(NodeApi, the_document_of_the_rpc_has_each_event_of_the_chain_and_no_other) {
  using Kind = opstack::sync::ChainTraceKind;
  std::string rows = "| id | event |\n|---|---|\n";
  for (int i = 0; i <= static_cast<int>(Kind::denied_era); ++i) {
    const auto kind = static_cast<Kind>(i);
    rows.append("| `").append(trace_id(kind)).append("` | ").append(to_string(kind)).append(" |\n");
  }
  EXPECT_NE(testing_vectors::source_text("docs/rpc.md").find(rows + "\n"), std::string::npos) << rows;
}

TEST_F(NodeApi, every_method_that_changes_something_wants_the_token) {
  rpc_->protect("secret");
  for (const auto& [name, method] : rpc_->methods()) {
    const auto answer = text(name, json::array(method.parameters.size()));
    EXPECT_EQ(answer.find("-32001") != std::string::npos, method.access != RpcAccess::reads) << answer;
  }
}

TEST(StatusJson, has_plain_numbers) {
  StatusSnapshot status;
  for (int i = 0; i < 3; ++i) status.stats.latency.add(libp2p::Nanos(3'690'452));
  const auto told = status_json(status);
  EXPECT_EQ(told.at("latencyMs").at("p50"), 3.69);
  EXPECT_EQ(told.at("latencyMs").at("p99"), 3.69);
}

TEST(StatusJson, counts_blocks_by_the_ids_of_the_reasons) {
  StatusSnapshot status;
  status.stats.rejected.add(opstack::rules::Reason::bad_block_hash);
  status.stats.ignored.add(opstack::rules::Reason::validation_queue_full);
  const auto told = status_json(status);
  EXPECT_EQ(json::serialize(told.at("blocks").at("rejected")), R"({"bad_block_hash":1})");
  EXPECT_EQ(json::serialize(told.at("blocks").at("ignored")), R"({"validation_queue_full":1})");
}

TEST(StatusJson, counts_events_of_the_chain_by_their_ids) {
  StatusSnapshot status;
  EXPECT_EQ(json::serialize(status_json(status).at("chainEvents")), "{}");
  status.stats.chain_events[opstack::sync::ChainTraceKind::two_blocks] = 2;
  EXPECT_EQ(json::serialize(status_json(status).at("chainEvents")), R"({"two_blocks_at_height":2})");
}

}  // namespace
}  // namespace opp2p::sim

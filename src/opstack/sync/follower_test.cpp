// Server, client and follower on whole hosts in a simulated world: real Noise and Yamux over links in memory, on a virtual clock.
#include "opstack/sync/follower.hpp"

#include <gtest/gtest.h>

#include "opstack/sync/sync_server.hpp"
#include "services/identify_service.hpp"
#include "services/sim_hosts.hpp"

namespace opstack::sync {
namespace {

namespace codec = libp2p::payload_by_number;
using libp2p::Millis;
using libp2p::Seconds;
using libp2p::network::Host;
using libp2p::network::Stream;
using libp2p::runtime::Task;

constexpr std::uint64_t kGenesisTime = 1'759'990'000;  // 10,000 s before the world begins: blocks up to 5000 are due

chain::RollupConfig rollup_config() {
  chain::RollupConfig out;
  out.l2_chain_id = 901;
  out.block_time = 2;
  out.genesis.l2_time = kGenesisTime;
  out.genesis.l2.number = 0;
  out.genesis.l2.hash[0] = 0xaa;
  out.set_activation_time(chain::Fork::canyon, 0);
  out.set_activation_time(chain::Fork::ecotone, 0);
  return out;
}

// A chain of real blocks: their hashes are those of their contents.
class Chain {
 public:
  Chain(std::uint64_t length, std::size_t size) {
    Hash parent = rollup_config().genesis.l2.hash;
    libp2p::SeededRng rng(7);
    for (std::uint64_t n = 1; n <= length; ++n) {
      payload::Envelope envelope;
      envelope.parent_beacon_block_root = Hash{};
      auto& p = envelope.payload;
      p.block_number = n;
      p.parent_hash = parent;
      p.timestamp = kGenesisTime + 2 * n;
      p.gas_limit = 30'000'000;
      Bytes transaction(size);
      rng.fill(transaction);
      p.transactions.push_back(std::move(transaction));
      p.withdrawals.emplace();
      p.blob_gas_used = 0;
      p.excess_blob_gas = 0;
      p.block_hash = payload::compute_block_hash(envelope);
      parent = p.block_hash;
      blocks_.push_back(make_block(payload::Version::v3, std::make_shared<const payload::Envelope>(std::move(envelope))));
    }
  }
  const Block& at(std::uint64_t number) const { return blocks_.at(number - 1); }
  std::uint64_t length() const { return blocks_.size(); }

 private:
  std::vector<Block> blocks_;
};

// A store in memory behind the runtime's workers.
class SimStore final : public ChainStore {
 public:
  explicit SimStore(libp2p::runtime::Runtime& runtime) : runtime_(runtime) {}

  void append(Block block, Done done) override {
    auto outcome = std::make_shared<Result<void>>();
    if (failing > 0) {
      --failing;
      *outcome = libp2p::fail(Errc::io, "the disk is full");
    } else if (!blocks.empty() && block.number() != blocks.rbegin()->first + 1) {
      *outcome = libp2p::fail(Errc::mismatch, "does not connect");
    } else {
      blocks.emplace(block.number(), block);
    }
    ++sequence_;
    runtime_.post([done = std::move(done), outcome] { done(*outcome); });
  }
  void lookup(std::uint64_t number, LookupDone done) override {
    if (hanging) {
      hung.push_back(std::move(done));
      return;
    }
    auto found = std::make_shared<Result<std::optional<ServedBlock>>>(std::optional<ServedBlock>());
    if (broken) {
      *found = libp2p::fail(Errc::io, "read error");
    } else if (blocks.contains(number)) {
      *found = std::optional<ServedBlock>(ServedBlock{blocks.at(number).version, blocks.at(number).body});
    }
    runtime_.run_on_worker([] {}, [done = std::move(done), found] { done(std::move(*found)); });
  }
  void stage(std::uint64_t segment, StagedBlock block, Done done) override {
    staged[segment][block.block.number()] = std::move(block);
    ++staged_ever;
    runtime_.run_on_worker([] {}, [done = std::move(done)] { done({}); });
  }
  void read_staged(std::uint64_t segment, std::uint64_t from, std::size_t max_blocks, std::size_t max_bytes,
                   ReadDone done) override {
    auto out = std::make_shared<std::vector<StagedBlock>>();
    std::size_t bytes = 0;
    auto& table = staged[segment];
    for (std::uint64_t n = from; table.contains(n) && out->size() < max_blocks && bytes < max_bytes; ++n) {
      bytes += table[n].block.body->size();
      out->push_back(table[n]);
    }
    runtime_.run_on_worker([] {}, [done = std::move(done), out] { done(std::move(*out)); });
  }
  void drop_staged(std::uint64_t segment) override { staged.erase(segment); }

  std::map<std::uint64_t, Block> blocks;
  std::map<std::uint64_t, std::map<std::uint64_t, StagedBlock>> staged;
  std::vector<LookupDone> hung;
  std::size_t staged_ever = 0;
  int failing = 0;
  bool broken = false;
  bool hanging = false;

 private:
  libp2p::runtime::Runtime& runtime_;
  std::uint64_t sequence_ = 0;
};

// What a node adds to a host: identify, store, server, follower.
struct Node {
  Node(Host& host, const chain::RollupConfig& rollup, SyncServerConfig server_config = {}, FollowerConfig config = {})
      : identify(std::make_unique<libp2p::services::IdentifyService>(host)), store(host.runtime()) {
    server = std::make_unique<SyncServer>(host, rollup, store, server_config,
                                          [this](const ServedRequest& request) { served.push_back(request); });
    BlockRef genesis;
    genesis.number = rollup.genesis.l2.number;
    genesis.hash = rollup.genesis.l2.hash;
    FollowerEvents events;
    events.stored = [this](const PeerId& peer, const Block& block) {
      stored.push_back(block.number());
      suppliers.insert(peer);
    };
    events.sync_trace = [this](const SyncTrace& trace) { ++traces[trace.kind]; };
    events.chain_trace = [this](const ChainTrace& trace) { ++chain_traces[trace.kind]; };
    events.fault = [this](const SyncFault& fault) { faults.push_back(fault); };
    events.store_failed = [this](const BlockRef&, const Error&) { ++store_failures; };
    follower = std::make_unique<Follower>(host, rollup, store, config, genesis, std::move(events));
  }
  void hold(const Chain& chain, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t n = from; n <= to; ++n) store.blocks.emplace(n, chain.at(n));
  }

  std::unique_ptr<libp2p::services::IdentifyService> identify;
  SimStore store;
  std::vector<ServedRequest> served;
  std::vector<std::uint64_t> stored;
  std::set<PeerId> suppliers;
  std::map<SyncTraceKind, int> traces;
  std::map<ChainTraceKind, int> chain_traces;
  std::vector<SyncFault> faults;
  int store_failures = 0;
  std::unique_ptr<SyncServer> server;
  std::unique_ptr<Follower> follower;
};

Task<Result<Bytes>> ask_raw(Host& host, PeerId peer, std::string protocol, Bytes request, bool half_close) {
  std::vector<std::string> protocols;
  protocols.push_back(std::move(protocol));
  Result<Stream> opened = co_await host.open_stream(std::move(peer), std::move(protocols));
  if (!opened) co_return opened.error();
  Stream stream = std::move(*opened);
  const Result<void> sent = co_await stream.write(request);
  if (!sent) co_return sent.error();
  if (half_close) stream.close_write();
  Result<Bytes> answer = co_await stream.read_to_end(20 << 20);
  co_return answer;
}

class SyncOverHosts : public testing::Test {
 protected:
  Node& add(SyncServerConfig server_config = {}, FollowerConfig config = {}) {
    Host& host = net_.add();
    nodes_.push_back(std::make_unique<Node>(host, rollup_, server_config, config));
    return *nodes_.back();
  }
  Result<Bytes> ask(std::size_t from, std::size_t to, std::uint64_t number) {
    const auto raw = codec::encode_request(number);
    return ask_bytes(from, to, Bytes(raw.begin(), raw.end()), true);
  }
  Result<Bytes> ask_bytes(std::size_t from, std::size_t to, Bytes request, bool half_close) {
    auto answer = net_.run(from, ask_raw(net_.host(from), net_.host(to).id(), nodes_[to]->server->protocol(), std::move(request), half_close));
    return answer ? std::move(*answer) : Result<Bytes>(libp2p::fail(Errc::timed_out, "the test"));
  }
  void TearDown() override {
    nodes_.clear();
    net_.close();
  }

  libp2p::services::SimHosts net_{11};
  const chain::RollupConfig rollup_ = rollup_config();
  std::vector<std::unique_ptr<Node>> nodes_;
};

// ---- the server ----

TEST_F(SyncOverHosts, a_server_answers_with_the_block_or_with_the_code_that_fits) {
  const Chain chain(5, 100'000);
  Node& server = add();
  add();
  server.hold(chain, 1, 5);
  ASSERT_TRUE(net_.connect(1, 0));
  const auto answer = ask(1, 0, 3);
  ASSERT_TRUE(answer) << answer.error().message();
  codec::ResponseDecoder decoder;
  ASSERT_TRUE(decoder.push(*answer));
  const Answer judged = judge_answer(3, payload::Version::v3, decoder);
  ASSERT_EQ(judged.kind, AnswerKind::block) << judged.detail;
  EXPECT_EQ(*judged.block.body, *chain.at(3).body);

  EXPECT_EQ(ask(1, 0, 6).value(), Bytes{1});          // not there
  EXPECT_EQ(ask(1, 0, 5001 + 100).value(), Bytes{2});  // not due yet
  EXPECT_EQ(ask(1, 0, UINT64_MAX).value(), Bytes{2});
  EXPECT_EQ(ask_bytes(1, 0, Bytes(7, 0), true).value(), Bytes{3});
  EXPECT_EQ(ask_bytes(1, 0, Bytes(), true).value(), Bytes{3});
  server.store.broken = true;
  EXPECT_EQ(ask(1, 0, 3).value(), Bytes{3});
  ASSERT_EQ(server.served.size(), 7u);
  EXPECT_EQ(server.served[0].code, 0);
  EXPECT_TRUE(server.served[0].completed);
  EXPECT_EQ(server.served[0].number, 3u);
  EXPECT_FALSE(server.served[4].number);
}

TEST_F(SyncOverHosts, a_request_that_never_comes_ends_at_the_read_deadline) {
  add();
  add();
  ASSERT_TRUE(net_.connect(1, 0));
  const auto started = net_.world().now();
  EXPECT_EQ(ask_bytes(1, 0, Bytes(3, 0), false).value(), Bytes{3});
  const auto took = net_.world().now() - started;
  EXPECT_GE(took, Seconds(10));
  EXPECT_LT(took, Seconds(11));
}

TEST_F(SyncOverHosts, a_look_up_that_hangs_ends_with_the_budget) {
  Node& server = add();
  add();
  server.store.hanging = true;
  ASSERT_TRUE(net_.connect(1, 0));
  const auto started = net_.world().now();
  EXPECT_EQ(ask(1, 0, 3).value(), Bytes{3});
  const auto took = net_.world().now() - started;
  EXPECT_GE(took, Seconds(20));
  EXPECT_LT(took, Seconds(21));
  for (auto& late : server.store.hung) late(std::optional<ServedBlock>());  // nobody listens any more
}

TEST_F(SyncOverHosts, a_polite_peer_is_answered_at_once_while_a_greedy_one_waits) {
  const Chain chain(1, 1000);
  Node& server = add();
  add();
  add();
  server.hold(chain, 1, 1);
  ASSERT_TRUE(net_.connect(1, 0));
  ASSERT_TRUE(net_.connect(2, 0));
  libp2p::runtime::TaskScope greedy(net_.host(1).runtime());
  struct Ask {
    static Task<void> once(Host& host, PeerId peer, std::string protocol) {
      const auto raw = codec::encode_request(1);
      Bytes request(raw.begin(), raw.end());
      auto asking = ask_raw(host, std::move(peer), std::move(protocol), std::move(request), true);
      const Result<Bytes> answer = co_await asking;
      (void)answer;
    }
  };
  for (int i = 0; i < 60; ++i) greedy.spawn(Ask::once(net_.host(1), net_.host(0).id(), server.server->protocol()));
  net_.run_for(Seconds(1));
  const auto served_before = server.served.size();
  EXPECT_LT(served_before, 25u);
  const auto started = net_.world().now();
  ASSERT_GT(ask(2, 0, 1).value().size(), 5u);
  EXPECT_LT(net_.world().now() - started, Millis(500));  // a few round trips of the simulated link
  net_.run_for(Seconds(15));
  EXPECT_EQ(server.served.size(), 61u);
  for (const auto& request : server.served) EXPECT_EQ(request.code, 0) << request.why;
}

TEST_F(SyncOverHosts, without_limits_a_peer_gets_what_it_asks_for) {
  const Chain chain(1, 1000);
  SyncServerConfig config;
  config.limits.rate_limited = false;
  Node& server = add(config);
  add();
  server.hold(chain, 1, 1);
  ASSERT_TRUE(net_.connect(1, 0));
  const auto started = net_.world().now();
  for (int i = 0; i < 100; ++i) ASSERT_GT(ask(1, 0, 1).value().size(), 5u);
  EXPECT_LT(net_.world().now() - started, Seconds(20));
}

// ---- the whole way ----

TEST_F(SyncOverHosts, a_late_joiner_fetches_every_earlier_block_backwards) {
  const Chain chain(200, 2000);
  Node& first = add();
  Node& second = add();
  Node& late = add();
  first.hold(chain, 1, 200);
  second.hold(chain, 1, 200);
  ASSERT_TRUE(net_.connect(2, 0));
  ASSERT_TRUE(net_.connect(2, 1));
  late.follower->on_unsafe_payload(net_.host(0).id(), chain.at(150).envelope);
  net_.run_for(Seconds(10));
  for (std::uint64_t n = 151; n <= 200; ++n) late.follower->on_unsafe_payload(net_.host(0).id(), chain.at(n).envelope);
  net_.run_for(Seconds(40));
  ASSERT_EQ(late.store.blocks.size(), 200u);
  for (std::uint64_t n = 1; n <= 200; ++n) {
    EXPECT_EQ(*late.store.blocks.at(n).body, *chain.at(n).body);
    EXPECT_EQ(late.stored.at(n - 1), n);
  }
  EXPECT_EQ(late.follower->stored_head()->number, 200u);
  EXPECT_EQ(late.store.staged_ever, 149u);
  EXPECT_TRUE(late.store.staged.empty());
  EXPECT_TRUE(late.faults.empty());
  EXPECT_EQ(late.suppliers.size(), 2u);  // both were asked
}

TEST_F(SyncOverHosts, a_lost_block_is_fetched_within_seconds) {
  const Chain chain(10, 500);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 10);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  for (const std::uint64_t n : {1u, 2u, 4u}) node.follower->on_unsafe_payload(net_.host(0).id(), chain.at(n).envelope);
  net_.run_for(Seconds(2));
  EXPECT_EQ(node.follower->stored_head()->number, 4u);
}

TEST_F(SyncOverHosts, liars_do_not_keep_the_chain_from_being_completed_and_are_named) {
  const Chain chain(60, 500);
  chain::RollupConfig other_rollup = rollup_;
  Node& honest = add();
  Node& liar = add();
  Node& node = add();
  honest.hold(chain, 1, 60);
  for (std::uint64_t n = 1; n <= 59; ++n) liar.store.blocks.emplace(n, chain.at(n + 1));  // always the wrong number
  ASSERT_TRUE(net_.connect(2, 0));
  ASSERT_TRUE(net_.connect(2, 1));
  net_.run_for(Seconds(1));
  node.follower->on_unsafe_payload(net_.host(0).id(), chain.at(60).envelope);
  net_.run_for(Seconds(60));
  EXPECT_EQ(node.follower->stored_head()->number, 60u);
  ASSERT_FALSE(node.faults.empty());
  for (const auto& fault : node.faults) {
    EXPECT_EQ(fault.peer, net_.host(1).id());
    EXPECT_EQ(fault.kind, SyncFaultKind::wrong_number);
  }
}

Task<void> swallow(Stream stream) {
  Bytes buffer(100);
  while (true) {
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got) co_return;
    if (*got == 0) break;
  }
  const Result<Bytes> never = co_await stream.read_to_end(1);
  (void)never;
  Bytes one{0};
  const Result<void> head = co_await stream.write(one);
  (void)head;
  libp2p::runtime::Task<Result<std::size_t>> more = stream.read_some(buffer);
  const Result<std::size_t> end = co_await more;
  (void)end;
}

TEST_F(SyncOverHosts, a_peer_that_breaks_off_is_paused_and_another_is_asked) {
  const Chain chain(10, 500);
  Node& honest = add();
  Node& breaking = add();
  Node& node = add();
  honest.hold(chain, 1, 10);
  breaking.hold(chain, 1, 10);
  net_.host(1).set_stream_handler(breaking.server->protocol(), swallow);
  ASSERT_TRUE(net_.connect(2, 0));
  ASSERT_TRUE(net_.connect(2, 1));
  net_.run_for(Seconds(1));
  node.follower->on_unsafe_payload(net_.host(0).id(), chain.at(10).envelope);
  net_.run_for(Seconds(40));
  EXPECT_EQ(node.follower->stored_head()->number, 10u);
}

TEST_F(SyncOverHosts, a_peer_that_does_not_speak_the_protocol_is_not_asked) {
  const Chain chain(10, 500);
  Host& plain = net_.add();
  nodes_.push_back(nullptr);
  libp2p::services::IdentifyService identify(plain);
  Node& node = add();
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(5));
  EXPECT_EQ(node.follower->client()->scheduler().peers(), 0u);
  node.follower->on_unsafe_payload(plain.id(), chain.at(10).envelope);
  net_.run_for(Seconds(10));
  EXPECT_GE(node.traces[SyncTraceKind::no_free_peer], 1);
}

TEST_F(SyncOverHosts, a_peer_that_identify_says_nothing_about_is_tried) {
  const Chain chain(10, 500);
  Node& server = add();
  server.identify.reset();
  server.hold(chain, 1, 10);
  Node& node = add();
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.follower->on_unsafe_payload(net_.host(0).id(), chain.at(10).envelope);
  net_.run_for(Seconds(20));
  EXPECT_EQ(node.follower->stored_head()->number, 10u);
}

TEST_F(SyncOverHosts, a_lost_connection_and_a_new_one_in_the_middle_of_a_gap_cost_nothing_but_time) {
  const Chain chain(120, 2000);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 120);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.follower->on_unsafe_payload(net_.host(0).id(), chain.at(120).envelope);
  net_.run_for(Seconds(6));
  EXPECT_LT(node.stored.size(), 119u);
  net_.disconnect(1, 0);
  net_.run_for(Seconds(5));
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(60));
  EXPECT_EQ(node.follower->stored_head()->number, 120u);
  EXPECT_TRUE(node.faults.empty());
}

TEST_F(SyncOverHosts, what_the_store_refuses_is_not_ours_and_comes_again) {
  const Chain chain(10, 500);
  Node& server = add();
  Node& node = add();
  server.hold(chain, 1, 10);
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  node.store.failing = 1;
  std::vector<bool> outcomes;
  for (std::uint64_t n = 1; n <= 3; ++n)
    node.follower->submit(PeerId(), chain.at(n), [&](const Result<void>& r) { outcomes.push_back(static_cast<bool>(r)); });
  net_.run_for(Millis(100));
  EXPECT_EQ(outcomes, (std::vector<bool>{false, false, false}));
  EXPECT_EQ(node.store_failures, 1);
  EXPECT_EQ(node.follower->stored_head()->number, 0u);
  EXPECT_TRUE(node.stored.empty());
  node.store.blocks.clear();  // what the model of a store took after the failure
  node.follower->on_unsafe_payload(PeerId(), chain.at(5).envelope);
  net_.run_for(Seconds(10));
  EXPECT_EQ(node.follower->stored_head()->number, 5u);
}

TEST_F(SyncOverHosts, a_submitted_block_is_answered_when_it_is_stored_and_refused_when_it_cannot_be) {
  const Chain chain(10, 500);
  Node& node = add();
  std::vector<Result<void>> outcomes;
  const auto note = [&](Result<void> r) { outcomes.push_back(std::move(r)); };
  node.follower->submit(PeerId(), chain.at(1), note);
  EXPECT_TRUE(outcomes.empty());
  net_.run_for(Millis(10));
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_TRUE(outcomes[0]);
  node.follower->submit(PeerId(), chain.at(1), note);  // again
  node.follower->submit(PeerId(), chain.at(5), note);  // above a gap
  payload::Envelope second = *chain.at(1).envelope;
  second.payload.gas_used = 1;
  second.payload.block_hash = payload::compute_block_hash(second);
  node.follower->submit(PeerId(), make_block(payload::Version::v3, std::make_shared<const payload::Envelope>(second)), note);
  ASSERT_EQ(outcomes.size(), 4u);
  EXPECT_TRUE(outcomes[1]);
  EXPECT_TRUE(outcomes[2].error() == Errc::would_block);
  EXPECT_TRUE(outcomes[3].error() == Errc::mismatch);
  EXPECT_EQ(node.chain_traces[ChainTraceKind::conflict], 1);
}

TEST_F(SyncOverHosts, everything_ends_with_its_owner) {
  const Chain chain(50, 500);
  {
    Node& server = add();
    Node& node = add();
    server.hold(chain, 1, 50);
    ASSERT_TRUE(net_.connect(1, 0));
    net_.run_for(Seconds(1));
    node.follower->on_unsafe_payload(net_.host(0).id(), chain.at(50).envelope);
    net_.run_for(Seconds(2));  // in the middle
    ASSERT_TRUE(net_.run(1, node.follower->close()));
    ASSERT_TRUE(net_.run(0, server.server->close()));
  }
  nodes_.clear();
  net_.run_for(Seconds(30));
  EXPECT_EQ(libp2p::live<Follower>(), 0);
  EXPECT_EQ(libp2p::live<SyncClient>(), 0);
  EXPECT_EQ(libp2p::live<SyncServer>(), 0);
}

}  // namespace
}  // namespace opstack::sync

// The follower over simulated hosts: real blocks, real requests, and the plain store of chain_world_test.hpp behind the
// runtime's queue. What the chain decides is tested beside it (unsafe_chain_test.cpp).
#include "opstack/sync/drive/follower.hpp"

#include "opstack/sync/drive/sync_hosts_test.hpp"
#include "opstack/sync/engine/chain_world_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_hosts;

// Answers from the queue, in the order of the calls.
class PostedStore final : public ChainStore {
 public:
  PostedStore(libp2p::runtime::Runtime& runtime, const std::optional<BlockRef>& start)
      : model(start), runtime_(runtime) {}
  void keep(Block block, std::optional<Attestation> attestation, bool extends_head, KeepDone done) override {
    calls.push_back("keep " + std::to_string(block.number()));
    answer(std::move(done), [this, block, attestation, extends_head]() -> Result<KeptBlock> {
      if (failing) return libp2p::fail(Errc::io, "the disk is full");
      return model.keep(block, attestation, extends_head);
    });
  }
  void start_at(const BlockRef& genesis, std::uint64_t timestamp, KeepDone done) override {
    answer(std::move(done), [this, genesis, timestamp] { return model.start_at(genesis, timestamp); });
  }
  void move_head(const HeadMove& move, MoveDone done) override {
    answer(std::move(done), [this, move] { return model.move_head(move); });
  }
  void open_era(const rules::Address& signer, libp2p::UnixTime now, EraDone done) override {
    calls.emplace_back("era");
    answer(std::move(done), [this, signer, now] { return model.open_era(signer, now); });
  }
  void descend(const BlockRef& from, DescendDone done) override {
    answer(std::move(done), [this, from] { return model.descend(from); });
  }
  void view(std::size_t window, ViewDone done) override {
    answer(std::move(done), [this, window] { return Result<ChainView>(model.view(window)); });
  }
  std::unique_ptr<libp2p::runtime::Operation> lookup(std::uint64_t, LookupDone) override { return nullptr; }

  testing_chain::ModelStore model;
  std::vector<std::string> calls;
  bool failing = false;

 private:
  template <class Done, class Function>
  void answer(Done done, Function function) {
    runtime_.post([done = std::move(done), function = std::move(function)] { done(function()); });
  }
  libp2p::runtime::Runtime& runtime_;
};

class FollowerOverHosts : public SyncOverHosts {
 protected:
  // A host with a follower; hosts of add() serve.
  void follow(FollowerConfig config = {}) {
    Host& host = net_.add();
    identify_ = std::make_unique<libp2p::IdentifyService>(host);
    BlockRef genesis;
    genesis.hash = rollup_.genesis.l2.hash;
    genesis.parent_hash.fill(0xee);
    store_ = std::make_unique<PostedStore>(host.runtime(), genesis);
    follower_ = std::make_unique<Follower>(host, rollup_, *store_, config, store_->model.view(1024));
    events_ = follower_->subscribe(
        [this](const FollowerEvent& event) { std::visit([this](const auto& kind) { on(kind); }, event); });
    net_.world().check_after_events(net_.node(net_.size() - 1).index(), [this] {
      if (follower_) follower_->check();
    });
    follower_->set_signer(signer_);
  }
  void TearDown() override {
    events_.reset();
    follower_.reset();
    store_.reset();
    identify_.reset();
    SyncOverHosts::TearDown();
  }
  void gossip(const Block& block) { follower_->on_block(PeerId(), block, {}, signer_); }
  std::uint64_t head() const { return follower_->stored_head()->number; }
  void on(const BlockStored& event) { stored_.push_back(event.block.number()); }
  void on(const GapSourcesChanged& event) { sources_.push_back(event.can_ask); }
  void on(const SyncTrace& trace) {
    if (trace.kind == SyncTraceKind::range_requested) checks_.push_back(trace);
    if (trace.kind == SyncTraceKind::range_left_open) left_open_.push_back(trace);
  }
  void on(const ChainTrace& trace) { chain_traces_.push_back(trace); }
  template <class Other>
  void on(const Other&) {}
  Result<void> own(const Block& block) {
    std::optional<Result<void>> out;
    follower_->on_own_block(block, {}, signer_, [&out](Result<void> outcome) { out = std::move(outcome); });
    net_.run_for(Millis(100));
    return out ? *out : Result<void>(libp2p::fail(Errc::timed_out, "the test"));
  }

  const rules::Address signer_{1};
  std::unique_ptr<libp2p::IdentifyService> identify_;
  std::unique_ptr<PostedStore> store_;
  std::unique_ptr<Follower> follower_;
  libp2p::Subscription events_;
  std::vector<std::uint64_t> stored_;
  std::vector<bool> sources_;
  std::vector<SyncTrace> checks_, left_open_;
  std::vector<ChainTrace> chain_traces_;
};

TEST_F(FollowerOverHosts, what_the_chain_says_of_blocks_reaches_who_listens) {
  const Chain chain(10, 500);
  follow();
  net_.run_for(Millis(100));
  gossip(chain.at(4));
  ASSERT_FALSE(chain_traces_.empty());
  EXPECT_EQ(chain_traces_[0].kind, ChainTraceKind::waiting);
  EXPECT_EQ(chain_traces_[0].number, 4u);
  net_.run_for(Millis(100));  // the store answers
}

TEST(StartingPoint, is_genesis_as_long_as_sources_can_reach_it) {
  chain::RollupConfig rollup;
  rollup.genesis.l2.number = 7;
  rollup.genesis.l2_time = 1000;
  const auto start = [&](std::int64_t now) {
    return starting_point(rollup, libp2p::from_unix_seconds(now), Seconds(100));
  };
  EXPECT_EQ(start(1100)->number, 7u);
  EXPECT_FALSE(start(1101));
  EXPECT_EQ(start(0)->number, 7u);
}

TEST_F(FollowerOverHosts, a_late_joiner_fetches_every_earlier_block_backwards) {
  const Chain chain(200, 2000);
  Node& first = add();
  Node& second = add();
  first.hold(chain, 1, 200);
  second.hold(chain, 1, 200);
  follow();
  ASSERT_TRUE(net_.connect(2, 0));
  ASSERT_TRUE(net_.connect(2, 1));
  gossip(chain.at(150));
  net_.run_for(Seconds(10));
  for (std::uint64_t n = 151; n <= 200; ++n) gossip(chain.at(n));
  net_.run_for(Seconds(40));
  EXPECT_EQ(head(), 200u);
  EXPECT_EQ(store_->model.canonical().size(), 201u);
  EXPECT_EQ(follower_->chain().holes(), 0u);
  EXPECT_GT(first.served.size(), 0u);
  EXPECT_GT(second.served.size(), 0u) << "both were asked";
  EXPECT_EQ(follower_->client()->scheduler().memory_bytes(), 0u) << "what was delivered is written";
}

TEST_F(FollowerOverHosts, a_lost_block_is_left_to_gossip_for_a_second_and_then_fetched) {
  const Chain chain(10, 500);
  add().hold(chain, 1, 10);
  follow();
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(1));
  for (const std::uint64_t n : {1u, 2u, 4u}) gossip(chain.at(n));
  net_.run_for(Millis(900));
  EXPECT_EQ(head(), 2u);
  net_.run_for(Millis(600));
  EXPECT_EQ(head(), 4u);
}

TEST_F(FollowerOverHosts, looks_for_a_gap_every_two_block_times_counted_from_the_last_head) {
  const Chain chain(40, 500);
  follow();
  net_.run_for(Seconds(3));
  gossip(chain.at(1));
  net_.run_for(Millis(3900));
  EXPECT_EQ(checks_.size(), 0u);
  net_.run_for(Millis(200));
  ASSERT_EQ(checks_.size(), 1u);
  EXPECT_EQ(checks_[0].start, 1u);
  EXPECT_EQ(checks_[0].end, std::nullopt) << "without a target the request is open-ended";
  gossip(chain.at(30));
  net_.run_for(Seconds(4));
  ASSERT_EQ(checks_.size(), 2u);
  EXPECT_EQ(checks_[1].start, 1u);
  EXPECT_EQ(checks_[1].end, 30u);
  EXPECT_EQ(checks_[1].size, 28u);
}

TEST_F(FollowerOverHosts, an_own_block_is_answered_when_it_is_stored_and_refused_when_the_disk_fails) {
  const Chain chain(3, 500);
  follow();
  EXPECT_TRUE(own(chain.at(1)));
  EXPECT_EQ(head(), 1u);
  EXPECT_TRUE(own(chain.at(1))) << "it is stored already";
  store_->failing = true;
  EXPECT_EQ(own(chain.at(2)).error().code(), Errc::io);
  store_->failing = false;
  net_.run_for(Seconds(2));
  EXPECT_EQ(head(), 1u) << "who publishes tries again; the node does not";
  EXPECT_TRUE(own(chain.at(2)));
  EXPECT_EQ(head(), 2u);
}

TEST_F(FollowerOverHosts, an_era_is_stored_before_its_first_block) {
  const Chain chain(2, 500);
  follow();
  gossip(chain.at(1));
  net_.run_for(Seconds(1));
  follower_->set_signer(rules::Address{2});
  follower_->on_block(PeerId(), chain.at(2), {}, rules::Address{2});
  net_.run_for(Seconds(1));
  EXPECT_EQ(store_->calls, (std::vector<std::string>{"era", "keep 1", "era", "keep 2"}));
  EXPECT_EQ(store_->model.blocks().at(chain.at(2).hash()).attestation->era, 2u);
}

TEST_F(FollowerOverHosts, that_nobody_can_be_asked_is_told_once_and_so_is_its_end) {
  const Chain chain(40, 500);
  add().hold(chain, 1, 40);
  follow();
  gossip(chain.at(30));
  net_.run_for(Seconds(5));
  EXPECT_EQ(sources_, std::vector<bool>{false});
  ASSERT_TRUE(net_.connect(1, 0));
  net_.run_for(Seconds(30));
  EXPECT_EQ(sources_, (std::vector<bool>{false, true}));
  EXPECT_EQ(head(), 30u);
}

TEST_F(FollowerOverHosts, with_reverse_sync_switched_off_a_gap_is_told_and_the_head_moves_after_ten_seconds) {
  const Chain chain(40, 500);
  FollowerConfig config;
  config.req_resp = false;
  follow(config);
  gossip(chain.at(30));
  net_.run_for(Seconds(8));
  ASSERT_GE(left_open_.size(), 1u);
  EXPECT_EQ(left_open_[0].end, 30u);
  EXPECT_EQ(head(), 0u);
  net_.run_for(Seconds(3));
  EXPECT_EQ(head(), 30u);
}

}  // namespace
}  // namespace opstack::sync

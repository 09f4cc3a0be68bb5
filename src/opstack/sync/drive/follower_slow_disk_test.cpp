// The follower over a slow disk, with real requests to simulated hosts: a disk that stalls, and one whose writes take
// long. The rest of the follower: follower_test.cpp.
#include "opstack/sync/drive/follower.hpp"
#include "opstack/sync/drive/sync_hosts_test.hpp"
#include "opstack/sync/engine/chain_world_test.hpp"

namespace opstack::sync {
namespace {

using namespace testing_hosts;

// Answers each call after a delay, in the order of the calls; or when the disk does not stall any more.
class SlowStore final : public ChainStore {
 public:
  SlowStore(libp2p::runtime::Runtime& runtime, const BlockRef& genesis, Nanos delay)
      : model(genesis), runtime_(runtime), delay_(delay) {}
  void keep(Block block, std::optional<Attestation> attestation, bool extends_head, KeepDone done) override {
    answer(std::move(done),
           [this, block, attestation, extends_head] { return model.keep(block, attestation, extends_head); });
  }
  void start_at(const BlockRef& genesis, std::uint64_t timestamp, KeepDone done) override {
    answer(std::move(done), [this, genesis, timestamp] { return model.start_at(genesis, timestamp); });
  }
  void move_head(const HeadMove& move, MoveDone done) override {
    answer(std::move(done), [this, move] { return model.move_head(move); });
  }
  void open_era(const rules::Address& signer, libp2p::UnixTime now, EraDone done) override {
    answer(std::move(done), [this, signer, now] { return model.open_era(signer, now); });
  }
  void descend(const BlockRef& from, DescendDone done) override {
    answer(std::move(done), [this, from] { return model.descend(from); });
  }
  void view(std::size_t window, ViewDone done) override {
    answer(std::move(done), [this, window] { return Result<ChainView>(model.view(window)); });
  }
  std::unique_ptr<libp2p::runtime::Operation> lookup(std::uint64_t, LookupDone) override { return nullptr; }

  void stall() { stalls_ = true; }
  void go_on() {
    stalls_ = false;
    for (auto& call : stalled_) runtime_.post(life_.guard(std::move(call)));
    stalled_.clear();
  }

  testing_chain::ModelStore model;

 private:
  template <class Done, class Function>
  void answer(Done done, Function function) {
    auto call = [done = std::move(done), function = std::move(function)] { done(function()); };
    if (stalls_) {
      stalled_.emplace_back(std::move(call));
    } else if (delay_ == Nanos(0)) {
      runtime_.post(life_.guard(std::move(call)));
    } else {
      timers_.push_back(runtime_.make_timer(std::move(call)));
      timers_.back()->arm(runtime_.now().mono + delay_);
    }
  }

  libp2p::runtime::Runtime& runtime_;
  const Nanos delay_;
  bool stalls_ = false;
  std::vector<std::function<void()>> stalled_;
  std::vector<std::unique_ptr<libp2p::runtime::Timer>> timers_;
  libp2p::LifeToken life_;
};

class FollowerOverSlowDisk : public SyncOverHosts {
 protected:
  // A host with a follower.
  struct Following {
    Following(Host& host_of, const chain::RollupConfig& rollup, Nanos delay, FollowerConfig config)
        : host(host_of),
          identify(host),
          store(host.runtime(), genesis_of(rollup), delay),
          follower(host, rollup, store, config, store.model.view(1024)) {
      follower.set_signer(rules::Address{1});
    }
    static BlockRef genesis_of(const chain::RollupConfig& rollup) {
      BlockRef out;
      out.hash = rollup.genesis.l2.hash;
      out.parent_hash.fill(0xee);
      return out;
    }
    void gossip(const Block& block) { follower.on_block(PeerId(), block, {}, rules::Address{1}); }
    bool has_all_up_to(std::uint64_t number) const {
      return follower.stored_head()->number >= number && follower.chain().holes() == 0;
    }
    Host& host;
    libp2p::IdentifyService identify;
    SlowStore store;
    Follower follower;
  };

  // Hosts that have the whole chain.
  void serve(const Chain& chain, std::size_t servers) {
    SyncServerConfig config;
    config.limits.rate_limited = false;
    for (std::size_t i = 0; i < servers; ++i) add(config).hold(chain, 1, chain.length());
  }
  // Connected to all of them.
  Following& follow(Nanos delay, FollowerConfig config = {}) {
    const std::size_t at = net_.size();
    following_.push_back(std::make_unique<Following>(net_.add(), rollup_, delay, config));
    net_.world().check_after_events(net_.node(at).index(), [this, i = following_.size() - 1] {
      if (i < following_.size()) following_[i]->follower.check();
    });
    for (std::size_t i = 0; i < nodes_.size(); ++i) EXPECT_TRUE(net_.connect(at, i));
    net_.run_for(Seconds(5));
    return *following_.back();
  }
  // How long it takes until the head is that block or a higher one, and nothing is missing below it; at most five
  // minutes.
  Nanos time_to_fill(const Following& at, std::uint64_t number) {
    const auto begin = net_.host(0).runtime().now().mono;
    const auto passed = [&] { return net_.host(0).runtime().now().mono - begin; };
    while (passed() < kLongest && !at.has_all_up_to(number)) net_.run_for(Millis(50));
    return passed();
  }
  void TearDown() override {
    following_.clear();
    SyncOverHosts::TearDown();
  }

  static constexpr Nanos kLongest = Seconds(300);
  std::vector<std::unique_ptr<Following>> following_;
};

TEST_F(FollowerOverSlowDisk, a_fetched_block_that_found_no_room_in_memory_while_the_disk_stalled_is_fetched_again) {
  const Chain chain(402, 100'000);
  serve(chain, 2);
  FollowerConfig config;
  config.memory = 2 << 20;
  Following& node = follow(Nanos(0), config);
  node.gossip(chain.at(390));
  net_.run_for(Millis(20));
  node.store.stall();
  for (std::uint64_t n = 391; n <= 402; ++n) node.gossip(chain.at(n));
  std::size_t most = 0;
  for (int i = 0; i < 60; ++i) {
    net_.run_for(Millis(50));
    most = std::max(most, node.follower.client()->scheduler().memory_bytes());
  }
  EXPECT_LE(most, config.memory / 2 + 110'000) << "the other half is the chain's";
  EXPECT_LT(node.follower.stored_head()->number, 390u);
  node.store.go_on();
  EXPECT_LT(time_to_fill(node, 390), kLongest);
}

// Who is asked next does not depend on what is written.
TEST_F(FollowerOverSlowDisk, a_gap_fills_in_less_than_half_as_much_time_again_when_a_write_takes_100_ms) {
  const Chain chain(400, 500);
  serve(chain, 6);
  Following& fast = follow(Nanos(0));
  fast.gossip(chain.at(400));
  const Nanos needed = time_to_fill(fast, 400);
  ASSERT_LT(needed, kLongest);
  Following& slow = follow(Millis(100));
  slow.gossip(chain.at(400));
  EXPECT_LT(time_to_fill(slow, 400), needed + needed / 2);
}

}  // namespace
}  // namespace opstack::sync

#include "opp2p/rpc/rpc_snapshots.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "libp2p/crypto/keys.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace opp2p {
namespace {

using libp2p::Micros;
using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::PeerId;
using libp2p::runtime::Timer;

// A runtime whose clock moves with the work that is done, and whose queue runs when the test says.
class CountingRuntime final : public libp2p::runtime::Runtime {
 public:
  class CountingTimer final : public Timer {
   public:
    CountingTimer(CountingRuntime& runtime, std::function<void()> fire) : runtime_(runtime), fire_(std::move(fire)) {
      runtime_.timers.push_back(this);
    }
    ~CountingTimer() override { std::erase(runtime_.timers, this); }
    void arm(MonoTime deadline) override { deadline_ = deadline; }
    void disarm() override { deadline_.reset(); }
    std::optional<MonoTime> deadline_;
    CountingRuntime& runtime_;
    std::function<void()> fire_;
  };

  libp2p::Now now() const override { return {clock, libp2p::UnixTime{}}; }
  libp2p::Rng& rng() override { return random; }
  void post(std::function<void()> task) override { tasks.push_back(std::move(task)); }
  std::unique_ptr<Timer> make_timer(std::function<void()> fire) override {
    return std::make_unique<CountingTimer>(*this, std::move(fire));
  }
  libp2p::Result<std::unique_ptr<libp2p::runtime::Listener>> listen(
      const libp2p::runtime::Endpoint&, std::function<void(std::unique_ptr<libp2p::runtime::Socket>)>) override {
    return libp2p::fail(libp2p::Errc::unsupported, "no sockets");
  }
  std::unique_ptr<libp2p::runtime::Operation> connect(
      const libp2p::runtime::Endpoint&,
      std::function<void(libp2p::Result<std::unique_ptr<libp2p::runtime::Socket>>)>) override {
    return nullptr;
  }
  std::unique_ptr<libp2p::runtime::Operation> resolve(
      const std::string&, libp2p::runtime::Family,
      std::function<void(libp2p::Result<std::vector<std::string>>)>) override {
    return nullptr;
  }
  void run_on_worker(std::function<void()> work, std::function<void()> done) override {
    work();
    done();
  }

  // Runs what is queued and what is due; answers how long the longest task took.
  Nanos run() {
    Nanos longest{};
    for (;;) {
      const auto begun = clock;
      if (!tasks.empty()) {
        auto task = std::move(tasks.front());
        tasks.pop_front();
        task();
      } else if (!fire_next()) {
        return longest;
      }
      longest = std::max(longest, clock - begun - waited);
      waited = Nanos{};
    }
  }

  bool fire_next() {
    for (auto* timer : timers) {
      if (!timer->deadline_) continue;
      waited = std::max(Nanos{}, *timer->deadline_ - clock);
      clock += waited;
      timer->deadline_.reset();
      timer->fire_();
      return true;
    }
    return false;
  }

  MonoTime clock{libp2p::Seconds(1)};
  Nanos waited{};
  libp2p::SeededRng random{1};
  std::deque<std::function<void()>> tasks;
  std::vector<CountingTimer*> timers;
};

// Each snapshot of a peer costs 20 us.
class FakeNode final : public SnapshotSource {
 public:
  FakeNode(CountingRuntime& runtime, std::size_t peers) : runtime_(runtime) {
    for (std::size_t i = 0; i < peers; ++i) {
      libp2p::Bytes id{0x12, 0x20};
      id.resize(34);
      id[32] = static_cast<std::uint8_t>(i >> 8);
      id[33] = static_cast<std::uint8_t>(i);
      list_.ids.push_back(PeerId::from_bytes(id).value());
    }
    list_.connected = 3;
  }
  PeerSnapshot self() const override { return of(list_.ids.front()); }
  PeerList list_peers(bool) const override { return list_; }
  PeerSnapshot snapshot_of(const PeerId& peer, const PeerList&) const override { return of(peer); }
  PeerStatsSnapshot peer_stats() const override { return {}; }
  StatusSnapshot status() const override {
    StatusSnapshot out;
    out.peer_id = list_.ids.front();
    out.head_number = head;
    runtime_.clock += Micros(20);
    return out;
  }
  PeerSnapshot of(const PeerId& peer) const {
    runtime_.clock += Micros(20);
    PeerSnapshot out;
    out.id = peer;
    out.user_agent = agent;
    if (!protocols.empty()) out.protocols = protocols;
    return out;
  }
  std::uint64_t head = 1;
  std::string agent = "optimism";
  std::vector<std::string> protocols;

 private:
  CountingRuntime& runtime_;
  PeerList list_;
};

class RpcSnapshotsTest : public testing::Test {
 protected:
  // Runs both threads until nothing is left; answers the longest turn of the network thread.
  Nanos run() {
    Nanos longest{};
    do {
      while (!rpc_tasks_.empty()) {
        auto task = std::move(rpc_tasks_.front());
        rpc_tasks_.pop_front();
        task();
      }
      longest = std::max(longest, runtime_.run());
    } while (!rpc_tasks_.empty());
    return longest;
  }
  void ask(SnapshotKind kind) {
    snapshots_.ask(kind, [this](const RpcReply& reply) { replies_.push_back(reply); });
  }
  std::string text(std::size_t index) const {
    const auto& reply = replies_.at(index);
    if (const auto* error = std::get_if<RpcError>(&reply)) return error->message;
    if (const auto* made = std::get_if<RpcText>(&reply)) return made->joined();
    return json::serialize(std::get<json::value>(reply));
  }

  CountingRuntime runtime_;
  FakeNode node_{runtime_, 1001};
  std::deque<std::function<void()>> rpc_tasks_;
  SharedAccount memory_ = std::make_shared<libp2p::MemoryAccount>(4 << 20);
  RpcSnapshots snapshots_{
      runtime_, node_, [this](std::function<void()> task) { rpc_tasks_.push_back(std::move(task)); }, memory_, 2 << 20};
  std::vector<RpcReply> replies_;
};

TEST_F(RpcSnapshotsTest, a_thousand_peers_are_taken_in_short_turns) {
  ask(SnapshotKind::all_peers);
  const auto longest = run();
  ASSERT_EQ(replies_.size(), 1u);
  const auto dump = json::parse(text(0)).as_object();
  EXPECT_EQ(dump.at("peers").as_object().size(), 1001u);
  EXPECT_EQ(dump.at("totalConnected"), 3);
  EXPECT_LE(longest, RpcSnapshots::kTurn + Micros(20));
  EXPECT_EQ(snapshots_.taken(), 1u);
  EXPECT_GE(snapshots_.turns(), 1001u * 20 / 320);
}

TEST_F(RpcSnapshotsTest, turns_take_a_tenth_of_the_network_threads_time) {
  const auto begun = runtime_.clock;
  ask(SnapshotKind::all_peers);
  for (int i = 0; i < 100; ++i) ask(SnapshotKind::status);
  run();
  EXPECT_GE(runtime_.clock - begun, 9 * 1001 * Micros(20));
}

TEST_F(RpcSnapshotsTest, five_thousand_requests_that_wait_share_two_snapshots) {
  for (int i = 0; i < 5000; ++i) ask(SnapshotKind::status);
  run();
  EXPECT_EQ(replies_.size(), 5000u);
  EXPECT_EQ(snapshots_.taken(), 2u);  // one for the first, one for those that came while it waited
}

TEST_F(RpcSnapshotsTest, an_answer_is_never_older_than_its_question) {
  ask(SnapshotKind::status);
  runtime_.run();  // it is taken
  node_.head = 2;
  ask(SnapshotKind::status);
  run();
  EXPECT_NE(text(0).find(R"("number":1)"), std::string::npos);
  EXPECT_NE(text(1).find(R"("number":2)"), std::string::npos);
}

TEST_F(RpcSnapshotsTest, a_dump_that_is_too_large_is_a_clear_error_and_stops_early) {
  node_.protocols.assign(100, std::string(200, 'p'));
  ask(SnapshotKind::all_peers);
  run();
  EXPECT_NE(text(0).find("2097152 bytes"), std::string::npos) << text(0);
  EXPECT_NE(text(0).find("opp2p_peers(true)"), std::string::npos);
  EXPECT_LE(snapshots_.turns(), 10u);
  EXPECT_EQ(memory_->used(), 0u);
}

TEST_F(RpcSnapshotsTest, a_dump_asks_for_memory_and_gives_it_back) {
  ask(SnapshotKind::all_peers);
  run();
  EXPECT_GT(memory_->used(), text(0).size() / 2);
  replies_.clear();
  EXPECT_EQ(memory_->used(), 0u);
  ASSERT_TRUE(memory_->try_take(memory_->limit()));
  ask(SnapshotKind::all_peers);
  run();
  EXPECT_NE(text(0).find("fill its memory"), std::string::npos);
  memory_->give(memory_->limit());
}

TEST_F(RpcSnapshotsTest, after_the_stop_the_node_is_not_asked) {
  ask(SnapshotKind::all_peers);
  snapshots_.stop();
  run();
  EXPECT_TRUE(replies_.empty());
  EXPECT_EQ(snapshots_.taken(), 0u);
}

TEST_F(RpcSnapshotsTest, a_turn_that_comes_after_its_end_asks_nobody) {
  auto gone = std::make_unique<RpcSnapshots>(
      runtime_, node_, [this](std::function<void()> task) { rpc_tasks_.push_back(std::move(task)); }, memory_, 2 << 20);
  gone->ask(SnapshotKind::status, [this](const RpcReply& reply) { replies_.push_back(reply); });
  gone.reset();
  runtime_.run();
  EXPECT_TRUE(rpc_tasks_.empty());
  EXPECT_TRUE(replies_.empty());
}

TEST_F(RpcSnapshotsTest, a_dump_of_peers_that_say_anything_is_json_and_bounded) {
  node_.agent = "caf\xe9/1\x1b\x9b" + std::string(100'000, '\xe9');
  node_.protocols = {"\xed\xa0\x80", "op-node/\xc3\xa4", "\"\\\n"};
  ask(SnapshotKind::connected_peers);
  run();
  const auto peers = json::parse(text(0)).at("peers").as_object();  // strict: no invalid UTF-8
  const auto& peer = peers.begin()->value();
  EXPECT_TRUE(peer.at("userAgent").as_string().starts_with("caf\xef\xbf\xbd/1\\u001b\xef\xbf\xbd"));
  EXPECT_LT(peer.at("userAgent").as_string().size(), kMaxPeerText + 40);
  EXPECT_EQ(peer.at("protocols").at(0), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(peer.at("protocols").at(1), "op-node/\xc3\xa4");
  EXPECT_EQ(peer.at("protocols").at(2), "\"\\\\u000a");
}

}  // namespace
}  // namespace opp2p

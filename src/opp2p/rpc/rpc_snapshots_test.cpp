#include "opp2p/rpc/rpc_snapshots.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "libp2p/runtime/runtime.hpp"

namespace opp2p {
namespace {

using libp2p::Micros;
using libp2p::MonoTime;
using libp2p::Nanos;
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

// A question of one value that costs 20 us, and a list whose items cost 20 us each.
struct Source {
  CountingRuntime& runtime;
  std::size_t items = 1001;
  int head = 1;
  std::string item = "item";

  int take() {
    runtime.clock += Micros(20);
    return head;
  }
};

struct SlowList {
  using List = std::size_t;
  using Item = std::string;
  Source& source;

  std::size_t list() const { return source.items; }
  std::size_t size(const std::size_t& count) const { return count; }
  std::string item(const std::size_t&, std::size_t) const {
    source.runtime.clock += Micros(20);
    return source.item;
  }
  std::string begin(const std::size_t& count) const { return "[" + std::to_string(count); }
  std::string text(const std::string& item) const { return "\"" + item + "\""; }
  std::string end(const std::size_t&) const { return "]"; }
};

class RpcSnapshotsTest : public testing::Test {
 protected:
  // Runs both threads until nothing is left; answers the longest turn of the network thread.
  Nanos run() {
    Nanos longest{};
    do {
      run_rpc();
      longest = std::max(longest, runtime_.run());
    } while (!rpc_tasks_.empty());
    return longest;
  }
  void run_rpc() {
    while (!rpc_tasks_.empty()) {
      auto task = std::move(rpc_tasks_.front());
      rpc_tasks_.pop_front();
      task();
    }
  }
  RpcDone answered() {
    return [this](const RpcReply& reply) { replies_.push_back(reply); };
  }
  void ask_head(RpcSnapshots& snapshots, const std::string& key = "head") {
    ask_value(
        snapshots, key, [this] { return source_.take(); }, [](int head) { return json::value(head); }, answered());
  }
  void ask_head(const std::string& key = "head") { ask_head(snapshots_, key); }
  void ask_list() { opp2p::ask_list(snapshots_, "list", SlowList{source_}, "ask for less", answered()); }
  std::string text(std::size_t index) const {
    const auto& reply = replies_.at(index);
    if (const auto* error = std::get_if<RpcError>(&reply)) return error->message;
    if (const auto* made = std::get_if<RpcText>(&reply)) return made->joined();
    return json::serialize(std::get<json::value>(reply));
  }

  CountingRuntime runtime_;
  Source source_{runtime_};
  std::deque<std::function<void()>> rpc_tasks_;
  SharedAccount memory_ = std::make_shared<libp2p::MemoryAccount>(4 << 20);
  RpcSnapshots snapshots_{runtime_, [this](std::function<void()> task) { rpc_tasks_.push_back(std::move(task)); },
                          memory_, 2 << 20};
  std::vector<RpcReply> replies_;
};

TEST_F(RpcSnapshotsTest, a_list_of_a_thousand_items_is_taken_in_short_turns) {
  ask_list();
  const auto longest = run();
  ASSERT_EQ(replies_.size(), 1u);
  std::string expected = "[1001";
  for (int i = 0; i < 1001; ++i) expected += i == 0 ? "\"item\"" : ",\"item\"";
  EXPECT_EQ(text(0), expected + "]");
  EXPECT_LE(longest, RpcSnapshots::kTurn + Micros(20));
  EXPECT_EQ(snapshots_.taken(), 1u);
  EXPECT_GE(snapshots_.turns(), 1001u * 20 / 320);
}

TEST_F(RpcSnapshotsTest, an_empty_list_is_its_beginning_and_its_end) {
  source_.items = 0;
  ask_list();
  run();
  EXPECT_EQ(text(0), "[0]");
  EXPECT_EQ(snapshots_.turns(), 1u);
}

TEST_F(RpcSnapshotsTest, turns_take_a_tenth_of_the_network_threads_time) {
  const auto begun = runtime_.clock;
  ask_list();
  for (int i = 0; i < 100; ++i) ask_head();
  run();
  EXPECT_GE(runtime_.clock - begun, 9 * 1001 * Micros(20));
}

TEST_F(RpcSnapshotsTest, five_thousand_requests_that_wait_share_two_snapshots) {
  for (int i = 0; i < 5000; ++i) ask_head();
  run();
  EXPECT_EQ(replies_.size(), 5000u);
  EXPECT_EQ(snapshots_.taken(), 2u);  // one for the first, one for those that came while it waited
}

TEST_F(RpcSnapshotsTest, an_answer_is_never_older_than_its_question) {
  ask_head();
  runtime_.run();  // it is taken
  source_.head = 2;
  ask_head();
  run();
  EXPECT_EQ(text(0), "1");
  EXPECT_EQ(text(1), "2");
}

TEST_F(RpcSnapshotsTest, many_different_questions_are_answered_in_their_order_a_few_at_a_time) {
  for (int i = 0; i < 1000; ++i) {
    source_.head = i;
    const auto key = "head " + std::to_string(i);
    ask_value(snapshots_, key, [i] { return i; }, [](int value) { return json::value(value); }, answered());
  }
  EXPECT_EQ(runtime_.tasks.size(), RpcSnapshots::kMostAtOnce);
  run();
  ASSERT_EQ(replies_.size(), 1000u);
  for (std::size_t i = 0; i < replies_.size(); ++i) EXPECT_EQ(text(i), std::to_string(i));
  EXPECT_EQ(snapshots_.taken(), 1000u);
}

TEST_F(RpcSnapshotsTest, a_handler_may_ask_again_from_its_answer) {
  ask_value(
      snapshots_, "head", [] { return 1; }, [](int value) { return json::value(value); },
      [this](const RpcReply&) { ask_head(); });
  run();
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(snapshots_.taken(), 2u);
}

TEST_F(RpcSnapshotsTest, a_list_that_is_too_large_is_a_clear_error_and_stops_early) {
  source_.item.assign(40'000, 'p');
  ask_list();
  run();
  EXPECT_EQ(text(0), "response too large: the list fills more than 2097152 bytes; ask for less");
  EXPECT_LE(snapshots_.turns(), 10u);
  EXPECT_EQ(memory_->used(), 0u);
  ask_head();
  run();
  EXPECT_EQ(text(1), "1") << "the next question has its answer";
}

TEST_F(RpcSnapshotsTest, a_list_asks_for_memory_and_gives_it_back) {
  source_.item.assign(1000, 'p');
  ask_list();
  run();
  EXPECT_GT(memory_->used(), text(0).size() / 2);
  replies_.clear();
  EXPECT_EQ(memory_->used(), 0u);
  ASSERT_TRUE(memory_->try_take(memory_->limit()));
  ask_list();
  run();
  EXPECT_NE(text(0).find("fill its memory"), std::string::npos);
  memory_->give(memory_->limit());
}

TEST_F(RpcSnapshotsTest, after_the_stop_the_node_is_not_asked) {
  ask_list();
  snapshots_.stop();
  run();
  EXPECT_TRUE(replies_.empty());
  EXPECT_EQ(snapshots_.taken(), 0u);
}

TEST_F(RpcSnapshotsTest, a_turn_that_comes_after_its_end_asks_nobody) {
  auto ended = std::make_unique<RpcSnapshots>(
      runtime_, [this](std::function<void()> task) { rpc_tasks_.push_back(std::move(task)); }, memory_, 2 << 20);
  ask_head(*ended);
  ended.reset();
  runtime_.run();
  EXPECT_TRUE(rpc_tasks_.empty());
  EXPECT_TRUE(replies_.empty());
}

}  // namespace
}  // namespace opp2p

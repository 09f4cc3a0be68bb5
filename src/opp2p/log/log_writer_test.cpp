#include "opp2p/log/log_writer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "opp2p/log/log.hpp"
#include "opp2p/log/log_fatal.hpp"

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// Counts what this thread allocates.
#ifndef OPP2P_OPERATOR_NEW_IS_TAKEN
void* operator new(std::size_t size) {
  ++allocations;
  if (void* out = std::malloc(size)) return out;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace opp2p {
namespace {

using libp2p::Seconds;

constexpr auto kNever = Seconds(600);  // a limit that no test waits for

// A sink that lets nothing through until it is opened.
class Gate final : public LogSink {
 public:
  bool write(std::string_view lines, const std::atomic<bool>& give_up) override {
    std::unique_lock lock(mutex_);
    ++entered_;
    changed_.notify_all();
    while (!open_ && !give_up) changed_.wait_for(lock, libp2p::Millis(1));
    if (!open_) {
      given_up_ = true;
      changed_.notify_all();
    }
    if (!open_ || failing_) return false;
    written_.append(lines);
    return true;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void fail(bool failing) {
    const std::lock_guard lock(mutex_);
    failing_ = failing;
  }
  void wait_until_entered() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return entered_ > 0; });
  }
  // Whether a write is given up, which may be a moment away.
  bool is_given_up() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, Seconds(20), [this] { return given_up_; });
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (std::size_t from = 0; from < written_.size();) {
      const auto end = written_.find('\n', from);
      const auto message = written_.find("msg=\"", from) + 5;
      out.push_back(written_.substr(message, end - message));
      from = end + 1;
    }
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  bool failing_ = false;
  bool given_up_ = false;
  int entered_ = 0;
  std::string written_;
};

LogOptions through(const std::shared_ptr<Gate>& gate, std::size_t lines) {
  LogOptions out;
  out.level = LogLevel::debug;
  out.own_thread = true;
  out.sink = gate;
  out.queue.lines = lines;
  out.queue.bytes = 64 << 20;
  return out;
}

TEST(LogWriter, the_caller_never_waits_for_a_sink_that_blocks_and_what_had_no_room_is_told) {
  const auto gate = std::make_shared<Gate>();
  Log log(through(gate, 100));
  log.info(Component::node, "first");
  gate->wait_until_entered();
  for (int i = 0; i < 100; ++i) log.debug(Component::node, "debug");
  for (int i = 0; i < 60; ++i) log.info(Component::node, "info");
  for (int i = 0; i < 3; ++i) log.error(Component::node, "error");
  for (int i = 0; i < 50; ++i) log.debug(Component::node, "debug");
  EXPECT_EQ(log.drops().total(), 113u);
  EXPECT_EQ(*log.waiting(), 101u);
  EXPECT_EQ(gate->lines().size(), 0u);
  gate->open();
  EXPECT_TRUE(log.flush(kNever));
  const auto lines = gate->lines();
  ASSERT_EQ(lines.size(), 102u);
  EXPECT_EQ(lines[0], "first\"");
  EXPECT_EQ(lines[1], "debug\"");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "debug\""), 37);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "info\""), 60);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "error\""), 3);
  EXPECT_EQ(lines.back(),
            "log lines dropped\" count=113 no_room=50 displaced=63 unwritten=0 error=0 warn=0 info=0 debug=113");
  EXPECT_EQ(*log.waiting(), 0u);
}

TEST(LogWriter, lines_stay_in_order_and_all_are_written_when_the_log_goes) {
  const auto gate = std::make_shared<Gate>();
  std::vector<std::string> expected;
  {
    Log log(through(gate, 10'000));
    for (int i = 0; i < 5'000; ++i) {
      expected.push_back("line " + std::to_string(i) + '"');
      log.write(i % 2 == 0 ? LogLevel::debug : LogLevel::warn, Component::node, "line " + std::to_string(i));
      if (i == 2'500) gate->open();
    }
  }
  EXPECT_EQ(gate->lines(), expected);
}

TEST(LogWriter, ends_at_once_when_nothing_is_left_to_write) {
  const auto gate = std::make_shared<Gate>();
  gate->open();
  const auto begun = std::chrono::steady_clock::now();
  {
    auto options = through(gate, 10);
    options.close_limit = libp2p::Seconds(300);
    const Log log(std::move(options));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(100));
}

TEST(LogWriter, is_left_behind_when_its_sink_stays_stuck) {
  const auto gate = std::make_shared<Gate>();
  {
    auto options = through(gate, 10);
    options.close_limit = libp2p::Nanos(0);
    Log log(std::move(options));
    log.info(Component::node, "stuck");
    gate->wait_until_entered();
    EXPECT_FALSE(log.flush(libp2p::Nanos(0)));
  }
  EXPECT_TRUE(gate->is_given_up()) << "its thread ends when the sink lets go";
  EXPECT_EQ(gate->lines().size(), 0u);
}

TEST(LogWriter, tells_of_lines_that_the_sink_refused_with_the_next_that_it_takes) {
  const auto gate = std::make_shared<Gate>();
  gate->open();
  gate->fail(true);
  Log log(through(gate, 10));
  log.info(Component::node, "lost");
  EXPECT_TRUE(log.flush(kNever));
  EXPECT_EQ(log.drops().unwritten, 1u);
  gate->fail(false);
  log.info(Component::node, "kept");
  EXPECT_TRUE(log.flush(kNever));
  EXPECT_EQ(
      gate->lines(),
      (std::vector<std::string>{
          "kept\"", "log lines dropped\" count=1 no_room=0 displaced=0 unwritten=1 error=0 warn=0 info=1 debug=0"}));
}

TEST(DescriptorSink, the_error_of_an_earlier_call_does_not_count) {
  int ends[2] = {};
  ASSERT_EQ(::pipe(ends), 0);
  errno = EINTR;
  EXPECT_EQ(write_all(ends[1], "x", [] { return true; }), 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(DescriptorSink, waits_for_a_full_pipe_without_end_and_gives_up_when_told) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  DescriptorSink sink(ends[1]);
  std::atomic<bool> give_up{false};
  const std::string much(1 << 20, 'x');
  std::thread writer([&] { EXPECT_FALSE(sink.write(much, give_up)); });
  std::string read(64 << 10, '\0');
  EXPECT_GT(::read(ends[0], read.data(), read.size()), 0);
  give_up = true;
  writer.join();
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(DescriptorSink, a_reader_that_is_gone_is_an_error_and_not_the_end_of_the_process) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  LogOptions options;
  options.own_thread = true;
  options.sink = std::make_shared<DescriptorSink>(ends[1]);
  {
    Log log(std::move(options));
    log.info(Component::node, "nobody reads this");
    EXPECT_TRUE(log.flush(kNever));
    EXPECT_EQ(log.drops().unwritten, 1u);
  }
  ::close(ends[1]);
}

TEST(Log, allocates_nothing_for_a_line_whose_level_is_off) {
#ifdef OPP2P_OPERATOR_NEW_IS_TAKEN
  GTEST_SKIP() << "the sanitizer has the only operator new of this program: nothing is counted";
#endif
  const auto gate = std::make_shared<Gate>();
  Log log(through(gate, 10));
  ASSERT_TRUE(log.set_levels("info"));
  const auto peer = libp2p::PeerId::from_text("16Uiu2HAmLwDCf3xXrYgSHBEVGcEUZMYKpFZv6u2WPDvcvqbVVTb7").value();
  const auto address = libp2p::Multiaddr::from_text("/ip4/10.0.0.1/tcp/9222").value();
  const auto why = libp2p::fail(libp2p::Errc::reset, "a text that is longer than what a string keeps inside itself");
  const auto before = allocations;
  log.debug(Component::host, "connection closed", {{"peer", peer}, {"addr", address}, {"reason", why}, {"n", 7}});
  EXPECT_EQ(allocations, before);
  log.info(Component::host, "connection closed", {{"peer", peer}, {"addr", address}, {"number", 7}});
  EXPECT_GT(allocations, before);
  gate->open();
}

TEST(Log, writes_at_once_without_a_thread_and_reads_no_clock_but_the_one_that_it_is_given) {
  const auto gate = std::make_shared<Gate>();
  gate->open();
  LogOptions options;
  options.sink = gate;
  options.clock = [] { return libp2p::from_unix_seconds(0); };
  Log log(std::move(options));
  log.info(Component::node, "now");
  EXPECT_EQ(gate->lines(), std::vector<std::string>{"now\""});
  EXPECT_EQ(log.waiting(), nullptr);
}

TEST(Log, is_written_before_the_process_dies_of_a_fatal_signal) {
  const auto die = [](int signal) {
    LogOptions options;
    options.own_thread = true;
    Log log(std::move(options));
    const FlushLogOnFatalSignals flush(log);
    for (int i = 0; i < 2'000; ++i) log.info(Component::node, "line", {{"number", i}});
    log.info(Component::node, "the last line");
    if (signal == SIGABRT) std::abort();
    if (signal < 0) ::kill(::getpid(), -signal);  // as somebody else sends it
    if (signal > 0) ::raise(signal);
  };
  EXPECT_DEATH(die(SIGABRT), "the last line");
  EXPECT_DEATH(die(-SIGSEGV), "the last line");
  EXPECT_DEATH(die(SIGSEGV), "the last line");  // a sanitizer says more after it
}

volatile std::sig_atomic_t signals_handled = 0;

TEST(Log, does_not_hold_up_a_fatal_signal_when_every_line_is_written) {
  struct sigaction mine{}, before{};
  mine.sa_handler = [](int) { signals_handled = signals_handled + 1; };
  ASSERT_EQ(::sigaction(SIGFPE, &mine, &before), 0);
  const auto gate = std::make_shared<Gate>();
  gate->open();
  Log log(through(gate, 10));
  log.info(Component::node, "written");
  ASSERT_TRUE(log.flush(kNever));
  rusage begun{}, ended{};
  {
    const FlushLogOnFatalSignals flush(log);
    ::getrusage(RUSAGE_THREAD, &begun);
    ::raise(SIGFPE);
    ::getrusage(RUSAGE_THREAD, &ended);
  }
  ASSERT_EQ(::sigaction(SIGFPE, &before, nullptr), 0);
  EXPECT_EQ(signals_handled, 1) << "who handled it before gets it";
  EXPECT_LT(ended.ru_nvcsw - begun.ru_nvcsw, 50) << "each look at what waits is followed by a sleep, 100 in a second";
}

TEST(Log, a_sink_that_blocks_loses_no_line_of_the_highest_level_while_lower_ones_can_go) {
  const auto gate = std::make_shared<Gate>();
  Log log(through(gate, 50));
  log.info(Component::node, "first");
  gate->wait_until_entered();
  for (int i = 0; i < 1000; ++i) log.write(i % 25 == 0 ? LogLevel::crit : LogLevel::info, Component::node, "line");
  EXPECT_EQ(log.drops().of(LogLevel::crit), 0u);
  EXPECT_EQ(log.drops().of(LogLevel::info), 950u);
  gate->open();
}

}  // namespace
}  // namespace opp2p

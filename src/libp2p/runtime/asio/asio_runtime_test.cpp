#include "libp2p/runtime/asio/asio_runtime.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "libp2p/runtime/asio/asio_test_support.hpp"
#include "libp2p/runtime/entropy.hpp"

namespace libp2p::runtime {
namespace {

using testing_asio::kLimit;

struct LoopbackWire {
  explicit LoopbackWire(AsioRuntime& rt, const std::string& ip = "127.0.0.1") {
    auto listening = rt.listen({ip, 0}, [this](std::unique_ptr<Socket> s) { far = std::move(s); });
    if (!listening) return;
    listener = std::move(*listening);
    dial = rt.connect(listener->local(), [this](Result<std::unique_ptr<Socket>> s) {
      if (s) near = std::move(*s);
    });
    rt.run_until([this] { return near && far; }, kLimit);
  }
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Operation> dial;
  std::unique_ptr<Socket> near;
  std::unique_ptr<Socket> far;
};

// An empty one was called when it was due, for a listener when a stranger connected: bad_function_call ended the
// program.
TEST(AsioRuntime, refuses_empty_functions_when_they_are_given) {
  AsioRuntime rt(1);
  EXPECT_THROW(rt.post(nullptr), std::invalid_argument);
  EXPECT_THROW(rt.make_timer(nullptr), std::invalid_argument);
  EXPECT_THROW((void)rt.listen({"127.0.0.1", 0}, nullptr), std::invalid_argument);
  EXPECT_THROW(rt.connect({"127.0.0.1", 1}, nullptr), std::invalid_argument);
  EXPECT_THROW(rt.resolve("localhost", Family::any, nullptr), std::invalid_argument);
  EXPECT_THROW(rt.run_on_worker(nullptr, [] {}), std::invalid_argument);
  EXPECT_THROW(rt.run_on_worker([] {}, nullptr), std::invalid_argument);
}

TEST(AsioRuntime, connects_over_both_families_and_moves_bytes) {
  for (const std::string ip : {"127.0.0.1", "::1"}) {
    AsioRuntime rt(1);
    LoopbackWire wire(rt, ip);
    ASSERT_TRUE(wire.near && wire.far) << ip;
    EXPECT_EQ(wire.near->remote(), wire.listener->local());
    EXPECT_EQ(wire.far->remote(), wire.near->local());
    Bytes buffer(100);
    EXPECT_EQ(wire.far->read(buffer).error().code(), Errc::would_block);
    bool readable = false;
    wire.far->when_readable([&readable] { readable = true; });
    ASSERT_EQ(*wire.near->write(as_bytes("hello")), 5u);
    ASSERT_TRUE(rt.run_until([&readable] { return readable; }, kLimit));
    ASSERT_EQ(*wire.far->read(buffer), 5u);
    EXPECT_EQ(as_text(ByteView(buffer).first(5)), "hello");
    readable = false;
    wire.far->when_readable([&readable] { readable = true; });
    wire.near.reset();
    ASSERT_TRUE(rt.run_until([&readable] { return readable; }, kLimit));
    EXPECT_EQ(*wire.far->read(buffer), 0u);
  }
}

TEST(AsioRuntime, a_connection_that_its_peer_has_reset_says_so_and_to_whom_it_went) {
  AsioRuntime rt(1);
  LoopbackWire wire(rt);
  ASSERT_TRUE(wire.near && wire.far);
  ASSERT_EQ(*wire.near->write(as_bytes("never read")), 10u);
  bool arrived = false;
  wire.far->when_readable([&arrived] { arrived = true; });
  ASSERT_TRUE(rt.run_until([&arrived] { return arrived; }, kLimit));
  bool told = false;
  wire.near->when_readable([&told] { told = true; });
  wire.far.reset();  // with bytes unread: the kernel resets
  ASSERT_TRUE(rt.run_until([&told] { return told; }, kLimit));
  Bytes buffer(100);
  const auto read = wire.near->read(buffer);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Errc::reset) << read.error().message();
  EXPECT_NE(read.error().message().find(wire.listener->local().to_string()), std::string::npos)
      << read.error().message();
}

// A connection that its peer resets before it is accepted has no remote address any more. It was handed on as one of
// 0.0.0.0:0, so that all of them shared one block of addresses and its limits.
TEST(AsioRuntime, does_not_hand_on_a_connection_that_was_reset_before_it_was_accepted) {
  AsioRuntime rt(1);
  std::vector<Endpoint> accepted;
  auto listening = rt.listen({"127.0.0.1", 0}, [&](std::unique_ptr<Socket> s) { accepted.push_back(s->remote()); });
  ASSERT_TRUE(listening);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons((*listening)->local().port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto dial = [&to] {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    return fd;
  };
  const int gone = dial();
  const linger at_once{1, 0};
  ASSERT_EQ(::setsockopt(gone, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  ::close(gone);
  const int stays = dial();
  sockaddr_in own{};
  socklen_t size = sizeof own;
  ASSERT_EQ(::getsockname(stays, reinterpret_cast<sockaddr*>(&own), &size), 0);
  ASSERT_TRUE(
      rt.run_until([&] { return accepted.size() > 1 || (!accepted.empty() && accepted.back().port != 0); }, kLimit));
  EXPECT_EQ(accepted, (std::vector<Endpoint>{{"127.0.0.1", ntohs(own.sin_port)}}));
  ::close(stays);
}

// A peer that vanished without a word stayed for ever on a connection whose multiplexer has no keep-alive.
TEST(AsioRuntime, both_ends_of_a_connection_probe_whether_the_other_is_there) {
  AsioRuntime rt(1);
  LoopbackWire wire(rt);
  ASSERT_TRUE(wire.near && wire.far);
  const std::set<std::uint16_t> ports = {wire.near->local().port, wire.far->local().port};
  int ends = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in local{}, remote{};
    socklen_t size = sizeof(local);
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0 || !ports.contains(ntohs(local.sin_port)))
      continue;
    size = sizeof(remote);
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &size) != 0) continue;
    ++ends;
    int on = 0, idle = 0;
    size = sizeof(int);
    EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &size), 0);
    EXPECT_TRUE(on != 0 && idle == 15) << on << " " << idle;
  }
  EXPECT_EQ(ends, 2);
}

TEST(AsioRuntime, a_spinning_loop_handles_the_same_events_and_stops) {
  AsioRuntime rt(1, Micros(50));
  LoopbackWire wire(rt);
  ASSERT_TRUE(wire.near && wire.far);
  int bounces = 0;
  std::function<void()> bounce = [&] {
    if (++bounces == 100) return rt.stop();
    rt.run_on_worker([] {}, bounce);
  };
  rt.post(bounce);
  rt.run();
  EXPECT_EQ(bounces, 100);
  EXPECT_FALSE(rt.run_until([] { return false; }, Millis(5)));
}

// Lets timers expire one after another; how often this thread slept in the kernel meanwhile.
long sleeps_of(AsioRuntime& rt, Nanos each, int count) {
  rusage before{}, after{};
  getrusage(RUSAGE_THREAD, &before);
  for (int i = 0; i < count; ++i) {
    bool fired = false;
    const auto timer = rt.make_timer([&fired] { fired = true; });
    timer->arm(rt.now().mono + each);
    EXPECT_TRUE(rt.run_until([&fired] { return fired; }, kLimit));
  }
  getrusage(RUSAGE_THREAD, &after);
  return after.ru_nvcsw - before.ru_nvcsw;
}

TEST(AsioRuntime, a_spinning_loop_does_not_sleep_before_an_event_that_comes_within_its_window) {
  AsioRuntime rt(1, kLimit);
  sleeps_of(rt, Millis(4), 12);  // the window grows to more than that
  EXPECT_LT(sleeps_of(rt, Millis(1), 50), 25);
}

TEST(AsioRuntime, a_spinning_loop_sleeps_before_an_event_that_comes_long_after_its_window) {
  AsioRuntime rt(1, Millis(1));
  sleeps_of(rt, Micros(500), 10);
  EXPECT_GT(sleeps_of(rt, Millis(20), 10), 0);
}

TEST(AsioRuntime, a_writer_waits_for_room) {
  AsioRuntime rt(1);
  LoopbackWire wire(rt);
  ASSERT_TRUE(wire.near && wire.far);
  const Bytes chunk(1 << 20);
  std::size_t sent = 0;
  for (;;) {
    const auto n = wire.near->write(chunk);
    if (!n) {
      ASSERT_EQ(n.error().code(), Errc::would_block);
      break;
    }
    sent += *n;
  }
  bool writable = false;
  wire.near->when_writable([&writable] { writable = true; });
  Bytes buffer(1 << 20);
  std::size_t got = 0;
  while (got < sent) {
    const auto n = wire.far->read(buffer);
    if (n) {
      got += *n;
      continue;
    }
    bool readable = false;
    wire.far->when_readable([&readable] { readable = true; });
    ASSERT_TRUE(rt.run_until([&readable] { return readable; }, kLimit));
  }
  ASSERT_TRUE(rt.run_until([&writable] { return writable; }, kLimit));
}

TEST(AsioRuntime, says_what_is_wrong_with_an_address) {
  AsioRuntime rt(1);
  const auto nobody = [](std::unique_ptr<Socket>) {};
  const auto first = rt.listen({"127.0.0.1", 0}, nobody);
  ASSERT_TRUE(first);
  const Endpoint taken = (*first)->local();
  const auto second = rt.listen(taken, nobody);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text(),
            "listen on " + taken.to_string() +
                " failed: the address is in use; choose another port or stop the program that has it");
  EXPECT_NE(rt.listen({"192.0.2.1", 0}, nobody).error().text().find("does not have that address"), std::string::npos);
  EXPECT_EQ(rt.listen({"localhost", 0}, nobody).error().code(), Errc::invalid_argument);
}

TEST(AsioRuntime, a_refused_dial_is_unreachable_and_a_given_up_one_is_silent) {
  AsioRuntime rt(1);
  std::uint16_t port = 0;
  {
    const auto listener = rt.listen({"127.0.0.1", 0}, [](std::unique_ptr<Socket>) {});
    port = (*listener)->local().port;
  }
  std::optional<Error> error;
  const auto dial = rt.connect({"127.0.0.1", port}, [&error](Result<std::unique_ptr<Socket>> s) {
    if (!s) error = s.error();
  });
  bool called = false;
  auto given_up = rt.connect({"127.0.0.1", port}, [&called](Result<std::unique_ptr<Socket>>) { called = true; });
  given_up.reset();
  ASSERT_TRUE(rt.run_until([&error] { return error.has_value(); }, kLimit));
  EXPECT_EQ(error->code(), Errc::unreachable);
  EXPECT_EQ(error->text(), "connect to 127.0.0.1:" + std::to_string(port) + " failed: connection refused");
  EXPECT_FALSE(called);
}

TEST(AsioRuntime, sockets_may_be_destroyed_in_their_own_callback) {
  AsioRuntime rt(1);
  LoopbackWire wire(rt);
  bool called = false;
  wire.far->when_readable([&] {
    wire.far.reset();
    called = true;
  });
  ASSERT_TRUE(wire.near->write(as_bytes("x")));
  ASSERT_TRUE(rt.run_until([&called] { return called; }, kLimit));
}

TEST(AsioRuntime, timers_fire_move_and_are_taken_back) {
  AsioRuntime rt(1);
  std::string order;
  std::unique_ptr<Timer> self;
  const auto a = rt.make_timer([&order] { order += 'a'; });
  const auto never = rt.make_timer([&order] { order += 'n'; });
  self = rt.make_timer([&] {
    self.reset();
    order += 's';
  });
  const MonoTime now = rt.now().mono;
  a->arm(now + Seconds(100));
  a->arm(now + Millis(30));  // earlier
  self->arm(now + Millis(1));
  self->arm(now + Millis(10));  // later
  never->arm(now + Millis(5));
  never->disarm();
  ASSERT_TRUE(rt.run_until([&order] { return order.size() == 2; }, kLimit));
  EXPECT_EQ(order, "sa");
  EXPECT_GE(rt.now().mono - now, Millis(30));
}

TEST(AsioRuntime, a_timer_that_is_due_and_destroyed_in_the_same_turn_does_not_fire) {
  AsioRuntime rt(1);
  bool fired = false;
  std::unique_ptr<Timer> second = rt.make_timer([&fired] { fired = true; });
  const auto first = rt.make_timer([&second] { second.reset(); });
  const MonoTime now = rt.now().mono;
  first->arm(now - Millis(2));
  second->arm(now - Millis(1));  // both are due when they are looked at
  ASSERT_TRUE(rt.run_until([&second] { return second == nullptr; }, kLimit));
  rt.run_until([] { return false; }, Millis(5));
  EXPECT_FALSE(fired);
}

TEST(AsioRuntime, work_runs_on_another_thread_and_is_reported_on_this_one) {
  AsioRuntime rt(2);
  std::thread::id worker;
  std::thread::id reported;
  bool done = false;
  rt.run_on_worker([&worker] { worker = std::this_thread::get_id(); },
                   [&] {
                     reported = std::this_thread::get_id();
                     done = true;
                   });
  ASSERT_TRUE(rt.run_until([&done] { return done; }, kLimit));
  EXPECT_NE(worker, std::this_thread::get_id());
  EXPECT_EQ(reported, std::this_thread::get_id());
}

TEST(AsioRuntime, measures_what_runs_here) {
  AsioRuntime rt(1);
  const MonoTime begun = rt.now().mono;
  MonoTime ended{};
  const Nanos took = rt.run_here([&] {
    do ended = rt.now().mono;
    while (ended - begun < Millis(2));
  });
  EXPECT_GE(took, Millis(1));
  EXPECT_LE(took, rt.now().mono - begun);
}

TEST(AsioRuntime, other_threads_may_post_and_stop) {
  AsioRuntime rt(1);
  int count = 0;
  std::thread other([&rt, &count] {
    for (int i = 0; i < 1000; ++i) rt.post([&count] { ++count; });
    rt.post([&rt] { rt.stop(); });
  });
  rt.run();
  other.join();
  EXPECT_EQ(count, 1000);
}

// With no descriptor left accept fails at once, again and again, while the listener stays readable.
TEST(AsioRuntime, accepting_without_descriptors_pauses_instead_of_spinning) {
  AsioRuntime rt(1);
  std::vector<std::unique_ptr<Socket>> accepted;
  const auto listener =
      rt.listen({"127.0.0.1", 0}, [&accepted](std::unique_ptr<Socket> s) { accepted.push_back(std::move(s)); });
  ASSERT_TRUE(listener);
  std::unique_ptr<Socket> near;
  const auto dial =
      rt.connect((*listener)->local(), [&near](Result<std::unique_ptr<Socket>> s) { near = std::move(*s); });
  // The dialer's socket exists; now nobody gets another one.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest_free = dup(0);
  ASSERT_GE(lowest_free, 0);
  close(lowest_free);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(lowest_free);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  const std::clock_t cpu_before = std::clock();
  rt.run_until([] { return false; }, Millis(350));
  const double cpu = static_cast<double>(std::clock() - cpu_before) / CLOCKS_PER_SEC;
  const std::size_t accepted_while_tight = accepted.size();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(accepted_while_tight, 0u);
  EXPECT_LT(cpu, 0.2);
  ASSERT_TRUE(rt.run_until([&accepted] { return accepted.size() == 1; }, kLimit));
}

TEST(SystemRng, gives_different_bytes_each_time) {
  SystemRng rng;
  EXPECT_NE(rng.array<32>(), rng.array<32>());
  std::set<std::uint64_t> words;
  for (int i = 0; i < 1000; ++i) {
    words.insert(rng.next_u64());
    (void)rng.array<3>();  // the stock does not end with a whole word
  }
  EXPECT_EQ(words.size(), 1000U);
}

TEST(Endpoint, is_written_with_brackets_for_ip6) {
  EXPECT_EQ(Endpoint("127.0.0.1", 9222).to_string(), "127.0.0.1:9222");
  EXPECT_EQ(Endpoint("::1", 9222).to_string(), "[::1]:9222");
}

}  // namespace
}  // namespace libp2p::runtime

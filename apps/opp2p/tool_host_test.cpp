#include "tool_host.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "libp2p/services/identify/identify_service.hpp"

namespace opp2p {
namespace {

using libp2p::Nanos;
using libp2p::Result;
using libp2p::Seconds;
using libp2p::runtime::Task;

Task<void> meet(ToolHost& tool, libp2p::Host& other, libp2p::PingService& theirs, Result<Nanos>& answer) {
  const auto address = other.listen_addresses().front().with_peer_id(other.id());
  const auto connected = co_await tool.host().connect(address);
  if (!connected) {
    answer = connected.error();
    co_return;
  }
  answer = co_await theirs.ping(tool.host().id());
}

// rust-libp2p pings at once, and answers none of a peer that refused.
TEST(ToolHost, a_peer_that_pings_as_soon_as_it_is_connected_is_answered) {
  opp2p::Output out(STDOUT_FILENO);
  ToolHost tool(out);
  EXPECT_THAT(tool.host().protocols(), testing::Contains(libp2p::kPingProtocol));
  auto key = libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::ed25519, tool.runtime().rng());
  libp2p::Host other(tool.runtime(), libp2p::HostConfig(std::move(key).value()));
  libp2p::PingService theirs(other);
  ASSERT_TRUE(other.listen(libp2p::Multiaddr::from_text("/ip4/127.0.0.1/tcp/0").value()));
  Result<Nanos> answer = libp2p::Error(libp2p::Errc::timed_out, "nothing was asked");
  EXPECT_EQ(tool.run(meet(tool, other, theirs, answer), Seconds(30)), ToolHost::End::finished);
  EXPECT_TRUE(answer) << answer.error().message();
}

Task<void> sleep_long(libp2p::runtime::Runtime& runtime) { co_await libp2p::runtime::sleep_for(runtime, Seconds(600)); }

TEST(ToolHost, a_command_whose_output_fails_ends) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  opp2p::Output out(full);
  ToolHost tool(out);
  out.write("x");
  EXPECT_EQ(tool.run(sleep_long(tool.runtime())), ToolHost::End::output_failed);
  tool.run_until_signal();
  ::close(full);
}

Task<void> print(opp2p::Output& out, std::size_t bytes) {
  out.write(std::string(bytes, 'x'));
  co_return;
}

// `opp2p ping … | less`, then Ctrl-C.
TEST(ToolHost, a_signal_ends_a_command_whose_reader_does_not_read) {
  std::array<int, 2> ends = {-1, -1};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  opp2p::Output out(ends[1]);
  std::promise<void> done;
  std::thread sender;
  {
    ToolHost tool(out);
    sender = std::thread([read_end = ends[0], ended = done.get_future()] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      ::kill(::getpid(), SIGTERM);
      ended.wait_for(std::chrono::seconds(20));
      ::close(read_end);  // so that a command that does not end fails, and does not hang
    });
    EXPECT_EQ(tool.run(print(out, 1'000'000)), ToolHost::End::output_failed);
  }
  done.set_value();
  sender.join();
  ::close(ends[1]);
  const auto end = out.finish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error(), libp2p::Errc::cancelled) << end.error().text();
}

TEST(ToolHost, the_time_to_spin_is_bounded_as_the_nodes_is) {
  EXPECT_EQ(parse_spin("10ms"), libp2p::Millis(10));
  EXPECT_EQ(parse_spin("0s"), Nanos(0));
  for (const char* wrong : {"11ms", "1h", "-1ms", "fast"}) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(parse_spin(wrong), std::nullopt) << wrong;
    EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("--spin"));
  }
}

}  // namespace
}  // namespace opp2p

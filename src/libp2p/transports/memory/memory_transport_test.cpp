#include "libp2p/transports/memory/memory_transport.hpp"

#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p::memory {
namespace {

Multiaddr address(std::string_view text) { return Multiaddr::from_text(text).value(); }

class MemoryTransportTest : public ::testing::Test {
 protected:
  std::unique_ptr<Listening> listen(std::string_view text) {
    return far.listen(address(text), [this](RawEnd end) { accepted.push_back(std::move(end)); }).value();
  }
  std::unique_ptr<runtime::Operation> dial(std::string_view text) {
    return near.dial(address(text), [this](Result<RawEnd> end) { dialled.emplace(std::move(end)); });
  }

  MemoryNet net;
  runtime::SimWorld world{1};
  runtime::SimNode near_node = world.add_node();
  runtime::SimNode far_node = world.add_node();
  MemoryTransport near{near_node.runtime(), net};
  MemoryTransport far{far_node.runtime(), net};
  std::vector<RawEnd> accepted;
  std::optional<Result<RawEnd>> dialled;
};

TEST_F(MemoryTransportTest, takes_a_number_of_64_bits_and_nothing_else) {
  for (const auto* text : {"/memory/1", "/memory/0", "/memory/18446744073709551615"}) {
    EXPECT_TRUE(near.can_dial(address(text)) && near.can_listen(address(text))) << text;
  }
  for (const auto* text : {"/ip4/1.2.3.4/tcp/1", "/memory/1/ws", "/memory/1/memory/2", "/dns4/a.example/tcp/1"}) {
    EXPECT_FALSE(near.can_dial(address(text)) || near.can_listen(address(text))) << text;
    EXPECT_EQ(near.why_not(address(text)), "it must be /memory/NUMBER");
  }
}

TEST_F(MemoryTransportTest, an_empty_function_is_told_to_who_gives_it_and_not_when_a_stranger_dials) {
  EXPECT_THROW((void)far.listen(address("/memory/1"), nullptr), std::invalid_argument);
  EXPECT_THROW((void)near.dial(address("/memory/1"), nullptr), std::invalid_argument);
}

TEST_F(MemoryTransportTest, both_ends_know_both_addresses_and_come_from_the_queue) {
  const auto listening = listen("/memory/18446744073709551615");
  const auto operation = dial("/memory/18446744073709551615");
  EXPECT_FALSE(dialled);
  world.run_for(Nanos(0));
  ASSERT_TRUE(dialled && *dialled);
  ASSERT_EQ(accepted.size(), 1u);
  EXPECT_EQ((*dialled)->remote, listening->address());
  EXPECT_EQ(accepted[0].local, listening->address());
  EXPECT_EQ(accepted[0].remote, (*dialled)->local);
  ASSERT_TRUE((*dialled)->socket->write(as_bytes("x")));
  Bytes in(10);
  EXPECT_EQ(accepted[0].socket->read(in).value(), 1u);
}

TEST_F(MemoryTransportTest, a_taken_number_is_refused_until_it_is_free_and_zero_gives_a_free_one) {
  auto first = listen("/memory/7");
  const auto again = near.listen(address("/memory/7"), [](const RawEnd&) {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Errc::io);
  EXPECT_EQ(again.error().text(), "listen on /memory/7 failed: the address is in use; choose another number");
  first.reset();
  EXPECT_TRUE(near.listen(address("/memory/7"), [](const RawEnd&) {}));
  const auto taken = listen("/memory/" + std::to_string(MemoryNet::kFirstFree));
  const auto one = listen("/memory/0");
  const auto other = listen("/memory/0");
  EXPECT_NE(one->address(), taken->address());
  EXPECT_NE(one->address(), other->address());
  EXPECT_NE(one->address(), address("/memory/0"));
}

TEST_F(MemoryTransportTest, a_dial_to_a_number_of_nobody_is_refused) {
  const auto operation = dial("/memory/7");
  world.run_for(Nanos(0));
  ASSERT_TRUE(dialled);
  EXPECT_EQ(dialled->error().code(), Errc::unreachable);
  EXPECT_EQ(dialled->error().text(), "connect to /memory/7 failed: connection refused");
}

TEST_F(MemoryTransportTest, a_dial_that_is_given_up_reaches_nobody) {
  const auto listening = listen("/memory/7");
  dial("/memory/7").reset();
  world.run_for(Seconds(1));
  EXPECT_FALSE(dialled);
  EXPECT_TRUE(accepted.empty());
}

TEST_F(MemoryTransportTest, a_connection_that_meets_the_end_of_the_listening_ends) {
  auto listening = listen("/memory/7");
  std::optional<Result<RawEnd>> got;
  const auto operation = near.dial(address("/memory/7"), [&](Result<RawEnd> end) {
    got.emplace(std::move(end));
    listening.reset();  // before the far end has been handed over
  });
  world.run_for(Nanos(0));
  EXPECT_TRUE(accepted.empty());
  ASSERT_TRUE(got && *got);
  Bytes in(10);
  EXPECT_EQ((*got)->socket->read(in).value(), 0u);
}

TEST_F(MemoryTransportTest, nets_do_not_know_each_other) {
  MemoryNet other;
  MemoryTransport elsewhere(far_node.runtime(), other);
  const auto listening = elsewhere.listen(address("/memory/7"), [](const RawEnd&) {});
  ASSERT_TRUE(listening);
  const auto operation = dial("/memory/7");
  world.run_for(Nanos(0));
  ASSERT_TRUE(dialled);
  EXPECT_FALSE(*dialled);
}

}  // namespace
}  // namespace libp2p::memory

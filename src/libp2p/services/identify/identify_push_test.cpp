// Handlers that are set or removed while peers are connected: when they are told.
#include <gtest/gtest.h>

#include <algorithm>

#include "libp2p/services/identify/identify_service.hpp"
#include "libp2p/services/identify/identify_test_support.hpp"
#include "libp2p/services/ping/ping_service.hpp"
#include "libp2p/testing/sim_hosts.hpp"

namespace libp2p {
namespace {

using libp2p::Stream;
using runtime::Task;
using testing_identify::say_nothing;

class IdentifyPushTest : public testing::Test {
 protected:
  IdentifyPushTest() {
    net_.add("first/1.0");
    net_.add("second/2.0");
  }
  PeerId peer(std::size_t i) { return net_.host(i).id(); }
  libp2p::Peerstore& store(std::size_t i) { return net_.host(i).peerstore(); }

  SimHosts net_{13};
};

TEST_F(IdentifyPushTest, tells_handlers_that_are_set_one_after_another_in_one_push_at_once) {
  IdentifyService a(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(10));
  std::vector<std::size_t> pushes;
  a.on_identified([&pushes](const PeerId&, const Identified& what) {
    if (what.pushed) pushes.push_back(what.protocols.size());
  });
  PingService ping(net_.host(1));
  net_.run_for(Millis(20));
  net_.host(1).set_stream_handler("/new/1.0.0", say_nothing);
  net_.run_for(Millis(20));
  net_.host(1).set_stream_handler("/new/2.0.0", say_nothing);
  net_.run_for(Millis(500));
  EXPECT_EQ(pushes, std::vector<std::size_t>{5});
  EXPECT_TRUE(store(0).supports(peer(1), kPingProtocol));
  // What was set and removed again is nothing new.
  net_.host(1).set_stream_handler("/brief/1", say_nothing);
  net_.host(1).remove_stream_handler("/brief/1");
  net_.run_for(Seconds(20));
  EXPECT_EQ(pushes.size(), 1U);
}

// A peer whose own identify answers late, and that takes pushes: who it is known to be only then.
struct LateTeller {
  explicit LateTeller(libp2p::Host& at) : host(at) {
    at.set_stream_handler(std::string(identify::kProtocol), [this](Stream stream) { return tell(std::move(stream)); });
    at.set_stream_handler(std::string(identify::kPushProtocol),
                          [this](Stream stream) { return hear(std::move(stream)); });
  }
  Task<void> tell(Stream stream) {
    co_await runtime::sleep_for(host.runtime(), Seconds(3));
    identify::Message message;
    message.protocols = {std::string(identify::kPushProtocol)};
    const Bytes answer = identify::encode_parts(message);
    const Result<void> sent = co_await stream.write(answer);
    if (sent) stream.close_write();
  }
  Task<void> hear(Stream stream) {
    const Result<Bytes> read = co_await stream.read_to_end(identify::kMaxAnswer);
    if (read) pushes.push_back(identify::decode_parts(*read).value().protocols);
  }
  Task<Result<Bytes>> ask(PeerId peer) {
    Result<Stream> opened = co_await host.open_stream(std::move(peer), identify::kProtocol);
    if (!opened) co_return opened.error();
    Result<Bytes> read = co_await opened->read_to_end(identify::kMaxAnswer);
    co_return read;
  }
  libp2p::Host& host;
  std::vector<std::vector<std::string>> pushes;
};

TEST_F(IdentifyPushTest, tells_of_a_handler_that_was_set_before_it_was_known_that_the_peer_takes_pushes) {
  LateTeller late(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  const auto asked = net_.run(0, late.ask(peer(1)));
  ASSERT_TRUE(asked && *asked);
  net_.host(1).set_stream_handler("/new/1.0.0", say_nothing);
  net_.run_for(Seconds(1));
  EXPECT_TRUE(late.pushes.empty()) << "whether it takes them is not known yet";
  net_.run_for(Seconds(10));
  ASSERT_EQ(late.pushes.size(), 1U);
  EXPECT_NE(std::find(late.pushes[0].begin(), late.pushes[0].end(), "/new/1.0.0"), late.pushes[0].end());
}

TEST_F(IdentifyPushTest, tells_an_address_that_the_host_listens_at_later_at_once) {
  IdentifyService a(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  std::size_t pushes = 0;
  a.on_identified([&pushes](const PeerId&, const Identified& what) { pushes += what.pushed ? 1 : 0; });
  const auto more = Multiaddr::from_text("/ip4/" + net_.node(1).ip4() + "/tcp/9300").value();
  ASSERT_TRUE(net_.host(1).listen(more));
  PingService ping(net_.host(1));  // in the same push
  net_.run_for(Millis(500));
  const auto known = store(0).addresses(peer(1), net_.world().now());
  EXPECT_NE(std::find(known.begin(), known.end(), more), known.end());
  EXPECT_TRUE(store(0).supports(peer(1), kPingProtocol));
  EXPECT_EQ(pushes, 1U);
}

TEST_F(IdentifyPushTest, does_nothing_while_nothing_changes) {
  IdentifyService a(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(60));
  const auto events_of_an_hour = [this] {
    const auto before = net_.world().delivered();
    net_.run_for(std::chrono::hours(1));
    return net_.world().delivered() - before;
  };
  const auto with = events_of_an_hour();
  ASSERT_TRUE(net_.run(0, a.close()));
  ASSERT_TRUE(net_.run(1, b.close()));
  EXPECT_LT(with, events_of_an_hour() + 20) << "the connection's own keep-alive is all there is";
}

TEST_F(IdentifyPushTest, never_pushes_more_often_than_a_peer_like_it_takes) {
  IdentifyService a(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  for (int i = 0; i < 40; ++i) {
    net_.host(1).set_stream_handler("/new/" + std::to_string(i), say_nothing);
    net_.run_for(Millis(300));
  }
  net_.run_for(Seconds(20));
  EXPECT_EQ(a.counters().refused_pushes, 0U);
  EXPECT_TRUE(store(0).supports(peer(1), "/new/39"));
}

// Each push of the other side was answered with one of our own beside the rounds. Above what a peer takes those were
// turned away, and what they told counted as told.
TEST_F(IdentifyPushTest, never_pushes_more_often_than_a_peer_like_it_takes_when_both_change) {
  IdentifyService a(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  for (int i = 0; i < 120; ++i) {
    const std::string name = "/new/" + std::to_string(i);
    net_.host(1).set_stream_handler(name, say_nothing);
    net_.host(0).set_stream_handler(name, say_nothing);
    net_.run_for(Seconds(1));
    if (i < 119) net_.host(1).remove_stream_handler(name);
    net_.host(0).remove_stream_handler(name);
  }
  net_.run_for(Seconds(20));
  EXPECT_EQ(a.counters().refused_pushes + b.counters().refused_pushes, 0U);
  EXPECT_TRUE(store(0).supports(peer(1), "/new/119"));
}

}  // namespace
}  // namespace libp2p

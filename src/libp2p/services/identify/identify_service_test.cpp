#include "libp2p/services/identify/identify_service.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/services/identify/identify_test_support.hpp"
#include "libp2p/services/ping/ping_service.hpp"
#include "libp2p/testing/sim_hosts.hpp"

namespace libp2p {
namespace {

using libp2p::Stream;
using runtime::Task;
using testing_identify::say_nothing;

// A host that answers identify, or pushes, with bytes of the test's own.
struct Liar {
  Bytes answer;

  static Task<void> write(Stream stream, Bytes bytes) {
    const Result<void> sent = co_await stream.write(bytes);
    if (sent) stream.close_write();
  }
  void serve(libp2p::Host& host) {
    host.set_stream_handler(std::string(identify::kProtocol),
                            [this](Stream stream) { return write(std::move(stream), answer); });
  }
  static Task<Result<void>> push(libp2p::Host& host, PeerId to, Bytes bytes) {
    std::vector<std::string> protocols;
    protocols.emplace_back(identify::kPushProtocol);
    Result<Stream> opened = co_await host.open_stream(std::move(to), std::move(protocols));
    if (!opened) co_return opened.error();
    Stream stream = std::move(*opened);
    const Result<void> sent = co_await stream.write(bytes);
    stream.close_write();
    co_return sent;
  }
};

class IdentifyServiceTest : public testing::Test {
 protected:
  IdentifyServiceTest() {
    net_.add("first/1.0");
    net_.add("second/2.0");
  }
  PeerId peer(std::size_t i) { return net_.host(i).id(); }
  std::string public_key(std::size_t i) {
    const Bytes key = net_.host(i).identity().public_key().to_protobuf();
    return {key.begin(), key.end()};
  }
  libp2p::Peerstore& store(std::size_t i) { return net_.host(i).peerstore(); }
  MonoTime now() { return net_.world().now(); }

  SimHosts net_{11};
};

// What a host tells of peers that were identified.
class Listener {
 public:
  explicit Listener(Host& host)
      : events_(host.subscribe([this](const HostEvent& event) {
          if (const auto* told = std::get_if<PeerIdentified>(&event)) heard.emplace_back(told->peer, told->protocols);
        })) {}
  std::vector<std::pair<PeerId, std::vector<std::string>>> heard;

 private:
  Subscription events_;
};

TEST_F(IdentifyServiceTest, tells_both_ends_of_a_new_connection_who_the_other_is) {
  IdentifyService a(net_.host(0));
  IdentifyConfig config;
  config.protocol_version = "test/1";
  IdentifyService b(net_.host(1), config);
  PingService ping(net_.host(1));
  Listener listener(net_.host(0));
  std::optional<Identified> told;
  a.on_identified([&told](const PeerId&, const Identified& what) { told = what; });

  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));

  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->agent, "second/2.0");
  EXPECT_EQ(told->protocol_version, "test/1");
  EXPECT_TRUE(told->signed_record);
  EXPECT_EQ(told->addresses, std::vector<Multiaddr>{net_.address(1).without_peer_id()});
  ASSERT_TRUE(told->observed.has_value());
  EXPECT_EQ(told->observed->value_of(multiformats::Protocol::ip4), net_.node(0).ip4());

  EXPECT_EQ(store(0).agent(peer(1)), "second/2.0");
  EXPECT_EQ(store(0).protocols(peer(1)),
            (std::vector<std::string>{"/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0"}));
  ASSERT_EQ(listener.heard.size(), 1U);
  EXPECT_EQ(listener.heard.front().first, peer(1));

  EXPECT_EQ(store(1).agent(peer(0)), "first/1.0");
  EXPECT_EQ(store(1).protocol_version(peer(0)), "");
  EXPECT_EQ(store(1).addresses(peer(0), now()), std::vector<Multiaddr>{net_.address(0).without_peer_id()});
  ASSERT_EQ(b.observed_addresses().size(), 1U);
  EXPECT_EQ(b.observed_addresses().front().second, 1U);
}

TEST_F(IdentifyServiceTest, asks_peers_that_were_connected_before_it_began) {
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  IdentifyService a(net_.host(0));
  net_.run_for(Seconds(1));
  EXPECT_EQ(store(0).agent(peer(1)), "second/2.0");
}

TEST_F(IdentifyServiceTest, pushes_a_protocol_that_is_new_or_gone) {
  IdentifyService a(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  bool pushed = false;
  a.on_identified([&pushed](const PeerId&, const Identified& what) { pushed = what.pushed; });
  net_.host(1).set_stream_handler("/new/1.0.0", say_nothing);
  net_.run_for(Seconds(6));
  EXPECT_TRUE(pushed);
  EXPECT_TRUE(store(0).supports(peer(1), "/new/1.0.0"));

  net_.host(1).remove_stream_handler("/new/1.0.0");
  b.push();
  net_.run_for(Millis(500));
  EXPECT_FALSE(store(0).supports(peer(1), "/new/1.0.0"));
}

TEST_F(IdentifyServiceTest, pushes_an_announced_address) {
  IdentifyService a(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  const auto announced = Multiaddr::from_text("/ip4/10.77.0.1/tcp/9222").value();
  b.set_announced({announced});
  net_.run_for(Millis(500));
  const auto known = store(0).addresses(peer(1), now());
  EXPECT_NE(std::find(known.begin(), known.end(), announced), known.end());
}

TEST_F(IdentifyServiceTest, keeps_what_a_push_does_not_mention) {
  IdentifyService a(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  const auto before = store(0).protocols(peer(1));
  identify::Message message;
  message.agent_version = "renamed/3.0";
  ASSERT_TRUE(net_.run(1, Liar::push(net_.host(1), peer(0), identify::encode_parts(message))).value().has_value());
  net_.run_for(Millis(500));
  EXPECT_EQ(store(0).agent(peer(1)), "renamed/3.0");
  EXPECT_EQ(store(0).protocols(peer(1)), before);
}

TEST_F(IdentifyServiceTest, believes_nothing_that_comes_with_another_peers_key) {
  IdentifyService a(net_.host(0));
  std::optional<Error> failure;
  a.on_failed([&failure](const PeerId&, const Error& why) { failure = why; });
  identify::Message message;
  const std::string key = public_key(0);
  message.public_key.emplace(key.begin(), key.end());
  message.agent_version = "impostor";
  Liar liar{identify::encode_parts(message)};
  liar.serve(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(*failure, Errc::mismatch);
  EXPECT_EQ(store(0).agent(peer(1)), "");
}

TEST_F(IdentifyServiceTest, does_not_take_the_signed_record_of_somebody_else) {
  IdentifyService a(net_.host(0));
  std::optional<Identified> told;
  a.on_identified([&told](const PeerId&, const Identified& what) { told = what; });
  multiformats::PeerRecord record;
  record.peer_id = peer(0);
  record.seq = 9;
  record.addresses = {Multiaddr::from_text("/ip4/10.66.6.6/tcp/666").value()};
  identify::Message message;
  const auto honest = Multiaddr::from_text("/ip4/10.1.1.1/tcp/1").value();
  message.listen_addrs.emplace_back(honest.bytes().begin(), honest.bytes().end());
  const Bytes sealed = record.seal(net_.host(0).identity()).value();
  message.signed_peer_record.emplace(sealed.begin(), sealed.end());
  Liar liar{identify::encode_parts(message)};
  liar.serve(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  ASSERT_TRUE(told.has_value());
  EXPECT_FALSE(told->signed_record);
  EXPECT_EQ(told->addresses, std::vector<Multiaddr>{honest});
}

TEST_F(IdentifyServiceTest, takes_signed_records_only_in_the_order_of_their_numbers) {
  IdentifyService a(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  const auto push = [this](std::uint64_t seq, const char* text) {
    multiformats::PeerRecord record;
    record.peer_id = peer(1);
    record.seq = seq;
    record.addresses = {Multiaddr::from_text(text).value()};
    identify::Message message;
    const Bytes sealed = record.seal(net_.host(1).identity()).value();
    message.signed_peer_record.emplace(sealed.begin(), sealed.end());
    EXPECT_TRUE(net_.run(1, Liar::push(net_.host(1), peer(0), identify::encode_parts(message))).value().has_value());
    net_.run_for(Millis(500));
  };
  const auto knows = [this](const char* text) {
    const auto known = store(0).addresses(peer(1), now());
    return std::find(known.begin(), known.end(), Multiaddr::from_text(text).value()) != known.end();
  };
  constexpr std::uint64_t kFuture = std::uint64_t{1} << 62;  // above what the honest service has told
  push(kFuture, "/ip4/10.1.1.1/tcp/1");
  push(kFuture - 1, "/ip4/10.1.1.1/tcp/2");
  push(kFuture + 1, "/ip4/10.1.1.1/tcp/3");
  EXPECT_TRUE(knows("/ip4/10.1.1.1/tcp/1"));
  EXPECT_FALSE(knows("/ip4/10.1.1.1/tcp/2"));
  EXPECT_TRUE(knows("/ip4/10.1.1.1/tcp/3"));
}

TEST_F(IdentifyServiceTest, refuses_an_answer_beyond_its_bound_and_one_that_is_no_message) {
  IdentifyService a(net_.host(0));
  std::vector<Errc> failures;
  a.on_failed([&failures](const PeerId&, const Error& why) { failures.push_back(why.code()); });
  Liar liar{Bytes(1 << 20, 0x01)};
  liar.serve(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(2));
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures.front(), Errc::too_large);

  liar.answer = {0x05, 0xff, 0xff, 0xff, 0xff, 0xff};
  const auto asked = net_.run(0, a.identify(peer(1)));
  ASSERT_TRUE(asked.has_value());
  EXPECT_FALSE(asked->has_value());
}

TEST_F(IdentifyServiceTest, gives_up_on_a_silent_peer) {
  IdentifyService a(net_.host(0));
  std::optional<Error> failure;
  a.on_failed([&failure](const PeerId&, const Error& why) { failure = why; });
  net_.host(1).set_stream_handler(std::string(identify::kProtocol), say_nothing);
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(9));
  EXPECT_FALSE(failure.has_value());
  net_.run_for(Seconds(3));
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(*failure, Errc::timed_out);
}

TEST_F(IdentifyServiceTest, remembers_the_addresses_of_a_peer_for_a_while_after_it_went) {
  IdentifyService a(net_.host(0));
  IdentifyService b(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(std::chrono::hours(2));
  net_.host(0).disconnect(peer(1), "the test says so");
  net_.run_for(std::chrono::minutes(29));
  EXPECT_FALSE(store(0).addresses(peer(1), now()).empty());
  EXPECT_TRUE(a.observed_addresses().empty());
  net_.run_for(std::chrono::minutes(2));
  EXPECT_TRUE(store(0).addresses(peer(1), now()).empty());
}

TEST_F(IdentifyServiceTest, verifies_no_more_records_than_a_peer_may_push) {
  IdentifyService a(net_.host(0));
  std::size_t learnt = 0;
  a.on_identified([&learnt](const PeerId&, const Identified& told) { learnt += told.pushed ? 1 : 0; });
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  const auto push = [this](std::uint64_t seq) {
    multiformats::PeerRecord record;
    record.peer_id = peer(1);
    record.seq = seq;
    record.addresses = {Multiaddr::from_text("/ip4/10.1.1.1/tcp/1").value()};
    identify::Message message;
    const Bytes sealed = record.seal(net_.host(1).identity()).value();
    message.signed_peer_record.emplace(sealed.begin(), sealed.end());
    (void)net_.run(1, Liar::push(net_.host(1), peer(0), identify::encode_parts(message)));
  };
  for (std::uint64_t seq = 1; seq <= 50; ++seq) push(seq);
  net_.run_for(Millis(500));
  EXPECT_LE(learnt, 10U);
  EXPECT_GE(learnt, 8U);
  EXPECT_EQ(a.counters().refused_pushes, 50 - learnt);
  // After a while it may tell again.
  net_.run_for(Seconds(6));
  const std::size_t before = learnt;
  push(51);
  net_.run_for(Millis(500));
  EXPECT_EQ(learnt, before + 1);
}

TEST_F(IdentifyServiceTest, hands_on_no_more_protocols_than_it_keeps) {
  IdentifyService a(net_.host(0));
  Listener listener(net_.host(0));
  identify::Message message;
  for (int i = 0; i < 200; ++i) message.protocols.push_back("/" + std::to_string(i) + "/" + std::string(25, 'x'));
  Liar liar{identify::encode_parts(message)};
  liar.serve(net_.host(1));
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  ASSERT_EQ(listener.heard.size(), 1U);
  EXPECT_EQ(listener.heard.front().second.size(), libp2p::PeerstoreLimits().protocols_per_peer);
}

TEST(IdentifyService, leaves_nothing_behind) {
  {
    SimHosts net(12);
    net.add();
    net.add();
    IdentifyService a(net.host(0));
    IdentifyService b(net.host(1));
    ASSERT_TRUE(net.connect(0, 1));
    net.run_for(Seconds(1));
    EXPECT_TRUE(net.run(0, a.close()));
    EXPECT_TRUE(net.run(1, b.close()));
    net.close();
  }
  EXPECT_EQ(live<IdentifyService>(), 0);
  EXPECT_EQ(live<runtime::detail::Root>(), 0);
}

}  // namespace
}  // namespace libp2p

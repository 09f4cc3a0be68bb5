// What services put on the wire and when, seen by a peer that speaks the protocol by hand.
#include <gtest/gtest.h>

#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "libp2p/services/perf/perf_service.hpp"
#include "libp2p/services/ping/ping_service.hpp"
#include "libp2p/testing/sim_hosts.hpp"

namespace libp2p {
namespace {

using libp2p::Stream;
using runtime::Task;

Task<Result<Stream>> open(libp2p::Host& host, PeerId peer, std::string_view protocol) {
  std::vector<std::string> protocols;
  protocols.emplace_back(protocol);
  return host.open_stream(std::move(peer), std::move(protocols));
}

// Opens a stream, says `hello`, and notes what comes within five seconds before and after it ends its own side.
struct Heard {
  Bytes before;
  Bytes after;
  bool ended = false;
};

Task<bool> talk(libp2p::Host& host, PeerId peer, std::string_view protocol, Bytes hello, Heard& heard) {
  Result<Stream> opened = co_await open(host, std::move(peer), protocol);
  if (!opened) co_return false;
  Stream stream = std::move(*opened);
  const Result<void> sent = co_await stream.write(hello);
  if (!sent) co_return false;
  Bytes buffer(4096);
  stream.set_read_deadline(host.runtime().now().mono + Seconds(5));
  for (;;) {
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got || *got == 0) break;
    append(heard.before, ByteView(buffer).first(*got));
  }
  stream.set_read_deadline(host.runtime().now().mono + Seconds(5));
  stream.close_write();
  const Result<Bytes> rest = co_await stream.read_to_end(1 << 20);
  if (rest) heard.after = *rest;
  heard.ended = rest.has_value();
  co_return true;
}

// Echoes, and notes how the other side ends.
struct Echo {
  std::size_t bytes = 0;
  bool ended = false;
  Task<void> serve(Stream stream) {
    Bytes buffer(32);
    for (;;) {
      const Result<std::size_t> got = co_await stream.read_some(buffer);
      if (!got) co_return;
      if (*got == 0) break;
      bytes += *got;
      const ByteView echoed(buffer.data(), *got);
      const Result<void> sent = co_await stream.write(echoed);
      if (!sent) co_return;
    }
    ended = true;
    stream.close_write();
  }
};

class RawPeer : public testing::Test {
 protected:
  RawPeer() {
    net_.add();
    net_.add();
    EXPECT_TRUE(net_.connect(0, 1));
  }
  Heard talk_to_second(std::string_view protocol, Bytes hello) {
    Heard heard;
    const auto talked = net_.run(0, talk(net_.host(0), net_.host(1).id(), protocol, std::move(hello), heard));
    EXPECT_TRUE(talked && *talked);
    return heard;
  }
  SimHosts net_{9};
};

TEST_F(RawPeer, gets_nothing_of_a_perf_server_before_it_has_ended_its_upload) {
  PerfConfig config;
  config.serve = true;
  PerfService server(net_.host(1), config);
  Bytes hello(8 + 500);
  store_be64(hello.data(), 1000);
  const Heard heard = talk_to_second(kPerfProtocol, hello);
  EXPECT_TRUE(heard.before.empty());
  EXPECT_EQ(heard.after.size(), 1000u);
  EXPECT_TRUE(heard.ended);
}

TEST_F(RawPeer, gets_its_pings_back_at_once_and_the_end_after_its_own) {
  PingService server(net_.host(1));
  Bytes hello(64);
  SeededRng(1).fill(hello);
  const Heard heard = talk_to_second(kPingProtocol, hello);
  EXPECT_EQ(heard.before, hello);
  EXPECT_TRUE(heard.after.empty());
  EXPECT_TRUE(heard.ended);
}

TEST_F(RawPeer, sees_the_end_of_the_stream_after_the_last_ping) {
  Echo echo;
  net_.host(1).set_stream_handler(std::string(kPingProtocol),
                                  [&echo](Stream stream) { return echo.serve(std::move(stream)); });
  PingService client(net_.host(0));
  const auto done = net_.run(0, client.ping_many(net_.host(1).id(), 3, Millis(10), [](std::size_t, Nanos) {}));
  ASSERT_TRUE(done && done->has_value());
  net_.run_for(Seconds(1));
  EXPECT_EQ(echo.bytes, 3u * 32u);
  EXPECT_TRUE(echo.ended);
}

TEST_F(RawPeer, sees_signed_records_whose_number_rises_and_the_same_one_as_long_as_it_says_the_same) {
  IdentifyService service(net_.host(1));
  std::uint64_t last = 0;
  for (int i = 0; i < 3; ++i) {
    service.set_announced({Multiaddr::from_text("/ip4/192.0.2.1/tcp/" + std::to_string(1000 + i)).value()});
    Bytes first;
    for (int again = 0; again < 2; ++again) {
      const Heard heard = talk_to_second(identify::kProtocol, {});
      const auto message = identify::decode_parts(heard.before);
      ASSERT_TRUE(message && message->signed_peer_record);
      const Bytes sealed = to_bytes(*message->signed_peer_record);
      if (again == 1) {
        EXPECT_EQ(sealed, first);
      }
      first = sealed;
    }
    const auto record = multiformats::PeerRecord::open(first);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->peer_id, net_.host(1).id());
    EXPECT_GT(record->seq, last);
    last = record->seq;
  }
}

}  // namespace
}  // namespace libp2p

#include "network/connection_engine.hpp"

#include <gtest/gtest.h>

#include "network/connection_pair.hpp"
#include "protocols/yamux/stream_state.hpp"

namespace libp2p::network {
namespace {

using testing_pair::make_key;
using testing_pair::Options;
using testing_pair::Pair;
using testing_pair::pattern;
using testing_pair::Recorder;

constexpr char kEcho[] = "/echo/1.0.0";

class ConnectionEngineTest : public ::testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(live<ConnectionEngine>(), 0);
    EXPECT_EQ(live<yamux::Stream>(), 0);
  }
};

TEST_F(ConnectionEngineTest, becomes_ready_on_both_sides_and_knows_the_peers) {
  Pair pair;
  pair.run();
  EXPECT_EQ(pair.dialer.user.ready, 1);
  EXPECT_EQ(pair.listener.user.ready, 1);
  EXPECT_EQ(pair.dialer.engine->remote_peer(), PeerId::from_public_key(pair.listener_key.public_key()));
  EXPECT_EQ(pair.listener.engine->remote_peer(), PeerId::from_public_key(pair.dialer_key.public_key()));
  EXPECT_EQ(pair.listener.engine->remote_key(), pair.dialer_key.public_key());
  EXPECT_EQ(pair.dialer.engine->security(), "/noise");
  EXPECT_EQ(pair.dialer.engine->muxer(), "/yamux/1.0.0");
  EXPECT_FALSE(pair.dialer.engine->wants_transmit());
  EXPECT_FALSE(pair.listener.engine->wants_transmit());
}

TEST_F(ConnectionEngineTest, is_ready_on_the_dialers_side_after_one_round_trip) {
  Pair pair;
  pair.transmit(pair.dialer, pair.listener, {});
  pair.receive(pair.listener);
  pair.transmit(pair.listener, pair.dialer, {});
  pair.receive(pair.dialer);
  EXPECT_TRUE(pair.dialer.engine->ready());
  EXPECT_FALSE(pair.listener.engine->ready());
  pair.run();
}

TEST_F(ConnectionEngineTest, sends_the_first_data_of_a_stream_with_its_opening) {
  Pair pair;
  pair.run();
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  EXPECT_EQ(pair.dialer.engine->send(id, as_bytes("hello")), 5U);
  pair.dialer.engine->close_write(id);
  pair.transmit(pair.dialer, pair.listener, {});
  pair.receive(pair.listener);
  const auto inbound = pair.listener.user.last_inbound;
  const auto& seen = pair.listener.user.streams.at(inbound);
  EXPECT_EQ(seen.protocol, kEcho);
  EXPECT_TRUE(seen.inbound);
  EXPECT_EQ(as_text(seen.data), "hello");
  EXPECT_EQ(seen.ends, 1);
  EXPECT_FALSE(pair.dialer.user.streams[id].opened);
  pair.run();
  EXPECT_TRUE(pair.dialer.user.streams[id].opened);
  pair.listener.engine->close_write(inbound);
  pair.run();
  EXPECT_EQ(pair.listener.user.streams[inbound].closed, 1);
  EXPECT_EQ(pair.dialer.user.streams[id].ends, 1);
  EXPECT_EQ(pair.dialer.user.streams[id].closed, 1);
  EXPECT_EQ(pair.dialer.engine->stream_count() + pair.listener.engine->stream_count(), 0U);
}

}  // namespace
}  // namespace libp2p::network

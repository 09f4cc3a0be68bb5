// Yamux behind the seam: that the limits reach the session, and what only the seam asks for. The rest is the session's
// tests.
#include "libp2p/muxers/yamux/muxer.hpp"

#include <gtest/gtest.h>

#include "libp2p/protocols/yamux/session_test_support.hpp"

namespace libp2p::yamux {
namespace {

using testing_session::data;
using testing_session::frame;
using testing_session::frames;
using testing_session::window;

struct Seen final : MuxerEvents {
  void on_inbound_stream(StreamId id) override { inbound.push_back(id); }
  void on_data(StreamId, ByteView bytes) override { append(received, bytes); }
  void on_end(StreamId) override { ++ends; }
  void on_reset(StreamId, const Error& error) override { resets.push_back(error); }
  void on_writable(StreamId) override { ++writable; }
  void on_closed(StreamId) override { ++closed; }
  bool may_grow(std::size_t) override { return false; }

  std::vector<StreamId> inbound;
  Bytes received;
  int ends = 0, writable = 0, closed = 0;
  std::vector<Error> resets;
};

class YamuxMuxerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Muxer> make(const StreamLimits& limits = {}, Role role = Role::listener) {
    return muxer({.keep_alive_interval = Nanos(0)}).make(role, limits, seen, now);
  }
  Bytes drain(Muxer& from) {
    Bytes out(1 << 20);
    out.resize(from.poll_output(out, now));
    return out;
  }

  Seen seen;
  Now now{MonoTime(Seconds(100)), UnixTime(Seconds(0))};
};

TEST_F(YamuxMuxerTest, bounds_its_streams_as_the_connection_says) {
  const auto muxer =
      make({.max_inbound_streams = 1, .max_outbound_streams = 2, .max_send_queue = 3000, .send_low_water = 0});
  ASSERT_TRUE(muxer->on_bytes(window(kSyn, 1), now));
  ASSERT_TRUE(muxer->on_bytes(window(kSyn, 3), now));
  EXPECT_EQ(seen.inbound.size(), 1U);
  EXPECT_EQ(frames(drain(*muxer)).at(0).header, make_header(FrameType::window_update, kRst, 3, 0));
  const StreamId id = muxer->open(now).value();
  ASSERT_TRUE(muxer->open(now));
  EXPECT_EQ(muxer->open(now).error().code(), Errc::exhausted);
  EXPECT_EQ(muxer->send(id, Bytes(5000)), 3000U);
  EXPECT_EQ(muxer->send_queue_bytes(id), 3000U);
  drain(*muxer);
  EXPECT_EQ(seen.writable, 1);
}

TEST_F(YamuxMuxerTest, resets_a_stream_for_which_the_connection_has_no_memory) {
  const auto muxer = make({.max_receive_memory = 1000});
  ASSERT_TRUE(muxer->on_bytes(window(kSyn, 1), now));
  ASSERT_TRUE(muxer->on_bytes(data(0, 1, Bytes(1001)), now));
  ASSERT_EQ(seen.resets.size(), 1U);
  EXPECT_EQ(seen.resets[0].code(), Errc::exhausted);
}

TEST_F(YamuxMuxerTest, asks_the_connection_whether_a_window_may_grow) {
  const auto muxer = yamux::muxer().make(Role::listener, {}, seen, now);
  drain(*muxer);
  now = now + Seconds(1);
  ASSERT_TRUE(muxer->on_bytes(frame(FrameType::ping, kAck, 0, 1), now));
  ASSERT_TRUE(muxer->on_bytes(data(kSyn, 1, Bytes(kInitialWindow)), now));
  muxer->consume(seen.inbound.at(0), kInitialWindow);
  EXPECT_EQ(frames(drain(*muxer)).at(0).header, make_header(FrameType::window_update, 0, 1, kInitialWindow));
}

TEST_F(YamuxMuxerTest, is_client_when_it_dials_and_tells_the_peer_why_it_resets_and_goes_away) {
  const auto muxer = make({}, Role::dialer);
  const StreamId id = muxer->open(now).value();
  drain(*muxer);
  muxer->reset(id, 0x1234);
  muxer->go_away(CloseCode::gated);
  const auto sent = frames(drain(*muxer));
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].header, make_header(FrameType::window_update, kRst, 1, 0x1234));
  EXPECT_EQ(sent[1].header, make_header(FrameType::go_away, 0, 0, 0x1007));
  EXPECT_EQ(muxer->open(now).error().code(), Errc::closed);
}

// In both orders: our end before and after.
TEST_F(YamuxMuxerTest, throws_away_what_comes_once_reading_has_stopped_and_ends_with_our_side) {
  for (const bool ended_before : {true, false}) {
    seen = {};
    const auto muxer = make();
    ASSERT_TRUE(muxer->on_bytes(data(kSyn, 1, as_bytes("heard")), now));
    const StreamId id = seen.inbound.at(0);
    if (ended_before) {
      muxer->close_write(id);
      drain(*muxer);
    }
    muxer->stop_reading(id);
    ASSERT_TRUE(muxer->on_bytes(data(0, 1, as_bytes(" and not")), now));
    EXPECT_EQ(seen.closed, 0) << "no event inside a call";
    EXPECT_EQ(muxer->wants_output(), ended_before);
    if (!ended_before) {
      EXPECT_EQ(muxer->send(id, as_bytes("still")), 5U);
      muxer->close_write(id);
    }
    drain(*muxer);
    EXPECT_EQ(seen.closed, 1);
    EXPECT_FALSE(muxer->has(id) || muxer->wants_output());
    ASSERT_TRUE(muxer->on_bytes(data(kFin, 1, as_bytes("late")), now));
    EXPECT_EQ(as_text(seen.received), "heard");
    EXPECT_EQ(seen.ends + static_cast<int>(seen.resets.size()), 0);
  }
}

// One window is all that such a peer can send, and none of it counts as unread.
TEST_F(YamuxMuxerTest, gives_no_credit_to_a_stream_that_is_not_read) {
  const auto muxer = make({.max_receive_memory = 100});
  ASSERT_TRUE(muxer->on_bytes(window(kSyn, 1), now));
  muxer->stop_reading(seen.inbound.at(0));
  ASSERT_TRUE(muxer->on_bytes(data(0, 1, Bytes(kInitialWindow)), now));
  muxer->consume(seen.inbound.at(0), kInitialWindow);
  EXPECT_FALSE(muxer->wants_output());
  EXPECT_FALSE(muxer->on_bytes(data(0, 1, as_bytes("x")), now)) << "more than its credit";
}

}  // namespace
}  // namespace libp2p::yamux

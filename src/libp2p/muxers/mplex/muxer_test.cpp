#include "libp2p/muxers/mplex/muxer.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace libp2p::mplex {
namespace {

class Events : public MuxerEvents {
 public:
  void on_inbound_stream(libp2p::StreamId id) override { inbound.push_back(id); }
  void on_data(libp2p::StreamId, ByteView part) override { append(data, part); }
  void on_end(libp2p::StreamId) override { ++ends; }
  void on_reset(libp2p::StreamId, const Error& error) override { errors.push_back(error.code()); }
  void on_writable(libp2p::StreamId) override { ++writable; }
  void on_closed(libp2p::StreamId) override { ++closed; }

  std::vector<libp2p::StreamId> inbound;
  Bytes data;
  std::vector<Errc> errors;
  int ends = 0, closed = 0, writable = 0;
};

const Now kNow{MonoTime(Seconds(1)), UnixTime(Seconds(1))};

void move(Muxer& from, Muxer& to) {
  Bytes out(1 << 20);
  out.resize(from.poll_output(out, kNow));
  EXPECT_TRUE(to.on_bytes(out, kNow));
}

TEST(MplexMuxer, carries_a_stream_between_two_hosts_through_the_seam) {
  const MuxerKind kind = muxer();
  EXPECT_EQ(kind.id, "/mplex/6.7.0");
  Events at_dialer, at_listener;
  const auto dialer = kind.make(Role::dialer, {}, at_dialer, kNow);
  const auto listener = kind.make(Role::listener, {}, at_listener, kNow);
  const auto id = dialer->open(kNow).value();
  EXPECT_TRUE(dialer->send(id, share(Bytes(3000, 7)), 0));
  dialer->close_write(id);
  move(*dialer, *listener);
  ASSERT_EQ(at_listener.inbound.size(), 1U);
  EXPECT_EQ(at_listener.data, Bytes(3000, 7));
  EXPECT_EQ(at_listener.ends, 1);
  listener->acknowledge(at_listener.inbound[0]);
  EXPECT_FALSE(listener->wants_output());
  EXPECT_EQ(listener->send(at_listener.inbound[0], as_bytes("back")), 4U);
  listener->close_write(at_listener.inbound[0]);
  move(*listener, *dialer);
  EXPECT_EQ(as_text(at_dialer.data), "back");
  EXPECT_EQ(at_dialer.closed + at_listener.closed, 2);
  EXPECT_EQ(dialer->stream_count() + listener->stream_count(), 0U);
}

TEST(MplexMuxer, holds_to_the_bounds_of_the_host) {
  StreamLimits limits;
  limits.max_inbound_streams = 2;
  limits.max_outbound_streams = 3;
  limits.max_receive_memory = 1000;
  limits.max_send_queue = 500;
  Events at_dialer, at_listener;
  const auto dialer = muxer().make(Role::dialer, limits, at_dialer, kNow);
  const auto listener = muxer().make(Role::listener, limits, at_listener, kNow);
  const auto id = dialer->open(kNow).value();
  ASSERT_TRUE(dialer->open(kNow));
  ASSERT_TRUE(dialer->open(kNow));
  EXPECT_EQ(dialer->open(kNow).error().code(), Errc::exhausted);
  move(*dialer, *listener);
  EXPECT_EQ(at_listener.inbound.size(), 2U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(dialer->send(id, Bytes(600)), 500U);
    move(*dialer, *listener);
  }
  EXPECT_GT(at_dialer.writable, 0);
  EXPECT_EQ(at_listener.errors, std::vector<Errc>{Errc::exhausted});
}

TEST(MplexMuxer, has_no_timer_no_good_bye_and_no_round_trip) {
  Events events;
  const auto muxer_of_one = muxer().make(Role::dialer, {}, events, kNow);
  EXPECT_FALSE(muxer_of_one->next_deadline());
  EXPECT_TRUE(muxer_of_one->on_timeout(kNow));
  EXPECT_FALSE(muxer_of_one->round_trip());
  muxer_of_one->go_away(CloseCode::shutdown);
  EXPECT_FALSE(muxer_of_one->wants_output());
  EXPECT_EQ(muxer_of_one->open(kNow).error().code(), Errc::closed);
}

TEST(MplexMuxer, takes_a_bound_of_its_own_for_what_one_stream_may_leave_unread) {
  Limits limits;
  limits.max_stream_unread = 100;
  Events at_dialer, at_listener;
  const auto dialer = muxer(limits).make(Role::dialer, {}, at_dialer, kNow);
  const auto listener = muxer(limits).make(Role::listener, {}, at_listener, kNow);
  dialer->send(dialer->open(kNow).value(), Bytes(101));
  move(*dialer, *listener);
  EXPECT_EQ(at_listener.errors, std::vector<Errc>{Errc::exhausted});
  move(*listener, *dialer);
  EXPECT_EQ(at_dialer.errors, std::vector<Errc>{Errc::reset});
  EXPECT_FALSE(dialer->failed());
}

}  // namespace
}  // namespace libp2p::mplex

#include "libp2p/protocols/mplex/session_test_support.hpp"

namespace libp2p::mplex::testing_session {
namespace {

TEST_F(MplexSession, opens_streams_with_growing_ids_and_takes_those_of_the_peer_whatever_their_ids_and_names) {
  make();
  for (std::uint64_t wire = 0; wire < 20; ++wire) {
    const StreamId id = session->open().value();
    EXPECT_EQ(only_frame(), make_header(Flag::new_stream, wire, 0));
    EXPECT_TRUE(session->has(id));
  }
  ASSERT_TRUE(feed(frame(Flag::new_stream, 3, "a name")));
  ASSERT_TRUE(feed(frame(Flag::new_stream, kMaxWireId, Bytes(kMaxMessage, 'n'))));
  ASSERT_TRUE(feed(frame(Flag::new_stream, 0)));
  EXPECT_EQ(user.inbound.size(), 3U);
  EXPECT_TRUE(user.streams.empty());  // a name is no data
  EXPECT_FALSE(session->wants_output());
}

TEST_F(MplexSession, tells_streams_of_both_sides_with_one_id_apart) {
  make();
  const StreamId ours = open_outbound(), theirs = open_inbound(0);
  ASSERT_NE(ours, theirs);
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 0, "to theirs")));
  ASSERT_TRUE(feed(frame(Flag::message_receiver, 0, "to ours")));
  EXPECT_EQ(as_text(user.streams[theirs].data), "to theirs");
  EXPECT_EQ(as_text(user.streams[ours].data), "to ours");
  session->send(ours, as_bytes("one"));
  session->send(theirs, as_bytes("two"));
  session->close_write(ours);
  session->close_write(theirs);
  const auto sent = frames(drain());
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(sent[0].header, make_header(Flag::message_initiator, 0, 3));
  EXPECT_EQ(sent[1].header, make_header(Flag::message_receiver, 0, 3));
  EXPECT_EQ(sent[2].header, make_header(Flag::close_initiator, 0, 0));
  EXPECT_EQ(sent[3].header, make_header(Flag::close_receiver, 0, 0));
  session->reset(ours);
  session->reset(theirs);
  const auto resets = frames(drain());
  ASSERT_EQ(resets.size(), 2U);
  EXPECT_EQ(resets[0].header, make_header(Flag::reset_initiator, 0, 0));
  EXPECT_EQ(resets[1].header, make_header(Flag::reset_receiver, 0, 0));
}

TEST_F(MplexSession, ends_the_session_on_what_breaks_the_format_and_says_nothing) {
  const struct {
    const char* why;
    Bytes bytes;
  } cases[] = {
      {"a message above 1 MiB", *from_hex("02818040")},
      {"an endless header", *from_hex("ffffffffffffffffff7f00")},
      {"an endless length", *from_hex("02ffffffffffffffffff7f")},
      {"a padded header", *from_hex("820000")},
      {"opening twice",
       [] {
         Bytes b = frame(Flag::new_stream, 7);
         append(b, frame(Flag::new_stream, 7));
         return b;
       }()},
  };
  for (const auto& item : cases) {
    SCOPED_TRACE(item.why);
    for (const bool in_pieces : {false, true}) {
      user = {};
      make();
      const StreamId other = open_inbound(1);
      session->send(other, as_bytes("queued"));
      Result<void> result;
      const std::size_t step = in_pieces ? 1 : item.bytes.size();
      for (std::size_t at = 0; at < item.bytes.size() && result; at += step)
        result = session->on_bytes(ByteView(item.bytes).subspan(at, std::min(step, item.bytes.size() - at)));
      ASSERT_FALSE(result);
      EXPECT_TRUE(session->failed());
      EXPECT_FALSE(session->wants_output());
      EXPECT_TRUE(drain().empty());
      EXPECT_EQ(session->stream_count(), 0U);
      for (const auto id : user.inbound) EXPECT_EQ(user.streams[id].resets, 1);
      EXPECT_EQ(feed(frame(Flag::new_stream, 9)).error().code(), Errc::closed);
      EXPECT_EQ(session->open().error().code(), Errc::closed);
    }
  }
}

TEST_F(MplexSession, skips_messages_for_streams_that_are_gone_or_never_were) {
  make();
  for (const Bytes& late :
       {frame(Flag::message_initiator, 9, Bytes(5000)), frame(Flag::message_receiver, 9, "x"),
        frame(Flag::close_initiator, 9), frame(Flag::close_receiver, 9), frame(Flag::reset_initiator, 9),
        frame(Flag::reset_receiver, 9), frame(static_cast<Flag>(7), 9, "what is this")})
    EXPECT_TRUE(feed(late));
  EXPECT_TRUE(user.streams.empty());
  EXPECT_FALSE(session->wants_output());
  EXPECT_EQ(session->counters().late_frames, 7U);
  EXPECT_EQ(session->counters().skipped_bytes, 5001U);
}

TEST_F(MplexSession, resets_its_stream_on_a_flag_that_does_not_exist) {
  make();
  const StreamId ours = open_outbound(), theirs = open_inbound(0);
  ASSERT_TRUE(feed(frame(static_cast<Flag>(7), 0, "x")));
  EXPECT_EQ(user.streams[ours].resets, 1);
  EXPECT_EQ(user.streams[ours].error.code(), Errc::malformed);
  EXPECT_TRUE(session->has(theirs));
  EXPECT_EQ(only_frame(), make_header(Flag::reset_initiator, 0, 0));
}

TEST_F(MplexSession, skips_data_where_a_message_carries_none) {
  make();
  const auto closed = open_inbound(1), reset = open_inbound(2);
  ASSERT_TRUE(feed(frame(Flag::close_initiator, 1, "junk")));
  ASSERT_TRUE(feed(frame(Flag::reset_initiator, 2, "junk")));
  EXPECT_EQ(user.streams[closed].ends, 1);
  EXPECT_TRUE(user.streams[closed].data.empty());
  EXPECT_EQ(user.streams[reset].resets, 1);
}

TEST_F(MplexSession, gives_the_same_events_wherever_the_bytes_are_split) {
  Bytes all;
  for (const Bytes& part : {frame(Flag::new_stream, 300, "name"), frame(Flag::message_initiator, 300, Bytes(200, 'a')),
                            frame(Flag::new_stream, 5), frame(Flag::message_initiator, 5, "short"),
                            frame(Flag::message_initiator, 300, Bytes{}), frame(Flag::close_initiator, 300),
                            frame(Flag::reset_initiator, 5)})
    append(all, part);
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    user = {};
    make();
    ASSERT_TRUE(session->on_bytes(ByteView(all).first(cut)));
    ASSERT_TRUE(session->on_bytes(ByteView(all).subspan(cut)));
    ASSERT_EQ(user.inbound.size(), 2U);
    auto& first = user.streams[user.inbound[0]];
    auto& second = user.streams[user.inbound[1]];
    EXPECT_EQ(first.data, Bytes(200, 'a'));
    EXPECT_EQ(first.ends, 1);
    EXPECT_EQ(as_text(second.data), "short");
    EXPECT_EQ(second.resets, 1);
  }
  user = {};
  make();
  for (const std::uint8_t byte : all) ASSERT_TRUE(session->on_bytes(ByteView(&byte, 1)));
  EXPECT_EQ(user.streams[user.inbound[0]].data, Bytes(200, 'a'));
  EXPECT_EQ(as_text(user.streams[user.inbound[1]].data), "short");
}

TEST_F(MplexSession, refuses_streams_above_the_bound_and_takes_new_ones_when_old_ones_end) {
  limits.max_inbound_streams = 3;
  make();
  for (std::uint64_t wire = 1; wire <= 3; ++wire) open_inbound(wire);
  ASSERT_TRUE(feed(frame(Flag::new_stream, 4)));
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 4, "refused")));
  EXPECT_EQ(only_frame(), make_header(Flag::reset_receiver, 4, 0));
  EXPECT_EQ(session->counters().refused_streams, 1U);
  ASSERT_TRUE(feed(frame(Flag::reset_initiator, 1)));
  open_inbound(1);  // its id may come again
  EXPECT_EQ(user.inbound.size(), 4U);
  EXPECT_NE(user.inbound[0], user.inbound[3]);
  EXPECT_EQ(session->send(user.inbound[0], as_bytes("x")), 0U);
}

TEST_F(MplexSession, bounds_the_streams_that_it_opens) {
  limits.max_outbound_streams = 3;
  make();
  const auto first = session->open().value();
  ASSERT_TRUE(session->open());
  ASSERT_TRUE(session->open());
  EXPECT_EQ(session->open().error().code(), Errc::exhausted);
  session->reset(first);
  EXPECT_TRUE(session->open());
}

TEST_F(MplexSession, ends_the_session_of_a_peer_that_floods_and_does_not_read) {
  limits.max_inbound_streams = 1;
  limits.max_control_frames = 100;
  make();
  Result<void> result;
  std::uint64_t wire = 0;
  for (; result && wire < 1000; ++wire) result = feed(frame(Flag::new_stream, wire));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::exhausted);
  EXPECT_EQ(wire, 102U);  // one is taken, a hundred are refused, the next is too much
  EXPECT_FALSE(session->wants_output());
}

TEST_F(MplexSession, opens_no_more_streams_towards_a_peer_that_does_not_read) {
  limits.max_control_frames = 100;
  make();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(session->open());
  EXPECT_EQ(session->open().error().code(), Errc::exhausted);
  drain();
  EXPECT_TRUE(session->open());
}

TEST_F(MplexSession, half_closes_in_both_orders) {
  make();
  auto id = open_inbound(0);
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 0, "last")));
  ASSERT_TRUE(feed(frame(Flag::close_initiator, 0)));
  EXPECT_EQ(as_text(user.streams[id].data), "last");
  EXPECT_EQ(user.streams[id].ends, 1);
  EXPECT_EQ(session->send(id, as_bytes("answer")), 6U);
  session->close_write(id);
  EXPECT_EQ(session->send(id, as_bytes("too late")), 0U);
  EXPECT_FALSE(session->send(id, share(Bytes(2000)), 0));
  auto sent = frames(drain());
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(as_text(sent[0].data), "answer");
  EXPECT_EQ(sent[1].header, make_header(Flag::close_receiver, 0, 0));
  EXPECT_EQ(user.streams[id].closed, 1);

  id = open_outbound();
  session->close_write(id);
  EXPECT_EQ(only_frame(), make_header(Flag::close_initiator, 0, 0));
  EXPECT_EQ(user.streams[id].closed, 0);
  ASSERT_TRUE(feed(frame(Flag::message_receiver, 0, "still coming")));
  ASSERT_TRUE(feed(frame(Flag::close_receiver, 0)));
  EXPECT_EQ(as_text(user.streams[id].data), "still coming");
  EXPECT_EQ(user.streams[id].closed, 1);
  EXPECT_EQ(session->stream_count(), 0U);
}

TEST_F(MplexSession, resets_a_stream_that_sends_after_its_end) {
  make();
  const auto id = open_inbound(1);
  ASSERT_TRUE(feed(frame(Flag::close_initiator, 1)));
  ASSERT_TRUE(feed(frame(Flag::close_initiator, 1)));    // said twice
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 1)));  // of nothing
  EXPECT_EQ(user.streams[id].ends, 1);
  EXPECT_EQ(user.streams[id].resets, 0);
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 1, "x")));
  EXPECT_EQ(user.streams[id].resets, 1);
  EXPECT_EQ(user.streams[id].error.code(), Errc::malformed);
  EXPECT_EQ(only_frame(), make_header(Flag::reset_receiver, 1, 0));
  open_inbound(2);  // the connection goes on
}

TEST_F(MplexSession, throws_away_what_comes_to_a_stream_that_nobody_reads_and_ends_it_with_our_side) {
  make();
  const auto id = open_inbound(1);
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 1, "read")));
  session->stop_reading(id);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(feed(frame(Flag::message_initiator, 1, Bytes(kMaxMessage))));
  EXPECT_EQ(as_text(user.streams[id].data), "read");
  EXPECT_EQ(session->counters().skipped_bytes, 10 * kMaxMessage);
  EXPECT_EQ(session->unconsumed_bytes(), 0U);
  session->consume(id, 4);  // too late, and no harm
  EXPECT_EQ(session->unconsumed_bytes(), 0U);
  EXPECT_FALSE(session->wants_output());  // there is no way to say so
  session->send(id, as_bytes("answer"));
  session->close_write(id);
  EXPECT_EQ(frames(drain()).size(), 2U);
  EXPECT_EQ(user.streams[id].closed, 1);
  EXPECT_EQ(user.streams[id].ends, 0);

  // The other order: our side has ended already, and the event comes with the next output.
  const auto late = open_inbound(2);
  session->close_write(late);
  drain();
  session->stop_reading(late);
  EXPECT_TRUE(session->wants_output());
  EXPECT_TRUE(drain().empty());
  EXPECT_EQ(user.streams[late].closed, 1);
  EXPECT_FALSE(session->wants_output());

  // The peer ends first: no event of that, and the user can still send.
  const auto third = open_inbound(3);
  session->stop_reading(third);
  ASSERT_TRUE(feed(frame(Flag::close_initiator, 3)));
  EXPECT_EQ(user.streams[third].ends, 0);
  EXPECT_EQ(session->send(third, as_bytes("x")), 1U);
  session->close_write(third);
  drain();
  EXPECT_EQ(user.streams[third].closed, 1);
}

TEST_F(MplexSession, survives_a_reset_inside_every_event) {
  make();
  const auto reset = [&](StreamId id) { session->reset(id); };
  user.inbound_hook = reset;
  ASSERT_TRUE(feed(frame(Flag::new_stream, 1)));
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 1, "dropped")));
  EXPECT_EQ(session->stream_count(), 0U);
  user.inbound_hook = nullptr;
  const auto id = open_inbound(3);
  user.data_hook = [&](StreamId which, ByteView) { session->reset(which); };
  const Bytes in = frame(Flag::message_initiator, 3, Bytes(1000));
  ASSERT_TRUE(session->on_bytes(ByteView(in).first(500)));
  ASSERT_TRUE(session->on_bytes(ByteView(in).subspan(500)));
  EXPECT_EQ(user.streams[id].data.size(), 497U);
  user.data_hook = nullptr;
  const auto ended = open_inbound(4);
  user.end_hook = reset;
  session->close_write(ended);
  drain();
  ASSERT_TRUE(feed(frame(Flag::close_initiator, 4)));
  EXPECT_EQ(user.streams[ended].closed, 0);
  user.end_hook = nullptr;
  const auto full = open_inbound(5);
  user.writable_hook = reset;
  session->send(full, Bytes(limits.max_send_queue + 1));
  drain();
  EXPECT_FALSE(session->has(full));
}

TEST_F(MplexSession, sends_what_is_queued_after_it_goes_away_and_takes_no_new_streams) {
  make();
  const auto id = open_inbound(1);
  session->send(id, Bytes(100'000));
  session->go_away();
  EXPECT_EQ(session->open().error().code(), Errc::closed);
  ASSERT_TRUE(feed(frame(Flag::new_stream, 3)));
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 1, "still read")));
  EXPECT_EQ(as_text(user.streams[id].data), "still read");
  const auto sent = frames(drain());
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].header, make_header(Flag::reset_receiver, 3, 0));
  EXPECT_EQ(sent[1].data.size() + sent[2].data.size(), 100'000U);
  EXPECT_FALSE(session->wants_output());  // Mplex has no good-bye
}

TEST_F(MplexSession, is_over_after_an_abort) {
  make();
  const auto id = open_inbound();
  session->send(id, as_bytes("never sent"));
  session->abort(Error(Errc::reset, "over"));
  EXPECT_TRUE(session->failed());
  EXPECT_EQ(user.streams[id].resets, 1);
  EXPECT_EQ(session->open().error().code(), Errc::closed);
  EXPECT_TRUE(drain().empty());
}

}  // namespace
}  // namespace libp2p::mplex::testing_session

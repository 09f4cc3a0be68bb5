#include <ctime>

#include "libp2p/protocols/mplex/session_test_support.hpp"

namespace libp2p::mplex::testing_session {
namespace {

class MplexFlow : public MplexSession {};

TEST_F(MplexFlow, resets_the_stream_whose_reader_does_not_keep_up_and_spares_the_others) {
  limits.max_stream_unread = 100'000;
  make();
  const auto slow = open_inbound(1), fine = open_inbound(2);
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 1, Bytes(100'000))));
  EXPECT_EQ(user.streams[slow].resets, 0);  // the bound itself is allowed
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 1, Bytes(1))));
  EXPECT_EQ(user.streams[slow].resets, 1);
  EXPECT_EQ(user.streams[slow].error.code(), Errc::exhausted);
  EXPECT_EQ(user.streams[slow].data.size(), 100'000U);
  EXPECT_EQ(only_frame(), make_header(Flag::reset_receiver, 1, 0));
  EXPECT_EQ(session->counters().unread_resets, 1U);
  EXPECT_EQ(session->unconsumed_bytes(), 0U);
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 1, Bytes(50'000))));  // what was on its way
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 2, "goes on")));
  EXPECT_EQ(as_text(user.streams[fine].data), "goes on");
}

TEST_F(MplexFlow, counts_what_has_arrived_of_a_message_and_not_what_it_announces) {
  limits.max_stream_unread = 100'000;
  make();
  const auto id = open_inbound(1);
  user.data_hook = [&](StreamId which, ByteView part) { session->consume(which, part.size()); };
  const Bytes message = frame(Flag::message_initiator, 1, Bytes(kMaxMessage, 5));
  for (std::size_t at = 0; at < message.size(); at += 50'000)
    ASSERT_TRUE(session->on_bytes(ByteView(message).subspan(at, std::min<std::size_t>(50'000, message.size() - at))));
  EXPECT_EQ(user.streams[id].resets, 0);
  EXPECT_EQ(user.streams[id].data.size(), kMaxMessage);
  EXPECT_EQ(session->unconsumed_bytes(), 0U);
}

TEST_F(MplexFlow, resets_a_stream_in_the_middle_of_a_message_and_skips_the_rest_of_it) {
  limits.max_stream_unread = 1000;
  make();
  const auto id = open_inbound(1);
  const Bytes message = frame(Flag::message_initiator, 1, Bytes(5000));
  for (std::size_t at = 0; at < message.size(); at += 300)
    ASSERT_TRUE(session->on_bytes(ByteView(message).subspan(at, std::min<std::size_t>(300, message.size() - at))));
  EXPECT_EQ(user.streams[id].resets, 1);
  EXPECT_LE(user.streams[id].data.size(), 1000U);
  const auto next = open_inbound(2);
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 2, "in step")));
  EXPECT_EQ(as_text(user.streams[next].data), "in step");
}

TEST_F(MplexFlow, resets_a_stream_whose_data_would_exceed_the_connections_memory) {
  limits.max_receive_memory = 300'000;
  make();
  const auto one = open_inbound(1), two = open_inbound(2);
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 1, Bytes(200'000))));
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 2, Bytes(100'000))));
  EXPECT_EQ(session->unconsumed_bytes(), 300'000U);
  ASSERT_TRUE(feed(frame(Flag::message_initiator, 2, Bytes(1))));
  EXPECT_EQ(user.streams[two].resets, 1);
  EXPECT_EQ(user.streams[two].error.code(), Errc::exhausted);
  EXPECT_EQ(user.streams[one].resets, 0);
  EXPECT_EQ(session->unconsumed_bytes(), 200'000U);
  session->consume(one, 1 << 30);  // never more than was delivered
  EXPECT_EQ(session->unconsumed_bytes(), 0U);
}

TEST_F(MplexFlow, serves_ready_streams_in_turn_with_messages_of_bounded_size) {
  make();
  const auto one = session->open().value(), two = session->open().value();
  drain();
  session->send(one, Bytes(200'000, 1));
  session->send(two, Bytes(200'000, 2));
  std::vector<std::uint64_t> order;
  for (const auto& f : frames(drain())) {
    EXPECT_LE(f.data.size(), limits.max_frame_payload);
    order.push_back(f.header.stream_id);
  }
  ASSERT_EQ(order.size(), 8U);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i % 2);
}

TEST_F(MplexFlow, writes_whole_messages_into_any_room) {
  for (std::size_t room = kMaxHeader + 1; room < 200; ++room) {
    make();
    for (int i = 0; i < 20; ++i) session->reset(session->open().value());
    const auto id = session->open().value();  // its id takes two bytes
    Bytes message(1000);
    SeededRng(room).fill(message);
    session->send(id, message);
    session->close_write(id);
    Bytes received;
    std::vector<Frame> all;
    while (session->wants_output()) {
      const Bytes part = drain(room);
      ASSERT_FALSE(part.empty());
      for (auto& f : frames(part)) all.push_back(std::move(f));
    }
    for (const auto& f : all) append(received, f.data);
    EXPECT_EQ(received, message);
    EXPECT_EQ(all.back().header, make_header(Flag::close_initiator, 20, 0));
  }
}

TEST_F(MplexFlow, always_finds_room_for_something_in_thirteen_bytes) {
  make();
  const auto id = open_inbound(kMaxWireId);
  session->send(id, Bytes(100'000));
  EXPECT_TRUE(drain(kMaxHeader).empty());
  const auto small = frames(drain(kMaxHeader + 1));
  ASSERT_EQ(small.size(), 1U);
  EXPECT_EQ(small[0].header, make_header(Flag::message_receiver, kMaxWireId, 1));
}

TEST_F(MplexFlow, sends_openings_and_resets_before_data) {
  limits.max_inbound_streams = 1;
  make();
  const auto id = open_inbound(1);
  session->send(id, Bytes(100));
  ASSERT_TRUE(feed(frame(Flag::new_stream, 2)));
  const auto ours = session->open().value();
  session->send(ours, as_bytes("early"));
  const auto sent = frames(drain());
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(sent[0].header, make_header(Flag::reset_receiver, 2, 0));
  EXPECT_EQ(sent[1].header, make_header(Flag::new_stream, 0, 0));
  EXPECT_EQ(as_text(sent[3].data), "early");
}

TEST_F(MplexFlow, asks_for_more_when_a_full_queue_has_fallen_to_its_low_water) {
  make();
  const auto id = open_outbound();
  EXPECT_EQ(session->send(id, Bytes(limits.max_send_queue)), limits.max_send_queue);
  EXPECT_EQ(session->send(id, Bytes(1)), 0U);
  EXPECT_FALSE(session->send(id, share(Bytes(2000)), 0));
  drain(100'000);
  EXPECT_EQ(user.streams[id].writable, 0);
  drain(200'000);
  EXPECT_EQ(user.streams[id].writable, 1);
  drain();
  EXPECT_EQ(user.streams[id].writable, 1);  // once for each time that it was refused
  EXPECT_LT(session->send(id, Bytes(limits.max_send_queue + 1)), limits.max_send_queue + 1);
  session->close_write(id);
  while (!drain().empty()) {
  }
  EXPECT_EQ(user.streams[id].writable, 1);  // nothing of room on a stream that was closed for writing
}

TEST_F(MplexFlow, sends_shared_messages_without_a_copy_and_drops_them_with_the_stream) {
  make();
  const auto id = open_inbound(1);
  const auto shared = share(Bytes(10'000, 3));
  ASSERT_TRUE(session->send(id, shared, 100));
  EXPECT_EQ(shared.use_count(), 2);
  EXPECT_EQ(session->send_queue_bytes(id), 9'900U);
  EXPECT_EQ(frames(drain())[0].data, Bytes(9'900, 3));
  EXPECT_EQ(shared.use_count(), 1);
  ASSERT_TRUE(session->send(id, shared, 0));
  ASSERT_TRUE(feed(frame(Flag::reset_initiator, 1)));
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_FALSE(session->wants_output());
}

// Ids that fall into one bucket of a hash table (1,109 is what libstdc++ takes for a thousand entries) made each of
// these messages of five bytes cost 5 us. Processor time, and a ratio: what else runs does not count.
TEST_F(MplexFlow, finds_streams_as_fast_whatever_ids_the_peer_has_chosen) {
  const auto cost = [this](std::uint64_t stride) {
    make();
    Bytes openings, late;
    for (std::uint64_t i = 0; i < 1000; ++i) append(openings, frame(Flag::new_stream, i * stride));
    for (std::uint64_t i = 1000; i < 31'000; ++i)
      append(late, frame(Flag::message_initiator, (1000 + i % 1000) * stride));
    EXPECT_TRUE(session->on_bytes(openings));
    EXPECT_EQ(session->stream_count(), 1000U);
    const std::clock_t before = std::clock();
    EXPECT_TRUE(session->on_bytes(late));
    return std::clock() - before;
  };
  const auto usual = cost(1);
  EXPECT_LE(cost(1109), 20 * usual + CLOCKS_PER_SEC / 100);
}

// Two sessions and a wire between them that cuts the bytes anywhere.
class Pair {
 public:
  Pair() : ends{{Limits{}, users[0]}, {Limits{}, users[1]}} {
    for (std::size_t i : {0, 1}) {
      users[i].data_hook = [this, i](StreamId id, ByteView part) {
        ends[i].consume(id, part.size());
        if (i == 1) ends[i].send(id, part);  // the second one echoes
      };
      users[i].end_hook = [this, i](StreamId id) { ends[i].close_write(id); };
    }
  }
  bool move() {
    bool moved = false;
    for (std::size_t i : {0, 1}) {
      Bytes out(1 << 16);
      out.resize(ends[i].poll_output(out));
      moved = moved || !out.empty();
      for (ByteView rest = out; !rest.empty();) {
        const auto part = rest.first(std::min<std::size_t>(rest.size(), 1 + rng.below(5000)));
        EXPECT_TRUE(ends[1 - i].on_bytes(part));
        rest = rest.subspan(part.size());
      }
    }
    return moved;
  }
  Recorder users[2];
  Session ends[2];
  SeededRng rng{3};
};

TEST_F(MplexFlow, carries_ten_thousand_streams_a_thousand_at_a_time) {
  Pair pair;
  std::size_t opened = 0;
  std::vector<StreamId> ids;
  while (opened < 10'000) {
    while (opened < 10'000 && pair.ends[0].stream_count() < 1000) {
      const StreamId id = pair.ends[0].open().value();
      const std::string text = "stream " + std::to_string(opened++);
      ASSERT_EQ(pair.ends[0].send(id, as_bytes(text)), text.size());
      pair.ends[0].close_write(id);
      ids.push_back(id);
    }
    while (pair.move()) {
    }
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& seen = pair.users[0].streams[ids[i]];
    ASSERT_EQ(as_text(seen.data), "stream " + std::to_string(i));
    ASSERT_EQ(seen.ends, 1);
    ASSERT_EQ(seen.closed, 1);
  }
  EXPECT_EQ(pair.users[1].inbound.size(), 10'000U);
  for (const Session& end : pair.ends) {
    EXPECT_EQ(end.stream_count(), 0U);
    EXPECT_FALSE(end.wants_output());
  }
}

}  // namespace
}  // namespace libp2p::mplex::testing_session

// A protocol that the peer does not speak: the dialer is told so, whatever it has sent ahead.
#include <gmock/gmock.h>

#include "testing/connection_pair.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using testing_pair::Pair;
using testing_pair::pattern;

// What a dialer may send behind a proposal: it is read as proposals, and hardly ever is one.
std::vector<Bytes> early_data() {
  std::vector<Bytes> out = {
      {}, {0}, {0xff, 0xff, 0xff}, Bytes(32, 0xff), Bytes(8, 0), to_bytes("\x04na?\n"), Bytes(200'000, 3)};
  for (std::uint64_t seed = 1; seed <= 40; ++seed) out.push_back(pattern(1 + seed * 7, seed));
  return out;
}

TEST(Refusal, reaches_the_dialer_whatever_it_has_sent_ahead) {
  for (const Bytes& early : early_data()) {
    for (const bool ends : {false, true}) {
      SCOPED_TRACE(to_hex(ByteView(early).first(std::min<std::size_t>(early.size(), 8))) +
                   (ends ? " and the end" : ""));
      Pair pair;
      pair.run();
      const auto id = pair.dialer.engine->open_stream({"/unknown/1"}, pair.now).value();
      EXPECT_EQ(pair.dialer.engine->send(id, early), early.size());
      if (ends) pair.dialer.engine->close_write(id);
      pair.run();
      EXPECT_EQ(pair.dialer.user.streams[id].resets, 1);
      EXPECT_EQ(pair.dialer.user.streams[id].error.code(), Errc::unsupported)
          << pair.dialer.user.streams[id].error.message();
      EXPECT_TRUE(pair.listener.user.streams.empty());
      EXPECT_EQ(pair.dialer.engine->stream_count() + pair.listener.engine->stream_count(), 0U);
    }
  }
}

// go-yamux forgets what was not read yet when a reset comes, so the listener waits for the dialer's end.
TEST(Refusal, is_not_overtaken_by_a_reset_and_ends_with_the_dialers_side_or_at_the_deadline) {
  for (const bool dialer_ends : {true, false}) {
    Pair pair;
    pair.run();
    const auto id = pair.dialer.engine->open_stream({"/unknown/1"}, pair.now).value();
    pair.dialer.engine->send(id, Bytes(32, 0xff));
    pair.transmit(pair.dialer, pair.listener, {});
    pair.receive(pair.listener);
    pair.transmit(pair.listener, pair.dialer, {});
    EXPECT_EQ(pair.listener.engine->stream_count(), 1U);
    if (dialer_ends) {
      pair.receive(pair.dialer);  // it reads the refusal and resets; its own end would wait for the answer
      pair.transmit(pair.dialer, pair.listener, {});
      pair.receive(pair.listener);
    } else {
      pair.now = pair.now + Seconds(10);
      ASSERT_TRUE(pair.listener.engine->on_timeout(pair.now));
    }
    EXPECT_EQ(pair.listener.engine->stream_count(), 0U);
    EXPECT_TRUE(pair.listener.user.streams.empty());
  }
}

TEST_F(HostTest, a_protocol_that_the_peer_does_not_speak_is_unsupported_also_behind_early_data) {
  const auto a = make_host();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto out = ask(*a, *b, pattern(seed * seed * 100, seed), "/unknown/1");
    ASSERT_TRUE(out.done && !*out.done);
    EXPECT_EQ(out.done->error().code(), Errc::unsupported) << out.text();
  }
  EXPECT_EQ(ask(*a, *b, to_bytes("hello")).text(), "ok");
}

}  // namespace
}  // namespace libp2p

#include "libp2p/upgrade/connection_engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "libp2p/protocols/multistream/negotiator.hpp"
#include "libp2p/protocols/noise/handshake.hpp"
#include "libp2p/protocols/noise/transport.hpp"
#include "libp2p/protocols/yamux/frame.hpp"
#include "libp2p/protocols/yamux/stream.hpp"
#include "testing/connection_pair.hpp"

namespace libp2p {
namespace {

using testing_pair::kEcho;
using testing_pair::make_key;
using testing_pair::Pair;
using testing_pair::pattern;
using testing_pair::Recorder;

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

TEST_F(ConnectionEngineTest, refuses_a_peer_that_is_not_the_expected_one) {
  const auto other = PeerId::from_public_key(make_key(99).public_key());
  Pair pair({.dialer = {.expected_peer = other}});
  pair.run();
  ASSERT_TRUE(pair.dialer.failure);
  EXPECT_EQ(pair.dialer.failure->code(), Errc::mismatch);
  EXPECT_TRUE(pair.dialer.engine->failed());
  EXPECT_EQ(pair.dialer.user.ready + pair.listener.user.ready, 0);
}

TEST_F(ConnectionEngineTest, accepts_the_expected_peer) {
  const auto expected = PeerId::from_public_key(make_key(3).public_key());
  Pair pair({.dialer = {.expected_peer = expected}});
  pair.run();
  EXPECT_TRUE(pair.dialer.engine->ready());
}

TEST_F(ConnectionEngineTest, fails_at_once_without_a_security_or_a_muxer) {
  for (const auto role : {Role::dialer, Role::listener}) {
    for (const auto& kinds : {std::shared_ptr<const ConnectionKinds>(), std::make_shared<const ConnectionKinds>()}) {
      SeededRng rng(1);
      Recorder user;
      ConnectionEngine engine(role, {.kinds = kinds}, user, testing_pair::start_time(), rng);
      EXPECT_TRUE(engine.failed());
      EXPECT_FALSE(engine.wants_transmit() || engine.next_deadline());
      Bytes byte(1);
      EXPECT_EQ(engine.on_bytes(byte, testing_pair::start_time()).error().code(), Errc::invalid_argument);
      EXPECT_FALSE(engine.open_stream({kEcho}, testing_pair::start_time()));
    }
  }
}

TEST_F(ConnectionEngineTest, detects_every_flipped_bit_of_the_handshake) {
  // Length of the flights, so that each byte gets its turn: header, proposal and first message; header, echo and second
  // message; third message and first sealed bytes.
  for (const bool to_listener : {true, false}) {
    for (std::size_t at = 0; at < 420; at += 3) {
      SCOPED_TRACE(at);
      Pair pair;
      std::size_t passed = 0;
      auto flip = [&](Bytes& bytes) {
        if (at >= passed && at < passed + bytes.size()) bytes[at - passed] ^= 0x40;
        passed += bytes.size();
      };
      (to_listener ? pair.tamper_to_listener : pair.tamper_to_dialer) = flip;
      pair.run();
      // Either somebody noticed, or somebody waits for bytes that a flipped length promised.
      for (int i = 0; i < 3; ++i) pair.advance(Seconds(20));
      EXPECT_TRUE(at >= passed || pair.dialer.failure || pair.listener.failure);
    }
  }
}

TEST_F(ConnectionEngineTest, gives_up_a_handshake_that_takes_longer_than_its_deadline) {
  Pair pair;
  EXPECT_EQ(*pair.dialer.engine->next_deadline(), pair.now.mono + Seconds(10));
  pair.advance(Seconds(10) - Nanos(1));
  EXPECT_FALSE(pair.dialer.failure);
  pair.advance(Nanos(1));
  for (auto* end : {&pair.dialer, &pair.listener}) {
    ASSERT_TRUE(end->failure);
    EXPECT_EQ(end->failure->code(), Errc::timed_out);
    EXPECT_TRUE(end->engine->failed());
    EXPECT_FALSE(end->engine->next_deadline());
  }
}

TEST_F(ConnectionEngineTest, pings_at_the_start_and_every_half_minute_and_gives_up_a_silent_peer) {
  Pair pair;
  pair.run();
  EXPECT_TRUE(pair.dialer.engine->round_trip());
  pair.advance(Seconds(30));
  EXPECT_TRUE(pair.dialer.engine->wants_transmit());
  pair.run();
  EXPECT_FALSE(pair.dialer.failure);
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.run();
  pair.advance(Seconds(30));
  Bytes lost(1000);
  EXPECT_GT(pair.dialer.engine->poll_transmit(lost, pair.now), 0U);
  pair.advance(Seconds(10));
  ASSERT_TRUE(pair.dialer.failure);
  EXPECT_EQ(pair.dialer.failure->code(), Errc::timed_out);
  EXPECT_EQ(pair.dialer.user.streams[id].resets, 1);
  EXPECT_TRUE(pair.dialer.engine->wants_transmit());  // the go-away
}

TEST_F(ConnectionEngineTest, says_good_bye_after_what_can_be_sent_has_been) {
  Pair pair;
  pair.run();
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.dialer.engine->send(id, pattern(100'000));
  pair.dialer.engine->go_away();
  EXPECT_EQ(pair.dialer.engine->open_stream({kEcho}, pair.now).error().code(), Errc::closed);
  pair.run();
  ASSERT_TRUE(pair.listener.failure);
  EXPECT_EQ(pair.listener.failure->code(), Errc::closed);
  const auto& seen = pair.listener.user.streams[pair.listener.user.last_inbound];
  EXPECT_EQ(seen.data.size(), 100'000U);
  EXPECT_EQ(seen.resets, 1);
  EXPECT_EQ(seen.error.code(), Errc::closed);
  pair.dialer.engine->abort(Error(Errc::closed, "done"));
  EXPECT_EQ(pair.dialer.user.streams[id].resets, 1);
  EXPECT_FALSE(pair.dialer.engine->wants_transmit());
}

TEST_F(ConnectionEngineTest, ends_every_stream_when_the_socket_is_lost) {
  Pair pair;
  pair.run();
  const auto one = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  const auto two = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.run();
  pair.dialer.engine->send(one, Bytes(1000));
  pair.dialer.user.reset_hook = [&](StreamId id) {
    if (id == one) pair.dialer.engine->reset(two);
    EXPECT_FALSE(pair.dialer.engine->open_stream({kEcho}, pair.now));
  };
  pair.dialer.engine->abort(Error(Errc::io, "connection reset"));
  EXPECT_EQ(pair.dialer.user.streams[one].resets, 1);
  EXPECT_EQ(pair.dialer.user.streams[one].error.code(), Errc::io);
  EXPECT_EQ(pair.dialer.user.streams[two].resets, 0);  // the user had done it
  EXPECT_FALSE(pair.dialer.engine->wants_transmit());
  Bytes in(10);
  EXPECT_EQ(pair.dialer.engine->on_bytes(in, pair.now).error().code(), Errc::io);
}

TEST_F(ConnectionEngineTest, ends_the_connection_on_a_sealed_message_that_was_changed) {
  Pair pair;
  pair.run();
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.run();
  pair.tamper_to_listener = [](Bytes& bytes) {
    if (!bytes.empty()) bytes.back() ^= 1;
  };
  pair.dialer.engine->send(id, as_bytes("x"));
  pair.run();
  ASSERT_TRUE(pair.listener.failure);
  EXPECT_EQ(pair.listener.failure->code(), Errc::mismatch);
  EXPECT_EQ(pair.listener.user.streams[pair.listener.user.last_inbound].resets, 1);
}

// A peer without early muxer negotiation, played by hand: its handshake offers nothing, and it negotiates behind it.
class OldPeer {
 public:
  OldPeer(bool initiator, std::string muxer) : muxer_(std::move(muxer)) {
    const auto key = make_key(50);
    const auto credentials = noise::Credentials::make(key, rng_).value();
    handshake_.emplace(initiator, credentials, noise::HandshakeOptions{}, rng_);
    multistream::append_message(out_, multistream::kProtocolId);
    multistream::append_message(out_, "/noise");
    append(out_, handshake_->take_output());
  }

  Bytes take_output() { return std::exchange(out_, {}); }

  void on_bytes(ByteView in) {
    append(in_, in);
    if (!transport_) {
      // Its own header and proposal or echo come first; they are what it expects.
      constexpr std::size_t kChoice = 20 + 8;
      if (in_.size() <= kChoice) return;
      const auto taken = handshake_->on_bytes(ByteView(in_).subspan(kChoice));
      ASSERT_TRUE(taken);
      append(out_, handshake_->take_output());
      in_.erase(in_.begin() + kChoice, in_.begin() + static_cast<std::ptrdiff_t>(kChoice + *taken));
      if (!handshake_->finished()) return;
      transport_.emplace(handshake_->split());
      in_.erase(in_.begin(), in_.begin() + kChoice);
      Bytes choice;
      multistream::append_message(choice, multistream::kProtocolId);
      multistream::append_message(choice, muxer_);
      send(choice);
    }
    const auto taken = transport_->open_all(in_, [&](MutableBytes plain) -> Result<void> {
      append(plain_, plain);
      return {};
    });
    ASSERT_TRUE(taken);
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(*taken));
  }

  void send(ByteView plain) {
    Bytes message(plain.size() + noise::kOverhead);
    std::copy(plain.begin(), plain.end(), message.begin() + noise::kLengthSize);
    ASSERT_TRUE(transport_->seal_in_place(message, plain.size()));
    append(out_, message);
  }

  const Bytes& plain() const { return plain_; }

 private:
  std::string muxer_;
  SeededRng rng_{9};
  std::optional<noise::Handshake> handshake_;
  std::optional<noise::Transport> transport_;
  Bytes in_, out_, plain_;
};

TEST_F(ConnectionEngineTest, negotiates_the_muxer_with_a_peer_that_does_not_offer_one_early) {
  for (const auto role : {Role::dialer, Role::listener}) {
    for (const std::string muxer : {"/yamux/1.0.0", "/mplex/6.7.0"}) {
      SeededRng rng(1);
      Recorder user;
      const auto key = make_key(1);
      ConnectionEngine engine(role, {.kinds = testing_pair::make_kinds(key)}, user, testing_pair::start_time(), rng);
      OldPeer peer(role == Role::listener, muxer);
      Result<std::size_t> taken = std::size_t{0};
      Bytes wire;
      for (int i = 0; i < 10 && taken; ++i) {
        Bytes out(4096);
        out.resize(engine.poll_transmit(out, testing_pair::start_time()));
        peer.on_bytes(out);
        append(wire, peer.take_output());
        taken = engine.on_bytes(wire, testing_pair::start_time());
        if (taken) wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(*taken));
      }
      const bool agreed = muxer == "/yamux/1.0.0";
      EXPECT_EQ(engine.ready(), agreed);
      EXPECT_EQ(user.ready, agreed ? 1 : 0);
      // The engine's half of the choice, then the first frame of the muxer.
      Bytes expected;
      multistream::append_message(expected, multistream::kProtocolId);
      multistream::append_message(expected, agreed || role == Role::dialer ? "/yamux/1.0.0" : "na");
      ASSERT_GE(peer.plain().size(), expected.size());
      EXPECT_EQ(to_hex(ByteView(peer.plain()).first(expected.size())), to_hex(expected));
      EXPECT_EQ(peer.plain().size(), expected.size() + (agreed ? yamux::kHeaderSize : 0));
      EXPECT_EQ(!taken, role == Role::dialer && !agreed);
    }
  }
}

}  // namespace
}  // namespace libp2p
